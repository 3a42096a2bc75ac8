"""`entries`: one row per posted, released or reversed line and per opening balance: the statement of a card.

Key (card, month, position, line): a statement is read newest month first. What all lines of an event share (type, kind,
paid day, payer, when it was recorded, reference) stands once, in `<entries>_events`. A reversal is a row of its own with
negative shares and the paid day of the line it takes back. Past balances and, after a reversal, the last contribution
are read from here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from ledger.store.database import Transaction
from projections import bulk
from projections.event_batch import EventBatch, Lines
from projections.generations import Generation

Columns = dict[str, bulk.Ints]


# Wide columns first: PostgreSQL pads a narrow one before a wide one.
COLUMNS = ("card", "position", "wage", "back_pay", "employer", "worker", "tambahan", "month", "epoch", "line", "months")
TYPES = "bigint bigint bigint bigint bigint bigint bigint int int smallint smallint"
KEY = "card, month, position, line"
EVENT_COLUMNS = ("position", "type", "kind", "paid_on", "npp", "recorded", "credited")
EVENT_TYPES = "bigint smallint smallint int int bigint bigint"


def tables(generation: Generation, dialect: str) -> str:
    fields = ", ".join(f"{name} {kind} not null" for name, kind in zip(COLUMNS, TYPES.split(), strict=True))
    of_event = ", ".join(
        f"{name} {kind} not null" for name, kind in zip(EVENT_COLUMNS, EVENT_TYPES.split(), strict=True)
    )
    key = f", primary key ({KEY})) without rowid" if dialect == "sqlite" else ")"
    of_event = of_event.replace("position bigint not null", "position integer primary key", 1) if (
        dialect == "sqlite"
    ) else of_event.replace("not null", "primary key", 1)  # fmt: skip
    return (
        f"create table {generation.table} ({fields}{key};"
        f"create table {generation.table}_events ({of_event}, reference text not null)"
    )


def indexes(generation: Generation, dialect: str) -> str:
    """What is added after the rows were loaded.

    Positions move by compare-and-set, so the key cannot repeat; the shorter index is a third quicker to build.
    """
    stem = generation.table.rpartition(".")[2]
    return "" if dialect == "sqlite" else f"create index {stem}_card on {generation.table} (card, month)"


def fold(lines: Lines) -> Columns:
    """The rows of some lines."""
    event = lines.event
    return {
        "card": lines.card,
        "position": lines.position[event],
        **{name: getattr(lines, name) for name in COLUMNS[2:7]},
        "month": lines.month[event],
        **{name: getattr(lines, name) for name in COLUMNS[8:]},
    }


class Prepared(NamedTuple):
    """Rows ready to be written: of lines in narrow columns, of events, and the events' references."""

    lines: Columns
    events: Columns
    references: list[str]


def prepare(lines: Lines) -> Prepared:
    """What a bulk load takes; half as big as `Lines`."""
    return Prepared(
        {name: values.astype(_NARROW[name]) for name, values in fold(lines).items()},
        {name: getattr(lines, name) for name in EVENT_COLUMNS},
        lines.reference,
    )


def _write_events(tx: Transaction, generation: Generation, events: Columns, references: list[str]) -> None:
    given: dict[str, Sequence[Any]] = {name: values.tolist() for name, values in events.items()}
    tx.insert(f"{generation.table}_events", given | {"reference": references}, f"{EVENT_TYPES} text")


def apply(tx: Transaction, generation: Generation, page: EventBatch) -> None:
    """Add a page to a generation's rows."""
    lines = page.lines
    if len(lines.position):
        _write_events(tx, generation, {name: getattr(lines, name) for name in EVENT_COLUMNS}, lines.reference)
        bulk.upsert(tx, generation.table, fold(lines))


class Build:
    """The rows of a whole log, written in chunks; on SQLite sorted, so that the key is filled nearly in order."""

    def __init__(self, tx: Transaction, generation: Generation) -> None:
        self.tx, self.generation = tx, generation
        self._chunk = _COPY_LINES if tx.dialect == "postgres" else _SORTED_LINES
        self._buffer: list[Prepared] = []
        self._buffered = 0

    def add(self, prepared: Prepared) -> None:
        """Take the rows; their columns are taken out of `prepared` when they are written."""
        if not prepared.references:
            return
        self._buffer.append(prepared)
        self._buffered += len(prepared.lines["card"])
        if self._buffered >= self._chunk:
            self.flush()

    def flush(self) -> None:
        """Write what is buffered."""
        if not self._buffer:
            return
        buffer, self._buffer, self._buffered = self._buffer, [], 0
        events = {name: np.concatenate([part.events[name] for part in buffer]) for name in EVENT_COLUMNS}
        _write_events(self.tx, self.generation, events, [text for part in buffer for text in part.references])
        # Column by column, so that the rows are never all there twice.
        columns = {name: np.concatenate([part.lines.pop(name) for part in buffer]) for name in COLUMNS}
        if self.tx.dialect == "sqlite":
            order = np.lexsort((columns["line"], columns["position"], columns["month"], columns["card"]))
            for name in COLUMNS:
                columns[name] = columns[name][order]
        bulk.load(self.tx, self.generation.table, columns, TYPES)


_SORTED_LINES = 2_000_000
_COPY_LINES = 100_000
_NARROW = {
    name: {"bigint": "i8", "int": "i4", "smallint": "i2"}[kind]
    for name, kind in zip(COLUMNS, TYPES.split(), strict=True)
}
