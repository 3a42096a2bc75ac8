"""The policy `monthly-simple.v1`: the worked numbers, and what is true of any amounts."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.decisions.scheme import Scheme
from ledger.events import ProvisionalRateSet, Rates, SchemeStarted, YieldDeclared
from ledger.yields import Sums, Terms, earned, sums, working

Rows = list[tuple[int, int, int, int]]


def terms(first: int, *rates: int, provisional: int | None = None, at: str = "2024-07-15") -> Terms:
    day = date.fromisoformat(at)
    return Terms(first, tuple((rate, rate) for rate in rates), provisional, day.year, day.month)


def worked(rate: int = 57_000) -> tuple[Rows, Terms]:
    """80,000,000 brought over at the end of 2022; 285,000 in each month of 2023 and in six of 2024; a tenth paid out in
    February 2024; valued in July 2024 with 5 %."""
    year_2023 = (0, 2023, 12 * 285_000, 285_000 * sum(12 - month for month in range(1, 13)))
    tenth = 8_806_934
    weighted = 285_000 * sum(12 - month for month in range(1, 7)) - tenth * 10
    year_2024 = (0, 2024, 6 * 285_000 - tenth, weighted)
    return [(0, 2022, 80_000_000, 0), year_2023, year_2024], terms(2023, rate, provisional=50_000)


def test_the_worked_example_comes_out_to_the_rupiah() -> None:
    rows, at = worked()
    assert sums(rows, at) == Sums(4_649_348, 2_410_149)
    year, part = working({2022: (80_000_000, 0), **{r[1]: r[2:] for r in rows[1:]}}, 0, at)
    assert (year.opening, part.opening) == (80_000_000, 88_069_348)
    assert part.opening + rows[2][2] + part.earned == 83_382_563


def test_the_worked_example_declared_again_gives_what_it_must_give_more() -> None:
    (rows, before), (_, after) = worked(), worked(59_000)
    assert sums(rows, after).credited - sums(rows, before).credited == 163_135


def test_twenty_million_at_five_percent_are_twenty_one_after_a_year() -> None:
    assert sums([(0, 2024, 20_000_000, 0)], terms(2025, 50_000, at="2026-01-01")) == Sums(1_000_000, None)


@pytest.mark.parametrize(
    ("rate", "base", "expected"),
    [(1, 5_999_999, 0), (1, 6_000_000, 1), (1, 17_999_999, 1), (1, 18_000_000, 2), (57_000, 0, 0), (57_000, -1, 0)],
)
def test_a_yield_is_rounded_once_a_half_up_and_never_below_nothing(rate: int, base: int, expected: int) -> None:
    assert earned(rate, base) == expected


def test_each_sub_account_and_each_epoch_earns_for_itself() -> None:
    at = Terms(2024, ((50_000, 80_000),), None, 2025, 1)
    rows = [(0, 2023, 1_000, 0), (1, 2023, 1_000, 0), (2, 2023, -1_000, 0), (3, 2023, 10, 0)]
    assert sums(rows, at).credited == 50 + 80 + 0 + 1  # 0.8 is rounded for itself


def test_years_before_the_first_have_no_yield_but_what_was_brought() -> None:
    rows = [(0, 2020, 900, 5_000_000), (0, 2021, 100, 0)]
    assert sums(rows, terms(2022, 100_000, at="2023-01-01")) == Sums(100, None)


def scheme(*facts: SchemeStarted | YieldDeclared | ProvisionalRateSet) -> Scheme:
    state = Scheme()
    for version, fact in enumerate(facts, 1):
        state = state.after(fact, version)
    return state


def declared(year: int, rate: int) -> YieldDeclared:
    return YieldDeclared(year=year, rates=Rates(rate, rate + 1), policy="monthly-simple.v1", rule="r", basis="b")


SCHEME = scheme(
    SchemeStarted(first_year=2023), declared(2023, 57_000), declared(2024, 60_000),
    ProvisionalRateSet(since="2024-02-01", rate=50_000, rule="r", basis="b"),
)  # fmt: skip


@pytest.mark.parametrize(
    ("day", "years", "provisional"),
    [
        ("2022-12-31", 0, None), ("2023-01-01", 0, None), ("2023-12-30", 0, None), ("2023-12-31", 1, None),
        ("2024-01-31", 1, None), ("2024-02-01", 1, 50_000), ("2024-12-31", 2, 50_000), ("2026-11-21", 2, 50_000),
    ],
)  # fmt: skip
def test_a_year_counts_from_its_last_day_on(day: str, years: int, provisional: int | None) -> None:
    found = SCHEME.terms(date.fromisoformat(day))
    assert (len(found.declared), found.provisional) == (years, provisional)
    assert found.declared == ((57_000, 57_001), (60_000, 60_001))[:years]


def test_nothing_is_estimated_for_a_year_that_is_credited_on_its_last_day() -> None:
    at = SCHEME.terms(date(2024, 12, 31))
    assert sums([(0, 2022, 1_000_000, 0)], at) == Sums(57_000 + 63_420, 0)


def test_a_scheme_that_has_not_started_earns_nothing() -> None:
    assert sums([(0, 2020, 10**9, 10**9)], Scheme().terms(date(2026, 11, 21))) == Sums(0, None)


_rows = st.lists(
    st.tuples(st.integers(0, 3), st.integers(2015, 2024), st.integers(-(10**9), 10**12), st.integers(-(10**10), 10**13)),
    unique_by=lambda row: row[:2], max_size=12,
)  # fmt: skip


@given(_rows, st.lists(st.integers(20_000, 150_000), max_size=8), st.randoms(use_true_random=False))
def test_the_order_of_the_rows_does_not_count(rows: Rows, rates: list[int], order: object) -> None:
    at = terms(2016, *rates, provisional=50_000)
    shuffled = rows.copy()
    order.shuffle(shuffled)  # type: ignore[attr-defined]
    assert sums(shuffled, at) == sums(rows, at)


@given(_rows, st.lists(st.integers(20_000, 150_000), min_size=1, max_size=8), st.integers(0, 7), st.integers(1, 9_999))
def test_a_higher_rate_in_one_year_changes_that_year_and_later_ones_only(
    rows: Rows, rates: list[int], which: int, more: int
) -> None:
    which %= len(rates)
    higher = [*rates[:which], rates[which] + more, *rates[which + 1 :]]
    for account in range(4):
        amounts = {year: (amount, weighted) for one, year, amount, weighted in rows if one == account}
        before, after = (list(working(amounts, account & 1, terms(2016, *chosen))) for chosen in (rates, higher))
        assert before[:which] == after[:which]
        assert all(a.earned >= b.earned for a, b in zip(after, before, strict=True))
