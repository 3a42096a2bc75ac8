"""Decisions about opening balances: recorded, replaced, taken back, refused."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from ledger.decisions.card import Card, Membership
from ledger.decisions.opening import Account, Recorded, decide_opening, reverse
from ledger.events import Base, Event, OpeningBalanceRecorded, OpeningBalanceReversed, Payout
from ledger.identifiers import month_number
from ledger.rules import rules
from tests.conftest import TODAY
from tests.facts import opening
from tests.scenario import given

CARD = Card(26000000001, "a" * 32, "PU", (Membership(10000001, "PU", month_number("2025-01") or 0, 0),))
OPENING = opening("2024-12-31", 3_700_000, 2_000_000, 120_000, 20, "2023-05-01", "old")
OTHER = opening("2024-12-31", 3_700_001, 2_000_000, 120_000, 20, "2023-05-01", "old")
LIMIT = rules().max_opening


def holding(fact: OpeningBalanceRecorded | None = None) -> Account:
    return Account(CARD, 3, Recorded(fact, 3, "upload") if fact else None)


def taken_back(fact: OpeningBalanceRecorded, event: int) -> OpeningBalanceReversed:
    repeated = {name: getattr(fact, name) for name in fact.__struct_fields__}
    return OpeningBalanceReversed(**repeated, event=event)


def test_an_opening_balance_is_recorded_once() -> None:
    given(holding()).when(decide_opening, OPENING, TODAY).then(OPENING)
    given(holding(OPENING)).when(decide_opening, OPENING, TODAY).then()
    elsewhere = opening("2024-12-31", 3_700_000, 2_000_000, 120_000, 20, "2023-05-01", "elsewhere")
    given(holding(OPENING)).when(decide_opening, elsewhere, TODAY).then()


def test_an_opening_balance_with_other_amounts_names_both() -> None:
    given(holding(OPENING)).when(decide_opening, OTHER, TODAY).refused("opening-conflict")
    with pytest.raises(Exception, match=r"Rp3\.700\.000 .* Rp3\.700\.001 .*--replace"):
        decide_opening(holding(OPENING), OTHER, TODAY)


def test_a_replacement_is_one_act() -> None:
    given(holding(OPENING)).when(decide_opening, OTHER, TODAY, replace=True).then(taken_back(OPENING, 3), OTHER)
    given(holding(OPENING)).when(decide_opening, OPENING, TODAY, replace=True).then()
    given(holding()).when(decide_opening, OTHER, TODAY, replace=True).then(OTHER)


def test_what_was_taken_back_may_be_recorded_again() -> None:
    facts = [OPENING, reverse(Recorded(OPENING, 1, "")), OPENING]
    account = Account(CARD)
    for version, fact in enumerate(facts, 1):
        account = account.after(
            Event(stream="account:26000000001", version=version, fact=fact, by="t", channel="t", request=f"r{version}")
        )
    assert account.opening == Recorded(OPENING, 3, "r3")
    assert account.reversed == (Recorded(OPENING, 1, "r1"),)


def test_an_opening_balance_that_would_count_payments_twice_is_refused() -> None:
    given(holding()).when(decide_opening, OPENING, TODAY, "2024-12-31").refused("opening-after-payments")
    given(holding()).when(decide_opening, OPENING, TODAY, "2025-01-01").then(OPENING)
    given(holding(OPENING)).when(decide_opening, OPENING, TODAY, "2024-12-31").then()


@pytest.mark.parametrize(
    ("state", "as_of", "code"),
    [
        (Account(), "2024-12-31", "account-unknown"),
        (holding(), "2024-12-30", "opening-not-year-end"),
        (holding(), "2026-12-31", "date-in-future"),
    ],
)
def test_an_opening_balance_that_cannot_be_is_refused(state: Account, as_of: str, code: str) -> None:
    given(state).when(decide_opening, opening(as_of, 1), TODAY).refused(code)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ({"employer": LIMIT - 1, "worker": 1}, ""),
        ({"employer": LIMIT - 1, "worker": 1, "credited": 1}, "amount-absurd"),
        ({"employer": 10, "worker": 5, "credited": 2, "tambahan": 15, "tambahan_yield": 2}, ""),
        ({"employer": 10, "worker": 5, "credited": 2, "tambahan": 16}, "opening-part-exceeds"),
        ({"employer": 10, "worker": 5, "credited": 2, "tambahan_yield": 3}, "opening-part-exceeds"),
        ({"yield_through": 2026}, "opening-yield-after"),
        ({"yield_through": 2024}, "opening-bases-needed"),
        ({"yield_through": 2024, "bases": (Base(2025, 7, 0),)}, ""),
        ({"yield_through": 2024, "bases": (Base(2025, 12 * LIMIT),)}, ""),
        ({"yield_through": 2024, "bases": (Base(2025, 12 * LIMIT + 1),)}, "amount-absurd"),
        ({"yield_through": 2023, "bases": (Base(2025, 7),)}, "opening-bases-needed"),
        ({"yield_through": 2023, "bases": (Base(2024, 7), Base(2025, 7))}, ""),
        ({"bases": (Base(2025, 7),)}, "opening-bases-needed"),
        ({"payouts": (Payout("2025-12-31", LIMIT, "partial-10"),)}, ""),
        ({"payouts": (Payout("2025-12-31", LIMIT + 1, "partial-10"),)}, "amount-absurd"),
        ({"payouts": (Payout("2026-01-01", 1, "partial-10"),)}, "opening-payout-late"),
        ({"member_since": "2026-01-01"}, "opening-since-late"),
    ],
)
def test_what_an_opening_balance_may_hold(content: dict[str, Any], code: str) -> None:
    wanted = opening("2025-12-31", **content)
    when = given(holding()).when(decide_opening, wanted, TODAY)
    when.refused(code) if code else when.then(wanted)


@pytest.mark.parametrize(
    ("today", "code"),
    [(date(2027, 12, 31), ""), (date(2028, 1, 1), "opening-too-old"), (date(2028, 2, 1), "opening-too-old")],
)
def test_an_old_opening_balance_needs_the_scope_backdate(today: date, code: str) -> None:
    wanted = opening("2024-12-31", 1)
    when = given(holding()).when(decide_opening, wanted, today)
    when.refused(code) if code else when.then(wanted)
    given(holding()).when(decide_opening, wanted, today, backdate=True).then(wanted)
