"""A card on the wrong person: who may get it."""

from __future__ import annotations

import pytest

from ledger.decisions.card import Card, after_fact
from ledger.decisions.reassign import decide_reassign
from ledger.events import AccountReassigned
from tests.scenario import given

ANI, BUDI = "a" * 32, "b" * 32
CARD = Card(26000000017, ANI, "PU", opening=7)


def test_a_card_gets_its_holder_and_keeps_everything_else() -> None:
    fact = AccountReassigned(BUDI, ANI, "user:1")
    given(CARD).when(decide_reassign, BUDI, person_known=True, pointed_at=False, proposed_by="user:1").then(fact)
    after = after_fact(CARD, fact, 9)
    assert after is not None
    assert (after.person, after.opening, after.changed_at) == (BUDI, 7, 9)


@pytest.mark.parametrize(
    ("card", "person", "known", "pointed_at", "code"),
    [
        (None, BUDI, True, False, "account-not-found"),
        (CARD, BUDI, False, False, "person-unknown"),
        (CARD, ANI, True, False, "reassign-same-person"),
        (CARD, BUDI, True, True, "reassign-merged"),
        (Card(26000000017, ANI, "PU", merged=26000000025), BUDI, True, False, "reassign-merged"),
    ],
)
def test_what_is_refused(card: Card | None, person: str, known: bool, pointed_at: bool, code: str) -> None:
    given(card).when(decide_reassign, person, person_known=known, pointed_at=pointed_at).refused(code)
