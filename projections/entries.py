"""`entries`: one row per posted, released or reversed line and per opening balance: the statement of a card. Which lines
waited when stands beside them (`suspensions`).

`<entries>_bases` keeps what an opening balance says later years' yields are taken from: with the entries of a card they are
all that its balance and yield at a past day are worked out from.

Key (card, month, position, line): a statement is read newest month first. What all lines of an event share (type, kind,
paid day, payer, when it was recorded, reference) stands once, in `<entries>_events`. A reversal is a row of its own with
negative shares and the paid day of the line it takes back. Past balances and, after a reversal, the last contribution
are read from here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ledger.store import bulk
from ledger.store.bulk import Columns
from ledger.store.database import Transaction
from ledger.store.dialect import Dialect
from projections import suspensions
from projections.event_batch import BASE, Broken, EventBatch, Lines
from projections.generations import Generation

# Wide columns first: PostgreSQL pads a narrow one before a wide one.
COLUMNS = (
    "card", "position", "wage", "back_pay", "employer", "worker", "tambahan", "month", "epoch", "part", "line", "months",
)  # fmt: skip
TYPES = "bigint bigint bigint bigint bigint bigint bigint int int int smallint smallint"
READS = (*COLUMNS, "type")
"""The columns of lines that `fold` reads."""
KEY = "card, month, position, line"
EVENT_COLUMNS = ("position", "type", "kind", "paid_on", "npp", "recorded", "credited", "credited_tambahan")
EVENT_TYPES = "bigint smallint smallint int int bigint bigint bigint"
BASE_COLUMNS = ("card", "position", "year", "base", "base_tambahan")
BASE_TYPES = "bigint bigint int bigint bigint"


def tables(generation: Generation, dialect: Dialect) -> str:
    fields = ", ".join(f"{name} {kind} not null" for name, kind in zip(COLUMNS, TYPES.split(), strict=True))
    of_event = ", ".join(
        f"{name} {dialect.integer_key if name == 'position' else f'{kind} not null'}"
        for name, kind in zip(EVENT_COLUMNS, EVENT_TYPES.split(), strict=True)
    )
    of_base = ", ".join(f"{name} {kind} not null" for name, kind in zip(BASE_COLUMNS, BASE_TYPES.split(), strict=True))
    return (
        f"create table {generation.table} ({fields}{dialect.key_at_once(KEY)};"
        f"create table {generation.table}_events ({of_event}, reference text not null);"
        f"create table {generation.table}_bases ({of_base}{dialect.key_at_once('card, position, year')};"
        f"{suspensions.tables(generation, dialect)}"
    )


def indexes(generation: Generation, dialect: Dialect) -> str:
    """What is added after the rows were loaded.

    Positions move by compare-and-set, so the key cannot repeat; the shorter index is a third quicker to build.
    """
    stem = generation.table.rpartition(".")[2]
    if dialect.clustered:
        return ""
    return (
        f"create index {stem}_card on {generation.table} (card, month);"
        f"create index {stem}_bases_card on {generation.table}_bases (card);{suspensions.indexes(generation)}"
    )


def fold(lines: Lines) -> Columns:
    """The rows of some lines."""
    if (bases := lines.type == BASE).any():
        lines = lines.at(~bases)
    return {name: getattr(lines, name) for name in COLUMNS}


def write_events(tx: Transaction, generation: Generation, page: EventBatch) -> list[Broken]:
    """Add what the lines of events have in common, the bases of opening balances, and what waits; what could not be read of
    that comes back."""
    events = page.events
    if events.reference:
        given: dict[str, Sequence[Any]] = {name: getattr(events, name).tolist() for name in EVENT_COLUMNS}
        given["reference"] = events.reference
        tx.insert(f"{generation.table}_events", given, f"{EVENT_TYPES} text")
    which = np.flatnonzero(page.lines.type == BASE)
    if len(which):
        card, position, month, base, second = (
            getattr(page.lines, name)[which].tolist()
            for name in ("card", "position", "month", "credited", "credited_tambahan")
        )
        columns = (card, position, [one // 12 for one in month], base, second)
        tx.insert(f"{generation.table}_bases", dict(zip(BASE_COLUMNS, columns, strict=True)), BASE_TYPES)
    return suspensions.write(tx, generation, page.waiting, page.ended)


def apply(tx: Transaction, generation: Generation, page: EventBatch) -> list[Broken]:
    """Add a batch to a generation's rows; what could not be read of what waits comes back."""
    broken = write_events(tx, generation, page)
    bulk.upsert(tx, generation.table, fold(page.lines))
    return broken
