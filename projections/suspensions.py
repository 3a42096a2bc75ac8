"""Which lines waited when: beside the entries, so that a past answer knows what money had come and could not be posted.

The account index has what waits now and forgets it when it is released. Here nothing is forgotten: `<entries>_suspended`
has a row for each line that began to wait, at the position of its event, `<entries>_ended` one for each that was released
or taken back while it waited. A line is named by its stream (payer and month; of a holder's own payments the card), version
and line, and waits at every position from the one up to the other. Rows are only ever added, in any order.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import repeat
from typing import Any

from ledger.days import day_number
from ledger.events import Event, LinesSuspended
from ledger.identifiers import (
    KINDS,
    card_number,
    employer_remittance_stream,
    kpj_of,
    month_number,
    month_text,
    own_remittance_stream,
    payer_of,
)
from ledger.store import bulk
from ledger.store.codec import StoredRow, decode
from ledger.store.database import Transaction
from ledger.store.dialect import Dialect
from ledger.store.suspense import Case
from projections.event_batch import Broken, Ended, microseconds, sound
from projections.generations import Generation

COLUMNS = (
    "card", "position", "line", "version", "npp", "month", "kind", "paid_on", "employer", "worker", "recorded", "reason",
)  # fmt: skip
_TYPES = "bigint bigint int bigint bigint int smallint int bigint bigint bigint text"
KEY = ("card", "position", "line")
ENDED_COLUMNS = Ended._fields
_ENDED_TYPES = "bigint bigint int bigint int bigint"


def tables(generation: Generation, dialect: Dialect) -> str:
    """The DDL, part of that of the entries."""
    made = []
    for suffix, names, types, key in (
        ("suspended", COLUMNS, _TYPES, KEY),
        ("ended", ENDED_COLUMNS, _ENDED_TYPES, ENDED_COLUMNS),
    ):
        fields = ", ".join(f"{name} {kind} not null" for name, kind in zip(names, types.split(), strict=True))
        made.append(f"create table {generation.table}_{suffix} ({fields}{dialect.key_at_once(', '.join(key))}")
    return ";".join(made)


def indexes(generation: Generation) -> str:
    """What is added after the rows were loaded, where they have no key yet."""
    stem = generation.table.rpartition(".")[2]
    return ";".join(
        f"create index {stem}_{suffix}_card on {generation.table}_{suffix} (card)" for suffix in ("suspended", "ended")
    )


def write(tx: Transaction, generation: Generation, rows: Sequence[StoredRow], ended: Ended) -> list[Broken]:
    """Add the lines that began to wait by some rows, and those that ceased to; rows that cannot be read come back."""
    begun: list[tuple[Any, ...]] = []

    def take(row: StoredRow) -> None:
        event = decode(row)
        assert isinstance(event.fact, LinesSuspended)
        begun.extend(_begun(event, event.fact))

    _, broken = sound(rows, take)
    if begun:
        columns: dict[str, Sequence[Any]] = dict(zip(COLUMNS, zip(*begun, strict=True), strict=True))
        tx.insert(f"{generation.table}_suspended", columns, _TYPES, "on conflict do nothing")
    bulk.upsert(tx, f"{generation.table}_ended", ended._asdict(), "on conflict do nothing")
    return broken


def _begun(event: Event, fact: LinesSuspended) -> list[tuple[Any, ...]]:
    lines = fact.lines
    common = (
        event.version, payer_of(event.stream), month_number(fact.month) or 0, KINDS.index(fact.kind),
        day_number(fact.paid_on),
    )  # fmt: skip
    columns = (
        map(card_number, lines.kpj), repeat(event.position), range(len(lines)), *map(repeat, common),
        lines.column("employer"), lines.column("worker"), repeat(microseconds(event.recorded_at)), lines.column("reason"),
    )  # fmt: skip
    return list(zip(*columns, strict=False))


def waited(generation: Generation, cards: int) -> str:
    """SQL of the lines that waited for so many cards at a position and had been paid by the end of a day, oldest first: rows
    for `case_of`. Parameters: the cards, the position twice, the day."""
    same = " and ".join(f"d.{name} = s.{name}" for name in ENDED_COLUMNS[:-1])
    return (
        f"select {', '.join(f's.{name}' for name in COLUMNS)} from {generation.table}_suspended s "
        f"where s.card in ({', '.join('?' * cards)}) and s.position <= ? and not exists (select 1 from "
        f"{generation.table}_ended d where {same} and d.position <= ?) and s.paid_on <= ? order by s.position, s.line"
    )


def case_of(row: Sequence[Any], recorded_at: str) -> Case:
    """A line that waited, as the account index has those that wait now; `recorded_at`: the ISO text of its moment."""
    card, position, line, version, npp, month, kind, paid_on, employer, worker, _, reason = row
    text = month_text(month)
    stream = employer_remittance_stream(f"{npp:08d}", text) if npp else own_remittance_stream(kpj_of(card), text)
    return Case(stream, version, line, card, npp, month, kind, paid_on, employer, worker, reason, position, recorded_at)
