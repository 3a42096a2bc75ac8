"""Another contact on file, asked for by the member: contact on file x contact given, by who answers, and what must not go.

What must come out is computed from the rule's one sentence: a contact that is known has only to be proven, another one
waits until a known contact agreed, and it counts when it was proven.
"""

from __future__ import annotations

import pytest

from ledger.errors import Refused
from ledger.members import Phone
from ledger.members.state import EMAIL, MOST_UNKNOWN, PHONE
from ledger.store.outbox import Letter
from tests.ledger.members.conftest import HASH, Counter
from tests.office import nik, person

NEW_MAIL, NEW_PHONE, LOGIN = "baru@contoh.id", "+6281299990000", "masuk@contoh.id"
ON_FILE = ("none", "mail", "phone", "both")
GIVEN = ("login mail", "mail on file", "other mail", "phone on file", "other phone")
ROWS = [
    (on_file, given)
    for on_file in ON_FILE
    for given in GIVEN
    if not (given == "mail on file" and on_file in {"none", "phone"})
    and not (given == "phone on file" and on_file in {"none", "mail"})
]


class Someone:
    """A person with an access that the branch opened with LOGIN, and what is on file."""

    def __init__(self, counter: Counter, on_file: str) -> None:
        self.counter, self.members = counter, counter.members
        self.mail = "berkas@contoh.id" if on_file in {"mail", "both"} else ""
        self.phone = "+628120000077" + "0" if on_file in {"phone", "both"} else ""
        counter.office.register(person("26000000058", 7, email=self.mail, phone=self.phone))
        self.members.register_at_office("26000000058", LOGIN, counter.acting("user:rina"))
        (token,) = [one.details["token"] for _, one in counter.letters() if one.kind == "office-invite"]
        self.members.reset(token, HASH, counter.acting())
        counter.letters()
        found = self.members.find_person(kpj="26000000058")
        assert found is not None
        self.person = found

    @property
    def known(self) -> set[str]:
        return {LOGIN, self.mail, self.phone} - {""}

    def given(self, what: str) -> str:
        return {
            "login mail": LOGIN, "mail on file": self.mail, "other mail": NEW_MAIL, "phone on file": self.phone,
            "other phone": NEW_PHONE,
        }[what]  # fmt: skip

    def ask(self, contact: str) -> None:
        self.members.ask_contact(self.person, EMAIL if "@" in contact else PHONE, contact, self.counter.acting())

    def holds(self) -> tuple[str, str, str]:
        """(mail on file, phone on file, mail that opens the access)."""
        about = self.members.about(self.person)
        return about.contact.email, about.contact.phone, about.email

    def letters(self) -> list[Letter]:
        return [letter for _, letter in self.counter.letters()]

    def prove(self, letters: list[Letter]) -> None:
        (letter,) = [one for one in letters if one.kind == "prove-contact"]
        if "token" in letter.details:
            self.members.use_link(letter.details["token"], self.counter.acting())
        else:
            assert self.answer(letter.details["number"])

    def answer(self, number: str) -> bool:
        (waiting,) = self.members.asked_contacts(self.person)
        return self.members.answer_contact(self.person, waiting.asked, number, self.counter.acting())


@pytest.mark.parametrize(("on_file", "given"), ROWS)
def test_every_row_of_the_table(counter: Counter, on_file: str, given: str) -> None:
    one = Someone(counter, on_file)
    contact, before = one.given(given), one.holds()
    if contact == one.phone:
        with pytest.raises(Refused, match="already on file"):
            one.ask(contact)
        assert one.letters() == []
        return
    one.ask(contact)
    letters = one.letters()
    if contact not in one.known:
        assert {(letter.kind, letter.to) for letter in letters} == {("confirm-contact", to) for to in one.known}
        assert one.holds() == before, "nothing counts before a known contact agreed"
        answers = sorted(letters, key=lambda letter: letter.to, reverse=bool(one.phone))
        agree = next(letter for letter in answers if ("number" in letter.details) == bool(one.phone))
        if one.phone:
            assert not one.answer(agree.details["number"])
        else:
            members = one.members
            members.use_link(agree.details["token"], counter.acting())
        letters = one.letters()
    assert [(letter.kind, letter.to) for letter in letters] == [("prove-contact", contact)]
    assert one.holds() == before, "nothing counts before the new one was proven"
    one.prove(letters)
    is_mail = "@" in contact
    assert one.holds() == ((contact, before[1], contact) if is_mail else (before[0], contact, before[2]))
    told = {(letter.kind, letter.to) for letter in one.letters()}
    assert told == {("contact-replaced", to) for to in {*one.known, contact}}
    login = one.members.find(contact if is_mail else LOGIN)
    assert login is not None
    assert login.person == one.person
    assert one.members.find_person(kpj="26000000058") == one.person
    assert one.members.asked_contacts(one.person) == []


def test_a_denied_contact_never_counts(counter: Counter) -> None:
    one = Someone(counter, "both")
    one.ask(NEW_MAIL)
    letters = one.letters()
    deny = next(letter.details["deny"] for letter in letters if "deny" in letter.details)
    one.members.use_link(deny, counter.acting())
    assert one.members.asked_contacts(one.person) == []
    for letter in letters:
        for secret in ("token", "deny"):
            if secret in letter.details:
                with pytest.raises(Refused, match=r"used|expired"):
                    one.members.use_link(letter.details[secret], counter.acting())
    assert one.letters() == []


def test_a_number_agrees_only_for_whom_it_was_sent_and_only_once(counter: Counter) -> None:
    one = Someone(counter, "phone")
    one.ask(NEW_PHONE)
    (number,) = [letter.details["number"] for letter in one.letters() if "number" in letter.details]
    (waiting,) = one.members.asked_contacts(one.person)
    for who, asked, typed in (
        (counter.person, waiting.asked, number), (one.person, waiting.asked + 1, number), (one.person, waiting.asked, "1"),
        (one.person, waiting.asked, "0000 0000"),
    ):  # fmt: skip
        with pytest.raises(Refused):
            one.members.answer_contact(who, asked, typed, counter.acting())
    assert not one.answer(number)
    with pytest.raises(Refused):
        one.answer(number)
    assert one.holds()[1] == one.phone


@pytest.mark.parametrize("bound", [True, False])
def test_with_another_phone_on_file_the_old_one_gets_no_balances_any_more(counter: Counter, bound: bool) -> None:
    one = Someone(counter, "phone")
    if bound:
        asked = Phone(one.phone, nik(7), "26000000058", "1990-05-17")
        assert one.members.ask_phone(asked, counter.acting("sms")) == "bound"
        counter.letters()
    one.ask(NEW_PHONE)
    number = next(letter.details["number"] for _, letter in counter.letters() if "number" in letter.details)
    ((waiting, _, _, _),) = one.members.asked_contacts(one.person)
    one.members.answer_contact(one.person, waiting, number, counter.acting())
    ((_, proof),) = counter.letters()
    assert one.members.answer_contact(one.person, waiting, proof.details["number"], counter.acting())
    assert one.holds()[1] == NEW_PHONE
    assert (one.members.phone_owner(one.phone), one.members.about(one.person).phone) == (None, "")
    told = {letter.kind for _, letter in counter.letters() if letter.to in {one.phone, LOGIN}}
    assert told == {"contact-replaced", *(["phone-unbound"] if bound else [])}
    one.ask(NEW_MAIL)
    assert one.phone not in {letter.to for _, letter in counter.letters()}, "nor is it asked about anything"


def test_the_known_phone_may_answer_by_sms_and_the_new_one_may_not(counter: Counter) -> None:
    one = Someone(counter, "phone")
    one.ask(NEW_PHONE)
    (number,) = [letter.details["number"] for letter in one.letters() if "number" in letter.details]
    assert one.members.confirm_by_phone(one.phone, number, counter.acting("sms")) == "contact-agreed"
    (proof,) = one.letters()
    with pytest.raises(Refused):
        one.members.confirm_by_phone(NEW_PHONE, proof.details["number"], counter.acting("sms"))
    assert one.holds()[1] == one.phone, "a mistyped number is somebody else's phone, who may answer"
    one.prove([proof])
    assert one.holds()[1] == NEW_PHONE


def test_an_address_that_is_somebody_elses_login_is_not_taken_over(counter: Counter) -> None:
    one = Someone(counter, "none")
    counter.active("budi1@contoh.id")
    one.ask("budi1@contoh.id")
    agree = next(letter.details["token"] for letter in one.letters() if letter.kind == "confirm-contact")
    one.members.use_link(agree, counter.acting())
    with pytest.raises(Refused):
        one.prove(one.letters())
    login = one.members.find("budi1@contoh.id")
    assert login is not None
    assert login.person == counter.person


def test_the_first_that_is_proven_ends_the_others_of_its_kind(counter: Counter) -> None:
    one = Someone(counter, "mail")
    one.ask(NEW_MAIL)
    first = next(letter.details["token"] for letter in one.letters() if letter.kind == "confirm-contact")
    one.ask("lain@contoh.id")
    one.ask(NEW_PHONE)
    one.letters()
    one.members.use_link(first, counter.acting())
    one.prove(one.letters())
    assert [waiting.contact for waiting in one.members.asked_contacts(one.person)] == [NEW_PHONE]


def test_contacts_that_are_not_known_are_asked_for_a_few_times_a_day(counter: Counter) -> None:
    one = Someone(counter, "mail")
    for number in range(MOST_UNKNOWN):
        one.ask(f"lain{number}@contoh.id")
    with pytest.raises(Refused, match="attempts"):
        one.ask("lagi@contoh.id")
    one.ask(one.mail)
    assert "prove-contact" in {letter.kind for letter in one.letters()}, "one that is known always goes through"


def test_a_link_to_the_old_address_resets_no_password_after_the_change(counter: Counter) -> None:
    one = Someone(counter, "none")
    one.members.ask_reset(LOGIN, counter.acting())
    (reset,) = [letter.details["token"] for letter in one.letters()]
    one.ask(NEW_MAIL)
    agree = next(letter.details["token"] for letter in one.letters() if letter.kind == "confirm-contact")
    one.members.use_link(agree, counter.acting())
    one.prove(one.letters())
    with pytest.raises(Refused):
        one.members.reset(reset, HASH, counter.acting())
    assert one.members.find(LOGIN) is None


def test_closing_the_access_ends_what_waits(counter: Counter) -> None:
    one = Someone(counter, "mail")
    one.ask(NEW_MAIL)
    agree = next(letter.details["token"] for letter in one.letters() if letter.kind == "confirm-contact")
    one.members.close(one.person, "asked", counter.acting())
    with pytest.raises(Refused):
        one.members.use_link(agree, counter.acting())
