"""The tables of members, beside the log: what a member is looked up by, and links that can be used once.

Derived from no event: password hashes and link secrets stand in no log, because a log is kept for ever. Every row hangs
on the person's row in the vault, so erasing a person takes them all along. Registrations that are not open yet, with
the password that was chosen for each, stand apart from the logins; one-time numbers are in `numbers.py`.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import NamedTuple

from ledger.errors import Refused
from ledger.store.database import Transaction

VALID = timedelta(hours=24)
VALID_RESET = timedelta(hours=1)
VALID_CONFIRM = timedelta(days=7)

NEEDS_REGISTRATION = ("verify", "invite", "confirm-login", "deny-login")
"""Links that are about a registration: all of them end when an access opens."""


class Login(NamedTuple):
    """How a member comes in; there is one only while the access is open. `password`: an argon2 text, "" without one;
    `epoch`: older sessions are dead.
    """

    person: str
    password: str
    epoch: int


class Waiting(NamedTuple):
    """What a registration that is not open yet will open with."""

    person: str
    version: int
    address: bytes
    password: str


class LinkedCard(NamedTuple):
    """A card a member sees; `handle` stands for it in addresses."""

    handle: str
    card: int


class Link(NamedTuple):
    """A link that was sent; `version`: of the event in the member stream that it belongs to; `sent_to`: the hash of the
    address that it went to.
    """

    purpose: str
    person: str
    version: int
    sent_to: bytes


_LOGIN = "select person, password, epoch from member_logins where "
_REGISTRATION = "select person, version, address, password from member_registrations where until >= ? and "


def login_of(tx: Transaction, person: str) -> Login | None:
    rows = tx.rows(f"{_LOGIN} person = ?", [person])
    return Login(*rows[0]) if rows else None


def login_by_address(tx: Transaction, hashed: bytes) -> Login | None:
    """The login whose address hashes to that; one that was not proven is nobody's yet."""
    rows = tx.rows(f"{_LOGIN} address = ?", [hashed])
    return Login(*rows[0]) if rows else None


def put_login(tx: Transaction, waiting: Waiting) -> None:
    """A registration opens: its row becomes the login, and every other registration with its links is over.

    Epochs begin at random: after a closed access a new one revives no session of the old one.
    """
    tx.insert(
        "member_logins",
        {
            "person": [waiting.person], "address": [waiting.address], "password": [waiting.password],
            "epoch": [secrets.randbits(40)],
        },
        "text bytea text bigint",
    )  # fmt: skip
    tx.run("delete from member_registrations where person = ?", [waiting.person])
    marks = ", ".join("?" * len(NEEDS_REGISTRATION))
    tx.run(f"delete from member_links where person = ? and purpose in ({marks})", [waiting.person, *NEEDS_REGISTRATION])
    tx.run("delete from member_numbers where person = ? and purpose = 'login'", [waiting.person])


def put_registration(tx: Transaction, waiting: Waiting, ticket: str, now: datetime) -> None:
    """`ticket`: what the browser that registered holds, "" when none does."""
    tx.run("delete from member_registrations where until < ?", [now.isoformat()])
    tx.insert(
        "member_registrations",
        {
            "person": [waiting.person], "version": [waiting.version], "address": [waiting.address],
            "password": [waiting.password], "ticket": [secret_hash(ticket) if ticket else b""],
            "until": [(now + VALID_CONFIRM).isoformat()],
        },
        "text bigint bytea text bytea text",
    )  # fmt: skip


def registration_of(tx: Transaction, person: str, version: int, now: datetime) -> Waiting:
    """Raises Refused(link-used): its time is over."""
    rows = tx.rows(f"{_REGISTRATION} person = ? and version = ?", [now.isoformat(), person, version])
    if not rows:
        raise Refused("link-used")
    return _waiting(*rows[0])


def registrations_of(tx: Transaction, person: str) -> frozenset[int]:
    """The registrations of a person; those whose time is over go when anybody registers."""
    return frozenset(row[0] for row in tx.rows("select version from member_registrations where person = ?", [person]))


def registration_by_ticket(tx: Transaction, ticket: str, now: datetime) -> Waiting | None:
    """The registration that a browser began."""
    rows = tx.rows(f"{_REGISTRATION} ticket = ?", [now.isoformat(), secret_hash(ticket)]) if ticket else []
    return _waiting(*rows[0]) if rows else None


def registration_by_address(tx: Transaction, hashed: bytes, now: datetime) -> Waiting | None:
    """A registration with that address."""
    rows = tx.rows(f"{_REGISTRATION} address = ? order by version", [now.isoformat(), hashed])
    return _waiting(*rows[-1]) if rows else None


def _waiting(person: str, version: int, address: bytes, password: str) -> Waiting:
    return Waiting(person, version, bytes(address), password)


def drop_registration(tx: Transaction, person: str, version: int) -> None:
    tx.run("delete from member_registrations where person = ? and version = ?", [person, version])


def set_password(tx: Transaction, person: str, password: str) -> None:
    """Another password; every session ends."""
    tx.run("update member_logins set password = ?, epoch = epoch + 1 where person = ?", [password, person])


def end_sessions(tx: Transaction, person: str) -> None:
    tx.run("update member_logins set epoch = epoch + 1 where person = ?", [person])


def put_link(tx: Transaction, link: Link, now: datetime, valid: timedelta = VALID) -> str:
    """Make a link and return its secret. Those that were sent before stay as they are."""
    secret = secrets.token_urlsafe(32)
    tx.run("delete from member_links where until < ?", [now.isoformat()])
    tx.insert(
        "member_links",
        {"hash": [secret_hash(secret)], "purpose": [link.purpose], "person": [link.person], "version": [link.version],
         "sent_to": [link.sent_to], "until": [(now + valid).isoformat()]},
        "bytea text text bigint bytea text",
    )  # fmt: skip
    return secret


def link_of(tx: Transaction, secret: str, now: datetime) -> Link:
    """The link behind a secret. Raises Refused(link-used): unknown, used or over, which look the same."""
    rows = tx.rows(
        "select purpose, person, version, sent_to from member_links where hash = ? and until >= ?",
        [secret_hash(secret), now.isoformat()],
    )
    if not rows:
        raise Refused("link-used")
    purpose, person, version, sent_to = rows[0]
    return Link(purpose, person, version, bytes(sent_to))


def use_link(tx: Transaction, secret: str) -> None:
    """End a link, and all that are about the same registration, phone or password. Raises Refused(link-used)."""
    rows = tx.rows("select person, version from member_links where hash = ?", [secret_hash(secret)])
    if not rows or not tx.run("delete from member_links where hash = ?", [secret_hash(secret)]):
        raise Refused("link-used")
    end_asking(tx, *rows[0])


def end_asking(tx: Transaction, person: str, version: int) -> None:
    """What was asked about a registration or phone is answered: its links and numbers are over."""
    for table in ("member_links", "member_numbers"):
        tx.run(f"delete from {table} where person = ? and version = ?", [person, version])


def is_asked(tx: Transaction, person: str, version: int) -> bool:
    """Whether a link or number about the request still waits for its answer."""
    return any(
        tx.rows(f"select 1 from {table} where person = ? and version = ? limit 1", [person, version])
        for table in ("member_links", "member_numbers")
    )


def secret_hash(secret: str) -> bytes:
    """What a random secret (of a link, a session, a device) is stored as; whatever a stranger sends can be hashed."""
    return sha256(secret.encode("utf-8", "surrogatepass")).digest()


def put_card(tx: Transaction, person: str, card: int) -> None:
    """Show a member one more card; nothing happens when it is shown already."""
    tx.insert(
        "member_cards", {"handle": [secrets.token_urlsafe(16)], "person": [person], "card": [card]},
        "text text bigint", "on conflict do nothing",
    )  # fmt: skip


def drop_card(tx: Transaction, person: str, card: int) -> None:
    """A member sees a card no more."""
    tx.run("delete from member_cards where person = ? and card = ?", [person, card])


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
    for table in ("member_logins", "member_registrations", "member_cards", "member_phones", "member_links",
                  "member_numbers", "member_passkeys", "notice_choices", "notice_waiting"):  # fmt: skip
        tx.run(f"delete from {table} where person = ?", [person])
