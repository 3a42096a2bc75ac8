"""Opening balances: what an adopter's old system held for a card at a year's end -> opening-balance-recorded."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import NamedTuple

from ledger.decisions.account import decide_opening
from ledger.errors import Problem, Refused
from ledger.events import Event, OpeningBalanceRecorded, OpeningBalanceReversed
from ledger.identifiers import account_stream, card_number, holds_nik, kpj_of
from ledger.ingestion.batches import ROWS, Decided, Progress, Writer, begin, finish
from ledger.ingestion.earlier_payments import first_paid
from ledger.ingestion.readers.table import Table
from ledger.receipt import Header, Receipt
from ledger.store.account_index import Card, day_of, day_text, evolve
from ledger.store.database import Transaction
from ledger.store.log import AccountIndexChanged, Log


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
        elif isinstance(event.fact, OpeningBalanceReversed):
            opening = None
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
        with log.database.read() as tx:
            position = log.head_in(tx)
            found = log.streams_in(tx, [account_stream(kpj_of(row.card)) for row in rows])
            until: dict[int, str] = {}
            for row in rows:
                until[row.card] = max(row.fact.as_of, until.get(row.card, ""))
            held = (account.card for account in map(_account, found.values()))
            paid = first_paid(log, tx, [card for card in held if card is not None], until)
        known = {card_number(name.partition(":")[2]): _account(events) for name, events in found.items()}
        if dry_run:
            known |= seen
        decided: Decided[_Row] = Decided(rows)
        for line, card, fact in rows:
            account = known.get(card, _Account())
            try:
                new = decide_opening(account.card, account.opening, fact, today, paid.get(card))
            except Refused as refused:
                decided.refuse(refused.problem, line)
                continue
            if new is None:
                decided.already += 1
                continue
            known[card] = account._replace(version=account.version + 1, opening=new)
            if dry_run:
                seen[card] = known[card]
            decided.post(header, account_stream(kpj_of(card)), account.version + 1, new)
        decided.events.sort(key=lambda event: event.stream)

        def nothing_paid_since(tx: Transaction) -> None:
            if first_paid(log, tx, (), until, position):
                raise AccountIndexChanged

        decided.writes = [nothing_paid_since]
        return decided

    writer = Writer(log, receipt, now, decide, lambda row: (row.card,))
    writer.run(_batches(table, receipt, today), on_progress)
    return finish(table, receipt, writer.counts)


def _batches(table: Table, receipt: Receipt, today: date) -> Iterator[list[_Row]]:
    good = (~table.bad).nonzero()[0]
    numbers = ("kpj", "as_of", "employer", "worker", "credited_yield", "months", "member_since")
    sources = table.columns["source"]
    texts_kept = [text if not holds_nik(text, today) else "" for text in sources.texts]
    for row in good[[texts_kept[code] != sources.texts[code] for code in sources.codes[good].tolist()]].tolist():
        receipt.problem(Problem("reference-dropped", int(table.lines[row]), "source"), "warning")
    for at in range(0, len(good), ROWS):
        some = good[at : at + ROWS]
        columns = (table.columns[name][some].tolist() for name in numbers)
        texts = [texts_kept[code] for code in sources.codes[some].tolist()]
        yield [
            _Row(
                line,
                card,
                OpeningBalanceRecorded(
                    as_of=day_text(as_of), employer=max(employer, 0), worker=max(worker, 0),
                    credited_yield=max(credited, 0), months=max(months, 0),
                    member_since=day_text(since) if since >= 0 else "", source=source, yield_through=day_of(as_of).year,
                ),
            )
            for line, card, as_of, employer, worker, credited, months, since, source in zip(
                table.lines[some].tolist(), *columns, texts, strict=True
            )
        ]  # fmt: skip
