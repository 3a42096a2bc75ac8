"""Opening balances: what an adopter's old system held for a card at a year's end -> opening-balance-recorded.

Money that was set free when a card's balance was taken back waits again when one is recorded again; see `held_again`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import NamedTuple

import msgspec

from ledger.days import day_of, day_text
from ledger.decisions import remittance
from ledger.decisions.held_again import hold_again
from ledger.decisions.opening import Account, decide_opening, too_old
from ledger.decisions.reason import must_be_known
from ledger.decisions.remittance import CORRECTION_REASONS, Remittance
from ledger.errors import Problem, Refused
from ledger.events import Event, OpeningBalanceRecorded
from ledger.fields import bases_of, payouts_of
from ledger.identifiers import account_stream, card_number, holds_nik, kpj_of, zeros_lost
from ledger.ingestion.batches import ROWS, Decided, Progress, Writer, begin, finish
from ledger.ingestion.earlier_payments import Earlier, Payments, Place, earlier_payments
from ledger.ingestion.readers.table import Table
from ledger.receipt import Header, Receipt
from ledger.store.database import Transaction
from ledger.store.log import AccountIndexChanged, Log


class _Row(NamedTuple):
    line: int
    card: int
    fact: OpeningBalanceRecorded


class Way(NamedTuple):
    """How opening balances are taken: one with other content `replace`s what stands, `backdate` takes old ones too."""

    replace: bool = False
    backdate: bool = False


def ingest(
    log: Log,
    table: Table,
    header: Header,
    today: date,
    now: datetime,
    *,
    way: Way | None = None,
    dry_run: bool = False,
    on_progress: Progress | None = None,
) -> Receipt:
    """Record opening balances; each row stands for itself. `on_progress` gets the number of rows just done.

    Raises Refused(reason-missing) for a replacement without a reason, StoreFailed; the same upload again finishes the
    rest.
    """
    way = way or Way()
    if way.replace:
        must_be_known(header.reason, CORRECTION_REASONS)
    receipt = begin(table, header, dry_run)
    decider = _Decider(log, header, today, way, dry_run)
    writer = Writer(log, receipt, now, decider.decide, lambda row: (row.card,))
    writer.run(_batches(table, receipt, today), on_progress)
    return finish(table, receipt, writer.counts)


class _Decider:
    """Decides batches of rows. In a dry run it remembers what became of the cards that the file has twice."""

    def __init__(self, log: Log, header: Header, today: date, way: Way, dry_run: bool) -> None:
        self.log, self.header, self.today, self.way, self.dry_run = log, header, today, way, dry_run
        # Only a replacement is a person's decision.
        self.plain = msgspec.structs.replace(header, reason="")
        self.seen: dict[int, Account] = {}

    def decide(self, rows: Sequence[_Row]) -> Decided[_Row]:
        until: dict[int, str] = {}
        for row in rows:
            until[row.card] = max(row.fact.as_of, until.get(row.card, ""))
        with self.log.database.read() as tx:
            position = self.log.head_in(tx)
            numbers = {number for card in until for number in (card, zeros_lost(card)) if number is not None}
            found = self.log.streams_in(tx, [account_stream(kpj_of(card)) for card in numbers])
            known = {card_number(name.partition(":")[2]): Account.of(events) for name, events in found.events.items()}
            held = [known[card].card for card in until if card in known]
            paid = earlier_payments(self.log, tx, [card for card in held if card is not None], until)
        if self.dry_run:
            known |= self.seen
        decided: Decided[_Row] = Decided(rows)
        again: list[Place] = []
        for row in rows:
            error = found.broken.get(account_stream(kpj_of(row.card)))
            if error is not None:
                decided.refuse(error.problem, row.line)
                continue
            again += self._decide_row(row, known, paid, decided)
        if self.dry_run:
            self.seen |= {row.card: known[row.card] for row in rows if row.card in known}
        decided.events += self._held_again(again)
        decided.events.sort(key=lambda event: event.stream)

        def nothing_paid_since(tx: Transaction) -> None:
            since = earlier_payments(self.log, tx, (), until, position)
            if since.of or since.broken:
                raise AccountIndexChanged

        decided.writes = [nothing_paid_since]
        return decided

    def _decide_row(
        self, row: _Row, known: dict[int, Account], paid: Payments, decided: Decided[_Row]
    ) -> dict[Place, str]:
        """Decide a row; the lines that must wait again because of it, with their paid days."""
        line, card, fact = row
        account, other = known.get(card, Account()), zeros_lost(card)
        if other is not None and known.get(other, Account()).card is not None:
            details: dict[str, str | int] = {"kpj": kpj_of(card), "candidate": kpj_of(other)}
            code = "kpj-two-cards" if account.card is not None else "kpj-zeros-lost"
            decided.refuse(Problem(code, line, "kpj", details))
            return {}
        broken = paid.broken_for(account.card) if account.card else None
        if broken is not None:
            decided.refuse(broken.problem, line)
            return {}
        earlier = paid.of.get(card, Earlier())
        try:
            facts = decide_opening(
                account, fact, self.today, earlier.first, replace=self.way.replace, backdate=self.way.backdate
            )
        except Refused as refused:
            decided.refuse(refused.problem, line)
            return {}
        if not facts:
            decided.already += 1
            return {}
        if too_old(fact, self.today):
            decided.problems.append((Problem("opening-backdated", line, "as_of", {"as_of": fact.as_of}), "warning"))
        decided.posted += 1
        header = self.header if len(facts) > 1 else self.plain
        events = remittance.events(
            account.version,
            account_stream(kpj_of(card)),
            facts,
            header.by,
            header.channel,
            header.request,
            header.reason,
        )
        decided.events += events
        for event in events:
            account = account.after(event)
        known[card] = account
        return {place: day for place, day in earlier.freed.items() if day <= fact.as_of}

    def _held_again(self, places: Sequence[Place]) -> list[Event]:
        """The events that let freed money wait again; what was taken back meanwhile stays so."""
        by_stream: dict[str, dict[tuple[int, int], None]] = {}
        for place in places:
            by_stream.setdefault(place.stream, {})[place[1:]] = None
        events = []
        for stream, history in self.log.streams(list(by_stream)).whole().items():
            state = Remittance.of(stream, history)
            lines = (state.line(*place) for place in by_stream[stream])
            acts = hold_again(state, [line for line in lines if line is not None])
            events += [
                Event(
                    stream=stream, version=version, fact=act.fact, by=self.plain.by, channel=self.plain.channel,
                    request=act.request or self.plain.request,
                )
                for version, act in enumerate(acts, state.version + 1)
            ]  # fmt: skip
        return events


def _batches(table: Table, receipt: Receipt, today: date) -> Iterator[list[_Row]]:
    good = (~table.bad).nonzero()[0]
    numbers = (
        "kpj", "as_of", "employer", "worker", "credited_yield", "months", "member_since", "tambahan", "tambahan_yield",
        "yield_through",
    )  # fmt: skip
    sources = table.columns["source"]
    texts_kept = [text if not holds_nik(text, today) else "" for text in sources.texts]
    for row in good[[texts_kept[code] != sources.texts[code] for code in sources.codes[good].tolist()]].tolist():
        receipt.problem(Problem("reference-dropped", int(table.lines[row]), "source"), "warning")
    for at in range(0, len(good), ROWS):
        some = good[at : at + ROWS]
        rows = []
        columns = zip(*(table.columns[name][some].tolist() for name in numbers), strict=True)
        for place, line, row in zip(some.tolist(), table.lines[some].tolist(), columns, strict=True):
            card, as_of, employer, worker, credited, months, since, tambahan, tambahan_yield, through = row
            fact = OpeningBalanceRecorded(
                as_of=day_text(as_of), employer=max(employer, 0), worker=max(worker, 0), credited_yield=max(credited, 0),
                tambahan=max(tambahan, 0), tambahan_yield=max(tambahan_yield, 0), months=max(months, 0),
                member_since=day_text(since) if since >= 0 else "", source=texts_kept[int(sources.codes[place])],
                yield_through=through if through > 0 else day_of(as_of).year,
                payouts=tuple(payouts_of(table.columns["payouts"][place])),
            )  # fmt: skip
            bases, both = bases_of(table.columns["bases"][place])
            if both or not (fact.tambahan or fact.tambahan_yield):
                # A sub-account with money needs its own base: one that is not named is told as missing.
                fact = msgspec.structs.replace(fact, bases=tuple(bases))
            rows.append(_Row(line, card, fact))
        yield rows
