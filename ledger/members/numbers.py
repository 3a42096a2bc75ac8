"""One-time numbers: sent to a phone on file, typed on the site or sent back, they prove who holds that phone.

A sender of an SMS can be forged, so a word such as YA proves nothing; a number that only the phone on file was told
does. It counts for NUMBER_VALID and for WRONG_NUMBERS wrong tries over all doors: one guess in five million.
"""

from __future__ import annotations

import hmac
import secrets
from datetime import datetime, timedelta
from typing import NamedTuple

from ledger.store.database import Transaction

NUMBER_VALID = timedelta(minutes=10)
WRONG_NUMBERS = 20
_DIGITS = 8

LOGIN, PHONE, CONTACT, PROVE = "login", "phone", "contact", "prove"
"""What a number confirms: a registration, a phone that asked for balances, another contact on file; PROVE: that the new
phone is the member's."""


class Confirmed(NamedTuple):
    """What the holder of a phone on file said yes to; `sent_to`: the hash of that phone."""

    purpose: str
    person: str
    version: int
    sent_to: bytes


def new_number() -> str:
    """Eight digits."""
    return f"{secrets.randbelow(10**_DIGITS):0{_DIGITS}d}"


def plain_number(text: str) -> str:
    """A number as it was typed, without blanks; "" when it is none."""
    digits = "".join(sign for sign in text if not sign.isspace() and sign not in ".-")
    return digits if len(digits) == _DIGITS and digits.isascii() and digits.isdigit() else ""


def put_number(
    tx: Transaction, key: bytes, confirmed: Confirmed, asked_by: bytes, number: str, now: datetime
) -> None:  # fmt: skip
    """Remember a number that is being sent to one phone; `asked_by`: the hash of the phone that asked, or empty."""
    tx.run("delete from member_numbers where until < ?", [now.isoformat()])
    row = {
        "person": confirmed.person, "version": confirmed.version, "purpose": confirmed.purpose,
        "sent_to": confirmed.sent_to, "asked_by": asked_by, "hash": _hash(key, confirmed, number), "tries": 0,
        "until": (now + NUMBER_VALID).isoformat(),
    }  # fmt: skip
    tx.insert(
        "member_numbers", {name: [value] for name, value in row.items()}, "text bigint text bytea bytea bytea bigint text"
    )  # fmt: skip


def by_registration(
    tx: Transaction, key: bytes, person: str, version: int, number: str, now: datetime
) -> Confirmed | None:  # fmt: skip
    """What a number confirms that was typed for a registration; a wrong one is counted."""
    return _try(tx, key, "person = ? and version = ?", [person, version], number, now)


def by_phone(tx: Transaction, key: bytes, phone: bytes, number: str, now: datetime) -> Confirmed | None:
    """What a number confirms that came back from a phone: the one it was sent to or the one that asked."""
    return _try(tx, key, "(sent_to = ? or (asked_by = ? and purpose = 'phone'))", [phone, phone], number, now)


def _try(
    tx: Transaction, key: bytes, where: str, params: list[object], number: str, now: datetime
) -> Confirmed | None:  # fmt: skip
    alive = f"{where} and until >= ? and tries < ?"
    given = [*params, now.isoformat(), WRONG_NUMBERS]
    found = None
    for purpose, person, version, sent_to, hashed in tx.rows(
        f"select purpose, person, version, sent_to, hash from member_numbers where {alive}", given
    ):
        confirmed = Confirmed(purpose, person, version, bytes(sent_to))
        if hmac.compare_digest(_hash(key, confirmed, number), bytes(hashed)):
            found = confirmed
    if found is None:
        tx.run(f"update member_numbers set tries = tries + 1 where {alive}", given)
    return found


def _hash(key: bytes, confirmed: Confirmed, number: str) -> bytes:
    return hmac.digest(key, f"{confirmed.person} {confirmed.version} {number}".encode(), "sha256")
