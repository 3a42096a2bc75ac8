"""Four eyes over a declaration: what was proposed is what is put in force, and when a proposal is over."""

from __future__ import annotations

from datetime import date

import pytest

from ledger.decisions.proposal import Told, changed_at, decide_confirm, proposed_rate, proposed_year, would_declare
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
SET = ProvisionalRateSet(since="2026-01-01", rate=50_000, rule=RULE, basis=BASIS)
PROVISIONAL = proposed_rate(SET)


def stream(*facts: Fact) -> list[Event]:
    return [
        Event(stream="scheme", version=number, fact=fact, by="user:a", channel="office")
        for number, fact in enumerate(facts, 1)
    ]


def proposed(*before: Fact, rates: Rates = RATES, reason: str = "") -> YieldProposed:
    return proposed_year(would_declare(Scheme.of(stream(*before)), 2025, rates, BASIS, TODAY, reason=reason), TOLD)


def outcome(
    before: tuple[Fact, ...], what: YieldProposed | ProvisionalProposed, typed: int, reason: str = ""
) -> Fact | str:
    try:
        return decide_confirm(Scheme.of(stream(*before)), what, typed, TODAY, reason=reason)
    except JhtError as error:
        return error.code


PROPOSED = proposed(STARTED)
DECLARED = decide_declare(Scheme.of(stream(STARTED)), 2025, RATES, BASIS, TODAY)
assert DECLARED is not None


def test_what_was_proposed_is_what_is_declared_and_nothing_else() -> None:
    assert (PROPOSED.rates, PROPOSED.total, PROPOSED.largest) == (RATES, 8_123, list(TOLD.largest))
    assert outcome((STARTED,), PROPOSED, 8_123) == DECLARED
    for typed in (8_124, -8_123):
        assert outcome((STARTED,), PROPOSED, typed) == "yield-total-differs"


@pytest.mark.parametrize("after", [DECLARED, SET, SchemeStarted(first_year=2024)])
def test_a_proposal_is_over_once_anything_that_yields_come_from_has_changed(after: Fact) -> None:
    assert changed_at([]) == 0
    assert changed_at(stream(STARTED)) == 1
    assert changed_at(stream(STARTED, PaymentsComplete(until="2026-10-31"), after)) == 3


def test_complete_payments_and_proposals_of_before_leave_it_as_it_is() -> None:
    # Logs of before hold proposals that were recorded when they were made.
    after = (PaymentsComplete(until="2026-10-31"), PROPOSED, PROVISIONAL)
    assert changed_at(stream(STARTED, *after)) == 1
    assert outcome((STARTED, *after), PROPOSED, 8_123) == DECLARED


def test_a_provisional_rate_is_set_by_typing_it() -> None:
    assert outcome((STARTED,), PROVISIONAL, 50_000) == SET
    assert outcome((STARTED,), PROVISIONAL, 51_000) == "yield-rate-differs"
    assert outcome((STARTED, SET), PROVISIONAL, 50_000) == "yield-nothing-new"


def test_a_year_is_replaced_with_the_reason_of_the_proposal() -> None:
    other = Rates(59_000, 59_000)
    again = proposed(STARTED, DECLARED, rates=other, reason="rate-revised")
    found = outcome((STARTED, DECLARED), again, 8_123, reason="rate-revised")
    assert isinstance(found, YieldDeclared)
    assert (found.rates, found.instead_of) == (other, 2)
    assert outcome((STARTED, DECLARED), again, 8_123) == "yield-declared"


def test_what_stands_already_is_not_proposed() -> None:
    with pytest.raises(JhtError) as refused:
        would_declare(Scheme.of(stream(STARTED, DECLARED)), 2025, RATES, BASIS, TODAY)
    assert refused.value.code == "yield-nothing-new"
