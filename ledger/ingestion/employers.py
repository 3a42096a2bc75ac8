"""Employers: npp, name, registered_on -> employer-registered, the name sealed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import NamedTuple

from ledger.days import day_text
from ledger.decisions.employer import Employer, decide_register
from ledger.errors import BrokenLog, Refused
from ledger.events import EmployerRegistered
from ledger.identifiers import employer_stream
from ledger.ingestion.batches import ROWS, Decided, Progress, Writer, begin, finish
from ledger.ingestion.readers.table import Table
from ledger.receipt import Header, Receipt
from ledger.store.employer_names import NewName, SealedName
from ledger.store.log import Log
from ledger.store.vault import Vault


class _Row(NamedTuple):
    line: int
    employer: Employer


def ingest(
    log: Log,
    vault: Vault,
    table: Table,
    header: Header,
    today: date,
    now: datetime,
    *,
    dry_run: bool = False,
    on_progress: Progress | None = None,
) -> Receipt:
    """Register employers; each row stands for itself. `on_progress` gets the number of rows just done.

    Raises StoreFailed, Unavailable(vault-rotating); the same upload again finishes the rest.
    """
    receipt = begin(table, header, dry_run)
    seen: dict[str, Employer] = {}

    def decide(rows: Sequence[_Row]) -> Decided[_Row]:
        known, broken = _known(log, vault, rows)
        if dry_run:
            known = seen | known
        decided: Decided[_Row] = Decided(rows)
        new: list[NewName] = []
        for line, employer in rows:
            if employer.npp in broken:
                decided.refuse(broken[employer.npp].problem, line)
                continue
            try:
                if not decide_register(known.get(employer.npp), employer, today):
                    decided.already += 1
                    continue
            except Refused as refused:
                decided.refuse(refused.problem, line)
                continue
            known[employer.npp] = employer
            sealed = vault.employers.new(int(employer.npp), employer.name or "")
            new.append(sealed)
            fact = EmployerRegistered(employer.npp, sealed.text, employer.registered_on)
            decided.post(header, employer_stream(employer.npp), 1, fact)
        if dry_run:
            seen.update(known)
        decided.events.sort(key=lambda event: event.stream)
        decided.writes = [lambda tx: vault.employers.insert(tx, new)]
        return decided

    writer = Writer(log, receipt, now, decide, lambda row: (row.employer.npp,))
    writer.run(_batches(table), on_progress)
    return finish(table, receipt, writer.counts)


def _known(log: Log, vault: Vault, rows: Sequence[_Row]) -> tuple[dict[str, Employer], dict[str, BrokenLog]]:
    """Those of the rows' employers that are recorded, their names opened; and those whose record cannot be read."""
    found: dict[str, EmployerRegistered] = {}
    sealed: dict[int, SealedName] = {}
    histories = log.streams([employer_stream(row.employer.npp) for row in rows])
    for events in histories.events.values():
        for event in events:
            if isinstance(event.fact, EmployerRegistered):
                found[event.fact.npp] = event.fact
                sealed[int(event.fact.npp)] = SealedName(event.fact.name, event.version)
    names = vault.employers.open(sealed)
    known = {npp: Employer(npp, names.get(int(npp)), fact.registered_on) for npp, fact in found.items()}
    return known, {stream.partition(":")[2]: error for stream, error in histories.broken.items()}


def _batches(table: Table) -> Iterator[list[_Row]]:
    good = (~table.bad).nonzero()[0]
    names = table.columns["name"]
    for at in range(0, len(good), ROWS):
        some = good[at : at + ROWS]
        yield [
            _Row(line, Employer(f"{npp:08d}", names[i], day_text(day)))
            for i, line, npp, day in zip(
                some.tolist(),
                table.lines[some].tolist(),
                table.columns["npp"][some].tolist(),
                table.columns["registered_on"][some].tolist(),
                strict=True,
            )
        ]
