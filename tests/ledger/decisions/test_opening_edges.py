"""The state of an account stream, and what a refused opening balance is told in full."""

from __future__ import annotations

import pytest

from ledger.decisions.opening import Account, Recorded, decide_opening, reverse
from ledger.errors import Conflict
from ledger.events import AccountOpened, Base, Event, OpeningBalanceRecorded, Payout
from tests.conftest import TODAY
from tests.facts import opening, started
from tests.ledger.decisions.test_account import ANI, KPJ
from tests.scenario import given

STREAM = f"account:{KPJ}"
FIRST = opening("2025-12-31", 1_000_000, 500_000, 60_000, 20, "2023-05-01", "old")
OTHER = OpeningBalanceRecorded(
    as_of="2025-12-31", employer=1_000_000, worker=500_000, credited_yield=60_000, tambahan=7, tambahan_yield=3, months=20,
    yield_through=2023, bases=(Base(2024, 12, 5), Base(2025, 13, 6)),
    payouts=(Payout("2024-02-03", 70_000, "partial"), Payout("2025-03-04", 80_000, "partial")),
)  # fmt: skip


def account(*more: object) -> Account:
    facts = [AccountOpened(KPJ, ANI, "PU", "2023-05-01"), started("PU", "2023-05", "10000001"), *more]
    return Account.of(
        Event(stream=STREAM, version=number, fact=fact, by="t", channel="t", request=f"r{number}")  # type: ignore[arg-type]
        for number, fact in enumerate(facts, 1)
    )


def test_the_state_is_card_version_and_the_opening_that_stands() -> None:
    state = account(FIRST)
    assert state.card is not None
    assert (state.card.person, len(state.card.memberships), state.card.opening > 0) == (ANI, 1, True)
    assert (state.version, state.opening, state.reversed) == (3, Recorded(FIRST, 3, "r3"), ())
    assert Account.of([]) == Account()


def test_what_was_taken_back_is_remembered_and_may_be_recorded_again() -> None:
    back = reverse(Recorded(FIRST, 3, "r3"))
    state = account(FIRST, back, started("PU", "2024-01", "10000002"))
    assert (state.version, state.opening, state.reversed) == (5, None, (Recorded(FIRST, 3, "r3"),))
    assert account(FIRST, back, FIRST).opening == Recorded(FIRST, 5, "r5")
    given(state).when(decide_opening, FIRST, TODAY).then(FIRST)
    # A reversal of nothing leaves nothing behind.
    assert account(back).reversed == ()


def test_where_an_opening_balance_came_from_does_not_make_it_another() -> None:
    again = opening("2025-12-31", 1_000_000, 500_000, 60_000, 20, "2023-05-01")
    given(account(FIRST)).when(decide_opening, again, TODAY).then()
    given(account(again)).when(decide_opening, FIRST, TODAY).then()


def test_a_conflict_tells_both_in_full() -> None:
    with pytest.raises(Conflict) as refused:
        decide_opening(account(FIRST), OTHER, TODAY)
    assert refused.value.problem.details == {
        "held": "Rp1.000.000 + Rp500.000 + Rp60.000 (2025-12-31, 20, 2023-05-01, tambahan Rp0 + Rp0, 2025)",
        "sent": "Rp1.000.000 + Rp500.000 + Rp60.000 (2025-12-31, 20, -, tambahan Rp7 + Rp3, 2023; "
        "2024: Rp12 + Rp5, 2025: Rp13 + Rp6; 2024-02-03 partial Rp70.000, 2025-03-04 partial Rp80.000)",
    }


def test_a_replacement_is_one_act_of_both_facts() -> None:
    back = reverse(Recorded(FIRST, 3, "r3"))
    assert (back.event, back.employer, back.source) == (3, 1_000_000, "old")
    given(account(FIRST)).when(decide_opening, OTHER, TODAY, replace=True).then(back, OTHER)
