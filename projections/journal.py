"""The way out: the whole ledger as plain-text accounting, for beancount or hledger. Straight from the log.

    Assets:Received:<payer>                       money that came (and went back by a reversal)
    Liabilities:Members:K<kpj>:Employer|Worker    what the members are owed
    Liabilities:Members:K<kpj>:Yield              yield that an opening balance brought in, and of declared years
    Liabilities:Suspense:<payer>:K<kpj>           money nobody can be credited with yet
    Equity:Opening                                what an adopter's old system held
    Equity:Yield                                  what the agency declared

A transaction is dated with the paid date and names its log position; a released line moves from suspense with its
original paid date. The yield of a declared year comes last, one transaction per card and year: dated 31 December, at the
position of the declaration that stands, by this project's model of an unpublished rule. The sum of a member's accounts,
with the sign turned, is the balance that every channel shows.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import date
from typing import Literal

from ledger.decisions.scheme import Scheme
from ledger.events import (
    ContributionsPosted,
    ContributionsReversed,
    Event,
    Line,
    LinesSuspended,
    OpeningBalanceRecorded,
    OpeningBalanceReversed,
    ReleasedLine,
    ReversedLine,
    SuspenseReleased,
    YieldDeclared,
)
from ledger.events.scheme import STREAM as SCHEME_STREAM
from ledger.identifiers import kpj_of
from ledger.store.codec import StoredRow, decode
from ledger.store.log import Log
from ledger.yields import Terms
from projections.earnings import Earnings

Format = Literal["beancount", "hledger"]
FORMATS: tuple[Format, ...] = ("beancount", "hledger")
PAGE = 500
_FIRST_DAY = "1970-01-01"
Posting = tuple[str, int]


def journal(log: Log, form: Format, upto: int | None = None) -> Iterator[str]:
    """The ledger up to a log position (default: the head now) as lines of text; memory does not grow with money.

    Raises BrokenLog when an event cannot be read: an incomplete journal is never written silently.
    """
    last = log.head() if upto is None else upto
    yield from _preface(form, log.log_id, last)
    seen: set[str] = set()
    declared, terms = _declared(log, last)
    with closing(Earnings(log, terms)) as earnings:
        after = 0
        while rows := log.read(after, PAGE, upto=last):
            after = rows[-1].position
            if declared:
                earnings.add(rows)
            for row in rows:
                yield from _event(form, row, seen)
        for card, years in earnings.by_card():
            for year, earned in years.items():
                if earned:
                    yield from _yield(form, kpj_of(card), declared[year], earned, seen)


def _declared(log: Log, last: int) -> tuple[dict[int, Event], Terms]:
    """The declaration of each year that stands at a position, and what all of them credit."""
    events = [event for event in log.events(SCHEME_STREAM) if event.position <= last]
    scheme = Scheme.of(events)
    declared = {event.fact.year: event for event in events if isinstance(event.fact, YieldDeclared)}
    terms = scheme.terms(date(max(scheme.open_year, 1), 1, 1))
    return declared, replace(terms, provisional=None)


def _preface(form: Format, log_id: str, last: int) -> Iterator[str]:
    yield f";; JHT ledger, log {log_id}, up to position {last}. Amounts in whole rupiah.\n"
    if form == "beancount":
        yield 'option "title" "JHT ledger"\noption "operating_currency" "IDR"\n\n'
    else:
        # The dot says that no amount has a mark for thousands; without it hledger refuses the directive.
        yield "decimal-mark .\ncommodity 1000. IDR\n\n"


def _event(form: Format, row: StoredRow, seen: set[str]) -> Iterator[str]:
    if not row.stream.startswith(("remittance-", "account:")):
        return
    event = decode(row)
    postings = _postings(event)
    if not postings:
        return
    day = getattr(event.fact, "paid_on", "") or getattr(event.fact, "as_of", "")
    what = f"{row.name.partition('.')[0]} {row.stream} {getattr(event.fact, 'kind', '')}".rstrip()
    yield from _transaction(form, day, what, getattr(event.fact, "reference", ""), event, postings, seen)


def _yield(form: Format, kpj: str, declaration: Event, earned: int, seen: set[str]) -> Iterator[str]:
    fact = declaration.fact
    assert isinstance(fact, YieldDeclared)
    postings = _closed("Equity:Yield", [(f"Liabilities:Members:K{kpj}:Yield", -earned)])
    what = f"{fact.NAME.partition('.')[0]} {declaration.stream} {fact.policy}"
    yield from _transaction(form, f"{fact.year}-12-31", what, "", declaration, postings, seen)


def _transaction(
    form: Format, day: str, what: str, reference: str, event: Event, postings: list[Posting], seen: set[str]
) -> Iterator[str]:
    # In order of appearance: two exports of one ledger are the same text.
    for account in dict.fromkeys(account for account, _ in postings if account not in seen):
        seen.add(account)
        yield f"{_FIRST_DAY} open {account} IDR\n" if form == "beancount" else f"account {account}\n"
    if form == "beancount":
        # References have no quotes: their shape is checked when they come in.
        yield f'\n{day} * "{reference}" "{what}"\n  position: {event.position}\n  recorded: "{event.recorded_at}"\n'
    else:
        yield f"\n{day} * ({event.position}) {what}  ; reference: {reference}, recorded: {event.recorded_at}\n"
    for account, amount in postings:
        yield f"  {account}  {amount} IDR\n"


def _postings(event: Event) -> list[Posting]:
    fact, payer = event.fact, _payer(event.stream)
    if isinstance(fact, OpeningBalanceRecorded | OpeningBalanceReversed):
        sign = -1 if isinstance(fact, OpeningBalanceRecorded) else 1
        member = f"Liabilities:Members:K{event.stream.partition(':')[2]}"
        parts = ((":Employer", fact.employer), (":Worker", fact.worker), (":Yield", fact.credited_yield))
        return _closed("Equity:Opening", [(member + part, sign * amount) for part, amount in parts if amount])
    if isinstance(fact, ContributionsPosted):
        return _closed(f"Assets:Received:{payer}", [p for line in fact.lines for p in _owed(line)])
    if isinstance(fact, LinesSuspended):
        waiting = [(_suspense(payer, line.kpj), -line.employer - line.worker) for line in fact.lines]
        return _closed(f"Assets:Received:{payer}", [p for p in waiting if p[1]])
    if isinstance(fact, SuspenseReleased):
        moved = [p for line in fact.lines for p in _owed(line)]
        return moved + [
            (_suspense(payer, line.waited_as or line.kpj), line.employer + line.worker) for line in fact.lines
        ]
    if isinstance(fact, ContributionsReversed):
        back = [p for line in fact.lines for p in _taken_back(payer, line)]
        return _closed(f"Assets:Received:{payer}", back)
    return []


def _closed(against: str, postings: list[Posting]) -> list[Posting]:
    """The postings with the one that balances them; none when no money moved."""
    if not postings:
        return []
    return [(against, -sum(amount for _, amount in postings)), *postings]


def _owed(line: Line | ReleasedLine | ReversedLine) -> list[Posting]:
    member = f"Liabilities:Members:K{line.kpj}"
    shares = ((":Employer", line.employer), (":Worker", line.worker))
    return [(member + part, -amount) for part, amount in shares if amount]


def _taken_back(payer: str, line: ReversedLine) -> list[Posting]:
    if line.suspended:
        return [(_suspense(payer, line.kpj), line.employer + line.worker)]
    return [(account, -amount) for account, amount in _owed(line)]


def _suspense(payer: str, kpj: str) -> str:
    return f"Liabilities:Suspense:{payer}:K{kpj}"


def _payer(stream: str) -> str:
    """`E<npp>` for an employer's remittance, `Own` for what participants paid for themselves."""
    return f"E{stream.split(':')[1]}" if stream.startswith("remittance-e:") else "Own"
