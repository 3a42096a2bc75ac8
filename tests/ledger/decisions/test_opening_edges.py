"""The state of an account stream, and what a refused opening balance is told in full."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from ledger.decisions.opening import Account, Recorded, decide_opening, reverse
from ledger.errors import Conflict, JhtError
from ledger.events import AccountOpened, Base, Event, OpeningBalanceRecorded, Payout
from ledger.money import rupiah
from ledger.rules import rules
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


LIMIT = rules().max_opening
TOTAL = {"employer": LIMIT - 3, "worker": 2, "credited_yield": 1}
ABSURD = {"limit": rupiah(LIMIT)}


def wanted(**changes: Any) -> OpeningBalanceRecorded:
    plain = {"as_of": "2025-12-31", "employer": 1_000, "worker": 500, "credited_yield": 60, "yield_through": 2025}
    return OpeningBalanceRecorded(**(plain | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "right",
    [
        wanted(**TOTAL), wanted(tambahan=1_500, tambahan_yield=60), wanted(member_since="2025-12-31"),
        wanted(payouts=(Payout("2025-12-31", LIMIT, "partial"),)),
        wanted(yield_through=2024, bases=(Base(2025, 12 * LIMIT, 12 * LIMIT),)),
        wanted(yield_through=2023, bases=(Base(2024), Base(2025))), wanted(as_of="2023-12-31", yield_through=2023),
    ],
)  # fmt: skip
def test_what_just_can_be_is_recorded(right: OpeningBalanceRecorded) -> None:
    given(account()).when(decide_opening, right, TODAY).then(right)


def test_a_year_is_taken_over_from_its_last_day_on() -> None:
    right = wanted(as_of="2026-12-31", yield_through=2026)
    given(account()).when(decide_opening, right, date(2026, 12, 31)).then(right)
    given(account()).when(decide_opening, right, date(2026, 12, 30)).refused("date-in-future")


@pytest.mark.parametrize(
    ("wrong", "code", "column", "details"),
    [
        (wanted(as_of="2026-12-31"), "date-in-future", "as_of", {}),
        (wanted(as_of="2025-12-30"), "opening-not-year-end", "as_of", {}),
        (wanted(**TOTAL | {"employer": LIMIT - 2}), "amount-absurd", "employer", ABSURD),
        (wanted(**TOTAL | {"worker": LIMIT}), "amount-absurd", "worker", ABSURD),
        (wanted(employer=0, worker=0, credited_yield=LIMIT + 1), "amount-absurd", "credited_yield", ABSURD),
        (wanted(payouts=(Payout("2025-01-02", LIMIT + 1, "partial"),)), "amount-absurd", "payouts", ABSURD),
        (wanted(yield_through=2024, bases=(Base(2025, 12 * LIMIT + 1),)), "amount-absurd", "bases",
         {"limit": rupiah(12 * LIMIT)}),
        (wanted(yield_through=2024, bases=(Base(2025, 0, 12 * LIMIT + 1),)), "amount-absurd", "bases",
         {"limit": rupiah(12 * LIMIT)}),
        (wanted(tambahan=1_501), "opening-part-exceeds", "tambahan", {"part": "Rp1.501", "whole": "Rp1.500"}),
        (wanted(tambahan_yield=61), "opening-part-exceeds", "tambahan_yield", {"part": "Rp61", "whole": "Rp60"}),
        (wanted(yield_through=2026), "opening-yield-after", "yield_through", {"year": 2026, "as_of": "2025-12-31"}),
        (wanted(yield_through=2024), "opening-bases-needed", "bases", {"year": 2024, "years": "2025"}),
        (wanted(yield_through=2023, bases=(Base(2025), Base(2024))), "opening-bases-needed", "bases",
         {"year": 2023, "years": "2024, 2025"}),
        (wanted(bases=(Base(2025),)), "opening-bases-needed", "bases", {"year": 2025, "years": "-"}),
        (wanted(payouts=(Payout("2025-01-02", 1, "partial"), Payout("2026-01-01", 1, "partial"))), "opening-payout-late",
         "payouts", {"paid_on": "2026-01-01", "as_of": "2025-12-31"}),
        (wanted(member_since="2026-01-01"), "opening-since-late", "member_since",
         {"since": "2026-01-01", "as_of": "2025-12-31"}),
        (wanted(as_of="2022-12-31", yield_through=2022), "opening-too-old", "as_of",
         {"as_of": "2022-12-31", "months": rules().opening_months}),
    ],
)  # fmt: skip
def test_a_refusal_names_its_column_and_what_is_wrong(
    wrong: OpeningBalanceRecorded, code: str, column: str, details: dict[str, Any]
) -> None:
    with pytest.raises(JhtError) as refused:
        decide_opening(account(), wrong, TODAY)
    problem = refused.value.problem
    assert (problem.code, problem.column, problem.details) == (code, column, details)


def test_unknown_cards_and_paid_money_are_named_too() -> None:
    with pytest.raises(JhtError) as refused:
        decide_opening(Account(), FIRST, TODAY)
    assert (refused.value.code, refused.value.problem.column) == ("account-unknown", "kpj")
    with pytest.raises(JhtError) as refused:
        decide_opening(account(), FIRST, TODAY, "2025-12-31")
    problem = refused.value.problem
    assert (problem.code, problem.column) == ("opening-after-payments", "kpj")
    assert problem.details == {"paid_on": "2025-12-31", "as_of": "2025-12-31"}
    given(account()).when(decide_opening, FIRST, TODAY, "2026-01-01").then(FIRST)
    with pytest.raises(JhtError) as refused:
        decide_opening(account(FIRST), OTHER, TODAY)
    assert refused.value.problem.column == "kpj"
    # The scope takes what is old.
    old = wanted(as_of="2022-12-31", yield_through=2022)
    given(account()).when(decide_opening, old, TODAY, backdate=True).then(old)
