"""What savings may become: an estimate under stated assumptions, by the policy of `ledger.yields`. Pure, integers only.

From the month after the present one the same contribution is paid every month, and grows each January. A year's yield is
worked out as that of every year (`monthly-simple.v1`), at one rate for all of them, and is credited at its end; what was
estimated of the present year so far is credited with it. "In today's money" divides by the prices that have risen since:
compound from year to year, in equal steps within a year. Rates are parts per million a year, each division rounds half up.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import NamedTuple

import msgspec

from ledger.days import years_after
from ledger.errors import Refused
from ledger.identifiers import month_of
from ledger.money import round_half_up
from ledger.yields import MONTHS, earned

MILLION = 1_000_000
PENSION_AGE = 56
"""The age from which the savings are paid out in any case (PP 46/2015)."""
MOST_YEARS, OLDEST = 60, 80
RANGES = {"growth": (0, 200_000), "rate": (0, 200_000), "inflation": (0, 200_000), "monthly": (0, 1_000_000_000)}
"""What may be assumed: parts per million a year, and rupiah a month."""
GROWTH = INFLATION = 30_000
"""What is assumed when nothing is said: wages that keep up with prices."""


class Assumptions(msgspec.Struct, frozen=True):
    """`monthly`: rupiah of a month's contribution, both shares, until the first January; `growth` of it, `rate` of yield
    and `inflation` in parts per million a year; `months`: how many, from the one after the present."""

    monthly: int
    growth: int
    rate: int
    inflation: int
    months: int


class Start(NamedTuple):
    """Where a simulation begins: the present month, what is in the balance, what was estimated on top of it so far."""

    month: int
    balance: int
    estimated: int


class YearAhead(msgspec.Struct, frozen=True):
    """A year, or the part of it that is simulated: so many months of `monthly`, what was contributed and earned in it, the
    balance at its end, and the same in the money of today."""

    year: int
    months: int
    monthly: int
    contributed: int
    earned: int
    balance: int
    today: int


class Simulation(msgspec.Struct, frozen=True):
    """An estimate: `balance` after the last month, `today` the same in the money of today; how it comes about."""

    assumptions: Assumptions
    balance: int
    today: int
    contributed: int
    earned: int
    years: tuple[YearAhead, ...]


def check(**assumed: int) -> None:
    """Whether assumptions are in their ranges. Raises Refused(simulation-out-of-range)."""
    for name, value in assumed.items():
        low, high = RANGES[name]
        if not low <= value <= high:
            raise Refused("simulation-out-of-range", column=name, low=_said(name, low), high=_said(name, high))


def _said(name: str, value: int) -> str:
    return f"{value}" if name == "monthly" else f"{value // 10_000} %"


def months_of_years(years: int) -> int:
    """Raises Refused(simulation-out-of-range)."""
    if not 1 <= years <= MOST_YEARS:
        raise Refused("simulation-out-of-range", column="years", low="1", high=str(MOST_YEARS))
    return years * MONTHS


def months_to_age(born: date, age: int, today: date) -> int:
    """The months from the present one to the one of a birthday.

    Raises Refused: simulation-out-of-range, simulation-age-passed.
    """
    if not PENSION_AGE <= age <= OLDEST:
        raise Refused("simulation-out-of-range", column="age", low=str(PENSION_AGE), high=str(OLDEST))
    months = month_of(years_after(born, age)) - month_of(today)
    if months < 1:
        raise Refused("simulation-age-passed", column="age", age=age)
    if months > MOST_YEARS * MONTHS:
        raise Refused("simulation-out-of-range", column="years", low="1", high=str(MOST_YEARS))
    return months


def simulate(start: Start, assumed: Assumptions) -> Simulation:
    """What the savings become. Raises Refused(simulation-out-of-range)."""
    check(monthly=assumed.monthly, growth=assumed.growth, rate=assumed.rate, inflation=assumed.inflation)
    years = tuple(_years(start, assumed))
    last = years[-1]
    return Simulation(
        assumed, last.balance, last.today, sum(year.contributed for year in years),
        sum(year.earned for year in years), years,
    )  # fmt: skip


def _years(start: Start, assumed: Assumptions) -> Iterator[YearAhead]:
    year, passed = divmod(start.month, MONTHS)
    passed += 1
    balance, monthly, left, pending = start.balance, assumed.monthly, assumed.months, start.estimated
    if passed == MONTHS:
        # The year is over: what it brought is credited, and the first month is a January.
        year, passed, balance, pending = year + 1, 0, balance + pending, 0
        monthly = _grown(monthly, assumed.growth)
    gone = 0
    while left:
        months = min(MONTHS - passed, left)
        paid = monthly * months
        # Each month's money earns from the next one on: (months - 1) + ... + 0.
        base = months * balance + monthly * (months * (months - 1) // 2)
        made = earned(assumed.rate, base) + pending
        left, gone = left - months, gone + months
        balance += paid + made
        yield YearAhead(year, months, monthly, paid, made, balance, in_todays_money(balance, assumed.inflation, gone))
        year, passed, pending, monthly = year + 1, 0, 0, _grown(monthly, assumed.growth)


def _grown(monthly: int, growth: int) -> int:
    return round_half_up(monthly * (MILLION + growth), MILLION)


def in_todays_money(amount: int, inflation: int, months: int) -> int:
    """What buys today what `amount` will buy after so many months of rising prices."""
    years, rest = divmod(months, MONTHS)
    prices = (MILLION + inflation) ** years * (MONTHS * MILLION + inflation * rest)
    return round_half_up(amount * MILLION**years * MONTHS * MILLION, prices)
