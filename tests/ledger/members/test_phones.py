"""Phones: one on file is bound by asking, any other waits, and knowing numbers is not enough."""

from __future__ import annotations

from typing import Any

import pytest

from ledger.errors import Refused
from ledger.members import Phone
from tests.ledger.members.conftest import CARD, ON_FILE, OTHERS, PHONE, Counter
from tests.office import nik, person

STRANGE = "+628999000111"


def ask(counter: Counter, phone: str = PHONE, **changes: Any) -> str:
    said = {"nik": nik(1), "kpj": CARD, "birth_date": "1990-05-17", "name": "", "email": ""} | changes
    return counter.members.ask_phone(Phone(phone, **said), counter.acting("sms"))


def test_a_phone_on_file_is_bound_by_asking(counter: Counter) -> None:
    assert ask(counter) == "bound"
    assert ask(counter) == "bound", "asking again changes nothing"
    assert counter.members.phone_owner(PHONE) == counter.person
    assert counter.letters() == []
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
    assert ask(counter, STRANGE, email="clerk@contoh.id") == "waiting"
    assert counter.members.phone_owner(STRANGE) is None
    assert counter.members.about(counter.person).waiting_phone == STRANGE
    letter = counter.letter()
    assert (letter.kind, letter.to) == ("phone-asked", ON_FILE), "never the address that the phone named"
    assert ask(counter, STRANGE) == "waiting"
    assert counter.letters() == [], "asking again sends no second letter"
    counter.members.use_link(letter.details["token"], counter.acting())
    assert counter.members.phone_owner(STRANGE) == counter.person
    with pytest.raises(Refused):
        counter.members.use_link(letter.details["deny"], counter.acting())


def test_the_contact_on_file_can_deny_a_phone(counter: Counter) -> None:
    ask(counter)
    ask(counter, STRANGE)
    counter.members.use_link(counter.letter().details["deny"], counter.acting())
    assert counter.members.phone_owner(STRANGE) is None
    assert counter.members.phone_owner(PHONE) == counter.person, "the phone that was bound stays"
    assert counter.members.about(counter.person).waiting_phone == ""


def test_the_branch_confirms_where_no_e_mail_is_on_file_and_the_old_phone_is_told(counter: Counter) -> None:
    counter.office.register(person("26000000041", 3, email=""))
    asked = Phone(STRANGE, nik(3), "26000000041")
    assert counter.members.ask_phone(asked, counter.acting("sms")) == "waiting"
    ((way, letter),) = counter.letters()
    assert (way, letter.kind, letter.to) == ("sms", "phone-asked", "+6281234560003")
    owner = counter.members.find_person(kpj="26000000041")
    assert owner is not None
    counter.members.confirm_phone(owner, counter.acting("user:rina"))
    assert counter.members.phone_owner(STRANGE) == owner


def test_a_phone_bound_to_another_person_before_moves(counter: Counter) -> None:
    counter.office.register(person("26000000041", 3, phone=PHONE))
    ask(counter)
    assert counter.members.ask_phone(Phone(PHONE, nik(3), "26000000041"), counter.acting("sms")) == "bound"
    assert counter.members.phone_owner(PHONE) == counter.members.find_person(kpj="26000000041")
    assert ask(counter) == "bound"
    assert counter.members.phone_owner(PHONE) == counter.person, "who asks last has it"


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
