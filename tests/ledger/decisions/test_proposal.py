"""Four eyes over a declaration: what waits, who may put it in force, and when it is over."""

from __future__ import annotations

from datetime import date

import pytest

from ledger.decisions.proposal import Told, decide_confirm, decide_propose, standing, would_declare
from ledger.decisions.scheme import Scheme, decide_declare
from ledger.errors import JhtError
from ledger.events import (
    Change,
    Event,
    Fact,
    PaymentsComplete,
    ProvisionalProposed,
    ProvisionalRateSet,
    Rates,
    SchemeStarted,
    YieldDeclared,
    YieldProposed,
)
from ledger.rules import rules

TODAY = date(2026, 11, 21)
RATES, BASIS = Rates(57_000, 57_000), "Perdir 1/2026"
RULE = rules().yields[-1].id
TOLD = Told(40, 3, 1, 0, 8_123, (Change("26000000017", 8_123),))
STARTED = SchemeStarted(first_year=2025)
PROVISIONAL = ProvisionalProposed(since="2026-01-01", rate=50_000, rule=RULE, basis=BASIS)


def stream(*facts: Fact, by: str = "user:a", reason: str = "") -> list[Event]:
    return [
        Event(stream="scheme", version=number, fact=fact, by=by, channel="office", reason=reason)
        for number, fact in enumerate(facts, 1)
    ]


def proposed(*before: Fact, year: int = 2025, rates: Rates = RATES, reason: str = "") -> YieldProposed:
    scheme = Scheme.of(stream(*before))
    fact = would_declare(scheme, year, rates, BASIS, TODAY, reason=reason)
    return decide_propose(scheme, scheme, fact, TOLD)


def outcome(events: list[Event], typed: int, by: str = "user:b", version: int = 0) -> Fact | str:
    try:
        return decide_confirm(events, version or events[-1].version, typed, by, TODAY)
    except JhtError as error:
        return error.code


PROPOSED = proposed(STARTED)
DECLARED = decide_declare(Scheme.of(stream(STARTED)), 2025, RATES, BASIS, TODAY)
assert DECLARED is not None


def test_what_was_proposed_is_what_another_one_declares_and_nothing_else() -> None:
    events = stream(STARTED, PROPOSED)
    assert standing(events) is events[-1]
    assert outcome(events, 8_123) == DECLARED
    assert outcome(events, 8_124) == "yield-total-differs"
    assert outcome(events, -8_123) == "yield-total-differs"
    assert outcome(events, 8_123, by="user:a") == "proposal-own"
    assert outcome(events, 8_123, version=1) == "proposal-over"


@pytest.mark.parametrize(
    "after", [DECLARED, PROVISIONAL, ProvisionalRateSet(since="2026-01-01", rate=50_000, rule=RULE, basis=BASIS)]
)
def test_a_proposal_is_over_once_anything_of_the_yields_has_changed(after: Fact) -> None:
    assert outcome(stream(STARTED, PROPOSED, after), 8_123, version=2) == "proposal-over"


def test_complete_payments_leave_a_proposal_as_it_is() -> None:
    events = stream(STARTED, PROPOSED, PaymentsComplete(until="2026-10-31"))
    assert outcome(events, 8_123, version=2) == DECLARED


def test_a_provisional_rate_is_set_by_typing_it() -> None:
    events = stream(STARTED, PROVISIONAL)
    assert outcome(events, 50_000) == ProvisionalRateSet(since="2026-01-01", rate=50_000, rule=RULE, basis=BASIS)
    assert outcome(events, 51_000) == "yield-rate-differs"
    assert outcome(events, 50_000, by="user:a") == "proposal-own"


def test_a_year_is_replaced_with_the_reason_of_the_proposal() -> None:
    other = Rates(59_000, 59_000)
    again = proposed(STARTED, DECLARED, rates=other, reason="rate-revised")
    events = [*stream(STARTED, DECLARED), *stream(STARTED, DECLARED, again, reason="rate-revised")[2:]]
    found = outcome(events, 8_123)
    assert isinstance(found, YieldDeclared)
    assert (found.rates, found.instead_of) == (other, 2)


def test_an_effect_that_was_worked_out_on_another_scheme_is_not_proposed() -> None:
    seen, now = Scheme.of(stream(STARTED)), Scheme.of(stream(STARTED, PROVISIONAL, DECLARED))
    fact = would_declare(seen, 2025, RATES, BASIS, TODAY)
    with pytest.raises(JhtError) as refused:
        decide_propose(now, seen, fact, TOLD)
    assert refused.value.code == "changed-since"
    # What yields do not come from does not matter.
    later = Scheme.of(stream(STARTED, PaymentsComplete(until="2026-10-31")))
    assert decide_propose(later, seen, fact, TOLD) == PROPOSED


def test_what_stands_already_is_not_proposed() -> None:
    with pytest.raises(JhtError) as refused:
        would_declare(Scheme.of(stream(STARTED, DECLARED)), 2025, RATES, BASIS, TODAY)
    assert refused.value.code == "yield-nothing-new"
