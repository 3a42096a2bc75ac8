"""Two records of one person on the read side: the sum goes over, nothing else changes, and a rebuild says the same."""

from __future__ import annotations

import pytest

from ledger.acts import scheme
from ledger.errors import JhtError
from ledger.events import AccountReassigned, Line, PersonsJoined, PersonsParted, Rates
from ledger.identifiers import card_number
from ledger.receipt import Header
from tests.conftest import NOW, TODAY
from tests.projections.conftest import Ledger
from tests.projections.history import KPJS, PERSON, event
from tests.projections.test_merges import rebuilt

ENDS, STAYS = PERSON.format(0), PERSON.format(1)
WHO = Header("cli:1000", "cli")


def of_person(ledger: Ledger, who: str) -> tuple[list[int], int]:
    """The cards of a person, and what they come to with their yield."""
    cards = ledger.reader.person_cards(who)
    return cards, sum(ledger.reader.balance(card, TODAY, NOW).total for card in cards)


def moved(version: int, to: str, before: str) -> list[object]:
    return [event(f"account:{kpj}", version, AccountReassigned(to, before)) for kpj in KPJS[:2]]


def test_the_cards_of_a_record_that_ended_are_the_others_and_back_again(ledger: Ledger) -> None:
    ledger.pay("2025-03", "2025-04-14", Line(KPJS[0], 5_000_000, 0, 185_000, 100_000), Line(KPJS[2], 0, 0, 70_000, 0))
    scheme.start(ledger.log, 2025, WHO, lambda: NOW)
    scheme.declare(ledger.log, 2025, Rates(57_000, 57_000), "x", WHO, lambda: NOW)
    ledger.follower.run_once()
    ledger.reader.refresh()
    before = {who: of_person(ledger, who) for who in (ENDS, STAYS)}
    card = ledger.reader.balance(card_number(KPJS[0]), TODAY, NOW)
    joined = event(f"person:{ENDS}", 2, PersonsJoined(STAYS, KPJS[:2]))
    position = ledger.add(joined, *moved(4, STAYS, ENDS))
    cards, total = of_person(ledger, STAYS)
    assert cards == sorted(before[ENDS][0] + before[STAYS][0])
    assert total == before[ENDS][1] + before[STAYS][1]
    with pytest.raises(JhtError) as told:
        ledger.reader.person_cards(ENDS)
    assert (told.value.code, told.value.problem.details) == ("person-joined", {"into": STAYS})
    row = ledger.reader.person(ENDS)
    assert (row.joined, row.identity, row.erased) == (STAYS, "sealed identity 0", False)
    after = ledger.reader.balance(card_number(KPJS[0]), TODAY, NOW)
    assert (after.total, after.months, after.person) == (card.total, card.months, STAYS), "no money moved"
    assert rebuilt(ledger) == [0, 0, 0]
    assert of_person(ledger, STAYS) == (cards, total)
    # Taken back, all is as it was.
    parted = event(f"person:{ENDS}", 3, PersonsParted(STAYS, KPJS[:2]))
    assert ledger.add(parted, *moved(5, ENDS, STAYS)) > position
    assert {who: of_person(ledger, who) for who in (ENDS, STAYS)} == before
    assert ledger.reader.person(ENDS).joined == ""
    assert rebuilt(ledger) == [0, 0, 0]
    assert {who: of_person(ledger, who) for who in (ENDS, STAYS)} == before
