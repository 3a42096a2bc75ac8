from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.due_days import due_day
from ledger.identifiers import month_number
from projections import month_grid
from projections.month_grid import Facts, Year
from projections.received import awaited, received
from projections.results import MembershipRow
from tests.api.web.facts import case, entry, facts, reversal
from tests.conftest import TODAY
from tests.office import OTHER_NPP


def states(*cards: Facts, today: date = TODAY) -> dict[str, str]:
    """Month (`01` to `12`) -> state, of the newest year."""
    year, *_ = month_grid.years(cards, today)
    return {f"{cell.month % 12 + 1:02d}": cell.state for cell in year.cells}


def of(month: str, *cards: Facts) -> month_grid.Cell:
    (found,) = [c for y in month_grid.years(cards, TODAY) for c in y.cells if c.month == month_number(month)]
    return found


def test_a_month_is_posted_absent_later_or_outside_the_membership() -> None:
    found = states(facts(entry("2026-06"), entry("2026-08"), entry("2026-09")))
    assert found["05"] == "before"
    assert found["06"] == "posted"
    assert found["07"] == "absent"
    assert found["10"] == "absent", "due on 16 November, because the 15th is a Sunday"
    assert found["11"] == "later"
    assert found["12"] == "later"


@pytest.mark.parametrize(
    ("segment", "month", "due"),
    [
        ("PU", "2026-10", date(2026, 11, 16)), ("PU", "2025-01", date(2025, 2, 17)), ("PU", "2026-12", date(2027, 1, 15)),
        ("BPU", "2026-10", date(2026, 10, 15)), ("BPU", "2026-11", date(2026, 11, 16)), ("PMI", "2026-10", None),
        # The Monday after the weekend is a holiday (Idul Adha, Maulid).
        ("PU", "2024-05", date(2024, 6, 18)), ("PU", "2024-08", date(2024, 9, 17)),
    ],
)  # fmt: skip
def test_a_contribution_is_due_by_the_rule_of_its_segment(segment: str, month: str, due: date | None) -> None:
    assert due_day(segment, month_number(month) or 0) == due


def test_a_month_is_not_missing_on_its_due_day_and_is_on_the_day_after() -> None:
    one = facts(since="2026-10")
    assert states(one, today=date(2026, 11, 16))["10"] == "later"
    assert states(one, today=date(2026, 11, 17))["10"] == "absent"


def test_no_month_is_missing_before_the_payments_up_to_its_due_day_are_complete() -> None:
    lines = entry("2026-06"), entry("2026-08")
    known = facts(*lines, complete=date(2026, 10, 14))
    told = states(known)
    assert (told["07"], told["09"], told["10"]) == ("absent", "awaited", "awaited"), "September was due on 15 October"
    assert states(facts(*lines, complete=date(2026, 10, 15)))["09"] == "absent"
    silent = facts(*lines, complete=None)
    assert [states(silent)[month] for month in ("07", "09", "10", "11")] == ["awaited"] * 3 + ["later"]
    assert {of("2026-09", silent).cause, of("2026-11", silent).cause} == {"payments-incomplete", "not-due"}
    years = month_grid.years([silent], TODAY)
    assert (years[0].arrived, years[0].expected) == (2, 2), "what is awaited is not counted as due"
    assert month_grid.missing(years) == []
    assert [month % 12 + 1 for month in awaited(years)] == [10, 9, 7]


def test_until_when_payments_are_known_is_the_agencys_word_beside_the_newest_paid_day() -> None:
    opening = entry("2026-06", type="opening", paid_on="2026-11-19")
    one = facts(entry("2026-07"), opening, cases=(case("2026-08", paid_on="2026-10-10"),), complete=date(2026, 10, 31))
    assert received([one]) == (date(2026, 10, 31), "2026-10-10"), "an opening balance is no payment"
    assert received([facts(complete=None)]) == (None, "")
    assert received([]) == (None, "")


def test_months_before_the_first_year_of_the_scheme_are_nobodys_fault() -> None:
    one = facts(since="2025-11", start=2026 * 12)
    last_year, this_year = of("2025-12", one), of("2026-01", one)
    assert (last_year.state, last_year.cause) == ("unknown", "before-start")
    assert (this_year.state, this_year.cause) == ("absent", "not-received")
    came = facts(entry("2025-12"), since="2025-11", start=2026 * 12)
    assert of("2025-12", came).state == "posted", "what came is told whatever its age"


def test_a_due_day_in_a_year_without_holidays_says_so() -> None:
    today, complete = date(2031, 3, 1), date(2031, 2, 28)
    parts = [p for y in month_grid.years([facts(complete=complete)], today) for c in y.cells for p in c.parts]
    told = {part.due.year: part.holidays_known for part in parts if part.due}
    assert told == {year: year <= 2026 for year in range(2026, 2032)}
    assert all(part.holidays_known for part in _parts_of_migrant()), "no due day, so no holiday can move it"


def _parts_of_migrant() -> list[month_grid.Part]:
    years = month_grid.years([facts(segment="PMI", npp="", since="2026-01")], TODAY)
    return [part for year in years for cell in year.cells for part in cell.parts]


def test_a_migrant_worker_is_never_said_to_miss_a_month_because_no_due_day_is_known() -> None:
    found = states(facts(segment="PMI", npp="", since="2026-01"))
    assert set(found.values()) == {"later"}


def test_months_after_leaving_are_outside() -> None:
    found = states(facts(since="2026-01", until="2026-03"))
    assert (found["03"], found["04"], found["11"]) == ("absent", "left", "left")


def test_money_that_waits_makes_its_month_held_and_not_missing() -> None:
    cell = of("2026-07", facts(entry("2026-06"), cases=(case("2026-07"),)))
    (part,) = cell.parts
    assert (cell.state, part.amount, part.paid_days) == ("held", 285_000, ["2026-10-10"])


@pytest.mark.parametrize("reason", sorted(month_grid.FOREIGN))
def test_the_amount_of_money_that_may_be_somebody_elses_is_not_shown(reason: str) -> None:
    (part,) = of("2026-07", facts(cases=(case("2026-07", reason),))).parts
    assert (part.state, part.amount) == ("held", 0)


def test_a_month_with_money_and_more_that_waits_has_arrived_and_shows_both() -> None:
    cell = of("2026-07", facts(entry("2026-07"), cases=(case("2026-07"),)))
    assert [part.state for part in cell.parts] == ["held", "posted"]
    assert cell.arrived


def test_a_month_that_was_taken_back_says_so_until_money_comes_again() -> None:
    assert of("2026-07", facts(reversal("2026-07"), entry("2026-07"))).state == "reversed"
    again = entry("2026-07", key=(1, 9, 0))
    assert of("2026-07", facts(again, reversal("2026-07"), entry("2026-07"))).state == "posted"


def test_of_two_payers_the_cell_shows_the_more_serious_state_and_both_are_listed() -> None:
    second = MembershipRow(OTHER_NPP, "PU", "2026-06", "")
    cell = of("2026-07", facts(entry("2026-07"), more=(second,)))
    assert cell.state == "absent"
    assert [(part.employer, part.state) for part in cell.parts] == [("PT Satu", "posted"), ("PT Dua", "absent")]
    assert not cell.arrived


def test_months_inside_an_opening_balance_are_not_missing() -> None:
    opening = entry("2026-07", type="opening", paid_on="2026-07-31")
    found = states(facts(opening, since="2026-01"))
    assert (found["01"], found["07"], found["08"]) == ("opened", "opened", "absent")


def test_who_left_before_the_opening_balance_sees_it_and_nothing_missing() -> None:
    opening = entry("2025-12", type="opening", paid_on="2025-12-31")
    years = month_grid.years([facts(opening, since="2015-01", until="2019-03")], TODAY)
    assert [(year.year, {cell.state for cell in year.cells}) for year in years] == [
        (2026, {"left", "later"}), (2025, {"opened"}),
    ]  # fmt: skip
    assert month_grid.missing(years) == []


def test_months_before_the_first_rule_are_nobodys_fault() -> None:
    years = month_grid.years([facts(since="2015-01")], TODAY)
    assert [cell.state for cell in years[-1].cells] == ["unknown"] * 6 + ["absent"] * 6
    assert (years[-1].arrived, years[-1].expected) == (0, 6)


def test_between_two_memberships_nobody_worked_and_before_the_first_nobody_was_a_member() -> None:
    second = MembershipRow(OTHER_NPP, "PU", "2026-08", "")
    found = states(facts(since="2026-03", until="2026-04", more=(second,)))
    assert [found[month] for month in ("02", "03", "05", "07", "08")] == ["before", "absent", "left", "left", "absent"]


def test_held_money_whose_amounts_disagree_says_what_the_rule_makes_of_the_wage() -> None:
    waiting = case("2026-07")
    one = facts(cases=(waiting,), bases={waiting: 6_000_000})
    (part,) = of("2026-07", one).parts
    assert (part.reason, part.amount, part.base, part.expected) == ("amounts-disagree", 285_000, 6_000_000, 342_000)


def test_what_is_missing_is_estimated_by_the_payers_month_before() -> None:
    lower = entry("2026-06", employer=74_000, worker=40_000)
    listed = month_grid.missing(month_grid.years([facts(entry("2026-08"), lower)], TODAY))
    assert [(one.month % 12 + 1, one.part.estimate) for one in listed] == [(10, 285_000), (9, 285_000), (7, 114_000)]


def test_nothing_is_estimated_when_no_month_ever_came() -> None:
    assert {one.part.estimate for one in month_grid.missing(month_grid.years([facts()], TODAY))} == {0}


def test_missing_months_come_before_taken_back_and_waiting_ones_newest_first() -> None:
    held = facts(
        entry("2026-06"), reversal("2026-07"), entry("2026-07"), cases=(case("2026-10"),), since="2026-06"
    )  # fmt: skip
    listed = month_grid.missing(month_grid.years([held], TODAY))
    assert [(one.part.state, one.month % 12 + 1) for one in listed] == [
        ("absent", 9), ("absent", 8), ("reversed", 7), ("held", 10),
    ]  # fmt: skip


def test_a_year_counts_what_came_of_what_was_due() -> None:
    year: Year = month_grid.years([facts(entry("2026-06"), entry("2026-08"))], TODAY)[0]
    assert (year.arrived, year.expected) == (2, 5)


def test_a_card_without_memberships_and_money_has_no_years() -> None:
    assert month_grid.years([Facts(1, (), (), {})], TODAY) == ()


@given(
    st.dates(date(2016, 1, 1), date(2040, 12, 31)), st.integers(0, 200), st.integers(0, 60),
    st.sampled_from(["PU", "BPU", "PMI"]), st.sets(st.integers(0, 200)),
)  # fmt: skip
def test_every_month_has_one_state_and_money_that_came_is_never_called_missing(
    today: date, age: int, lasted: int, segment: str, paid: set[int]
) -> None:
    present = today.year * 12 + today.month - 1
    since = present - age

    def name(number: int) -> str:
        return f"{number // 12:04d}-{number % 12 + 1:02d}"

    npp = "10000001" if segment == "PU" else ""
    came = {since + month for month in paid if since + month <= present}
    lines = tuple(entry(name(month), npp=npp) for month in sorted(came, reverse=True))
    one = facts(*lines, since=name(since), until=name(since + lasted) if lasted else "", segment=segment, npp=npp)
    for year in month_grid.years([one], today):
        assert len(year.cells) == 12
        for cell in year.cells:
            assert (cell.state == "posted") == (cell.month in came)
            assert cell.state != "absent" or (since <= cell.month <= present and segment != "PMI")


def test_some_months_are_those_of_all_years() -> None:
    """With what a payer brought before them, from which an estimate of a missing month is made."""
    one = facts(
        entry("2025-11"), entry("2026-02"), entry("2026-03", npp=OTHER_NPP), entry("2026-08"), reversal("2026-08"),
        cases=(case("2026-09"),), since="2025-06",
    )  # fmt: skip
    every = [cell for year in reversed(month_grid.years([one], TODAY)) for cell in year.cells if cell.parts]
    assert {part.state for cell in every for part in cell.parts} >= {"posted", "absent", "reversed", "held", "later"}
    assert any(part.estimate for cell in every for part in cell.parts)
    for first, last in (("2025-01", "2026-12"), ("2026-01", "2026-12"), ("2026-03", "2026-03"), ("2026-04", "2026-09")):
        start, end = month_number(first) or 0, month_number(last) or 0
        found = month_grid.between(one, TODAY, start, end)
        assert found == [cell for cell in every if start <= cell.month <= end]
