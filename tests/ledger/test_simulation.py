from __future__ import annotations

from datetime import date
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import Refused
from ledger.simulation import (
    RANGES,
    Assumptions,
    Start,
    check,
    in_todays_money,
    months_of_years,
    months_to_age,
    simulate,
)

TODAY = date(2026, 11, 21)
NOVEMBER = 2026 * 12 + 10


def half_up(value: Fraction) -> int:
    return int(value + Fraction(1, 2))


def month_by_month(start: Start, assumed: Assumptions) -> int:
    """The balance at the end, a month at a time; shares no formula with the simulation."""
    balance, monthly, rate = start.balance, assumed.monthly, Fraction(assumed.rate, 10**6)
    yearly, month, opening, later = Fraction(0), start.month, start.balance, 0
    credited = start.estimated
    for _ in range(assumed.months):
        if month % 12 == 11:
            made = half_up(yearly) + credited
            balance += made
            opening, later, yearly, credited = balance, 0, Fraction(0), 0
            monthly = half_up(monthly * Fraction(10**6 + assumed.growth, 10**6))
        month += 1
        # What was there when the month began earns for a twelfth of a year.
        yearly += rate / 12 * (opening + later)
        later += monthly
        balance += monthly
    return balance + half_up(yearly) + credited


def assumptions() -> st.SearchStrategy[Assumptions]:
    (growth, rate, inflation), (low, high) = (
        (RANGES[name] for name in ("growth", "rate", "inflation")),
        RANGES["monthly"],
    )
    return st.builds(
        Assumptions, st.integers(low, high), st.integers(*growth), st.integers(*rate), st.integers(*inflation),
        st.integers(1, 720),
    )  # fmt: skip


@given(
    st.builds(Start, st.integers(2000 * 12, 2099 * 12 + 11), st.integers(0, 10**11), st.integers(0, 10**9)),
    assumptions(),
)
def test_a_plain_loop_over_months_comes_to_the_same_rupiah(start: Start, assumed: Assumptions) -> None:
    found = simulate(start, assumed)
    assert found.balance == month_by_month(start, assumed)
    credited_at_once = start.estimated if start.month % 12 == 11 else 0
    assert found.balance == start.balance + credited_at_once + found.contributed + found.earned
    assert sum(year.months for year in found.years) == assumed.months
    assert found.today <= found.balance
    assert (found.years[-1].balance, found.years[-1].today) == (found.balance, found.today)


def test_twenty_million_at_five_percent_are_twenty_one_after_a_year() -> None:
    december = Start(2025 * 12 + 11, 20_000_000, 0)
    found = simulate(december, Assumptions(0, 0, 50_000, 0, 12))
    assert (found.balance, found.today, len(found.years)) == (21_000_000, 21_000_000, 1)


def test_prices_that_double_halve_the_money_of_today() -> None:
    assert in_todays_money(1_000_000, 0, 600) == 1_000_000
    assert in_todays_money(1_210_000, 100_000, 24) == 1_000_000
    assert in_todays_money(1_050_000, 100_000, 6) == 1_000_000, "half a year is half of a year's rise"


def test_contributions_grow_each_january_and_not_in_between() -> None:
    found = simulate(Start(NOVEMBER, 0, 0), Assumptions(100_000, 100_000, 0, 0, 26))
    assert [(year.year, year.months, year.monthly, year.contributed) for year in found.years] == [
        (2026, 1, 100_000, 100_000), (2027, 12, 110_000, 1_320_000), (2028, 12, 121_000, 1_452_000),
        (2029, 1, 133_100, 133_100),
    ]  # fmt: skip


@pytest.mark.parametrize("name", RANGES)
def test_what_lies_outside_a_range_is_refused_with_the_range(name: str) -> None:
    low, high = RANGES[name]
    for value in (low, high):
        check(**{name: value})
    for value in (low - 1, high + 1):
        with pytest.raises(Refused) as refused:
            check(**{name: value})
        assert (refused.value.code, refused.value.problem.column) == ("simulation-out-of-range", name)
        assert {"low", "high"} <= refused.value.problem.details.keys()


def test_years_are_one_to_sixty() -> None:
    assert (months_of_years(1), months_of_years(60)) == (12, 720)
    for years in (0, 61, -1):
        with pytest.raises(Refused) as refused:
            months_of_years(years)
        assert refused.value.code == "simulation-out-of-range"


@pytest.mark.parametrize(
    ("born", "age", "expected"),
    [
        (date(1990, 5, 17), 56, 234), (date(1990, 5, 17), 80, 522), (date(1970, 12, 1), 56, 1),
        (date(1970, 11, 30), 56, "simulation-age-passed"), (date(1990, 5, 17), 55, "simulation-out-of-range"),
        (date(1990, 5, 17), 81, "simulation-out-of-range"), (date(2012, 2, 29), 80, "simulation-out-of-range"),
    ],
)  # fmt: skip
def test_an_age_is_reached_in_the_month_of_the_birthday(born: date, age: int, expected: int | str) -> None:
    if isinstance(expected, int):
        assert months_to_age(born, age, TODAY) == expected
        return
    with pytest.raises(Refused) as refused:
        months_to_age(born, age, TODAY)
    assert refused.value.code == expected
