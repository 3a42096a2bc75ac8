"""What is sealed once is opened for ever: one stored payload of every kind, under a fixed key at a fixed place.

A sample is never changed. Another shape gets another inner version and another sample. Made again by
`python -m tests.ledger.regenerate`, which must change no byte.
"""

from __future__ import annotations

import binascii
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ledger.decisions.person import Contact, Identity, contact_bytes, identity_bytes
from ledger.errors import BrokenLog
from ledger.store.sealing import seal, sealed_with, unseal

GOLDEN = Path(__file__).parent / "golden_sealed"
KEY, NONCE = bytes(range(32)), bytes(12)
PERSON, NPP = "0123456789abcdef0123456789abcdef", "10000001"
IDENTITY = Identity("3174016501900003", "Sari Lestari", "1990-01-25", "P")
CONTACT = Contact("sari@contoh.id", "+6281234567890")

# Field -> (owner, stream, version, what is inside).
MEANT: dict[str, tuple[str, str, int, bytes]] = {
    "identity": (PERSON, f"person:{PERSON}", 1, identity_bytes(IDENTITY)),
    "contact": (PERSON, f"person:{PERSON}", 2, contact_bytes(CONTACT)),
    "login": (PERSON, f"member:{PERSON}", 1, b"sari@contoh.id"),
    "phone": (PERSON, f"member:{PERSON}", 6, b"+6281234567890"),
    "text": (PERSON, f"member:{PERSON}", 10, b"Nama saya salah tulis."),
    "name": (NPP, f"employer:{NPP}", 1, b"PT Contoh Makmur"),
}


def sample(field: str) -> str:
    """The sealed text of a field, the same for ever because its key and random bytes are fixed."""
    owner, stream, version, data = MEANT[field]
    return sealed_with(AESGCM(KEY), NONCE, f"{owner}|{stream}|{version}|{field}", data)


@pytest.mark.parametrize("field", MEANT)
def test_a_sealed_payload_is_opened_as_it_was_meant_and_sealed_again_byte_for_byte(field: str) -> None:
    stored = (GOLDEN / f"{field}.1.txt").read_text("ascii").strip()
    owner, stream, version, data = MEANT[field]
    assert unseal(KEY, owner, stream, version, field, stored) == data
    assert sample(field) == stored


def test_a_payload_of_another_inner_version_is_told_never_guessed() -> None:
    place = "owner|stream|1|name"
    other = AESGCM(KEY).encrypt(NONCE, b"\x02later", place.encode())
    text = binascii.b2a_base64(NONCE + other, newline=False).decode()
    with pytest.raises(BrokenLog, match="newer shape"):
        unseal(KEY, "owner", "stream", 1, "name", text)
    assert unseal(KEY, "owner", "stream", 1, "name", seal(KEY, "owner", "stream", 1, "name", b"now")) == b"now"
