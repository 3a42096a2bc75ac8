"""What a person has at the head of the log: asked before personal data are erased for ever."""

from __future__ import annotations

from datetime import date, datetime

from ledger.clock import jakarta_date
from ledger.store.log import Log
from ledger.store.suspense import suspense_of
from projections.queries import Queries

FRESH_SECONDS = 5


def holdings(log: Log, reader: Queries, person: str, now: datetime) -> tuple[bool, date | None]:
    """Whether a person has money or suspense, and the last day money moved.

    Raises Unavailable when the read side does not reach the log's head in FRESH_SECONDS, or cannot tell a balance:
    nobody is erased on an old one.
    """
    reader.wait_for(log.head(), FRESH_SECONDS)
    cards = reader.person_cards(person)
    rows = [reader.balance(card, jakarta_date(now), now) for card in cards]
    with log.database.read() as tx:
        waiting = suspense_of(tx, cards) if cards else []
    days = [date.fromisoformat(row.last.paid_on) for row in rows if row.last]
    return bool(waiting) or any(row.total for row in rows), max(days, default=None)
