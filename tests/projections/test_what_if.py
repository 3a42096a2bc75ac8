"""What a declaration would change, told before it is one."""

from __future__ import annotations

import pytest

from ledger.acts import scheme as acts
from ledger.decisions.scheme import decide_declare
from ledger.events import Line, Rates
from projections import what_if as module
from projections.what_if import what_if
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


def test_a_year_before_the_first_money_changes_nothing(town: Town) -> None:
    acts.start(town.log, 2020, WHO, lambda: NOW)
    scheme = acts.scheme_of(town.log)
    fact = decide_declare(scheme, 2020, Rates(57_000, 57_000), BASIS, TODAY)
    assert fact is not None
    found = what_if(town.store, scheme, scheme.after(fact, scheme.version + 1), TODAY)
    assert (found.gaining, found.losing, found.total, found.largest) == (0, 0, 0, [])
