"""The table of passkeys: the public half of each, found by the id that its authenticator gave it."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from ledger.store.database import Transaction


class Passkey(NamedTuple):
    """A passkey of a member; `added`: the version of its event, by which it is called. Times are ISO UTC texts."""

    credential: bytes
    person: str
    added: int
    public_key: bytes
    sign_count: int
    made_at: str
    used_at: str


_PASSKEY = "select credential, person, version, public_key, sign_count, made_at, used_at from member_passkeys where "


def put(tx: Transaction, passkey: Passkey) -> None:
    tx.insert(
        "member_passkeys",
        {
            "credential": [passkey.credential], "person": [passkey.person], "version": [passkey.added],
            "public_key": [passkey.public_key], "sign_count": [passkey.sign_count], "made_at": [passkey.made_at],
            "used_at": [passkey.used_at],
        },
        "bytea text bigint bytea bigint text text",
    )  # fmt: skip


def find(tx: Transaction, credential: bytes) -> Passkey | None:
    """The passkey that an authenticator calls `credential`."""
    rows = tx.rows(f"{_PASSKEY} credential = ?", [credential])
    return _passkey(*rows[0]) if rows else None


def of(tx: Transaction, person: str) -> list[Passkey]:
    """A member's passkeys, the oldest first."""
    return [_passkey(*row) for row in tx.rows(f"{_PASSKEY} person = ? order by version", [person])]


def _passkey(
    credential: bytes, person: str, added: int, public_key: bytes, sign_count: int, made_at: str, used_at: str
) -> Passkey:  # fmt: skip
    return Passkey(bytes(credential), person, added, bytes(public_key), sign_count, made_at, used_at)


def count(tx: Transaction, credential: bytes, sign_count: int, now: datetime) -> bool:
    """Note a use; False when the count did not grow, or the passkey is gone."""
    return bool(
        tx.run(
            "update member_passkeys set sign_count = ?, used_at = ? "
            "where credential = ? and (sign_count < ? or sign_count = 0 and ? = 0)",
            [sign_count, now.isoformat(), credential, sign_count, sign_count],
        )
    )


def drop(tx: Transaction, person: str, added: int) -> None:
    tx.run("delete from member_passkeys where person = ? and version = ?", [person, added])
