"""A month's lines in numbers and two months side by side, at their edges; pure."""

from __future__ import annotations

from ledger.decisions.month_difference import Change, Sums, Worked, difference
from ledger.decisions.remittance_months import (
    HELD,
    POSTED,
    REVERSED,
    MonthLine,
    MonthTotals,
    Place,
    lines_of,
    totals_of,
)
from ledger.events import Event, Line, ReversedLine, SuspendedLine
from tests import facts

A, B = "26000000017", "26000000025"
STREAM = "remittance-e:10000001:2026-10"


def line(state: str, kpj: str = A, paid_on: str = "2026-11-14") -> MonthLine:
    return MonthLine(Place(1, 0), "000", kpj, "regular", state, "", 5_000_000, 100, 185_000, 100_000, paid_on, "R")


def test_totals_keep_posted_held_and_reversed_money_apart() -> None:
    lines = [
        line(POSTED), line(POSTED, B, "2026-11-10"), line(POSTED, B, "2026-11-10"), line(HELD, paid_on="2026-11-20"),
        line(REVERSED, paid_on="2026-11-01"), line(REVERSED, paid_on="2026-11-02"),
    ]  # fmt: skip
    days = ("2026-11-10", "2026-11-14", "2026-11-20")
    found = totals_of("2026-10", lines)
    assert found == MonthTotals("2026-10", 2, 15_000_300, 555_000, 300_000, 1, 285_000, 2, 570_000, days)
    assert found.total == 855_000
    assert totals_of("2026-10", []) == MonthTotals("2026-10", 0, 0, 0, 0, 0, 0, 0, 0, ())


def test_lines_stand_in_the_logs_order_with_what_they_have_in_common() -> None:
    history = [
        facts.suspended([SuspendedLine(B, 4, 1, 3, 2, reason="no-membership")], reference="R1", division="0A1"),
        facts.posted([Line(A, 5, 1, 3, 2), Line(B, 6, 1, 3, 2)], kind="supplement", reference="R2"),
        facts.taken_back([ReversedLine(B, 6, 1, 3, 2, event=2, line=1)], kind="supplement", reference="R2"),
    ]
    events = [Event(stream=STREAM, version=n, fact=fact, by="t", channel="t") for n, fact in enumerate(history, 1)]
    common = ("2026-11-14", "R2")
    assert lines_of({STREAM: events}) == [
        MonthLine(Place(1, 0), "0A1", B, "regular", HELD, "no-membership", 4, 1, 3, 2, "2026-11-14", "R1"),
        MonthLine(Place(2, 0), "000", A, "supplement", POSTED, "", 5, 1, 3, 2, *common),
        MonthLine(Place(3, 0), "000", B, "supplement", REVERSED, "", 6, 1, 3, 2, *common),
    ]


def test_of_two_equal_changes_the_lower_card_comes_first_whatever_the_direction() -> None:
    before = {card: Worked(100, 0, 4, 2) for card in (1, 2, 3)}
    now = {1: Worked(90, 0, 4, 2), 2: Worked(110, 0, 4, 2), 3: Worked(111, 0, 4, 2)}
    found = difference(before, now, ())
    assert found.changed == (Change(3, 100, 111), Change(1, 100, 90), Change(2, 100, 110))
    assert (found.before, found.now) == (Sums(3, 300, 12, 6), Sums(3, 311, 12, 6))
    assert found.before.total == 18


def test_who_is_in_both_months_is_neither_new_nor_gone_nor_refused() -> None:
    both = {1: Worked(100, 0, 4, 2)}
    found = difference(both, both, {1})
    assert (found.new, found.gone, found.refused, found.changed) == ((), (), (), ())
    found = difference({3: both[1], 2: both[1], 1: both[1]}, {}, {2, 1})
    assert (found.gone, found.refused, found.now) == ((3,), (1, 2), Sums(0, 0, 0, 0))
