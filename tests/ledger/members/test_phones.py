"""Phones: one on file is bound by asking, any other waits, and knowing numbers is not enough."""

from __future__ import annotations

from typing import Any

import pytest

from ledger.errors import Refused
from ledger.events import PhoneUnbound
from ledger.members import Phone
from ledger.members.state import MOST_UNKNOWN, Notices
from tests.ledger.members.conftest import CARD, ON_FILE, OTHERS, PHONE, Counter
from tests.office import nik, person

STRANGE = "+628999000111"


def ask(counter: Counter, phone: str = PHONE, **changes: Any) -> str:
    said = {"nik": nik(1), "kpj": CARD, "birth_date": "1990-05-17", "name": ""} | changes
    return counter.members.ask_phone(Phone(phone, **said), counter.acting("sms"))


def test_a_phone_on_file_is_bound_by_asking(counter: Counter) -> None:
    assert ask(counter) == "bound"
    assert ask(counter) == "bound", "asking again changes nothing"
    assert counter.members.phone_owner(PHONE) == counter.person
    assert [letter.kind for _, letter in counter.letters()] == ["phone-bound"], "the e-mail address on file is told"
    assert len(counter.log.events(f"member:{counter.person}")) == 1


def test_the_name_does_instead_of_the_birth_date(counter: Counter) -> None:
    assert ask(counter, birth_date="", name="budi  SANTOSO 1") == "bound"


@pytest.mark.parametrize(
    "wrong",
    [{"nik": nik(2)}, {"kpj": OTHERS}, {"birth_date": "1990-05-18"}, {"name": "Ani"}, {"kpj": "garbage"}],
    ids=str,
)
def test_what_does_not_fit_is_unknown_and_leaves_nothing(counter: Counter, wrong: dict[str, str]) -> None:
    before = counter.log.head()
    assert ask(counter, **wrong) == "unknown"
    assert counter.letters() == []
    assert counter.log.head() == before


def test_another_phone_waits_until_the_e_mail_on_file_confirms_it(counter: Counter) -> None:
    assert ask(counter, STRANGE) == "waiting"
    assert counter.members.phone_owner(STRANGE) is None
    ((_, phone),) = counter.members.about(counter.person).waiting_phones
    assert phone == STRANGE
    sent = counter.letters()
    assert {(way, letter.kind, letter.to) for way, letter in sent} == {
        ("mail", "confirm-phone", ON_FILE), ("sms", "confirm-phone", PHONE),
    }  # fmt: skip
    (letter,) = [letter for way, letter in sent if way == "mail"]
    assert letter.details["asks"] == "0899-9000-111"
    assert ask(counter, STRANGE) == "waiting"
    assert counter.letters() == [], "asking again sends no second letter"
    counter.members.use_link(letter.details["token"], counter.acting())
    assert counter.members.phone_owner(STRANGE) == counter.person
    assert {(way, letter.kind, letter.to) for way, letter in counter.letters()} == {
        ("mail", "phone-bound", ON_FILE), ("sms", "phone-bound", PHONE),
    }  # fmt: skip
    with pytest.raises(Refused):
        counter.members.use_link(letter.details["deny"], counter.acting())


@pytest.mark.parametrize("sender", [PHONE, STRANGE])
def test_the_number_that_the_phone_on_file_got_confirms_from_either_phone(counter: Counter, sender: str) -> None:
    ask(counter, STRANGE)
    number = counter.number(counter.letters())
    for wrong in ("YA", "1234 5678" if number != "1234 5678" else "1234 5679"):
        with pytest.raises(Refused):
            counter.members.confirm_by_phone(sender, wrong, counter.acting("sms"))
    assert counter.members.confirm_by_phone(sender, number, counter.acting("sms")) == "bound"
    assert counter.members.phone_owner(STRANGE) == counter.person


def test_an_address_that_only_somebody_claimed_is_not_asked(counter: Counter) -> None:
    """A stranger who registers with an own address and then asks for a phone would confirm it there."""
    counter.members.register(counter.claim("clerk@contoh.id"), "$argon2id$evil", counter.acting())
    counter.letters()
    ask(counter, STRANGE)
    assert {letter.to for _, letter in counter.letters()} == {ON_FILE, PHONE}


def test_phones_wait_beside_each_other_and_too_many_only_stop_strangers(counter: Counter) -> None:
    strange = [f"+62899900022{number}" for number in range(MOST_UNKNOWN + 1)]
    for phone in strange:
        assert ask(counter, phone) == "waiting"
    waiting = counter.members.about(counter.person).waiting_phones
    assert [phone for _, phone in waiting] == strange[:-1]
    assert ask(counter) == "bound"


def test_the_contact_on_file_can_deny_a_phone(counter: Counter) -> None:
    ask(counter)
    counter.letters()
    ask(counter, STRANGE)
    (letter,) = [letter for way, letter in counter.letters() if way == "mail"]
    counter.members.use_link(letter.details["deny"], counter.acting())
    assert counter.members.phone_owner(STRANGE) is None
    assert counter.members.phone_owner(PHONE) == counter.person, "the phone that was bound stays"
    assert counter.members.about(counter.person).waiting_phones == ()


def test_the_branch_confirms_where_nothing_is_on_file(counter: Counter) -> None:
    counter.office.register(person("26000000041", 3, email="", phone=""))
    asked = Phone(STRANGE, nik(3), "26000000041")
    assert counter.members.ask_phone(asked, counter.acting("sms")) == "waiting"
    assert counter.letters() == []
    owner = counter.members.find_person(kpj="26000000041")
    assert owner is not None
    ((number, _),) = counter.members.about(owner).waiting_phones
    counter.members.confirm_phone(owner, number, counter.acting("user:rina"))
    assert counter.members.phone_owner(STRANGE) == owner


def test_a_phone_bound_to_another_person_before_moves(counter: Counter) -> None:
    counter.office.register(person("26000000041", 3, phone=PHONE))
    ask(counter)
    assert counter.members.ask_phone(Phone(PHONE, nik(3), "26000000041"), counter.acting("sms")) == "bound"
    assert counter.members.phone_owner(PHONE) == counter.members.find_person(kpj="26000000041")
    assert ask(counter) == "bound"
    assert counter.members.phone_owner(PHONE) == counter.person, "who asks last has it"


def shared(counter: Counter) -> str:
    """Somebody else with the same phone on file, to whom it goes from the first person."""
    counter.office.register(person("26000000041", 3, phone=PHONE))
    counter.members.choose_notices(counter.active(), Notices(mail=("posted",)), counter.acting())
    ask(counter)
    counter.letters()
    other = counter.members.find_person(kpj="26000000041")
    assert other is not None
    assert counter.members.ask_phone(Phone(PHONE, nik(3), "26000000041"), counter.acting("sms")) == "bound"
    return other


def test_who_loses_a_phone_to_another_person_is_told_and_has_it_no_more(counter: Counter) -> None:
    other = shared(counter)
    told = {(letter.kind, letter.to) for _, letter in counter.letters()}
    assert told == {("phone-unbound", ON_FILE), ("phone-bound", "budi3@contoh.id")}
    assert counter.members.about(counter.person).phone == ""
    assert counter.members.about(counter.person).notices == Notices(mail=("posted",)), "letters stay"
    assert counter.members.about(other).phone == PHONE
    assert isinstance(counter.log.events(f"member:{counter.person}")[-1].fact, PhoneUnbound)


def test_a_phone_that_went_to_somebody_else_confirms_nothing_any_more(counter: Counter) -> None:
    """It is not on file for the one who lost it, only bound once: a recycled number must not open that account."""
    counter.active()
    counter.members.ask_phone(Phone(STRANGE, nik(1), CARD), counter.acting("sms"))
    ((asked, _),) = counter.members.about(counter.person).waiting_phones
    counter.members.confirm_phone(counter.person, asked, counter.acting("user:rina"))
    counter.letters()
    counter.office.register(person("26000000041", 3, phone=STRANGE))
    assert counter.members.ask_phone(Phone(STRANGE, nik(3), "26000000041"), counter.acting("sms")) == "bound"
    assert {letter.to for _, letter in counter.letters()} == {ON_FILE, PHONE, "budi3@contoh.id"}
    counter.members.ask_contact(counter.person, "email", "baru@contoh.id", counter.acting())
    assert {letter.to for _, letter in counter.letters()} == {ON_FILE, PHONE}
    assert counter.members.ask_phone(Phone(STRANGE, nik(1), CARD), counter.acting("sms")) == "waiting"


@pytest.mark.parametrize("bound", [True, False])
def test_a_corrected_phone_takes_the_binding_of_the_old_one_along(counter: Counter, bound: bool) -> None:
    if bound:
        ask(counter)
    counter.letters()
    assert counter.members.correct(counter.person, {"phone": STRANGE}, counter.acting("user:rina"), "correction-asked")
    assert (counter.members.phone_owner(PHONE), counter.members.about(counter.person).phone) == (None, "")
    told = {(letter.kind, letter.to) for _, letter in counter.letters()}
    changed = {("contact-changed", to) for to in (ON_FILE, PHONE, STRANGE)}
    assert told == changed | ({("phone-unbound", to) for to in (ON_FILE, PHONE, STRANGE)} if bound else set())
    assert counter.members.correct(counter.person, {"phone": STRANGE}, counter.acting(), "correction-asked") is None


def test_a_correction_of_something_else_leaves_the_phone_bound(counter: Counter) -> None:
    ask(counter)
    assert counter.members.correct(counter.person, {"email": "baru@contoh.id"}, counter.acting(), "correction-asked")
    assert counter.members.phone_owner(PHONE) == counter.person


def test_asking_again_from_the_bound_phone_changes_and_tells_nothing(counter: Counter) -> None:
    ask(counter)
    counter.letters()
    head = counter.log.head()
    assert ask(counter) == "bound"
    assert counter.log.head() == head
    assert counter.letters() == []


def test_a_stopped_phone_is_nobody_s(counter: Counter) -> None:
    ask(counter)
    assert counter.members.unbind_phone(PHONE, counter.acting("sms"))
    assert not counter.members.unbind_phone(PHONE, counter.acting("sms"))
    assert counter.members.phone_owner(PHONE) is None
    assert counter.members.about(counter.person).phone == ""


def test_another_master_key_finds_the_phone_as_before(counter: Counter) -> None:
    ask(counter)
    counter.members.rotate(bytes(range(32)))
    assert counter.members.phone_owner(PHONE) == counter.person
