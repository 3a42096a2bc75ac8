from __future__ import annotations

import pytest

from tests.api.web.site import ANI, BUDI, CARD, PASSWORD, Site, faults, text, title
from tests.office import nik

SECRET = "lima kuda benar juga"


def test_a_member_comes_in_by_mail_nik_or_card(site: Site) -> None:
    for identifier in (BUDI, BUDI.upper(), nik(1), CARD, f" {CARD[:5]} {CARD[5:]} "):
        browser = site.browser()
        answer = browser.login(identifier)
        assert (answer.status_code, answer.headers["location"]) == (303, "/saldo"), identifier
        assert browser.get("/saldo").status_code == 200
        assert browser.get("/masuk").headers["location"] == "/saldo"


def test_a_wrong_password_and_an_unknown_name_get_the_same_page(still: Site) -> None:
    pages = []
    for identifier, password in ((BUDI, "salah sekali ini"), ("orang@lain.id", PASSWORD)):
        answer = still.browser().login(identifier, password)
        assert answer.status_code == 401
        assert title(answer.text).startswith("Ada isian yang perlu diperbaiki.")
        assert faults(answer.text) == []
        assert password not in answer.text
        pages.append(text(answer.text).replace(identifier, ""))
    assert pages[0] == pages[1]


def test_empty_fields_are_told_at_their_place(still: Site) -> None:
    answer = still.browser().login("", "")
    assert answer.status_code == 422
    assert text(answer.text).count("Isi kata sandi Anda.") == 2


def test_after_five_wrong_tries_the_page_says_how_long_to_wait(site: Site) -> None:
    browser = site.browser()
    for _ in range(5):
        browser.login(BUDI, "salah sekali ini")
    answer = browser.login()
    assert answer.status_code == 429
    assert "Coba lagi dalam 1 menit" in text(answer.text)


def test_a_login_makes_a_new_session_and_ends_the_one_that_was_planted(site: Site) -> None:
    browser = site.browser(ANI)
    planted = browser.client.cookies["jht"]
    browser.client.cookies.clear()
    browser.get("/masuk")
    browser.client.cookies.set("jht", planted)
    answer = browser.post("/masuk", "/akun", identifier=BUDI, password=PASSWORD)
    assert answer.status_code == 303
    assert answer.cookies["jht"] != planted
    site.forget()
    thief = site.browser()
    thief.client.cookies.set("jht", planted)
    assert thief.get("/saldo").headers["location"] == "/masuk?kabar=lewat"


def test_logging_out_ends_the_session_for_whoever_kept_the_cookie(site: Site) -> None:
    browser = site.browser(BUDI)
    kept = browser.client.cookies["jht"]
    answer = browser.post("/keluar", "/akun")
    assert answer.headers["location"] == "/masuk?kabar=keluar"
    assert "Anda sudah keluar." in browser.get("/masuk?kabar=keluar").text
    browser.client.cookies.set("jht", kept)
    assert browser.get("/saldo").headers["location"] == "/masuk?kabar=lewat"


def test_a_notice_that_does_not_exist_is_not_shown(still: Site) -> None:
    assert "status" not in still.browser().get("/masuk?kabar=<script>").text.partition("<main")[2]


@pytest.mark.parametrize(
    "path", ["/saldo", "/saldo/" + "x" * 22, "/iuran", "/kartu", "/akun", "/akun/akses", "/akun/data"]
)
def test_a_guest_is_sent_to_the_login(still: Site, path: str) -> None:
    answer = still.browser().get(path)
    assert (answer.status_code, answer.headers["location"]) == (303, "/masuk")


def test_forgetting_a_password_answers_the_same_for_everybody_and_the_link_sets_another(site: Site) -> None:
    browser, site_mails = site.browser(), site.letters
    site_mails()
    pages = []
    for identifier in (BUDI, "orang@lain.id"):
        assert browser.post("/lupa", identifier=identifier).headers["location"] == "/lupa?kabar=terkirim"
        pages.append(browser.get("/lupa?kabar=terkirim").text)
    assert pages[0] == pages[1]
    (letter,) = site_mails()
    address = f"/sandi/{letter.details['token']}"
    weak = browser.post(address, password=BUDI)
    assert (weak.status_code, title(weak.text)) == (422, "Ada isian yang perlu diperbaiki. Kata sandi baru – Saldo JHT")
    elsewhere = site.browser(BUDI)
    assert browser.post(address, password=SECRET).headers["location"] == "/masuk?kabar=sandi"
    assert elsewhere.get("/saldo").headers["location"] == "/masuk?kabar=lewat", "every session has ended"
    assert browser.login(password=PASSWORD).status_code == 401
    assert browser.login(password=SECRET).status_code == 303
    assert browser.get(address).status_code == 410


def test_an_empty_name_sends_nothing(still: Site) -> None:
    still.letters()
    answer = still.browser().post("/lupa", identifier=" ")
    assert answer.status_code == 422
    assert still.letters() == []


def test_a_link_for_something_else_sets_no_password(site: Site) -> None:
    site.application.members.ask_reset(BUDI, site.acting())
    (letter,) = [one for one in site.letters() if one.kind == "reset"]
    browser = site.browser()
    assert browser.get(f"/tautan/{letter.details['token']}").headers["location"].startswith("/sandi/")
    assert browser.get("/sandi/" + "x" * 43).status_code == 410
