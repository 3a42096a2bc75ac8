"""Contacts on file in the app: the website's rule, step by step, and what is refused."""

from __future__ import annotations

import pytest

from api import contact_changes
from api.mobile.schemas import Contacts, WaitingContact
from ledger.members.state import EMAIL, PHONE
from tests.api.mobile.conftest import ANI, BUDI, PASSWORD, App, MobileApi, code, decoded

NEW, NUMBER = "baru@contoh.id", "+6281299990000"
ON_FILE = "+6281234560001"


def ask(app: App, contact: str = NEW, password: str = PASSWORD) -> tuple[int, str]:
    """The status, and the code of a refusal."""
    answer = app.ask("contacts", "POST", {"contact": contact, "password": password})
    return (answer.status_code, "") if answer.status_code == 204 else code(answer)


def waiting(app: App) -> list[WaitingContact]:
    return list(decoded(app.ask("contacts"), Contacts).waiting)


def test_a_member_sees_what_is_on_file_masked(mobile: MobileApi, app: App) -> None:
    shown = decoded(app.ask("contacts"), Contacts)
    assert (shown.email, shown.login, shown.waiting) == ("b***1@contoh.id", "b***1@contoh.id", [])
    assert shown.phone is not None
    assert ON_FILE[-6:] not in shown.phone


def test_a_new_address_counts_only_when_a_known_contact_agreed_and_it_was_proven(mobile: MobileApi, app: App) -> None:
    assert ask(app, f" {NEW} ") == (204, "")
    (one,) = waiting(app)
    assert (one.what, one.contact, one.agreed) == (EMAIL, NEW, False)
    letters = mobile.letters()
    assert NEW not in {letter.to for letter in letters}, "who was only named is asked nothing yet"
    agree = next(letter.details["token"] for letter in letters if letter.to == BUDI)
    mobile.application.members.use_link(agree, mobile.acting())
    assert [one.agreed for one in waiting(app)] == [True]
    assert decoded(app.ask("contacts"), Contacts).email == "b***1@contoh.id"
    (prove,) = [letter for letter in mobile.letters() if letter.kind == "prove-contact"]
    assert prove.to == NEW


def test_a_new_phone_takes_the_number_of_the_known_phone_and_then_its_own(mobile: MobileApi, app: App) -> None:
    assert ask(app, "0812 9999 0000") == (204, "")
    (one,) = waiting(app)
    assert (one.what, one.contact) == (PHONE, NUMBER)
    for wrong in ("", "11111111", "x" * 32):
        answer = app.ask("contacts/number", "POST", {"asked": one.asked, "number": wrong})
        assert code(answer) == (422, "number-wrong")
    numbers = [letter.details["number"] for letter in mobile.letters() if "number" in letter.details]
    assert len(numbers) == 1
    other = mobile.login(ANI)
    foreign = other.ask("contacts/number", "POST", {"asked": one.asked, "number": numbers[0]})
    assert code(foreign) == (422, "number-wrong"), "another member's number opens nothing"
    agreed = app.ask("contacts/number", "POST", {"asked": one.asked, "number": numbers[0]})
    assert (agreed.status_code, agreed.json()) == (200, {"replaced": False})
    (proof,) = mobile.letters()
    assert proof.to == NUMBER
    done = app.ask("contacts/number", "POST", {"asked": one.asked, "number": proof.details["number"]})
    assert done.json() == {"replaced": True}
    assert waiting(app) == []
    assert mobile.application.members.about(mobile.budi).contact.phone == NUMBER


@pytest.mark.parametrize(("contact", "password", "refusal"), [
    ("budi@", PASSWORD, (422, "email-unreadable")), ("12", PASSWORD, (422, "phone-unreadable")),
    ("", PASSWORD, (422, "phone-unreadable")), (NEW, "salah sekali", (422, "password-wrong")),
    (NEW, "", (422, "password-wrong")), (BUDI, PASSWORD, (422, "contact-same")),
])  # fmt: skip
def test_what_cannot_be_asked_for_is_refused_and_asks_nobody(
    mobile: MobileApi, app: App, contact: str, password: str, refusal: tuple[int, str]
) -> None:
    assert ask(app, contact, password) == refusal
    assert waiting(app) == []
    assert mobile.letters() == []


def test_tries_are_counted_with_those_of_the_website(
    mobile: MobileApi, app: App, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contact_changes, "ASKED_AN_HOUR", "1/hour")
    assert ask(app) == (204, "")
    assert ask(app, "lain@contoh.id") == (429, "too-many-tries")
    assert len(waiting(app)) == 1
