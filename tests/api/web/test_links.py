from __future__ import annotations

import pytest
from pwdlib.hashers.argon2 import Argon2Hasher

from api.access.guard import WAITS
from ledger.members import Claim, Phone
from tests.api.peopled import hashed
from tests.api.web.site import CARD, PASSWORD, Site, faults, text
from tests.office import nik, person

NEW = "26000000058"


def waiting(site: Site) -> dict[str, str]:
    """Somebody registers with an address that is not on file; what the letter to the one on file says."""
    site.office.register(person(NEW, 4))
    site.application.members.register(
        Claim(nik(4), "1990-05-17", NEW, "PU", "lain@contoh.id"), hashed(PASSWORD), site.acting()
    )  # fmt: skip
    (asked,) = [letter for letter in site.letters() if letter.to == "budi4@contoh.id"]
    assert site.browser().login("lain@contoh.id").status_code == 401, "not before the contact on file has said yes"
    return dict(asked.details)


@pytest.mark.parametrize(
    ("purpose", "button", "status"),
    [("confirm-login", "Ya, itu email saya", 303), ("deny-login", "Bukan saya, tolak", 401)],
)
def test_the_contact_on_file_decides_over_a_new_address(site: Site, purpose: str, button: str, status: int) -> None:
    details = waiting(site)
    token = details[{"confirm-login": "token", "deny-login": "deny"}[purpose]]
    browser = site.browser()
    page = browser.get(f"/tautan/{token}").text
    assert button in text(page)
    assert "lain@contoh.id" in text(page), "whole: a masked address could be another one"
    assert faults(page) == []
    assert browser.post(f"/tautan/{token}").headers["location"] == f"/masuk?kabar={purpose}"
    assert "Terima kasih." in browser.get(f"/masuk?kabar={purpose}").text
    assert site.browser().login("lain@contoh.id").status_code == 401, "the new address is not proven yet"
    for letter in site.letters():
        if letter.kind == "verify":
            assert letter.to == "lain@contoh.id"
            opened = browser.post(f"/tautan/{letter.details['token']}", password=PASSWORD)
            assert opened.headers["location"] == "/saldo"
    assert site.browser().login("lain@contoh.id").status_code == status


@pytest.mark.parametrize(("purpose", "bound"), [("confirm-phone", True), ("deny-phone", False)])
def test_the_contact_on_file_decides_over_a_new_phone(site: Site, purpose: str, bound: bool) -> None:
    members = site.application.members
    assert members.ask_phone(Phone("+6281200000009", nik(1), CARD), site.acting()) == "waiting"
    (asked,) = [letter for letter in site.letters() if letter.kind == "confirm-phone" and "@" in letter.to]
    token = asked.details[{"confirm-phone": "token", "deny-phone": "deny"}[purpose]]
    browser = site.browser()
    page = browser.get(f"/tautan/{token}")
    assert (page.status_code, "0812-0000-0009" in page.text) == (200, True)
    assert members.phone_owner("+6281200000009") is None, "looking at a link does not use it"
    assert browser.post(f"/tautan/{token}").headers["location"] == f"/masuk?kabar={purpose}"
    assert (members.phone_owner("+6281200000009") == site.budi) is bound
    assert browser.get(f"/tautan/{token}").status_code == 410


def test_links_cannot_be_guessed_without_end(site: Site) -> None:
    site.application.identity.guard._tries = 3
    browser = site.browser()
    answers = [browser.get(f"/tautan/{number:043d}") for number in range(4)]
    assert [answer.status_code for answer in answers] == [410, 410, 410, 429]
    assert all(faults(answer.text) == [] for answer in answers)


def registered(site: Site, password: str = PASSWORD) -> str:
    """Somebody registers for person 4 with the address on file; the address of the link that goes there."""
    site.office.register(person(NEW, 4))
    site.follow()
    hashed_now = Argon2Hasher(time_cost=2, memory_cost=19_456, parallelism=1).hash(password)
    site.application.members.register(
        Claim(nik(4), "1990-05-17", NEW, "PU", "budi4@contoh.id"), hashed_now, site.acting()
    )
    (verify,) = site.letters()
    return f"/tautan/{verify.details['token']}"


def test_a_registration_by_somebody_else_is_not_opened_by_its_owner(site: Site) -> None:
    """Who knows NIK, birth date, card and address may register with a password of the own, and wait."""
    address, owner = registered(site, "kata sandi penyerang"), site.browser()
    for given in ("", PASSWORD, "x" * 5_000):
        page = owner.post(address, password=given)
        assert (page.status_code, faults(page.text)) == (422, [])
        assert owner.get("/saldo").status_code == 303
    assert site.browser().login("budi4@contoh.id", "kata sandi penyerang").status_code == 401
    # The owner registers anew: the first that is proven wins, and what the other one chose is over.
    site.application.members.register(
        Claim(nik(4), "1990-05-17", NEW, "PU", "budi4@contoh.id"), hashed(PASSWORD), site.acting()
    )
    (verify,) = site.letters()
    assert owner.post(f"/tautan/{verify.details['token']}", password=PASSWORD).headers["location"] == "/saldo"
    assert owner.get(address).status_code == 410
    assert owner.get("/saldo").status_code == 200


def test_the_password_of_a_registration_cannot_be_guessed_by_its_link(site: Site) -> None:
    address, browser = registered(site), site.browser()
    answers = [browser.post(address, password=f"salah sekali {number}").status_code for number in range(5)]
    assert answers == [422] * 5
    assert browser.post(address, password=PASSWORD).status_code == 429
    site.clock += WAITS[0]
    assert browser.post(address, password=PASSWORD).headers["location"] == "/saldo"
