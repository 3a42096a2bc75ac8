from __future__ import annotations

from tests.api.web.site import BUDI, CARD, PASSWORD, Browser, Site, faults, text
from tests.office import nik

SECRET = "lima kuda benar juga"


def change(browser: Browser, old: str = PASSWORD, password: str = SECRET) -> int:
    return browser.post("/akun/sandi", "/akun", old=old, password=password).status_code


def test_the_account_shows_who_one_is_and_hides_what_others_may_not_read_over_the_shoulder(site: Site) -> None:
    page = site.browser(BUDI).get("/akun").text
    assert "Budi Santoso 1" in page
    assert "3171********0001" in page
    assert "b***1@contoh.id" in page
    assert CARD in page
    assert nik(1) not in page
    assert BUDI not in page


def test_another_password_wants_the_old_one_and_ends_every_other_session(site: Site) -> None:
    browser, elsewhere = site.browser(BUDI), site.browser(BUDI)
    assert change(browser, old="salah sekali ini") == 422
    assert change(browser, password="pendek") == 422
    before = browser.client.cookies["jht"]
    assert change(browser) == 303
    assert browser.client.cookies["jht"] != before
    assert browser.get("/akun?kabar=sandi").status_code == 200
    assert elsewhere.get("/akun").headers["location"] == "/masuk?kabar=lewat"
    assert site.browser().login(password=PASSWORD).status_code == 401
    assert site.browser().login(password=SECRET).status_code == 303
    assert "password-changed" in {letter.kind for letter in site.letters()}


def test_the_old_password_cannot_be_guessed_in_an_open_session(site: Site) -> None:
    browser = site.browser(BUDI)
    assert [change(browser, old="salah sekali ini") for _ in range(6)] == [422] * 5 + [429]
    assert change(browser) == 429


def test_logging_out_everywhere_ends_this_session_too(site: Site) -> None:
    browser, elsewhere = site.browser(BUDI), site.browser(BUDI)
    assert browser.post("/akun/keluar-semua", "/akun").headers["location"] == "/masuk?kabar=semua"
    for one in (browser, elsewhere):
        assert one.get("/saldo").status_code == 303


def test_a_bound_phone_is_shown_whole_and_can_be_stopped(site: Site) -> None:
    from ledger.members import Phone

    members = site.application.members
    assert members.ask_phone(Phone("+6281234560001", nik(1), CARD), site.acting()) == "bound"
    browser = site.browser(BUDI)
    page = browser.get("/akun").text
    assert "0812-3456-0001" in page
    seen = members.about(site.budi).seen.text
    assert browser.post("/akun/hp", "/akun", versi=seen).headers["location"] == "/akun?kabar=hp"
    assert members.phone_owner("+6281234560001") is None


def test_only_the_phone_that_was_shown_is_stopped(site: Site) -> None:
    from ledger.members import Phone

    members, browser = site.application.members, site.browser(BUDI)
    members.ask_phone(Phone("+6281234560001", nik(1), CARD), site.acting())
    seen = members.about(site.budi).seen.text
    members.ask_phone(Phone("+6281299990000", nik(1), CARD), site.acting())
    for versi in (seen, "", "x.y", "1.1.1"):
        page = browser.post("/akun/hp", "/akun", versi=versi)
        assert (page.status_code, "Ada yang berubah sejak halaman ini dibuka" in page.text) == (409, True)
        assert faults(page.text) == []
    assert members.phone_owner("+6281234560001") == site.budi


def test_a_member_sees_first_who_else_looked_how_often_and_through_which_door(site: Site) -> None:
    browser = site.browser(BUDI)
    assert "Belum pernah dibuka orang lain" in text(browser.get("/akun/akses").text)
    browser.get("/saldo")
    for _ in range(2):
        site.client.get(f"/v1/accounts/{CARD}/balance", headers=site.key() | {"X-Reason": "counter-visit"})
    browser.get("/saldo")
    site.flush()
    page = browser.get("/akun/akses").text
    assert faults(page) == []
    assert "Dibuka orang lain 2 kali" in text(page)
    assert "Anda sendiri: 2 kali" in text(page)
    others, _, own = text(page).partition("Anda sendiri: 2 kali")
    assert others.count("Sistem lain, kunci") == others.count("Tanya saldo di loket") == 2
    assert "Anda sendiri" not in others
    assert own.count("Anda sendiri Website Kartu 26000000017") == 2
    assert "<details" in page
    assert '<details class="fold" open' not in page
    assert "Opened by others 2 times" in text(site.browser(BUDI, "en").get("/akun/akses").text)
    assert "Belum pernah dibuka orang lain" in text(site.browser("budi2@contoh.id").get("/akun/akses").text)


def test_more_looks_than_a_page_holds_are_on_the_next(site: Site) -> None:
    browser = site.browser(BUDI)
    for _ in range(52):
        browser.get("/saldo")
    site.flush()
    first = browser.get("/akun/akses").text
    assert "Anda sendiri: 52 kali" in text(first)
    assert first.count("Anda sendiri</td>") == 50
    more = first.partition('href="/akun/akses?sendiri=')[2].partition("#")[0]
    second = browser.get(f"/akun/akses?sendiri={more}").text
    assert second.count("Anda sendiri</td>") == 2
    assert '<details class="fold" open' in second
    for name in ("sebelum", "sendiri"):
        wrong = browser.get(f"/akun/akses?{name}=x")
        assert (wrong.status_code, faults(wrong.text)) == (400, [])


def test_a_request_about_ones_data_is_kept_answered_by_mail_and_asked_once(site: Site) -> None:
    browser = site.browser(BUDI)
    assert "Pilih salah satu permintaan." in text(browser.post("/akun/data", what="x").text)
    assert "Isi apa yang salah" in text(browser.post("/akun/data", what="correct", text=" ").text)
    assert "terlalu panjang" in text(browser.post("/akun/data", what="correct", text="x" * 1_001).text)
    asked = browser.post("/akun/data", what="correct", text="Nama saya <b>Budi</b>")
    assert asked.headers["location"] == "/akun/data?kabar=terkirim"
    page = browser.get("/akun/data?kabar=terkirim").text
    assert faults(page) == []
    assert "Permintaan Anda sudah kami terima." in text(page)
    assert "Perbaikan data Diminta 21 November 2026 Sedang dikerjakan" in text(page)
    assert "&lt;b&gt;Budi" in page
    assert "Permintaan yang sama sedang kami kerjakan." in text(
        browser.post("/akun/data", what="correct", text="y").text
    )
    assert [letter.kind for letter in site.letters()] == ["data-request"]
    (request,) = site.application.members.requests_of(site.budi)
    site.application.members.close_request(site.budi, request.number, "done", site.acting())
    assert "Selesai 21 November 2026" in text(browser.get("/akun/data").text)


def test_notices_are_chosen_by_boxes_and_by_nobody_who_saw_an_older_page(site: Site) -> None:
    from ledger.members import Phone
    from ledger.members.state import Notices

    members, browser = site.application.members, site.browser(BUDI)
    page = browser.get("/akun").text
    assert "belum ada nomor HP yang terhubung" in page
    seen = members.about(site.budi).seen.text
    refused = browser.post("/akun/kabar", "/akun", versi=seen, sms_posted="ya")
    assert (refused.status_code, "DAFTAR SALDO" in refused.text) == (422, True)
    done = browser.post("/akun/kabar", "/akun", versi=seen, mail_posted="ya", mail_missing="ya")
    assert done.headers["location"] == "/akun?kabar=kabar"
    assert "Pilihan kabar iuran sudah disimpan" in browser.get("/akun?kabar=kabar").text
    assert members.about(site.budi).notices == Notices(("posted", "missing"))
    assert browser.get("/akun").text.count(" checked") == 2
    assert browser.post("/akun/kabar", "/akun", versi=seen).status_code == 409
    assert members.ask_phone(Phone("+6281234560001", nik(1), CARD), site.acting()) == "bound"
    seen = members.about(site.budi).seen.text
    browser.post("/akun/kabar", "/akun", versi=seen, sms_missing="ya")
    assert members.about(site.budi).notices == Notices((), ("missing",))
    members.unbind_phone("+6281234560001", site.acting())
    assert members.about(site.budi).notices == Notices()
    assert "notices-chosen" in {letter.kind for letter in site.letters()}
