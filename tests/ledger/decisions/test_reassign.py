"""A card on the wrong person: who may get it."""

from __future__ import annotations

import pytest

from ledger.decisions.card import Card, after_fact
from ledger.decisions.person import Person
from ledger.decisions.reassign import decide_reassign
from ledger.events import AccountReassigned
from tests.scenario import given

ANI, BUDI = "a" * 32, "b" * 32
THERE = Person(BUDI, version=1)
CARD = Card(26000000017, ANI, "PU", opening=7)


def test_a_card_gets_its_holder_and_keeps_everything_else() -> None:
    fact = AccountReassigned(BUDI, ANI, "user:1")
    given(CARD).when(decide_reassign, THERE, pointed_at=False, proposed_by="user:1").then(fact)
    after = after_fact(CARD, fact, 9)
    assert after is not None
    assert (after.person, after.opening, after.changed_at) == (BUDI, 7, 9)


@pytest.mark.parametrize(
    ("card", "holder", "pointed_at", "code"),
    [
        (None, THERE, False, "account-not-found"),
        (CARD, Person(BUDI), False, "person-unknown"),
        (CARD, Person(BUDI, version=2, erased=True), False, "person-erased"),
        (CARD, Person(BUDI, version=2, joined=ANI), False, "person-joined"),
        (CARD, Person(ANI, version=1), False, "reassign-same-person"),
        (CARD, THERE, True, "reassign-merged"),
        (Card(26000000017, ANI, "PU", merged=26000000025), THERE, False, "reassign-merged"),
    ],
)
def test_what_is_refused(card: Card | None, holder: Person, pointed_at: bool, code: str) -> None:
    given(card).when(decide_reassign, holder, pointed_at=pointed_at).refused(code)
