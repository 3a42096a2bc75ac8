"""A long list of months stays short, and tells every month once."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from api.formats import month_list
from api.month_spans import Span, spans

JANUARY = 2024 * 12


def test_months_that_follow_one_another_are_told_by_the_first_and_the_last() -> None:
    assert spans([JANUARY + month for month in (4, 0, 1, 2, 3, 6)], 3) == [Span(24288, 24292), Span(24294, 24294)]
    assert spans([JANUARY, JANUARY + 1], 3) == [Span(24288, 24288), Span(24289, 24289)]
    assert spans([], 2) == []


@given(st.sets(st.integers(24_000, 24_400)), st.integers(1, 5))
def test_every_month_is_told_exactly_once(months: set[int], least: int) -> None:
    told = [month for span in spans(months, least) for month in range(span.first, span.last + 1)]
    assert told == sorted(months)
    assert all(span.length == 1 or span.length >= least for span in spans(months, least))


def test_a_list_of_months_in_a_letter() -> None:
    def listed(*months: tuple[int, int]) -> tuple[str, str]:
        numbers = [year * 12 + month - 1 for year, month in months]
        return month_list(numbers, "id"), month_list(reversed(numbers), "en")

    assert listed((2026, 3), (2026, 7), (2026, 10), (2025, 12)) == (
        "Maret, Juli, dan Oktober 2026; Desember 2025", "March, July and October 2026; December 2025",
    )  # fmt: skip
    first = [(2024, month) for month in (1, 2, 3, 4, 5, 7)]
    assert listed(*first) == ("Januari–Mei dan Juli 2024", "January–May and July 2024")
    across = [(2023, 11), (2023, 12), (2024, 1), (2024, 2), (2024, 5), (2023, 3)]
    assert listed(*across) == (
        "Mei 2024; November 2023–Februari 2024; Maret 2023", "May 2024; November 2023–February 2024; March 2023",
    )  # fmt: skip
    assert listed((2023, 12), (2024, 1)) == ("Januari 2024; Desember 2023", "January 2024; December 2023")


def test_forty_years_are_one_line() -> None:
    assert month_list(range(1986 * 12, 2026 * 12), "id") == "Januari 1986–Desember 2025"
