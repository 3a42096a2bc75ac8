"""Opening balances: what an adopter's old system held for a card at a year's end -> opening-balance-recorded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import NamedTuple

from ledger.account import decide_opening
from ledger.errors import Problem, Refused
from ledger.events import Event, OpeningBalanceRecorded
from ledger.identifiers import account_stream, card_number, kpj_of
from ledger.ingestion.batches import ROWS, Decided, Progress, Writer, begin, finish
from ledger.ingestion.receipts import Header, Receipt
from ledger.ingestion.table import Table
from ledger.log import Log
from ledger.register import Card, day_text, evolve


class _Row(NamedTuple):
    line: int
    card: int
    fact: OpeningBalanceRecorded


class _Account(NamedTuple):
    card: Card | None = None
    version: int = 0
    opening: OpeningBalanceRecorded | None = None


def _account(events: Sequence[Event]) -> _Account:
    card: Card | None = None
    opening: OpeningBalanceRecorded | None = None
    for event in events:
        card = evolve(card, event)
        if isinstance(event.fact, OpeningBalanceRecorded):
            opening = event.fact
    return _Account(card, events[-1].version, opening)


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
    """Record opening balances; each row stands for itself. `on_progress` gets the number of rows just done.

    Raises StoreFailed; the same upload again finishes the rest.
    """
    receipt = begin(table, header, dry_run)
    seen: dict[int, _Account] = {}

    def decide(rows: Sequence[_Row]) -> Decided[_Row]:
        found = log.streams([account_stream(kpj_of(row.card)) for row in rows])
        known = {card_number(name.partition(":")[2]): _account(events) for name, events in found.items()}
        if dry_run:
            known |= seen
        decided: Decided[_Row] = Decided(rows)
        for line, card, fact in rows:
            account = known.get(card, _Account())
            try:
                new = decide_opening(account.card, account.opening, fact, today)
            except Refused as refused:
                problem = refused.problem
                decided.refused += 1
                decided.problems.append((Problem(problem.code, line, problem.column, problem.details), "refused"))
                continue
            if new is None:
                decided.already += 1
                continue
            known[card] = account._replace(version=account.version + 1, opening=new)
            if dry_run:
                seen[card] = known[card]
            decided.posted += 1
            decided.events.append(
                Event(
                    stream=account_stream(kpj_of(card)), version=account.version + 1, fact=new, by=header.by,
                    channel=header.channel, reason=header.reason, request=header.request,
                )
            )  # fmt: skip
        decided.events.sort(key=lambda event: event.stream)
        return decided

    writer = Writer(log, receipt, now, decide, lambda row: (row.card,))
    writer.run(_batches(table), on_progress)
    return finish(table, receipt, writer.counts)


def _batches(table: Table) -> Iterator[list[_Row]]:
    good = (~table.bad).nonzero()[0]
    numbers = ("kpj", "as_of", "employer", "worker", "credited_yield", "months", "member_since")
    sources = table.columns["source"]
    for at in range(0, len(good), ROWS):
        some = good[at : at + ROWS]
        columns = (table.columns[name][some].tolist() for name in numbers)
        texts = [sources.texts[code] for code in sources.codes[some].tolist()]
        yield [
            _Row(
                line,
                card,
                OpeningBalanceRecorded(
                    day_text(as_of), max(employer, 0), max(worker, 0), max(credited, 0), max(months, 0),
                    day_text(since) if since >= 0 else "", source,
                ),
            )
            for line, card, as_of, employer, worker, credited, months, since, source in zip(
                table.lines[some].tolist(), *columns, texts, strict=True
            )
        ]  # fmt: skip
