"""Two records of one person: which may become one."""

from __future__ import annotations

import pytest

from ledger.decisions.card import Card
from ledger.decisions.join import decide_join, decide_part, given_back, moved
from ledger.decisions.person import Person
from ledger.events import AccountReassigned, Event, PersonsJoined, PersonsParted
from tests.scenario import given

ENDS, STAYS, THIRD = "a" * 32, "b" * 32, "c" * 32
CARD, SECOND = "26000000017", "26000000025"
HERE, THERE = Person(ENDS, version=2), Person(STAYS, version=1)


def test_a_record_ends_and_each_of_its_cards_is_given_to_the_one_that_stays() -> None:
    fact = PersonsJoined(STAYS, (CARD, SECOND), "user:1")
    cards = [int(CARD), int(SECOND)]
    given(HERE, THERE).when(decide_join, cards, request_open=False, proposed_by="user:1").then(fact)
    reassigned = AccountReassigned(STAYS, ENDS, "user:1")
    assert moved(ENDS, fact) == [(CARD, reassigned), (SECOND, reassigned)]
    given(HERE, THERE).when(decide_join, [], request_open=False).then(PersonsJoined(STAYS))
    after = Person.of(ENDS, [Event(stream=f"person:{ENDS}", version=3, fact=fact, by="u", channel="office")])
    assert after.joined == STAYS
    # The other way round, and the same again: the record is not there any more.
    given(THERE, after).when(decide_join, [], request_open=False).refused("person-joined")
    given(after, THERE).when(decide_join, [], request_open=False).refused("person-joined")


@pytest.mark.parametrize(
    ("ends", "stays", "asked", "code"),
    [
        (HERE, HERE, False, "join-with-itself"),
        (Person(ENDS), Person(ENDS), False, "join-with-itself"),
        (Person(ENDS), THERE, False, "person-unknown"),
        (HERE, Person(STAYS), False, "person-unknown"),
        (Person(ENDS, version=2, erased=True), THERE, False, "person-erased"),
        (HERE, Person(STAYS, version=2, erased=True), False, "person-erased"),
        (Person(ENDS, version=2, joined=THIRD), THERE, False, "person-joined"),
        (HERE, Person(STAYS, version=2, joined=ENDS), False, "person-joined"),
        (HERE, Person(STAYS), True, "person-unknown"),
        (HERE, THERE, True, "join-request-open"),
    ],
)
def test_what_is_refused_in_order_of_precedence(ends: Person, stays: Person, asked: bool, code: str) -> None:
    given(ends, stays).when(decide_join, [int(CARD)], request_open=asked).refused(code)


JOINED = Person(ENDS, version=3, joined=STAYS, brought=(CARD, SECOND))
BOTH = {int(CARD): Card(int(CARD), STAYS, "PU", merged=int(SECOND)), int(SECOND): Card(int(SECOND), STAYS, "PU")}
WITHIN = {int(CARD): [], int(SECOND): [int(CARD)]}


def test_a_record_stands_again_and_gets_what_the_other_one_still_holds() -> None:
    fact = PersonsParted(STAYS, (CARD, SECOND), "user:1")
    given(JOINED, STAYS, BOTH, WITHIN).when(decide_part, nik_free=True, proposed_by="user:1").then(fact)
    back = AccountReassigned(ENDS, STAYS, "user:1")
    assert given_back(ENDS, fact) == [(CARD, back), (SECOND, back)]
    # A card that was given to somebody else meanwhile is that person's.
    moved_on = BOTH | {int(CARD): Card(int(CARD), THIRD, "PU")}
    given(JOINED, STAYS, moved_on, {}).when(decide_part, nik_free=True).then(PersonsParted(STAYS, (SECOND,)))
    after = Person.of(ENDS, [Event(stream=f"person:{ENDS}", version=4, fact=fact, by="u", channel="office")])
    assert (after.joined, after.brought) == ("", ())


@pytest.mark.parametrize(
    ("ended", "stays", "cards", "pointing", "free", "code"),
    [
        (Person(ENDS), "", {}, {}, True, "person-unknown"),
        (HERE, "", {}, {}, True, "part-not-joined"),
        (JOINED, "", BOTH, WITHIN, True, "person-erased"),
        (JOINED, STAYS, BOTH, WITHIN, False, "nik-of-another-person"),
        (JOINED, STAYS, BOTH, {int(SECOND): [99]}, True, "reassign-merged"),
        (
            JOINED,
            STAYS,
            BOTH | {int(SECOND): Card(int(SECOND), STAYS, "PU", merged=99)},
            WITHIN,
            True,
            "reassign-merged",
        ),
    ],
)
def test_what_is_not_taken_back(
    ended: Person, stays: str, cards: dict[int, Card], pointing: dict[int, list[int]], free: bool, code: str
) -> None:
    given(ended, stays, cards, pointing).when(decide_part, nik_free=free).refused(code)
