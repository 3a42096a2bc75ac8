"""The tables of members, beside the log: what a member is looked up by, and links that can be used once.

Derived from no event: password hashes and link secrets stand in no log, because a log is kept for ever. Every row hangs
on the person's row in the vault, so erasing a person takes them all along.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import NamedTuple

from ledger.errors import Refused
from ledger.members.state import ACTIVE, WAITING
from ledger.store.database import Transaction

VALID = timedelta(hours=24)
VALID_RESET = timedelta(hours=1)
VALID_CONFIRM = timedelta(days=7)


class Login(NamedTuple):
    """How a member comes in. `password`: an argon2 text, "" without one; `epoch`: older sessions are dead."""

    person: str
    password: str
    state: str
    epoch: int


class LinkedCard(NamedTuple):
    """A card a member sees; `handle` stands for it in addresses."""

    handle: str
    card: int


class Link(NamedTuple):
    """A link that was sent; `version`: of the event in the member stream that it belongs to."""

    purpose: str
    person: str
    version: int = 0


_LOGIN = "select person, password, state, epoch from member_logins where "


def login_of(tx: Transaction, person: str) -> Login | None:
    rows = tx.rows(f"{_LOGIN} person = ?", [person])
    return Login(*rows[0]) if rows else None


def login_by_address(tx: Transaction, hashed: bytes) -> Login | None:
    """The login whose proven address hashes to that; an unproven one is nobody's yet."""
    rows = tx.rows(f"{_LOGIN} address = ? and state in ('{ACTIVE}', '{WAITING}')", [hashed])
    return Login(*rows[0]) if rows else None


def put_login(tx: Transaction, person: str, address: bytes, password: str, state: str) -> None:
    """A registration's row: it replaces one that was there, and ends its sessions.

    Epochs begin at random: after a closed access a new registration revives no session of the old one.
    """
    epoch = secrets.randbits(40)
    tx.insert(
        "member_logins",
        {"person": [person], "address": [address], "password": [password], "state": [state], "epoch": [epoch]},
        "text bytea text text bigint",
        "on conflict (person) do update set address = excluded.address, password = excluded.password, "
        "state = excluded.state, epoch = member_logins.epoch + 1",
    )


def set_state(tx: Transaction, person: str, state: str) -> None:
    tx.run("update member_logins set state = ? where person = ?", [state, person])


def set_password(tx: Transaction, person: str, password: str) -> None:
    """Another password; every session ends."""
    tx.run("update member_logins set password = ?, epoch = epoch + 1 where person = ?", [password, person])


def end_sessions(tx: Transaction, person: str) -> None:
    tx.run("update member_logins set epoch = epoch + 1 where person = ?", [person])


def put_link(tx: Transaction, link: Link, now: datetime, valid: timedelta = VALID) -> str:
    """Make a link and return its secret; older ones for the same purpose end."""
    secret = secrets.token_urlsafe(32)
    tx.run("delete from member_links where (person = ? and purpose = ?) or until < ?",
           [link.person, link.purpose, now.isoformat()])  # fmt: skip
    tx.insert(
        "member_links",
        {"hash": [secret_hash(secret)], "purpose": [link.purpose], "person": [link.person], "version": [link.version],
         "until": [(now + valid).isoformat()]},
        "bytea text text bigint text",
    )  # fmt: skip
    return secret


def end_links(tx: Transaction, person: str, *purposes: str) -> None:
    """End a person's links for some purposes."""
    for purpose in purposes:
        tx.run("delete from member_links where person = ? and purpose = ?", [person, purpose])


def link_of(tx: Transaction, secret: str, now: datetime) -> Link:
    """The link behind a secret. Raises Refused(link-used): unknown, used or over, which look the same."""
    rows = tx.rows(
        "select purpose, person, version from member_links where hash = ? and until >= ?",
        [secret_hash(secret), now.isoformat()],
    )
    if not rows:
        raise Refused("link-used")
    return Link(*rows[0])


def use_link(tx: Transaction, secret: str, *pairs: str) -> None:
    """End a link, and those of the given purposes that went out with it. Raises Refused(link-used)."""
    rows = tx.rows("select person from member_links where hash = ?", [secret_hash(secret)])
    if not rows or not tx.run("delete from member_links where hash = ?", [secret_hash(secret)]):
        raise Refused("link-used")
    end_links(tx, rows[0][0], *pairs)


def secret_hash(secret: str) -> bytes:
    """What a random secret (of a link, a session, a device) is stored as; whatever a stranger sends can be hashed."""
    return sha256(secret.encode("utf-8", "surrogatepass")).digest()


def put_card(tx: Transaction, person: str, card: int) -> None:
    """Show a member one more card; nothing happens when it is shown already."""
    tx.insert(
        "member_cards", {"handle": [secrets.token_urlsafe(16)], "person": [person], "card": [card]},
        "text text bigint", "on conflict do nothing",
    )  # fmt: skip


def cards_of(tx: Transaction, person: str) -> list[LinkedCard]:
    """A member's cards, in order of their numbers."""
    return cards_of_each(tx, [person])[person]


def cards_of_each(tx: Transaction, persons: Sequence[str]) -> dict[str, list[LinkedCard]]:
    """The cards of some members, each in order of their numbers."""
    found: dict[str, list[LinkedCard]] = {person: [] for person in persons}
    given, params = tx.relation(person=("text", persons))
    for person, handle, card in tx.rows(
        f"select m.person, m.handle, m.card from {given} q join member_cards m on m.person = q.person order by m.card",
        params,
    ):
        found[person].append(LinkedCard(handle, card))
    return found


def put_phone(tx: Transaction, person: str, hashed: bytes) -> str:
    """Bind a phone to a person, and only to him; the person it was bound to before, or ""."""
    rows = tx.rows("select person from member_phones where hash = ?", [hashed])
    tx.run("delete from member_phones where hash = ? or person = ?", [hashed, person])
    tx.insert("member_phones", {"hash": [hashed], "person": [person]}, "bytea text")
    return rows[0][0] if rows and rows[0][0] != person else ""


def owner_of(tx: Transaction, hashed: bytes) -> str | None:
    """The person a phone is bound to."""
    rows = tx.rows("select person from member_phones where hash = ?", [hashed])
    return rows[0][0] if rows else None


def drop_phone(tx: Transaction, hashed: bytes) -> None:
    tx.run("delete from member_phones where hash = ?", [hashed])


def clear(tx: Transaction, person: str) -> None:
    """The access ended: nothing finds the member any more."""
    for table in ("member_logins", "member_cards", "member_phones", "member_links"):
        tx.run(f"delete from {table} where person = ?", [person])
