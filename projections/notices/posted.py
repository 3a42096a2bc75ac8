"""Which posted lines members are told of.

A line is told when all of this is so: it was posted in the ordinary way (not released from suspense, not an opening, not
by an upload that may load history); it was paid in the last PAID_DAYS days before it was recorded; it brings money; whoever
holds the card had chosen to be told before it was recorded. Old money is known to its owner, and a file of ten years would
be ten years of messages.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache

import msgspec
import numpy as np

from ledger.clock import jakarta_date
from ledger.days import day_number
from ledger.events import ContributionsPosted
from ledger.events.upcasters import names_of
from ledger.members.state import POSTED
from ledger.store.codec import UNREADABLE, StoredRow, recorded_at_of, state_json
from ledger.store.notices import Waiting
from ledger.store.transaction import Transaction
from projections.event_batch import Lines, read_batch

NAMES = sorted(names_of(ContributionsPosted))
PAID_DAYS = 60


class _Head(msgspec.Struct):
    """Of a stored event what says whether a person decided something about it."""

    reason: str = ""


_decoder = msgspec.json.Decoder(_Head)


def told_lines(rows: Sequence[StoredRow]) -> Lines | None:
    """The lines of some contributions events that are told to whoever chose it; None when there are none."""
    wanted = [row for row in rows if _is_ordinary(row)]
    if not wanted:
        return None
    recorded = {row.position: _day(recorded_at_of(row.state)) for row in wanted}
    lines = read_batch(wanted, people=False).lines
    days = np.array([recorded[position] for position in lines.position.tolist()], np.int64)
    found = lines.at((lines.paid_on >= days - PAID_DAYS) & (lines.employer + lines.worker > 0))
    return found if len(found.card) else None


def waiting(tx: Transaction, lines: Lines) -> list[Waiting]:
    """What of these lines is to be told to whom: the account index says who holds a card, the choices who wants it."""
    given, params = tx.relation(card=("bigint", np.unique(lines.card).tolist()))
    found: dict[int, list[tuple[str, str, int]]] = {}
    # `cross join`: SQLite keeps the order, so that two short look-ups are made for a card and nothing is read whole.
    for card, person, way, since in tx.rows(
        f"select a.card, c.person, c.way, c.since from {given} q cross join account_index_cards a "
        "cross join notice_choices c where a.card = q.card and c.person = a.person and c.kind = ?",
        [*params, POSTED],
    ):
        found.setdefault(card, []).append((person, way, since))
    if not found:
        return []
    some = lines.at(np.isin(lines.card, np.array(sorted(found), np.int64)))
    columns = (some.card, some.month, some.npp, some.position, some.line, some.wage, some.employer, some.worker)
    return [
        Waiting(person, way, POSTED, card, month, npp, position, line, wage, employer, worker)
        for card, month, npp, position, line, wage, employer, worker in zip(
            *(column.tolist() for column in columns), strict=True
        )
        for person, way, since in found[card]
        if position > since
    ]


def _is_ordinary(row: StoredRow) -> bool:
    """Whether nobody decided anything special about the event; one that cannot be read is told by nobody."""
    try:
        return not _decoder.decode(state_json(row.state)).reason
    except UNREADABLE:
        return False


@lru_cache(4096)
def _day(recorded_at: str) -> int:
    """The day in Jakarta of a moment as the log writes it."""
    return day_number(jakarta_date(datetime.fromisoformat(recorded_at)))
