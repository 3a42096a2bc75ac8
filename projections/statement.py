"""A card's statement of a period: opening, what came, yield, what was paid out, closing, and the gaps. Pure.

    closing = opening + the lines paid in the period + the yield credited in it - what was paid out in it

A line counts on the day it was paid, a year's yield on its 31 December, so the closing of one period is the opening of the
next one at the same log position. Opening and closing are worked out apart, as the balance of a past day is, and the sum is
checked: a statement that does not add up is never made. Gaps are months, not days: what was due for a month of the period
and has not come, waits, was taken back, or came after the period.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from typing import NamedTuple

import msgspec

from ledger.clock import jakarta_date
from ledger.days import day_number, day_text
from ledger.errors import Refused
from ledger.identifiers import month_of, month_text
from ledger.yields import Terms, earned_by_year, sums
from projections import card_lines, month_grid
from projections.event_batch import Lines
from projections.history import Past
from projections.month_grid import Facts, Part
from projections.results import Entry, moment_of
from projections.scheme import Known

PAID_LATER = "paid-after-period"
"""The one reason of a gap that is none of `month_grid.CAUSES`."""
_GAPS = frozenset({month_grid.ABSENT, month_grid.AWAITED, month_grid.HELD, month_grid.REVERSED})


class Period(NamedTuple):
    """The days of a statement, both of them in it. `year`: the calendar year that they are, 0 for other days; of the
    running year `until` is today."""

    since: date
    until: date
    year: int = 0


class Worth(NamedTuple):
    """What a card has at the end of a day, in rupiah; `estimated` is not in `total`, None without a provisional rate."""

    employer: int
    worker: int
    credited: int
    paid_out: int
    estimated: int | None

    @property
    def total(self) -> int:
        return self.employer + self.worker + self.credited - self.paid_out


class StatementLine(msgspec.Struct, frozen=True, gc=False):
    """Money that came or was taken back (then negative). `posted_on`: the day it was recorded, in Jakarta; `brought`:
    yield that an opening balance brought; `amount` = employer + worker + brought."""

    type: str
    kind: str
    month: str
    paid_on: str
    posted_on: str
    npp: str
    wage: int
    back_pay: int
    employer: int
    worker: int
    brought: int
    amount: int
    reference: str


class YearYield(msgspec.Struct, frozen=True, gc=False):
    """What a declared year earned, credited on its 31 December; the rates in parts per million."""

    year: int
    utama: int
    tambahan: int
    amount: int


class Gap(msgspec.Struct, frozen=True, gc=False):
    """A month whose money is not among the lines as it should be. `amount`: what waits, was taken back or came later, 0
    where nothing came or it may be somebody else's; `estimate`: what the payer brought before, 0 when unknown."""

    month: str
    reason: str
    npp: str
    amount: int
    estimate: int
    due_on: str
    paid_on: str


class Correction(msgspec.Struct, frozen=True, gc=False):
    """What changed an opening since it was stated: a line of an earlier year that came later (`type` as of a line), or
    another yield of an earlier `year` (`yield`); the rest of either is "" or 0."""

    type: str
    month: str
    paid_on: str
    posted_on: str
    npp: str
    year: int
    amount: int


class Stated(msgspec.Struct, frozen=True):
    """The closing that the card's statement of the year before printed, on the day it was issued, and what changed since:
    amount + the corrections = opening."""

    on: str
    amount: int
    corrections: tuple[Correction, ...]


class Statement(msgspec.Struct, frozen=True):
    """The statement. `stated`: of a year after one whose statements were issued. `undeclared`: years that ended in the
    period and whose yield is not declared yet; `estimated` at the closing is never in it. `employers`: NPP -> name."""

    period: Period
    opening: Worth
    lines: tuple[StatementLine, ...]
    yields: tuple[YearYield, ...]
    closing: Worth
    gaps: tuple[Gap, ...]
    undeclared: tuple[int, ...]
    terms: Terms
    employers: dict[str, str]
    segment: str
    stated: Stated | None = None

    @property
    def employer(self) -> int:
        """The employers' shares of the lines."""
        return sum(line.employer for line in self.lines)

    @property
    def worker(self) -> int:
        """The worker's shares of the lines."""
        return sum(line.worker for line in self.lines)

    @property
    def brought(self) -> int:
        """Yield that opening balances of the period brought."""
        return sum(line.brought for line in self.lines)

    @property
    def earned(self) -> int:
        """The yield credited in the period."""
        return sum(one.amount for one in self.yields)

    @property
    def paid_out(self) -> int:
        """What was paid out in the period."""
        return self.closing.paid_out - self.opening.paid_out

    @property
    def version(self) -> str:
        """What an ETag holds beside the balance's tag: the days, and what waits or is missing."""
        waits = hashlib.blake2s(msgspec.json.encode(self.gaps), digest_size=8).hexdigest()
        return f"{self.period.since}-{self.period.until}-{waits}"

    @property
    def npps(self) -> list[str]:
        """The employers in lines and gaps, in the order of the page."""
        found = (one.npp for some in (self.lines, self.gaps) for one in some)
        return [npp for npp in dict.fromkeys(found) if npp]


def period_of(year: int | None, since: date | None, until: date | None, today: date) -> Period:
    """A year, or the days from `since` to `until`. Raises Refused: statement-period-unclear, and as the two below."""
    if year is not None and since is None and until is None:
        return year_of(year, today)
    if year is None and since is not None and until is not None:
        return days(since, until, today)
    raise Refused("statement-period-unclear")


def year_of(year: int, today: date) -> Period:
    """A calendar year; of the running one what there is of it. Raises Refused(statement-year-ahead)."""
    if year > today.year:
        raise Refused("statement-year-ahead", year=year, last=today.year)
    return Period(date(year, 1, 1), min(date(year, 12, 31), today), year)


def days(since: date, until: date, today: date) -> Period:
    """Any days. Raises Refused: statement-ends-early, statement-ahead."""
    if until < since:
        raise Refused("statement-ends-early", since=since.isoformat(), until=until.isoformat())
    if until > today:
        raise Refused("statement-ahead", until=until.isoformat(), today=today.isoformat())
    return period_again(since, until, today)


def period_again(since: date, until: date, today: date) -> Period:
    """The period of a statement that was made on a day and of which the days are known: a year, or what there was of it, is
    one however it was asked for."""
    is_year = since == date(since.year, 1, 1) and until == min(date(since.year, 12, 31), today)
    return Period(since, until, since.year if is_year else 0)


def statement(past: Past, facts: Facts, period: Period, today: date) -> Statement:
    """The statement of a card from everything that is known of it.

    Raises Refused(statement-before-opening): what was before an opening balance nobody here knows.
    """
    lines, known = past.lines, past.known
    stands = card_lines.opening_day(lines)
    if stands is not None and day_number(period.since) <= stands:
        raise Refused("statement-before-opening", as_of=day_text(stands), first=day_text(stands + 1))
    before = period.since - timedelta(days=1)
    opening, _ = worth(lines, known, before)
    closing, years = worth(lines, known, period.until)
    terms = known.terms(period.until)
    ended = _years_ended(period)
    yields = tuple(_year(year, terms, years[year]) for year in ended if year in years)
    found = Statement(
        period, opening, tuple(_lines(facts.entries, period)), yields, closing, tuple(_gaps(facts, period, today)),
        tuple(year for year in ended if year >= terms.open_year), terms, facts.employers,
        past.segment, _stated(past, facts, period),
    )  # fmt: skip
    came = sum(line.amount for line in found.lines)
    assert opening.total + came + found.earned - found.paid_out == closing.total, "a statement that does not add up"
    return found


def _stated(past: Past, facts: Facts, period: Period) -> Stated | None:
    """What the year before closed with as it was printed, and what changed since; None for days that do not begin with a
    year, and where no statement of the card was printed."""
    before = period.since - timedelta(days=1)
    issued = past.known.scheme.issued.get(before.year)
    if issued is None or (before.month, before.day) != (12, 31):
        return None
    then = past.at(issued.position)
    if not _was_stated(then.lines, before):
        return None
    amount, years_then = worth(then.lines, then.known, before)
    now, years_now = worth(past.lines, past.known, before)
    last = before.isoformat()
    lines = tuple(
        Correction(
            entry.type, entry.month, entry.paid_on, _day(entry.recorded_at), entry.npp, 0,
            entry.employer + entry.worker + entry.credited,
        )
        for entry in sorted(facts.entries, key=lambda one: (one.key[0], one.paid_on, one.key))
        if entry.key[1] > issued.position and entry.paid_on <= last
    )  # fmt: skip
    yields = tuple(
        Correction("yield", "", "", "", "", year, changed)
        for year in sorted(years_now.keys() | years_then.keys())
        if (changed := years_now.get(year, 0) - years_then.get(year, 0))
    )
    found = Stated(_day(issued.recorded_at), amount.total, (*lines, *yields))
    paid = now.paid_out - amount.paid_out
    changes = sum(one.amount for one in found.corrections)
    assert amount.total + changes - paid == now.total, "corrections that do not add up"
    return found


def _was_stated(lines: Lines, last: date) -> bool:
    """Whether a card with these lines got a statement of the year that ended on `last`: not without any money by then, nor
    where an opening balance says that the year lies before this ledger."""
    stands = card_lines.opening_day(lines)
    if stands is not None and stands >= day_number(date(last.year, 1, 1)):
        return False
    return bool((lines.paid_on <= day_number(last)).any())


def worth(lines: Lines, known: Known, day: date) -> tuple[Worth, dict[int, int]]:
    """What these lines came to at the end of a day, and what each declared year earned."""
    rows = card_lines.sums(card_lines.paid_by(lines, day))
    employer, worker, brought, paid_out = (
        int(rows[name].sum()) for name in ("employer", "worker", "credited", "paid_out")
    )
    terms, amounts = known.terms(day), card_lines.years(rows)
    if terms.first_year > day.year:
        return Worth(employer, worker, brought, paid_out, None), {}
    earned = sums(amounts, terms)
    years = dict.fromkeys(range(terms.first_year, terms.open_year), 0) | earned_by_year(amounts, terms)
    return Worth(employer, worker, brought + earned.credited, paid_out, earned.estimated), years


def _years_ended(period: Period) -> list[int]:
    """The years whose 31 December lies in the period."""
    last = period.until.year + (period.until.month == 12 and period.until.day == 31)
    return list(range(period.since.year, last))


def _year(year: int, terms: Terms, amount: int) -> YearYield:
    utama, tambahan = terms.declared[year - terms.first_year]
    return YearYield(year, utama, tambahan, amount)


def _lines(entries: Iterable[Entry], period: Period) -> Iterator[StatementLine]:
    """The lines paid in the period, by the month they are for."""
    since, until = period.since.isoformat(), period.until.isoformat()
    for entry in sorted(entries, key=lambda one: (one.key[0], one.paid_on, one.key)):
        if since <= entry.paid_on <= until:
            yield StatementLine(
                entry.type, entry.kind, entry.month, entry.paid_on, _day(entry.recorded_at), entry.npp, entry.wage,
                entry.back_pay, entry.employer, entry.worker, entry.credited,
                entry.employer + entry.worker + entry.credited, entry.reference,
            )  # fmt: skip


def _day(moment: str) -> str:
    found = moment_of(moment)
    assert found is not None
    return jakarta_date(found).isoformat()


def _gaps(facts: Facts, period: Period, today: date) -> Iterator[Gap]:
    """The gaps of the months of the period, oldest first."""
    first, last = month_of(period.since), month_of(period.until)
    for cell in month_grid.between(facts, today, first, last):
        for part in cell.parts:
            reason = _reason(part, period)
            if reason:
                paid = part.paid_days
                yield Gap(
                    month_text(cell.month), reason, part.npp, part.amount, part.estimate,
                    part.due.isoformat() if part.due else "", paid[-1] if paid else "",
                )  # fmt: skip


def _reason(part: Part, period: Period) -> str:
    """Why a part is a gap, "" when it is none."""
    if part.state in _GAPS:
        return part.cause
    until = period.until.isoformat()
    if part.state == month_grid.POSTED and part.due is not None and part.due.isoformat() <= until < part.paid_days[0]:
        return PAID_LATER
    return ""
