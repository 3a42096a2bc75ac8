"""Employers: npp, name, registered_on -> employer-registered."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import NamedTuple

from ledger.decisions.employer import decide_register
from ledger.errors import Refused
from ledger.events import EmployerRegistered
from ledger.identifiers import employer_stream
from ledger.ingestion.batches import ROWS, Decided, Progress, Writer, begin, finish
from ledger.ingestion.readers.table import Table
from ledger.receipt import Header, Receipt
from ledger.store.account_index import day_text
from ledger.store.log import Log


class _Row(NamedTuple):
    line: int
    fact: EmployerRegistered


def ingest(
    log: Log,
    table: Table,
    header: Header,
    today: date,
    now: datetime,
    *,
    dry_run: bool = False,
    on_progress: Progress | None = None,
) -> Receipt:
    """Register employers; each row stands for itself. `on_progress` gets the number of rows just done.

    Raises StoreFailed; the same upload again finishes the rest.
    """
    receipt = begin(table, header, dry_run)
    seen: dict[str, EmployerRegistered] = {}

    def decide(rows: Sequence[_Row]) -> Decided[_Row]:
        found = log.streams([employer_stream(row.fact.npp) for row in rows])
        known: dict[str, EmployerRegistered] = {
            event.fact.npp: event.fact
            for events in found.values()
            for event in events
            if isinstance(event.fact, EmployerRegistered)
        }
        if dry_run:
            known = seen | known
        decided: Decided[_Row] = Decided(rows)
        for line, fact in rows:
            try:
                new = decide_register(known.get(fact.npp), fact, today)
            except Refused as refused:
                decided.refuse(refused.problem, line)
                continue
            if new is None:
                decided.already += 1
                continue
            known[fact.npp] = new
            decided.post(header, employer_stream(fact.npp), 1, new)
        if dry_run:
            seen.update(known)
        decided.events.sort(key=lambda event: event.stream)
        return decided

    writer = Writer(log, receipt, now, decide, lambda row: (row.fact.npp,))
    writer.run(_batches(table), on_progress)
    return finish(table, receipt, writer.counts)


def _batches(table: Table) -> Iterator[list[_Row]]:
    good = (~table.bad).nonzero()[0]
    names = table.columns["name"]
    for at in range(0, len(good), ROWS):
        some = good[at : at + ROWS]
        yield [
            _Row(line, EmployerRegistered(f"{npp:08d}", names[i], day_text(day)))
            for i, line, npp, day in zip(
                some.tolist(),
                table.lines[some].tolist(),
                table.columns["npp"][some].tolist(),
                table.columns["registered_on"][some].tolist(),
                strict=True,
            )
        ]
