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

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

POLICY = "monthly-simple.v1"
MONTHS = 12
_MILLION_YEARS = 12_000_000
_HALF = 6_000_000
NONE = (0, 0)


class Terms(NamedTuple):
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

    def months(self, year: int) -> int:
        """How many months of a year that is not credited have been, up to the day."""
        return MONTHS if year < self.year else self.month


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


def _earned(amounts: Amounts, sub: int, terms: Terms) -> tuple[list[int], list[int]]:
    """What each year from the first one on earned: the declared ones, then those that are estimated.

    Every balance that is asked for comes through here, so it makes nothing but the numbers.
    """
    first, declared, rate, year, _ = terms
    opening = 0
    for early, pair in amounts.items():
        if early < first:
            opening += pair[0]
    credited: list[int] = []
    at = first
    for rates in declared:
        amount, weighted = amounts.get(at, NONE)
        made = earned(rates[sub], MONTHS * opening + weighted)
        credited.append(made)
        opening += amount + made
        at += 1
    estimated: list[int] = []
    if rate is not None:
        for running in range(at, year + 1):
            amount, weighted = amounts.get(running, NONE)
            months = terms.months(running)
            made = earned(rate, months * opening + weighted - (MONTHS - months) * amount)
            estimated.append(made)
            opening += amount + made
    return credited, estimated


def working(amounts: Amounts, sub: int, terms: Terms) -> Iterator[YearOf]:
    """A sub-account's years in order, the estimated ones last; `sub`: 0 utama, 1 tambahan."""
    credited, estimated = _earned(amounts, sub, terms)
    opening = sum(amount for year, (amount, _) in amounts.items() if year < terms.first_year)
    for year, made in enumerate((*credited, *estimated), terms.first_year):
        declared = year < terms.open_year
        rate = terms.declared[year - terms.first_year][sub] if declared else terms.provisional or 0
        amount = amounts.get(year, NONE)[0]
        yield YearOf(year, opening, MONTHS if declared else terms.months(year), rate, made, declared)
        opening += amount + made


def sums(rows: Iterable[tuple[int, int, int, int]], terms: Terms) -> Sums:
    """What a card's rows (account, year, amount, weighted) earned; `account`: 2 x epoch + sub-account."""
    credited = estimated = 0
    for account, amounts in by_account(rows).items():
        of_declared, of_others = _earned(amounts, account & 1, terms)
        credited += sum(of_declared)
        estimated += sum(of_others)
    return Sums(credited, None if terms.provisional is None else estimated)


def earned_by_year(rows: Iterable[tuple[int, int, int, int]], terms: Terms) -> dict[int, int]:
    """Declared year -> what a card's rows earned in it."""
    found: dict[int, int] = {}
    for account, amounts in by_account(rows).items():
        for one in working(amounts, account & 1, terms):
            if one.declared:
                found[one.year] = found.get(one.year, 0) + one.earned
    return found


def by_account(rows: Iterable[tuple[int, int, int, int]]) -> dict[int, dict[int, tuple[int, int]]]:
    """The amounts of each account of a card."""
    found: dict[int, dict[int, tuple[int, int]]] = {}
    for account, year, amount, weighted in rows:
        found.setdefault(account, {})[year] = (amount, weighted)
    return found
