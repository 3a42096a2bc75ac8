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


class YearOf(NamedTuple):
    """The working of one year of one sub-account: yield = rate x max(0, months x opening + weighted) / 12."""

    year: int
    opening: int
    amount: int
    weighted: int
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


def working(amounts: Amounts, sub: int, terms: Terms) -> Iterator[YearOf]:
    """A sub-account's years in order, the estimated ones last; `sub`: 0 utama, 1 tambahan."""
    opening = sum(amount for year, (amount, _) in amounts.items() if year < terms.first_year)
    for year, rates in enumerate(terms.declared, terms.first_year):
        amount, weighted = amounts.get(year, NONE)
        made = earned(rates[sub], MONTHS * opening + weighted)
        yield YearOf(year, opening, amount, weighted, MONTHS, rates[sub], made, True)
        opening += amount + made
    rate = terms.provisional
    if rate is None:
        return
    for year in range(terms.open_year, terms.year + 1):
        amount, weighted = amounts.get(year, NONE)
        months = MONTHS if year < terms.year else terms.month
        weighted -= (MONTHS - months) * amount
        made = earned(rate, months * opening + weighted)
        yield YearOf(year, opening, amount, weighted, months, rate, made, False)
        opening += amount + made


def sums(rows: Iterable[tuple[int, int, int, int]], terms: Terms) -> Sums:
    """What a card's rows (account, year, amount, weighted) earned; `account`: 2 x epoch + sub-account."""
    credited = estimated = 0
    for account, amounts in by_account(rows).items():
        for one in working(amounts, account & 1, terms):
            if one.declared:
                credited += one.earned
            else:
                estimated += one.earned
    return Sums(credited, None if terms.provisional is None else estimated)


def by_account(rows: Iterable[tuple[int, int, int, int]]) -> dict[int, dict[int, tuple[int, int]]]:
    """The amounts of each account of a card."""
    found: dict[int, dict[int, tuple[int, int]]] = {}
    for account, year, amount, weighted in rows:
        found.setdefault(account, {})[year] = (amount, weighted)
    return found
