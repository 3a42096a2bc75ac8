"""The scheme: its first year, the declared rates, the provisional rate, the day up to which payments are complete. Pure:
state and wish in, a fact or nothing out.

A year is declared when it is over and every earlier one since the first year is; so what is credited never has a hole.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from typing import NamedTuple

from msgspec import structs

from ledger.decisions.reason import must_be_known
from ledger.errors import Conflict, Refused
from ledger.events import (
    Event,
    Fact,
    PaymentsComplete,
    ProvisionalRateSet,
    Rates,
    SchemeStarted,
    StatementsIssued,
    YieldDeclared,
)
from ledger.events.scheme import LONGEST_BASIS
from ledger.identifiers import month_of
from ledger.money import rupiah
from ledger.rules import YieldRule, rules
from ledger.yields import MONTHS, POLICY, Terms, sums

REASONS = ("wrong-rate", "rate-revised")
"""Why a year is declared again: it was recorded wrongly, or the agency decided otherwise."""
WHY_BACK = ("feed-incomplete", "wrong-day")
"""Why payments are complete until an earlier day than was said: some had not been handed over, or the day was mistyped."""
_PERCENT = re.compile(r"([0-9]{1,3})(?:[.,]([0-9]{1,4}))?\s*%?")
_BASIS = re.compile(r"[^\x00-\x1f\x7f]+")
_MOST_AHEAD = 1
"""Years that a provisional rate may be set ahead."""


class Declaration(NamedTuple):
    """A year's rates as they stand: the fact, its version in the stream, when it was recorded."""

    fact: YieldDeclared
    version: int
    recorded_at: str


class Issued(NamedTuple):
    """The statements of a year: from what the log held up to `position`; when their fact was recorded."""

    position: int
    recorded_at: str


class Scheme(NamedTuple):
    """The state of the stream. `first_year` 0: not started; `provisional`: (day, rate) in the order of days;
    `complete`: the ISO date until which all payments were handed over, "" when nobody said so; `issued`: by year."""

    version: int = 0
    first_year: int = 0
    declared: Mapping[int, Declaration] = {}
    provisional: tuple[tuple[str, int], ...] = ()
    complete: str = ""
    issued: Mapping[int, Issued] = {}

    @classmethod
    def of(cls, events: Iterable[Event]) -> Scheme:
        """The state after the stream's events."""
        state = cls()
        for event in events:
            state = state.after(event.fact, event.version, event.recorded_at)
        return state

    def after(self, fact: Fact, version: int, recorded_at: str = "") -> Scheme:
        """The state after one more fact."""
        first_year, declared, provisional, complete, issued = self[1:]
        if isinstance(fact, SchemeStarted):
            first_year = fact.first_year
        elif isinstance(fact, YieldDeclared):
            declared = {**declared, fact.year: Declaration(fact, version, recorded_at)}
        elif isinstance(fact, ProvisionalRateSet):
            provisional = tuple(sorted(({**dict(provisional), fact.since: fact.rate}).items()))
        elif isinstance(fact, PaymentsComplete):
            complete = fact.until
        elif isinstance(fact, StatementsIssued):
            issued = {**issued, fact.year: Issued(fact.position, recorded_at)}
        return Scheme(version, first_year, declared, provisional, complete, issued)

    @property
    def complete_until(self) -> date | None:
        """The day until which all payments were handed over, None when nobody said so."""
        return date.fromisoformat(self.complete) if self.complete else None

    @property
    def open_year(self) -> int:
        """The first year that is not declared."""
        return self.first_year + len(self.declared)

    def is_declared(self, paid_on: str) -> bool:
        """Whether money of a day earns in a declared year: it was paid in one, or before the scheme's first."""
        return bool(self.declared) and int(paid_on[:4]) < self.open_year

    def adds(self, paid: Mapping[int, int], today: date) -> int:
        """The yield, in rupiah, that money brings to declared years by itself; `paid`: month number of the day of payment ->
        amount. Each card's yield is rounded for itself, so of many cards it is about right."""
        rows: dict[int, tuple[int, int]] = {}
        for month, amount in paid.items():
            year, weight = month // MONTHS, MONTHS - 1 - month % MONTHS
            before = rows.get(year, (0, 0))
            rows[year] = before[0] + amount, before[1] + amount * weight
        return sums([(0, year, *pair) for year, pair in sorted(rows.items())], self.terms(today)).credited

    def changed(self, paid: Mapping[int, int], lines: int, today: date) -> dict[str, str | int]:
        """What a receipt says of lines of declared years: how many, the last such year, the yield that `adds` says."""
        return {"lines": lines, "year": self.open_year - 1, "earned": rupiah(self.adds(paid, today))}

    def provisional_on(self, day: date) -> int | None:
        """The provisional rate in force on a day."""
        return next((rate for since, rate in reversed(self.provisional) if since <= day.isoformat()), None)

    def terms(self, day: date) -> Terms:
        """What yields up to a day are worked out with: the declared years that ended by then."""
        if not self.first_year or day.year < self.first_year:
            return Terms(day.year + 1, (), None, day.year, day.month)
        last = day.year if (day.month, day.day) == (12, 31) else day.year - 1
        years = range(self.first_year, min(last + 1, self.open_year))
        rates = tuple((one.utama, one.tambahan) for one in (self.declared[year].fact.rates for year in years))
        return Terms(self.first_year, rates, self.provisional_on(day), day.year, day.month)


def decide_start(scheme: Scheme, first_year: int, today: date) -> SchemeStarted | None:
    """The fact that names the scheme's first year, None when it is that already; another one replaces it as long as no
    year is declared. Raises Refused(yield-year-ahead), Conflict(scheme-started)."""
    if first_year > today.year:
        raise Refused("yield-year-ahead", column="year", year=first_year, today=today.isoformat())
    if scheme.first_year == first_year:
        return None
    if scheme.declared:
        raise Conflict("scheme-started", column="year", year=scheme.first_year)
    return SchemeStarted(first_year=first_year)


def decide_declare(
    scheme: Scheme, year: int, rates: Rates, basis: str, today: date, *, reason: str = ""
) -> YieldDeclared | None:
    """The fact that declares a year's rates, None when they stand already. With `reason` (one of REASONS) it replaces
    other rates of that year.

    Raises Refused: scheme-not-started, yield-year-early, yield-year-running, yield-years-missing, yield-year-without-rule,
    yield-rate-out-of-range, basis-missing, text-too-long, text-unreadable, reason-unknown; Conflict: yield-declared.
    """
    if not scheme.first_year:
        raise Refused("scheme-not-started")
    if year < scheme.first_year:
        raise Refused("yield-year-early", column="year", year=year, first=scheme.first_year)
    if year >= today.year:
        raise Refused("yield-year-running", column="year", year=year, day=f"{year + 1}-01-01")
    if year > scheme.open_year:
        missing = ", ".join(map(str, range(scheme.open_year, year)))
        raise Refused("yield-years-missing", column="year", year=year, years=missing)
    if reason:
        must_be_known(reason, REASONS, "reason")
    rule = _rule_of(year * 12, year)
    for rate in (rates.utama, rates.tambahan):
        _check_rate(rule, rate)
    basis = _clean_basis(basis)
    standing = scheme.declared.get(year)
    if standing is None:
        return YieldDeclared(year=year, rates=rates, policy=POLICY, rule=rule.id, basis=basis)
    if standing.fact.rates == rates:
        return None
    if not reason:
        raise Conflict(
            "yield-declared", column="year", year=year, known=", ".join(REASONS), **structs.asdict(standing.fact.rates)
        )
    return YieldDeclared(
        year=year, rates=rates, policy=POLICY, rule=rule.id, basis=basis, instead_of=standing.version
    )  # fmt: skip


def check_statements(scheme: Scheme, year: int, today: date) -> None:
    """Whether statements of a year can be made: it is over, and its yield is declared.

    Raises Refused: scheme-not-started, yield-year-early, statements-year-running, statements-undeclared.
    """
    if not scheme.first_year:
        raise Refused("scheme-not-started")
    if year < scheme.first_year:
        raise Refused("yield-year-early", column="year", year=year, first=scheme.first_year)
    if year >= today.year:
        raise Refused("statements-year-running", column="year", year=year, last=today.year - 1)
    if year not in scheme.declared:
        raise Refused("statements-undeclared", column="year", year=year)


def decide_issued(scheme: Scheme, year: int, position: int, today: date) -> StatementsIssued | None:
    """The fact that the statements of a year were made, None when it is recorded. Raises as `check_statements`."""
    check_statements(scheme, year, today)
    standing = scheme.issued.get(year)
    if standing is not None and standing.position == position:
        return None
    return StatementsIssued(year=year, position=position)


def decide_provisional(scheme: Scheme, since: date, rate: int, basis: str, today: date) -> ProvisionalRateSet | None:
    """The fact that sets the rate for estimates and for claims valued from a day on, None when it is set already.

    Raises Refused: scheme-not-started, yield-year-early, provisional-rate-late, yield-year-without-rule,
    yield-rate-out-of-range, basis-missing, text-too-long, text-unreadable.
    """
    if not scheme.first_year:
        raise Refused("scheme-not-started")
    if since.year < scheme.first_year:
        raise Refused("yield-year-early", column="from", year=since.year, first=scheme.first_year)
    if since.year > today.year + _MOST_AHEAD:
        raise Refused("provisional-rate-late", column="from", day=since.isoformat(), last=today.year + _MOST_AHEAD)
    rule = _rule_of(month_of(since), since.year)
    _check_rate(rule, rate)
    basis = _clean_basis(basis)
    if dict(scheme.provisional).get(since.isoformat()) == rate:
        return None
    return ProvisionalRateSet(since=since.isoformat(), rate=rate, rule=rule.id, basis=basis)


def decide_complete(scheme: Scheme, until: date, today: date, *, reason: str = "") -> PaymentsComplete | None:
    """The fact that all payments made up to the end of a day were handed over, None when that is said already. With
    `reason` (one of WHY_BACK) the day may be an earlier one than was said.

    Raises Refused: complete-day-not-over, reason-unknown; Conflict: complete-goes-back.
    """
    if until >= today:
        last = (today - timedelta(days=1)).isoformat()
        raise Refused("complete-day-not-over", column="day", day=until.isoformat(), last=last)
    if reason:
        must_be_known(reason, WHY_BACK, "reason")
    if scheme.complete == until.isoformat():
        return None
    if scheme.complete > until.isoformat() and not reason:
        raise Conflict("complete-goes-back", column="day", held=scheme.complete, known=", ".join(WHY_BACK))
    return PaymentsComplete(until=until.isoformat())


def _rule_of(month: int, year: int) -> YieldRule:
    rule = rules().yield_in(month)
    if rule is None:
        raise Refused("yield-year-without-rule", column="year", year=year)
    return rule


def _check_rate(rule: YieldRule, rate: int) -> None:
    if not rule.low <= rate <= rule.high:
        raise Refused("yield-rate-out-of-range", column="rate", rate=rate, low=rule.low, high=rule.high)


def _clean_basis(text: str) -> str:
    basis = text.strip()
    if not basis:
        raise Refused("basis-missing", column="basis")
    if len(basis) > LONGEST_BASIS:
        raise Refused("text-too-long", column="basis", limit=LONGEST_BASIS)
    if not _BASIS.fullmatch(basis):
        raise Refused("text-unreadable", column="basis")
    return basis


def rate_of(text: str) -> int:
    """The parts per million in `5.63`, `5,63` or `5.63 %`. Raises Refused(yield-rate-unreadable)."""
    found = _PERCENT.fullmatch(text.strip())
    if found is None:
        raise Refused("yield-rate-unreadable", column="rate")
    return int(found[1]) * 10_000 + int((found[2] or "").ljust(4, "0"))
