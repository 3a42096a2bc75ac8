"""The difference of two months: everybody is in exactly one place, and the sums are the lines'."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ledger.decisions.month_difference import Change, Worked, difference, gathered

A, B, C = 1, 2, 3
months = st.dictionaries(st.integers(1, 12), st.builds(Worked, *[st.integers(0, 10**8)] * 4))


def test_new_gone_refused_and_changed_are_named() -> None:
    found = difference(
        {A: Worked(100, 0, 4, 2), B: Worked(200, 10, 8, 4), 7: Worked(1, 0, 0, 0)},
        {A: Worked(150, 0, 6, 3), C: Worked(300, 0, 11, 6)},
        {B, 99},
    )
    assert (found.new, found.gone, found.refused, found.changed) == ((C,), (7,), (B,), (Change(A, 100, 150),))
    assert (found.before, found.now) == ((3, 311, 12, 6), (2, 450, 17, 9))
    assert found.now.total == 26


def test_back_pay_alone_is_no_other_wage() -> None:
    assert difference({A: Worked(100, 0, 4, 2)}, {A: Worked(100, 50, 6, 3)}, ()).changed == ()


def test_the_largest_change_comes_first() -> None:
    before = {card: Worked(100, 0, 0, 0) for card in (A, B, C)}
    now = {A: Worked(101, 0, 0, 0), B: Worked(0, 0, 0, 0), C: Worked(150, 0, 0, 0)}
    assert [one.card for one in difference(before, now, ()).changed] == [B, C, A]


def test_the_lines_of_one_worker_are_put_together() -> None:
    lines = [(A, Worked(1, 2, 3, 4)), (B, Worked(9, 9, 9, 9)), (A, Worked(10, 20, 30, 40))]
    assert gathered(lines) == {A: Worked(11, 22, 33, 44), B: Worked(9, 9, 9, 9)}


@given(months, months, st.sets(st.integers(1, 12)))
def test_everybody_is_in_one_place(before: dict[int, Worked], now: dict[int, Worked], refused: set[int]) -> None:
    found = difference(before, now, refused)
    assert set(found.gone) | set(found.refused) == before.keys() - now.keys()
    assert not set(found.gone) & set(found.refused)
    assert set(found.new) == now.keys() - before.keys()
    assert {one.card for one in found.changed} <= before.keys() & now.keys()
    assert found.now.workers == found.before.workers + len(found.new) - len(found.gone) - len(found.refused)
