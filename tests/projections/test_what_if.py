"""What a declaration would change, told before it is one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.acts import scheme as acts
from ledger.decisions.scheme import decide_declare
from ledger.errors import Unavailable
from ledger.events import Line, Rates
from ledger.yields import Terms, sums
from projections import what_if as module
from projections.what_if import changes_of, what_if
from tests.conftest import NOW, TODAY
from tests.projections.history import KPJS
from tests.projections.test_queries import CARDS
from tests.projections.test_scheme import AGAIN, BASIS, WHO, Town, town

__all__ = ["town"]


@pytest.mark.parametrize("size", [2, 20_000])
def test_the_total_is_what_the_balances_change_by_when_it_is_declared(
    town: Town, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    monkeypatch.setattr(module, "SLICE", size)
    town.pay("2023-02", "2023-03-01", Line(KPJS[2], 0, 0, 600, 400))
    town.declare(2023, 57_000)
    head = town.log.head()
    for reason, rate in (("rate-revised", 59_000), ("wrong-rate", 40_000)):
        scheme = acts.scheme_of(town.log)
        fact = decide_declare(scheme, 2023, Rates(rate, rate), BASIS, TODAY, reason=reason)
        assert fact is not None
        before = [town.balance(i).credited for i in range(3)]
        found = what_if(town.store, scheme, scheme.after(fact, scheme.version + 1), TODAY)
        assert town.log.head() == head
        town.declare(2023, rate, AGAIN)
        head = town.log.head()
        changes = [town.balance(i).credited - was for i, was in enumerate(before)]
        assert found.total == sum(changes)
        assert (found.gaining, found.losing) == (sum(c > 0 for c in changes), sum(c < 0 for c in changes))
        told = sorted(((c, card) for c, card in zip(changes, CARDS, strict=False) if c), key=lambda one: -abs(one[0]))
        assert found.largest == told
        assert found.cards == 3


keys = st.tuples(st.integers(0, 3), st.integers(2010, 2027))
amounts = st.tuples(st.integers(-(10**9), 10**11), st.integers(-(10**11), 10**12))
rows_of_cards = st.lists(st.dictionaries(keys, amounts, min_size=1, max_size=6), max_size=5)


@given(rows_of_cards, st.lists(st.tuples(st.integers(0, 200_000), st.integers(0, 200_000)), max_size=8))
def test_columns_come_to_what_each_card_comes_to_alone(
    cards: list[dict[tuple[int, int], tuple[int, int]]], rates: list[tuple[int, int]]
) -> None:
    before, after = Terms(2015, tuple(rates[:-1]), None, 2026, 11), Terms(2015, tuple(rates), 50_000, 2026, 11)
    alone = [[(*key, *pair) for key, pair in sorted(card.items())] for card in cards]
    rows = [(number, *row) for number, of_card in enumerate(alone) for row in of_card]
    of_card, changes = changes_of(rows, before, after)
    assert of_card.tolist() == list(range(len(cards)))
    assert changes.tolist() == [sums(one, after).credited - sums(one, before).credited for one in alone]


def test_amounts_that_no_column_holds_are_worked_out_one_by_one() -> None:
    before, after = Terms(2015, (), None, 2026, 11), Terms(2015, ((200_000, 200_000),), None, 2026, 11)
    rows = [(1, 0, 2014, 10**17, 0), (2, 0, 2014, 100, 0), (2, 1, 2015, 10**17, 10**18)]
    of_card, changes = changes_of(rows, before, after)
    assert (of_card.tolist(), changes.tolist()) == ([1, 2], [2 * 10**16, 20 + (10**18 + 30) // 60])


def test_who_stops_is_told_so_and_nothing_is_told(town: Town) -> None:
    town.declare(2023, 57_000)
    scheme = acts.scheme_of(town.log)
    with pytest.raises(Unavailable) as told:
        what_if(town.store, scheme, scheme, TODAY, stopped=lambda: True)
    assert told.value.code == "what-if-stopped"


def test_a_year_before_the_first_money_changes_nothing(town: Town) -> None:
    acts.start(town.log, 2020, WHO, lambda: NOW)
    scheme = acts.scheme_of(town.log)
    fact = decide_declare(scheme, 2020, Rates(57_000, 57_000), BASIS, TODAY)
    assert fact is not None
    found = what_if(town.store, scheme, scheme.after(fact, scheme.version + 1), TODAY)
    assert (found.gaining, found.losing, found.total, found.largest) == (0, 0, 0, [])
