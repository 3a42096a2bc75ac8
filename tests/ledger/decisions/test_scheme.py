"""Decisions about the scheme: its first year, declared years, the provisional rate."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from ledger.decisions.scheme import (
    Issued,
    Scheme,
    decide_complete,
    decide_declare,
    decide_issued,
    decide_provisional,
    decide_start,
    rate_of,
)
from ledger.errors import Refused
from ledger.events import (
    Fact,
    PaymentsComplete,
    ProvisionalRateSet,
    Rates,
    SchemeStarted,
    StatementsIssued,
    YieldDeclared,
)
from ledger.numbers import percent
from ledger.rules import rules
from tests.conftest import TODAY
from tests.scenario import given

BASIS = "Perdir 1/2024"
RULE = rules().yields[-1]
LOW, HIGH = RULE.low, RULE.high
OUTSIDE = "yield-rate-out-of-range"


def declared(year: int, rate: int = 57_000, **more: Any) -> YieldDeclared:
    return YieldDeclared(
        year=year, rates=Rates(rate, rate), policy="monthly-simple.v1", rule=RULE.id, basis=BASIS, **more
    )


def scheme(*facts: Fact) -> Scheme:
    state = Scheme()
    for version, fact in enumerate(facts, 1):
        state = state.after(fact, version)
    return state


def wish(state: Scheme, year: int, rate: int = 57_000, **more: Any) -> Any:
    """What a wish to declare comes to."""
    basis = more.pop("basis", BASIS)
    tambahan = more.pop("tambahan", rate)
    return given(state).when(decide_declare, year, Rates(rate, tambahan), basis, more.pop("today", TODAY), **more)


STARTED = scheme(SchemeStarted(first_year=2023))
ONE = STARTED.after(declared(2023), 2)


def test_the_scheme_begins_once_and_may_begin_otherwise_until_a_year_is_declared() -> None:
    given(Scheme()).when(decide_start, 2023, TODAY).then(SchemeStarted(first_year=2023))
    given(STARTED).when(decide_start, 2023, TODAY).then()
    given(STARTED).when(decide_start, 2021, TODAY).then(SchemeStarted(first_year=2021))
    given(ONE).when(decide_start, 2021, TODAY).refused("scheme-started")
    given(ONE).when(decide_start, 2023, TODAY).then()
    given(Scheme()).when(decide_start, TODAY.year, TODAY).then(SchemeStarted(first_year=TODAY.year))
    given(Scheme()).when(decide_start, TODAY.year + 1, TODAY).refused("yield-year-ahead")


def test_a_year_is_declared_when_it_is_over_and_every_earlier_one_is() -> None:
    wish(STARTED, 2023).then(declared(2023))
    wish(ONE, 2024).then(declared(2024))
    wish(Scheme(), 2023).refused("scheme-not-started")
    wish(STARTED, 2022).refused("yield-year-early")
    wish(STARTED, 2024).refused("yield-years-missing")
    wish(STARTED, 2023, today=date(2023, 12, 31)).refused("yield-year-running")
    wish(STARTED, 2023, today=date(2024, 1, 1)).then(declared(2023))


def test_the_years_that_come_first_are_named() -> None:
    with pytest.raises(Refused) as refused:
        decide_declare(STARTED, 2025, Rates(57_000, 57_000), BASIS, TODAY)
    assert refused.value.problem.details["years"] == "2023, 2024"


def test_a_declared_year_is_replaced_only_with_a_reason() -> None:
    wish(ONE, 2023).then()
    wish(ONE, 2023, reason="wrong-rate").then()
    wish(ONE, 2023, 59_000).refused("yield-declared")
    wish(ONE, 2023, 59_000, reason="wrong-amount").refused("reason-unknown")
    wish(ONE, 2023, 59_000, reason="rate-revised").then(declared(2023, 59_000, instead_of=2))
    again = ONE.after(declared(2024), 3).after(declared(2023, 59_000, instead_of=2), 4)
    wish(again, 2023, reason="wrong-rate").then(declared(2023, instead_of=4))
    assert again.open_year == 2025


@pytest.mark.parametrize(
    ("rate", "tambahan", "code"),
    [
        (LOW, LOW, ""), (HIGH, HIGH, ""), (LOW, HIGH, ""), (LOW - 1, LOW, OUTSIDE), (HIGH + 1, HIGH, OUTSIDE),
        (LOW, HIGH + 1, OUTSIDE), (LOW, LOW - 1, OUTSIDE),
    ],
)  # fmt: skip
def test_every_rate_lies_within_the_range_of_the_rules(rate: int, tambahan: int, code: str) -> None:
    when = wish(STARTED, 2023, rate, tambahan=tambahan)
    if code:
        when.refused(code)
    else:
        assert when.decision().rates == Rates(rate, tambahan)


def test_a_year_without_a_rule_is_refused_never_given_anothers() -> None:
    early = scheme(SchemeStarted(first_year=2014))
    wish(early, 2014).refused("yield-year-without-rule")
    given(early).when(decide_provisional, date(2014, 12, 31), LOW, BASIS, TODAY).refused("yield-year-without-rule")


@pytest.mark.parametrize(
    ("basis", "code"),
    [("", "basis-missing"), ("  ", "basis-missing"), ("x" * 201, "text-too-long"), ("a\nb", "text-unreadable")],
)
def test_a_basis_is_one_line_that_says_something(basis: str, code: str) -> None:
    wish(STARTED, 2023, basis=basis).refused(code)
    given(STARTED).when(decide_provisional, TODAY, LOW, basis, TODAY).refused(code)
    assert wish(STARTED, 2023, basis=f" {BASIS} ").decision().basis == BASIS


def test_the_provisional_rate_of_a_day_is_the_latest_that_began_by_then() -> None:
    state = STARTED
    for since, rate in (("2024-01-01", 50_000), ("2026-01-01", 55_000), ("2025-01-01", 52_000), ("2026-01-01", 56_000)):
        fact = decide_provisional(state, date.fromisoformat(since), rate, BASIS, TODAY)
        assert fact == ProvisionalRateSet(since=since, rate=rate, rule=RULE.id, basis=BASIS)
        state = state.after(fact, state.version + 1)
    days = ("2023-12-31", "2024-01-01", "2025-06-30", "2025-12-31", "2026-01-01", "2030-01-01")
    assert [state.provisional_on(date.fromisoformat(day)) for day in days] == [
        None, 50_000, 52_000, 52_000, 56_000, 56_000,
    ]  # fmt: skip
    given(state).when(decide_provisional, date(2026, 1, 1), 56_000, BASIS, TODAY).then()


def test_a_provisional_rate_has_limits_too() -> None:
    at = date(2026, 1, 1)
    given(Scheme()).when(decide_provisional, at, LOW, BASIS, TODAY).refused("scheme-not-started")
    given(STARTED).when(decide_provisional, date(2022, 12, 31), LOW, BASIS, TODAY).refused("yield-year-early")
    given(STARTED).when(decide_provisional, date(2028, 1, 1), LOW, BASIS, TODAY).refused("provisional-rate-late")
    given(STARTED).when(decide_provisional, at, HIGH + 1, BASIS, TODAY).refused("yield-rate-out-of-range")
    assert decide_provisional(STARTED, date(2027, 12, 31), LOW, BASIS, TODAY) is not None


@pytest.mark.parametrize(
    ("text", "rate"),
    [("5.63", 56_300), ("5,63", 56_300), (" 5.63 % ", 56_300), ("5", 50_000), ("5.6301", 56_301), ("0.5%", 5_000)],
)
def test_a_rate_is_typed_in_percent(text: str, rate: int) -> None:
    assert rate_of(text) == rate
    assert rate_of(percent(rate, "en")) == rate_of(percent(rate, "id")) == rate


@pytest.mark.parametrize("text", ["", "x", "5.63001", "-5", "5.6.3", "5e1", "1000", ".5", "5 63", "٥"])
def test_a_rate_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(Refused) as refused:
        rate_of(text)
    assert refused.value.code == "yield-rate-unreadable"


def test_payments_are_complete_up_to_a_day_that_is_over() -> None:
    yesterday = TODAY - timedelta(days=1)
    given(Scheme()).when(decide_complete, yesterday, TODAY).then(PaymentsComplete(until=yesterday.isoformat()))
    for day in (TODAY, TODAY + timedelta(days=1)):
        given(Scheme()).when(decide_complete, day, TODAY).refused("complete-day-not-over")
    assert Scheme().complete_until is None


def test_complete_payments_go_on_and_go_back_only_with_a_reason() -> None:
    state = scheme(PaymentsComplete(until="2026-10-31"))
    assert state.complete_until == date(2026, 10, 31)
    earlier, later = date(2026, 9, 30), date(2026, 11, 16)
    given(state).when(decide_complete, later, TODAY).then(PaymentsComplete(until="2026-11-16"))
    given(state).when(decide_complete, date(2026, 10, 31), TODAY).then()
    given(state).when(decide_complete, earlier, TODAY).refused("complete-goes-back")
    with pytest.raises(Refused) as refused:
        decide_complete(state, earlier, TODAY, reason="wrong-rate")
    assert (refused.value.code, refused.value.problem.details["known"]) == (
        "reason-unknown",
        "feed-incomplete, wrong-day",
    )
    back = decide_complete(state, earlier, TODAY, reason="feed-incomplete")
    assert back == PaymentsComplete(until="2026-09-30")
    assert back is not None
    assert state.after(back, 2).complete_until == earlier


def test_statements_are_made_of_a_year_that_is_over_and_declared() -> None:
    state = scheme(SchemeStarted(first_year=2024), declared(2024))
    given(Scheme()).when(decide_issued, 2024, 9, TODAY).refused("scheme-not-started")
    given(state).when(decide_issued, 2023, 9, TODAY).refused("yield-year-early")
    given(state).when(decide_issued, TODAY.year, 9, TODAY).refused("statements-year-running")
    given(state).when(decide_issued, 2025, 9, TODAY).refused("statements-undeclared")
    issued = StatementsIssued(year=2024, position=9)
    given(state).when(decide_issued, 2024, 9, TODAY).then(issued)
    made = state.after(issued, 3, "2026-03-02T01:00:00.000000Z")
    assert made.issued == {2024: Issued(9, "2026-03-02T01:00:00.000000Z")}
    given(made).when(decide_issued, 2024, 9, TODAY).then()
    given(made).when(decide_issued, 2024, 12, TODAY).then(StatementsIssued(year=2024, position=12))
