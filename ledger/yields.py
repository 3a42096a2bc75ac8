"""What savings earn: the policy `monthly-simple.v1`, from the additive rows of a card. Pure, integers only.

This is the project's model of a rule that the agency does not publish (domain facts found: interest on interest from year
to year, no fee, declared once a year). For each sub-account apart, year by year from the scheme's first year:

    opening(y)   everything of earlier years: contributions + yield that was brought or credited - payouts
    weighted(y)  the sum of amount x (12 - month in which it was paid): money paid in month m earns from m + 1 on
    yield(y)     rate x max(0, 12 x opening + weighted) / 12, a half up, one rounding; credited on 31 December of y

A year without a declared rate is estimated by the same formula with the provisional rate in force on the day of asking; in
the year of that day, in month m, with m x opening + (the sum of amount x (m - month)). Rates are parts per million a year.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

POLICY = "monthly-simple.v1"
MONTHS = 12
_MILLION_YEARS = 12_000_000
_HALF = 6_000_000
NONE = (0, 0)


class Step(NamedTuple):
    """A year that is worked out: over how many months, at which rate, and whether that rate is a declared one."""

    year: int
    months: int
    rate: int
    declared: bool


@dataclass(frozen=True)
class Terms:
    """What the yield of one day is worked out with.

    `declared`: (utama, tambahan) of the years from `first_year` on, as far as they are credited by that day. `year` and
    `month`: of the day. `provisional`: the rate for what follows; None when there is none, and then nothing is estimated.
    """

    first_year: int
    declared: tuple[tuple[int, int], ...]
    provisional: int | None
    year: int
    month: int

    @property
    def open_year(self) -> int:
        """The first year that is not credited."""
        return self.first_year + len(self.declared)

    @cached_property
    def steps(self) -> tuple[tuple[Step, ...], tuple[Step, ...]]:
        """The years of each sub-account in order, the estimated ones last: made once, used for every balance."""
        rate = self.provisional
        later = () if rate is None else tuple(self._estimated(rate))
        utama, tambahan = (
            tuple(Step(year, MONTHS, rates[sub], True) for year, rates in enumerate(self.declared, self.first_year))
            for sub in (0, 1)
        )
        return utama + later, tambahan + later

    def _estimated(self, rate: int) -> Iterator[Step]:
        for year in range(self.open_year, self.year + 1):
            yield Step(year, MONTHS if year < self.year else self.month, rate, False)


class YearOf(NamedTuple):
    """One year of one sub-account: what it began with, over how many months, at which rate, and what it earned."""

    year: int
    opening: int
    months: int
    rate: int
    earned: int
    declared: bool


class Sums(NamedTuple):
    """Yield of all sub-accounts of a card in rupiah: credited by declarations, and estimated since (None: no rate)."""

    credited: int
    estimated: int | None


Amounts = Mapping[int, tuple[int, int]]
"""Year -> (contributions + yield brought - payouts, weighted) of one sub-account of one epoch."""
NO_YIELD = Sums(0, None)


def earned(rate: int, base: int) -> int:
    """rate x base / 12 in rupiah, a half up; nothing on a base below 0. `base`: rupiah times months."""
    return (rate * base + _HALF) // _MILLION_YEARS if base > 0 else 0


def thousandths(rate: int, base: int) -> int:
    """The same before it is rounded, in thousandths of a rupiah, the rest cut off: what a calculator shows."""
    return rate * base * 1_000 // _MILLION_YEARS if base > 0 else 0


def _earned(amounts: Amounts, first: int, steps: tuple[Step, ...]) -> list[int]:
    """What each step's year earned. Every balance that is asked for comes through here, so it makes nothing but the
    numbers, and has `earned` written out."""
    opening = _brought(amounts, first)
    found: list[int] = []
    of_year = amounts.get
    for year, months, rate, _ in steps:
        amount, weighted = of_year(year, NONE)
        base = (
            MONTHS * opening + weighted
            if months == MONTHS
            else months * opening + weighted - (MONTHS - months) * amount
        )
        made = (rate * base + _HALF) // _MILLION_YEARS if base > 0 else 0
        found.append(made)
        opening += amount + made
    return found


def _brought(amounts: Amounts, first: int) -> int:
    """What the first year opens with."""
    opening = 0
    for year in amounts:
        if year < first:
            opening += amounts[year][0]
    return opening


def working(amounts: Amounts, sub: int, terms: Terms) -> Iterator[YearOf]:
    """A sub-account's years in order, the estimated ones last; `sub`: 0 utama, 1 tambahan."""
    steps = terms.steps[sub]
    opening = _brought(amounts, terms.first_year)
    for step, made in zip(steps, _earned(amounts, terms.first_year, steps), strict=True):
        yield YearOf(step.year, opening, step.months, step.rate, made, step.declared)
        opening += amounts.get(step.year, NONE)[0] + made


def sums(rows: Iterable[Sequence[int]], terms: Terms) -> Sums:
    """What a card's rows (account, year, amount, weighted) earned; `account`: 2 x epoch + sub-account."""
    credited = estimated = 0
    declared = len(terms.declared)
    for account, amounts in by_account(rows).items():
        made = _earned(amounts, terms.first_year, terms.steps[account & 1])
        credited += sum(made[:declared])
        estimated += sum(made[declared:])
    return Sums(credited, None if terms.provisional is None else estimated)


def earned_by_year(rows: Iterable[Sequence[int]], terms: Terms) -> dict[int, int]:
    """Declared year -> what a card's rows earned in it."""
    found: dict[int, int] = {}
    for account, amounts in by_account(rows).items():
        made = _earned(amounts, terms.first_year, terms.steps[account & 1])
        for year, amount in enumerate(made[: len(terms.declared)], terms.first_year):
            found[year] = found.get(year, 0) + amount
    return found


def by_account(rows: Iterable[Sequence[int]]) -> dict[int, dict[int, tuple[int, int]]]:
    """The amounts of each account of a card."""
    found: dict[int, dict[int, tuple[int, int]]] = {}
    for account, year, amount, weighted in rows:
        amounts = found.get(account)
        if amounts is None:
            amounts = found[account] = {}
        amounts[year] = amount, weighted
    return found
