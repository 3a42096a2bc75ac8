from __future__ import annotations

import itertools
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.web import chart
from api.web.chart import Point, Words
from ledger.identifiers import month_number
from tests.api.web.facts import entry

WORDS = Words("Grafik", "juta rupiah", "Saldo", "Iuran", "2 bulan")
NOVEMBER = month_number("2026-11") or 0


def test_growth_has_a_point_for_each_month_since_the_first_payment_by_the_day_it_was_paid() -> None:
    lines = [entry("2026-09", paid_on="2026-11-02"), entry("2026-07", paid_on="2026-08-10")]
    points = chart.growth(lines, NOVEMBER)
    assert [point.month for point in points] == list(range(NOVEMBER - 3, NOVEMBER + 1))
    assert [point.paid for point in points] == [285_000, 285_000, 285_000, 570_000]


def test_growth_counts_what_an_opening_balance_brought_as_balance_and_not_as_contribution() -> None:
    opening = entry("2025-12", type="opening", paid_on="2025-12-31", employer=100, worker=50, credited=25)
    assert chart.growth([opening], NOVEMBER)[-1] == Point(NOVEMBER, 150, 175)


def test_a_reversal_lets_the_line_fall_again() -> None:
    taken = entry("2026-07", type="reversed", paid_on="2026-08-10", employer=-185_000, worker=-100_000)
    assert chart.growth([taken, entry("2026-07", paid_on="2026-08-10")], NOVEMBER)[-1].total == 0


def test_nothing_grows_before_the_first_payment() -> None:
    assert chart.growth([], NOVEMBER) == []


def test_the_table_has_the_last_point_of_each_year_newest_first() -> None:
    points = [Point(month, month, month) for month in range(NOVEMBER - 12, NOVEMBER + 1)]
    assert chart.yearly(points) == [points[-1], points[1]]


@pytest.mark.parametrize(
    ("most", "axis"), [(1, (1, 1)), (4, (1, 4)), (5, (2, 3)), (285_000, (100_000, 3)), (25_039_310, (10_000_000, 3))]
)
def test_the_axis_has_at_most_four_even_steps(most: int, axis: tuple[int, int]) -> None:
    assert chart.scale(most) == axis


@given(st.integers(1, 2**62))
def test_every_axis_reaches_its_number_and_no_step_is_left_over(most: int) -> None:
    step, steps = chart.scale(most)
    assert step * (steps - 1) < most <= step * steps
    assert steps <= 4


@given(
    st.integers(0, 400), st.lists(st.integers(0, 10**15), min_size=1, max_size=400), st.integers(0, 10**9),
    st.lists(st.integers(NOVEMBER - 500, NOVEMBER + 500), max_size=5),
)  # fmt: skip
def test_every_drawing_is_well_formed_and_stays_inside_its_frame(
    start: int, totals: list[int], more: int, gaps: list[int]
) -> None:  # fmt: skip
    points = [Point(NOVEMBER - start + i, total, total + more) for i, total in enumerate(totals)]
    drawing = ElementTree.fromstring(str(chart.draw(points, gaps, WORDS)))
    assert drawing.get("role") == "img"
    for path in drawing.findall("path"):
        numbers = (path.get("d") or "").replace("M", " ").replace("L", " ").replace("H", " ").replace("Z", "")
        if path.get("class") == "c-line":
            assert all(0 <= float(number) <= 344 for number in numbers.split())
    assert len(str(drawing.find("path[@class='c-line']").get("d")).split("L")) <= 61  # type: ignore[union-attr]


def test_texts_on_the_chart_are_escaped() -> None:
    words = Words("<b>", "<i>", "<u>", "<s>", "<q>")
    drawing = ElementTree.fromstring(str(chart.draw([Point(NOVEMBER, 1, 2)], [NOVEMBER], words)))
    assert {element.tag for element in drawing.iter()} == {"svg", "path", "text", "circle"}


@pytest.mark.parametrize(("years", "named"), [(1, ["2025", "2026"]), (3, ["2024", "2025", "2026"]), (12, ["2020", "2025"]),
    (40, ["1990", "2000", "2010", "2020"]), (80, ["1960", "1980", "2000", "2020"])])  # fmt: skip
def test_the_years_of_a_long_life_are_round_ones(years: int, named: list[str]) -> None:
    points = [Point(month, month, month) for month in range(NOVEMBER - years * 12, NOVEMBER + 1)]
    drawing = ElementTree.fromstring(str(chart.draw(points, [], WORDS)))
    shown = [one for one in drawing.findall("text") if one.get("y") == "230"]
    assert sorted(one.text or "" for one in shown) == named
    places = sorted(float(one.get("x") or 0) for one in shown)
    assert all(b - a >= 28 for a, b in itertools.pairwise(places))


def test_thirteen_digits_have_a_unit_whose_axis_is_short() -> None:
    assert chart.unit_of([Point(NOVEMBER, 1, 9_999_999_999_999)]) == (1_000_000_000_000, "trillion")


def test_one_line_alone_is_drawn_when_nothing_was_earned() -> None:
    drawn = chart.draw([Point(NOVEMBER - 1, 5, 5), Point(NOVEMBER, 9, 9)], [], WORDS)
    assert "c-paid" not in drawn
    assert "c-line" in drawn
    assert "c-gap" not in drawn
