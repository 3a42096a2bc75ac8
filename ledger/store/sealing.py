"""Sealing: AES-256-GCM with the key of whom the data are about, bound to the place they stand in.

What is sealed begins with a byte that says in which shape it is: the inner version. So a later program can tell an older
payload from its own, although nobody can look inside without the key. Golden samples keep every shape.
"""

from __future__ import annotations

import base64
import binascii
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ledger.errors import BrokenLog

KEY, NONCE = 32, 12
INNER = b"\x01"
"""The present inner version of every payload."""


def seal(key: bytes, owner: str, stream: str, version: int, field: str, data: bytes) -> str:
    """`data` sealed with its owner's key for one place, as base64. `owner`: a person id, or an employer's NPP."""
    return sealed_with(AESGCM(key), os.urandom(NONCE), f"{owner}|{stream}|{version}|{field}", data)


def sealed_with(cipher: AESGCM, nonce: bytes, place: str, data: bytes) -> str:
    """`seal` for who seals many: the cipher and the random bytes were made before."""
    return binascii.b2a_base64(nonce + cipher.encrypt(nonce, INNER + data, place.encode()), newline=False).decode()


def unseal(key: bytes, owner: str, stream: str, version: int, field: str, sealed: str) -> bytes:
    """The inverse of `seal`. Raises BrokenLog when the text was not sealed with this key for this place, or in a shape
    that this program does not know."""
    try:
        data = base64.b64decode(sealed, validate=True)
        place = f"{owner}|{stream}|{version}|{field}".encode()
        opened = AESGCM(key).decrypt(data[:NONCE], data[NONCE:], place)
    except (InvalidTag, ValueError):
        raise BrokenLog("log-broken", position=0, what=f"sealed {field} of version {version}") from None
    if opened[:1] != INNER:
        raise BrokenLog("log-broken", position=0, what=f"sealed {field} of a newer shape")
    return opened[1:]
