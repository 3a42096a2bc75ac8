"""Codes of six digits that an app on a phone shows, another every half minute: TOTP (RFC 6238) over HOTP (RFC 4226)."""

from __future__ import annotations

import base64
import hmac
from datetime import datetime
from urllib.parse import quote

SECONDS, DIGITS = 30, 6
ISSUER = "Saldo JHT"
"""What an app calls the account."""
SECRET = 20
"""Bytes of a secret: as long as the digest (RFC 4226, section 4)."""
_SKEW = 1


def step_of(now: datetime) -> int:
    """The number of the half minute since 1970."""
    return int(now.timestamp()) // SECONDS


def code_at(secret: bytes, step: int) -> str:
    """The code of a half minute. SHA-1 is what every app takes; its weakness is not one of HMAC."""
    digest = hmac.digest(secret, step.to_bytes(8, "big"), "sha1")
    at = digest[-1] & 0xF
    number = int.from_bytes(digest[at : at + 4], "big") & 0x7FFFFFFF
    return f"{number % 10**DIGITS:0{DIGITS}d}"


def step_matching(secret: bytes, code: str, now: datetime, after: int) -> int | None:
    """The half minute, of this one and its neighbours, that a code belongs to; none up to `after`, which are used up.

    Takes the same time for every code.
    """
    typed, found = "".join(code.split())[:16].encode(), None
    for step in range(step_of(now) - _SKEW, step_of(now) + _SKEW + 1):
        right = hmac.compare_digest(code_at(secret, step).encode(), typed)
        if right and step > after and found is None:
            found = step
    return found


def key_text(secret: bytes) -> str:
    """A secret as it is typed into an app: Base32 in groups of four."""
    text = base64.b32encode(secret).decode()
    return " ".join(text[at : at + 4] for at in range(0, len(text), 4))


def key_address(secret: bytes, user: str) -> str:
    """A secret as apps read it from a QR code (Google's "Key Uri Format")."""
    label, key = quote(f"{ISSUER}:{user}", safe=""), base64.b32encode(secret).decode().rstrip("=")
    return f"otpauth://totp/{label}?secret={key}&issuer={quote(ISSUER)}&digits={DIGITS}"
