"""The master key: where it is kept, and what is derived from it. It wraps the persons' keys and keys their hashes."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Callable
from functools import cache
from hashlib import sha256
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from ledger.decisions.person import Contact, Identity
from ledger.errors import BrokenLog, Refused
from ledger.settings import Settings
from ledger.store.sealing import KEY as _KEY
from ledger.store.sealing import NONCE as _NONCE

_HASH, _BLOCK = 16, 64


class Master:
    """What is derived from one master key."""

    def __init__(self, key: bytes, number: int) -> None:
        self.number = number
        self.wrapping = AESGCM(_derived(key, b"wrap"))
        self.nik, self.phone, self.email = (
            _hashing(_derived(key, b"hash " + field.encode())) for field in ("nik", "phone", "email")
        )
        self.fingerprint = fingerprint(key)
        self.derive: Callable[[bytes], bytes] = cache(lambda purpose: _derived(key, b"for " + purpose))

    def reach(self, contact: Contact) -> tuple[bytes | None, bytes | None]:
        """(phone, e-mail); the letter case of an e-mail address does not count."""
        return (
            self.phone(contact.phone) if contact.phone else None,
            self.email(contact.email.lower()) if contact.email else None,
        )

    def hashes(self, identity: Identity, contact: Contact) -> tuple[bytes, bytes | None, bytes | None]:
        """(nik, phone, e-mail)."""
        return self.nik(identity.nik), *self.reach(contact)

    def wrap(self, person: str, key: bytes, nonce: bytes) -> bytes:
        return nonce + self.wrapping.encrypt(nonce, key, person.encode())

    def unwrap(self, person: str, wrapped: bytes) -> bytes:
        try:
            return self.wrapping.decrypt(wrapped[:_NONCE], wrapped[_NONCE:], person.encode())
        except InvalidTag:
            raise BrokenLog("log-broken", position=0, what="vault row") from None


def fingerprint(master_key: bytes) -> str:
    """Eight hex digits that tell master keys apart and reveal nothing of them."""
    return sha256(_derived(master_key, b"fingerprint")).hexdigest()[:8]


def _derived(key: bytes, purpose: bytes) -> bytes:
    return HKDF(SHA256(), 32, b"jht-ledger vault v1", purpose).derive(key)


def _hashing(key: bytes) -> Callable[[str], bytes]:
    """HMAC-SHA256 (RFC 2104) truncated, with the key's two blocks hashed once: half the time of `hmac.digest`."""
    block = key.ljust(_BLOCK, b"\0")
    inner, outer = (sha256(bytes(byte ^ pad for byte in block)) for pad in (0x36, 0x5C))

    def digest(value: str) -> bytes:
        inside, outside = inner.copy(), outer.copy()
        inside.update(value.encode())
        outside.update(inside.digest())
        return outside.digest()[:_HASH]

    return digest


def master_key(settings: Settings, create: bool) -> bytes:
    """The master key that the settings give: JHT_MASTER_KEY, JHT_MASTER_KEY_FILE, or beside a SQLite log FILE.key.

    With `create` the last is made, once, readable by its owner only. Raises Refused: master-key-missing, or
    setting-wrong when it is not 64 hex digits.
    """
    if settings.master_key is not None:
        return _parsed(settings.master_key.get_secret_value(), "JHT_MASTER_KEY")
    if settings.master_key_file is not None:
        return _read_key(settings.master_key_file, "JHT_MASTER_KEY_FILE")
    if settings.sqlite_path is None:
        raise Refused("master-key-missing")
    path = settings.beside("key")
    if create and not path.exists():
        write_key(path)
    return _read_key(path, path.name)


def _read_key(path: Path, what: str) -> bytes:
    try:
        return _parsed(path.read_text("ascii"), what)
    except FileNotFoundError:
        raise Refused("master-key-missing") from None
    except (OSError, UnicodeDecodeError) as error:
        raise Refused("setting-wrong", what=f"{what}: {type(error).__name__}") from None


def _parsed(text: str, what: str) -> bytes:
    with contextlib.suppress(ValueError):
        key = bytes.fromhex(text.strip())
        if len(key) == _KEY:
            return key
    raise Refused("setting-wrong", what=f"{what}: must be 64 hexadecimal digits")


def write_key(path: Path) -> None:
    """Write a new key whole or not at all; of several processes that start at once the first one's key stands."""
    draft = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        try:
            os.write(handle, os.urandom(_KEY).hex().encode() + b"\n")
            os.fsync(handle)
        finally:
            os.close(handle)
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink()
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
