"""A card that hung on the wrong person: gone for one at once, there for the other, and the index agrees with the log."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ledger.acts import merge as merges
from ledger.errors import JhtError
from ledger.events import AccountReassigned, CardUnlinked
from ledger.identifiers import account_stream, member_stream
from ledger.receipt import Header
from ledger.store import account_index
from tests.conftest import NOW
from tests.ledger.members.conftest import CARD, HASH, SECOND, Counter
from tests.office import nik

WHY = Header("user:1", "office", "", "member-asked")


def move(counter: Counter, kpj: str = CARD, to: str = "", reason: str = "wrong-person", **how: object) -> int:
    acting = counter.acting("user:dewi")
    return counter.members.reassign(int(kpj), to or counter.other, reason, acting, **how)  # type: ignore[arg-type]


def code_of(act: Callable[[], object]) -> str:
    with pytest.raises(JhtError) as refused:
        act()
    return refused.value.code


def cards(counter: Counter, person: str) -> list[int]:
    return [linked.card for linked in counter.members.cards(person)]


def test_the_old_person_sees_the_card_no_more_and_the_new_one_may_add_it(counter: Counter) -> None:
    members = counter.members
    counter.active()
    members.link_card(counter.person, SECOND, counter.acting())
    counter.letters()
    move(counter, proposed_by="user:2")
    assert cards(counter, counter.person) == [int(SECOND)]
    assert members.find_person(kpj=CARD) == counter.other
    fact = counter.log.events(account_stream(CARD))[-1].fact
    assert fact == AccountReassigned(counter.other, counter.person, "user:2")
    assert counter.log.events(member_stream(counter.person))[-1].fact == CardUnlinked(CARD)
    assert {(letter.kind, letter.to) for way, letter in counter.letters() if way == "mail"} == {
        ("card-taken", "budi1@contoh.id"), ("card-given", "budi2@contoh.id"),
    }  # fmt: skip
    assert code_of(lambda: members.link_card(counter.person, CARD, counter.acting())) == "card-not-yours"
    members.link_card(counter.other, CARD, counter.acting())
    assert cards(counter, counter.other) == [int(CARD)]
    assert counter.log.check_account_index() == (0, [])
    # Back again, with nothing left over: it can be added as before.
    move(counter, to=counter.person)
    assert cards(counter, counter.other) == []
    members.link_card(counter.person, CARD, counter.acting())
    assert cards(counter, counter.person) == [int(CARD), int(SECOND)]
    assert counter.log.check_account_index() == (0, [])


def test_a_registration_that_named_the_card_opens_without_it(counter: Counter) -> None:
    counter.members.register(counter.claim(), HASH, counter.acting())
    verify = counter.letter().details["token"]
    move(counter)
    counter.members.use_link(verify, counter.acting())
    assert (counter.state(), cards(counter, counter.person)) == ("active", [])


def test_what_is_refused_changes_nothing(counter: Counter) -> None:
    head = counter.log.head()
    for act, code in (
        (lambda: move(counter, reason=""), "reason-missing"),
        (lambda: move(counter, reason="because"), "reason-unknown"),
        (lambda: move(counter, to=counter.person), "reassign-same-person"),
        (lambda: move(counter, to="c" * 32), "person-unknown"),
        (lambda: move(counter, "26000000991"), "account-not-found"),
        (lambda: move(counter, seen="1"), "changed-since"),
    ):
        assert code_of(act) == code
    assert counter.log.head() == head
    merges.merge(counter.log, int(CARD), int(SECOND), WHY, lambda: NOW)
    for kpj in (CARD, SECOND):
        assert code_of(lambda kpj=kpj: move(counter, kpj)) == "reassign-merged"  # type: ignore[misc]
    merges.unmerge(counter.log, int(CARD), WHY, lambda: NOW)
    move(counter)
    assert code_of(lambda: merges.merge(counter.log, int(CARD), int(SECOND), WHY, lambda: NOW)) == "merge-two-persons"


def test_a_card_that_is_merged_into_it_at_that_moment_is_seen_under_the_lock(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain, first = account_index.is_pointed_at, [True]

    def looked(tx: object, card: int) -> bool:
        found = plain(tx, card)  # type: ignore[arg-type]
        if first:
            first.clear()
            # Another officer merges SECOND into CARD between the look and the append.
            monkeypatch.setattr(account_index, "is_pointed_at", plain)
            counter.office.now = NOW
            pending.append(card)
        return found

    pending: list[int] = []
    monkeypatch.setattr(account_index, "is_pointed_at", looked)
    append = counter.log.append

    def late(*given: object, **named: object) -> object:
        if pending:
            pending.clear()
            merges.merge(counter.log, int(SECOND), int(CARD), WHY, lambda: NOW)
        return append(*given, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(counter.log, "append", late)
    assert code_of(lambda: move(counter)) == "reassign-merged"
    assert counter.members.find_person(nik=nik(1)) == counter.members.find_person(kpj=CARD)
    assert counter.log.check_account_index() == (0, [])
