"""A person who was registered twice: one record ends at once and everywhere, the other one has all, both are told."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import date

import pytest

from ledger.acts import merge as merges
from ledger.acts.person import correct, erase, export
from ledger.errors import JhtError
from ledger.events import AccountReassigned, CardUnlinked, MemberClosed, PersonsJoined, PersonsParted
from ledger.identifiers import account_stream, member_stream, person_stream
from ledger.members import Phone
from ledger.receipt import Header
from ledger.store import account_index
from ledger.store.answer_codes import AnswerCodes, Question
from tests.conftest import NOW, TODAY
from tests.ledger.members.conftest import CARD, OTHERS, PHONE, SECOND, Counter
from tests.office import line, nik, only, person, problems

WHY = Header("user:1", "office", "", "member-asked")
THIRD = "26000000041"


def join(counter: Counter, ends: str = "", stays: str = "", reason: str = "registered-twice", **how: object) -> int:
    acting = counter.acting("user:dewi")
    ends, stays = ends or counter.person, stays or counter.other
    return counter.members.join(ends, stays, reason, acting, **how)  # type: ignore[arg-type]


def code_of(act: Callable[[], object]) -> str:
    with pytest.raises(JhtError) as refused:
        act()
    return refused.value.code


def held(counter: Counter, who: str) -> list[int]:
    with counter.log.database.read() as tx:
        return account_index.held_by(tx, who)


def test_the_one_that_stays_has_the_cards_and_nothing_finds_the_other(counter: Counter) -> None:
    members, log = counter.members, counter.log
    counter.active()
    merges.merge(log, int(CARD), int(SECOND), WHY, lambda: NOW)
    members.ask_phone(Phone(PHONE, nik(1), CARD), counter.acting("sms"))
    counter.letters()
    position = join(counter, proposed_by="user:2")
    fact = log.events(person_stream(counter.person))[-1]
    assert (fact.fact, fact.position) == (PersonsJoined(counter.other, (CARD, SECOND), "user:2"), position)
    given = AccountReassigned(counter.other, counter.person, "user:2")
    assert [log.events(account_stream(kpj))[-1].fact for kpj in (CARD, SECOND)] == [given, given]
    assert log.events(member_stream(counter.person))[-1].fact == MemberClosed("joined")
    assert held(counter, counter.other) == [int(CARD), int(SECOND), int(OTHERS)]
    assert merges.look(log, int(CARD)).cards[int(CARD)].merged == int(SECOND), "a pointer between its cards stands"
    assert (members.find_person(nik=nik(1)), members.find_person(kpj=CARD)) == (None, counter.other)
    assert members.find("budi1@contoh.id") is None
    assert members.phone_owner(PHONE) is None
    assert code_of(lambda: members.about(counter.person)) == "person-joined"
    assert log.check_account_index() == (0, [])
    # Merged with one that was there already: they are one person's now.
    merges.merge(log, int(SECOND), int(OTHERS), WHY, lambda: NOW)


def test_both_are_told_and_who_is_on_file_in_both_is_told_once(counter: Counter) -> None:
    vault, acting = counter.office.vault, counter.acting("user:dewi")
    correct(
        counter.log, vault, counter.other, {"phone": PHONE}, "user:dewi", "office", NOW,
        also=counter.members.after_correction(counter.other, acting),
    )  # fmt: skip
    counter.letters()
    join(counter)
    assert sorted((letter.kind, letter.to) for _, letter in counter.letters()) == [
        ("record-ended", "budi1@contoh.id"), ("records-joined", PHONE), ("records-joined", "budi2@contoh.id"),
    ]  # fmt: skip


def test_the_cards_are_added_by_who_has_an_access_and_the_export_has_both_records(counter: Counter) -> None:
    codes = AnswerCodes(counter.log, counter.office.vault)
    asked = Question(int(CARD), "balance", date(2026, 2, 10), counter.log.head(), "id")
    given, others = codes.seal(asked), codes.seal(asked._replace(card=int(OTHERS)))
    join(counter)
    assert (codes.open(given), codes.open(others)) == (asked, asked._replace(card=int(OTHERS)))
    again = codes.seal(asked)
    assert (again != given, codes.open(again)) == (True, asked)
    counter.members.link_card(counter.other, CARD, counter.acting())
    assert [one.card for one in counter.members.cards(counter.other)] == [int(CARD)]
    found = export(counter.log, counter.office.vault, counter.other)
    assert [card["kpj"] for card in found["cards"]] == [CARD, SECOND, OTHERS]
    (record,) = found["joined"]
    assert (record["person"], record["identity"]["nik"]) == (counter.person, nik(1))
    assert [event["name"] for event in record["events"]] == ["person-registered.v1", "persons-joined.v1"]
    assert code_of(lambda: export(counter.log, counter.office.vault, counter.person)) == "person-joined"
    # Both are as readable under another master key, and gone with one erasure.
    counter.members.rotate(bytes(range(32)))
    (record,) = export(counter.log, counter.office.vault, counter.other)["joined"]
    assert record["contact"]["email"] == "budi1@contoh.id"
    assert codes.open(given) == asked
    done = erase(
        counter.log, counter.office.vault, counter.other, has_money=False, last_activity=None, order="1", today=TODAY,
        by="o", channel="c", now=NOW,
    )  # fmt: skip
    assert done.positions
    with counter.log.database.read() as tx:
        assert tx.rows("select * from vault_joined") == []
        assert tx.rows("select * from vault_persons") == []
    assert code_of(lambda: codes.open(given)) == "answer-code-unknown"


def part(counter: Counter, ended: str = "", **how: object) -> int:
    acting = counter.acting("user:dewi")
    return counter.members.part(ended or counter.person, "joined-by-mistake", acting, **how)  # type: ignore[arg-type]


def test_a_join_that_is_taken_back_leaves_each_with_their_own(counter: Counter) -> None:
    members, log = counter.members, counter.log
    counter.active()
    merges.merge(log, int(CARD), int(SECOND), WHY, lambda: NOW)
    join(counter)
    members.link_card(counter.other, CARD, counter.acting())
    counter.letters()
    part(counter, proposed_by="user:2", seen=members.look_at_joined(counter.person).version)
    assert log.events(person_stream(counter.person))[-1].fact == PersonsParted(counter.other, (CARD, SECOND), "user:2")
    assert (held(counter, counter.person), held(counter, counter.other)) == ([int(CARD), int(SECOND)], [int(OTHERS)])
    assert merges.look(log, int(CARD)).cards[int(CARD)].merged == int(SECOND)
    assert (members.find_person(nik=nik(1)), members.find_person(nik=nik(2))) == (counter.person, counter.other)
    assert members.cards(counter.other) == []
    assert log.events(member_stream(counter.other))[-1].fact == CardUnlinked(CARD)
    assert log.check_account_index() == (0, [])
    # It is as everybody again: it can be looked at, registers, and is joined again.
    assert (counter.state(), code_of(lambda: part(counter))) == ("closed", "part-not-joined")
    counter.letters()
    counter.active()
    join(counter)
    assert held(counter, counter.person) == []


def test_a_record_that_stands_again_takes_along_what_had_been_joined_into_it(counter: Counter) -> None:
    counter.office.register(person(THIRD, 3))
    third = counter.members.find_person(kpj=THIRD)
    assert third is not None
    join(counter)
    join(counter, counter.other, third)
    part(counter, counter.other)
    assert held(counter, counter.other) == [int(CARD), int(SECOND), int(OTHERS)]
    assert [one for one, _ in counter.members.joined_to(counter.other)] == [counter.person]
    assert counter.members.joined_to(third) == []
    part(counter)
    assert (held(counter, counter.person), held(counter, third)) == ([int(CARD), int(SECOND)], [int(THIRD)])
    assert counter.log.check_account_index() == (0, [])


def test_what_is_not_taken_back_changes_nothing(counter: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    join(counter)
    head = counter.log.head()
    assert code_of(lambda: part(counter, "c" * 32)) == "person-unknown"
    assert code_of(lambda: part(counter, counter.other)) == "part-not-joined"
    assert code_of(lambda: part(counter, seen="1.1")) == "changed-since"
    assert counter.log.head() == head
    # A card of the other one is merged into one of these, before and at that moment.
    late(counter, monkeypatch, lambda: merges.merge(counter.log, int(OTHERS), int(CARD), WHY, lambda: NOW))
    assert code_of(lambda: part(counter)) == "reassign-merged"
    merges.unmerge(counter.log, int(OTHERS), WHY, lambda: NOW)
    # The NIK was another person's, who is registered by now.
    counter.office.register(person(THIRD, 1))
    assert code_of(lambda: part(counter)) == "nik-of-another-person"
    assert held(counter, counter.other) == [int(CARD), int(SECOND), int(OTHERS)]
    erase(
        counter.log, counter.office.vault, counter.other, has_money=False, last_activity=None, order="1", today=TODAY,
        by="o", channel="c", now=NOW,
    )  # fmt: skip
    assert code_of(lambda: part(counter)) == "person-erased"


def test_a_file_with_the_nik_that_ended_cannot_take_a_card_back(counter: Counter) -> None:
    join(counter)
    assert only(counter.office.register(person(CARD))).code == "kpj-of-another-person"
    # With the NIK that stays it says nothing new: the name in the file is the other record's.
    assert problems(counter.office.register(person(CARD, 2))) == []
    # Money for the card is posted, whatever NIK the file has; money of before stays where it is.
    receipt = counter.office.contribute(line(CARD))
    assert (receipt.totals["posted"], held(counter, counter.person)) == (1, [])
    # The NIK may be another person's: whoever has it is registered as everybody.
    assert counter.office.register(person(THIRD, 1)).totals["posted"] == 1
    assert counter.members.find_person(nik=nik(1)) not in {None, counter.person, counter.other}


def test_a_record_that_others_were_joined_into_takes_them_along(counter: Counter) -> None:
    counter.office.register(person(THIRD, 3))
    third = counter.members.find_person(kpj=THIRD)
    assert third is not None
    join(counter)
    join(counter, counter.other, third)
    assert held(counter, third) == [int(CARD), int(SECOND), int(OTHERS), int(THIRD)]
    found = export(counter.log, counter.office.vault, third)["joined"]
    assert {record["person"] for record in found} == {counter.person, counter.other}
    assert counter.log.check_account_index() == (0, [])
    for ends, stays in ((third, counter.person), (third, counter.other), (counter.person, third)):
        assert code_of(lambda ends=ends, stays=stays: join(counter, ends, stays)) == "person-joined"  # type: ignore[misc]


def test_what_is_refused_changes_nothing(counter: Counter) -> None:
    counter.office.register(person(THIRD, 3))
    gone = counter.members.find_person(kpj=THIRD)
    assert gone is not None
    erase(
        counter.log, counter.office.vault, gone, has_money=False, last_activity=None, order="1", today=TODAY, by="o",
        channel="c", now=NOW,
    )  # fmt: skip
    head = counter.log.head()
    for act, code in (
        (lambda: join(counter, reason=""), "reason-missing"),
        (lambda: join(counter, reason="because"), "reason-unknown"),
        (lambda: join(counter, stays=counter.person), "join-with-itself"),
        (lambda: join(counter, stays="c" * 32), "person-unknown"),
        (lambda: join(counter, ends="c" * 32), "person-unknown"),
        (lambda: join(counter, ends=gone), "person-erased"),
        (lambda: join(counter, stays=gone), "person-erased"),
        (lambda: join(counter, seen="1.1"), "changed-since"),
    ):
        assert code_of(act) == code
    assert counter.log.head() == head
    counter.members.request_data(counter.person, "export", "", counter.acting())
    assert code_of(lambda: join(counter)) == "join-request-open"
    ((request),) = counter.members.requests_of(counter.person)
    counter.members.close_request(counter.person, request.number, "done", counter.acting("user:dewi"))
    join(counter)


def test_what_was_shown_is_what_is_joined(counter: Counter) -> None:
    members = counter.members
    seen = members.look_at_pair(counter.person, counter.other, [int(CARD), int(SECOND)]).version
    counter.office.register(person(THIRD))
    assert code_of(lambda: join(counter, seen=seen)) == "changed-since", "one more card"
    cards = [int(CARD), int(SECOND), int(THIRD)]
    join(counter, seen=members.look_at_pair(counter.person, counter.other, cards).version)


def late(counter: Counter, monkeypatch: pytest.MonkeyPatch, between: Callable[[], object]) -> None:
    """Something comes between the look and the append of the next act."""
    append, pending = counter.log.append, [between]

    def appended(*given: object, **named: object) -> object:
        if pending:
            pending.pop()()
        return append(*given, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(counter.log, "append", appended)


def test_a_card_that_comes_at_that_moment_goes_along(counter: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    late(counter, monkeypatch, lambda: counter.office.register(person(THIRD)))
    join(counter)
    assert held(counter, counter.person) == []
    assert int(THIRD) in held(counter, counter.other)
    assert counter.log.check_account_index() == (0, [])


def test_a_registration_at_that_moment_gives_nothing_to_the_record_that_ended(
    counter: Counter, monkeypatch: pytest.MonkeyPatch
) -> None:
    late(counter, monkeypatch, lambda: join(counter))
    counter.office.register(person(THIRD))
    assert held(counter, counter.person) == []
    assert counter.members.find_person(kpj=THIRD) == counter.members.find_person(nik=nik(1)) != counter.person


@pytest.mark.parametrize("what", ["joined", "erased"])
def test_the_one_that_stays_is_asked_under_the_lock(
    counter: Counter, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    def end() -> None:
        if what == "joined":
            join(counter, counter.other, counter.person)
        else:
            erase(
                counter.log, counter.office.vault, counter.other, has_money=False, last_activity=None, order="1",
                today=TODAY, by="o", channel="c", now=NOW,
            )  # fmt: skip

    late(counter, monkeypatch, end)
    assert code_of(lambda: join(counter)) == f"person-{what}"
    assert int(CARD) in held(counter, counter.person)
    assert counter.log.check_account_index() == (0, [])


def test_of_two_who_join_each_into_the_other_at_once_one_is_refused(counter: Counter) -> None:
    outcomes: list[str] = []
    begin = threading.Barrier(2)

    def run(ends: str, stays: str) -> None:
        begin.wait()
        try:
            join(counter, ends, stays)
        except JhtError as error:
            outcomes.append(error.code)
        else:
            outcomes.append("joined")

    both = [
        threading.Thread(target=run, args=pair)
        for pair in ((counter.person, counter.other), (counter.other, counter.person))
    ]
    for one in both:
        one.start()
    for one in both:
        one.join(30)
    assert sorted(outcomes) == ["joined", "person-joined"]
    assert sorted(map(len, (held(counter, counter.person), held(counter, counter.other)))) == [0, 3]
    assert counter.log.check_account_index() == (0, [])
