"""What was declared for everybody at once, beside the balances: the events of the stream `scheme`, as they are stored.

Whoever reads a balance reads in the same statement the position of the newest of these events (`version`). What the scheme
was at a version never changes, so a process reads it once; and a declaration counts in the very moment in which the position
of the balances has passed it, in every process.

An event that this program cannot read stands here too. Nobody can say which balance it concerns, so every balance waits.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from ledger.decisions.scheme import Scheme
from ledger.errors import BrokenLog, Unavailable
from ledger.events.scheme import STREAM
from ledger.store.codec import UNREADABLE, StoredRow, decode, state_json
from ledger.store.database import Transaction
from ledger.yields import Terms
from projections.generations import Generation

COLUMNS = ("position", "version", "name", "state")
_TYPES = "bigint bigint text text"
_KEPT = 64
"""Days whose terms are remembered; nearly everybody asks for today."""


def table(generation: Generation) -> str:
    """The DDL, beside the balances of a generation. Its index is the key: a handful of rows a year."""
    return (
        f"create table {generation.table}_scheme (position bigint primary key, version bigint not null, "
        "name text not null, state text not null)"
    )


def write(tx: Transaction, generation: Generation, rows: Sequence[StoredRow]) -> None:
    """Add events of the scheme, readable or not."""
    if rows:
        columns = (
            [r.position for r in rows],
            [r.version for r in rows],
            [r.name for r in rows],
            [_text(r) for r in rows],
        )
        tx.insert(f"{generation.table}_scheme", dict(zip(COLUMNS, columns, strict=True)), _TYPES)


def _text(row: StoredRow) -> str:
    """The event's JSON; nothing where there is none, and then it cannot be read later either."""
    try:
        return state_json(row.state).decode().replace("\0", "")
    except UNREADABLE:
        return ""


def version(generation: Generation) -> str:
    """SQL of the newest event's position, 0 when there is none."""
    return f"coalesce((select max(position) from {generation.table}_scheme), 0)"


def upto(generation: Generation) -> str:
    """SQL of the events up to a position, in order."""
    return f"select {', '.join(COLUMNS)} from {generation.table}_scheme where position <= ? order by position"


def every(generation: Generation) -> str:
    """SQL of all events, in order."""
    return f"select {', '.join(COLUMNS)} from {generation.table}_scheme order by position"


class Known:
    """The scheme at a version. `tag` names the version in ETags; `unread`: the first event that cannot be read, or 0."""

    def __init__(self, scheme: Scheme, tag: str, unread: int = 0) -> None:
        self.scheme, self.tag, self.unread = scheme, tag, unread
        self._terms: dict[date, Terms] = {}

    def terms(self, day: date) -> Terms:
        """What yields up to a day are worked out with. Raises Unavailable(scheme-unreadable)."""
        found = self._terms.get(day)
        if found is None:
            if self.unread:
                raise Unavailable("scheme-unreadable", position=self.unread)
            if len(self._terms) >= _KEPT:
                self._terms.clear()
            found = self._terms[day] = self.scheme.terms(day)
        return found


def known_of(rows: Sequence[Sequence[Any]], mark: str) -> Known:
    """The scheme after rows of `upto`; `mark`: the fingerprint of the last one's event."""
    state = Scheme()
    tag = f"{rows[-1][0]}.{mark}" if rows else "0"
    for position, number, name, text in rows:
        try:
            event = decode(StoredRow(position, STREAM, number, name, text.encode()))
        except BrokenLog:
            return Known(state, tag, position)
        state = state.after(event.fact, event.version, event.recorded_at)
    return Known(state, tag)
