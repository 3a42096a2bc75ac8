"""The projections beside an opened log, as commands need them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

from api.cli.console import opened
from ledger.clock import read_now
from ledger.errors import NotFound, Refused, StoreFailed
from ledger.identifiers import card_number, clean_kpj
from ledger.store import account_index
from ledger.store.codec import StoredRow
from ledger.store.known_at import KnownAt, known_at
from ledger.store.log import Log
from projections.generations import Store
from projections.projector import Projector
from projections.queries import Queries
from projections.snapshots import MAX_WAIT

_PERSON = re.compile(r"[0-9a-f]{32}")
AS_OF = "Money paid up to the end of a past day, YYYY-MM-DD."
KNOWN_AT = "By what had been recorded up to there: a position, or a moment as 2026-02-10T15:30+07:00."
"""Help of the options that ask for a past answer."""


@contextmanager
def read_side() -> Iterator[tuple[Log, Store]]:
    """The log that the settings name and its projections."""
    with opened() as log:
        store = Store.open(log.settings)
        try:
            yield log, store
        finally:
            store.close()


@contextmanager
def caught_up() -> Iterator[tuple[Log, Queries]]:
    """The log and its read side for questions, at the head when nobody else follows."""
    with read_side() as (log, store):
        reader = Queries(log, store)
        try:
            catch_up_alone(log, store)
            yield log, reader
        finally:
            reader.close()


def known_of(log: Log, reader: Queries, text: str, now: datetime) -> KnownAt | None:
    """The place in the log that `--known-at` names, reached by the read side; None for "". Raises Refused as
    `ledger.store.known_at.known_at`, Unavailable(position-not-reached)."""
    if not text:
        return None
    found = known_at(log, text, now)
    reader.wait_for(found.position, MAX_WAIT)
    return found


def card_of(kpj: str) -> int:
    """The card of a number as it was typed. Raises Refused(kpj-unreadable)."""
    number = clean_kpj(kpj)
    if number is None:
        raise Refused("kpj-unreadable")
    return card_number(number)


def holder_of(log: Log, text: str, column: str = "kpj") -> str:
    """The person of an id, or who holds a card. Raises Refused(kpj-unreadable), NotFound(account-not-found)."""
    if _PERSON.fullmatch(text):
        return text
    card = card_of(text)
    with log.database.read() as tx:
        found = account_index.cards(tx, [card]).get(card)
    if found is None:
        raise NotFound("account-not-found", column=column)
    return found.person


def follower_of(log: Log, store: Store) -> Projector:
    """The follower, which also releases suspended lines."""
    react: Callable[[list[StoredRow]], None] | None = None

    def release(rows: list[StoredRow]) -> None:
        # Nearly always there is nothing new: a question does not wait for what releases money.
        from projections.reactions import releaser

        nonlocal react
        react = react or releaser(log, read_now)
        react(rows)

    return Projector(log, store, reactions=[release])


def catch_up_alone(log: Log, store: Store) -> None:
    """Bring the read side to the head when nobody follows; a follower that runs does that itself."""
    try:
        follower_of(log, store).run_once()
    except Refused as refused:
        if refused.code != "follower-elsewhere":
            raise
    except StoreFailed as failed:
        # A standby answers what it has.
        if failed.code != "store-read-only":
            raise
