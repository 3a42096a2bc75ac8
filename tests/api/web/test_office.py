"""The office's door: who may come in, what is asked before anything is shown, and that every look is recorded."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

import pytest

from api.access import guard
from api.access.sessions import STAFF
from api.web.office import search
from api.web.office.views import View, handle_of
from ledger.acts import scheme
from ledger.identifiers import card_number, member_stream
from ledger.receipt import Header
from ledger.settings import Settings
from tests.api.phone import Phone
from tests.api.web.branch import BARE, CARD, NOBODYS, ON_FILE, OTHERS, SECOND, Branch, Browser
from tests.conftest import NOW
from tests.office import nik

PASSWORD = "empat kuda benar"


@pytest.fixture
def branch(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Branch]:
    # The real pauses after a wrong password are measured where the login is tested.
    monkeypatch.setattr(guard, "SLOW_SECONDS", (0.0,))
    with Branch(settings) as made:
        yield made


def pages(branch: Branch, browser: Browser, number: int = 2) -> list[tuple[str, str, str]]:
    """(method, address, role) of every route of the door, with handles of this browser's own session if it has one."""
    session = branch.application.identity.sessions.find(browser.token, branch.api.clock)
    handle, proposal = "x" * 40, "p" * 16
    if session is not None:
        view = View.begin(branch.budi, CARD, "counter-visit", branch.api.clock)
        handle = handle_of(branch.application.members.vault, session, view)
        cards = {"old": CARD, "new": SECOND}
        proposal = branch.application.identity.proposals.put(
            "merge", branch.budi, cards, "member-asked", "1.1", "wati", branch.api.clock
        )
    person, queue = f"/kantor/peserta/{handle}", "/kantor/permintaan"
    return [
        ("GET", "/kantor", "counter"), ("POST", "/kantor", "counter"), ("POST", "/kantor/keluar", "counter"),
        ("GET", person, "counter"), ("POST", person, "counter"), ("GET", f"{person}/surat", "counter"),
        ("GET", f"{person}/laporan/1/2025.pdf", "counter"),
        ("GET", queue, "supervisor"), ("GET", f"{queue}/{handle}/{number}", "supervisor"),
        ("POST", f"{queue}/{handle}/{number}", "supervisor"),
        ("GET", "/kantor/hp-hilang", "supervisor"), ("POST", "/kantor/hp-hilang", "supervisor"),
        ("GET", "/kantor/usulan", "counter"), ("GET", f"/kantor/usulan/{proposal}", "supervisor"),
        ("POST", f"/kantor/usulan/{proposal}", "supervisor"),
        ("GET", "/kantor/hasil", "supervisor"), ("POST", "/kantor/hasil", "supervisor"),
    ]  # fmt: skip


def test_the_walk_knows_every_route_of_the_door(branch: Branch) -> None:
    routes = {
        (method, route.path)
        for route in branch.api.app.router.routes
        if getattr(route, "path", "").startswith("/kantor")
        for method in route.methods - {"HEAD"}
    }
    walked = {(method, path.replace("x" * 40, "{view}")) for method, path, _ in pages(branch, branch.browser())}
    walked = {(method, path.replace("1/2025.pdf", "{card:int}/{file}")) for method, path in walked}
    walked = {(method, path.replace("/2", "/{number:int}").replace("p" * 16, "{proposal}")) for method, path in walked}
    way_in = {("GET", "/kantor/masuk"), ("POST", "/kantor/masuk"), ("GET", "/kantor/kode"), ("POST", "/kantor/kode")}
    assert routes == walked | way_in | {("POST", "/kantor/kode/hilang")}


def test_without_a_login_of_the_staff_every_page_leads_to_the_entrance_and_nothing_is_read(branch: Branch) -> None:
    for browser in (branch.browser(), branch.member(), branch.employer()):
        browser.get("/")
        for method, address, _ in pages(branch, browser):
            said = browser.get(address) if method == "GET" else browser.post(address, tindakan="tutup", nomor=CARD)
            assert (browser.status, browser.headers["location"].partition("?")[0]) == (303, "/kantor/masuk"), address
            assert "Budi" not in said
    assert branch.looks() == []
    assert branch.state() == "active"


def test_a_counter_clerk_cannot_do_what_a_supervisor_does_who_can_do_all(branch: Branch) -> None:
    branch.active()
    clerk, supervisor = branch.staff(), branch.supervisor()
    number = branch.application.members.request_data(branch.budi, "erase", "", branch.acting())
    branch.letters()
    for browser in (clerk, supervisor):
        for method, address, role in pages(branch, browser, number):
            if address.endswith("/keluar"):
                continue
            branch.api.follow()
            browser.get("/kantor")
            _ = browser.get(address) if method == "GET" else browser.post(address)
            if browser is clerk and role == "supervisor":
                assert browser.status == 403, address
                assert "role-missing" in browser.page
            else:
                assert browser.status in {200, 409, 422}, (address, browser.status)
    address = clerk.search()
    clerk.post(address, tindakan="tutup", ktp="ya")
    assert (clerk.status, branch.state()) == (403, "active")


def test_staff_log_in_by_name_and_password_and_out_again(branch: Branch) -> None:
    hashed = branch.application.identity.passwords._hash.hash(PASSWORD)
    branch.application.identity.users.create("sari", STAFF, hashed, NOW, roles=["counter"])
    browser = branch.member()
    old = browser.token
    browser.get("/kantor/masuk")
    browser.post("/kantor/masuk", nama="sari", sandi="empat kuda salah")
    assert browser.status == 401
    assert "Periksa nama pengguna" in browser.text
    assert PASSWORD not in browser.page
    browser.post("/kantor/masuk", nama=" Sari ", sandi=PASSWORD)
    assert (browser.status, browser.headers["location"]) == (303, "/kantor/kode")
    assert branch.application.identity.sessions.find(old, NOW) is None  # the member's, which the browser had before
    browser.follow()
    browser.post("/kantor/kode", kode=Phone.of(browser.page).code(branch.api.clock))
    assert (browser.status, browser.headers["location"]) == (303, "/kantor")
    assert "Petugas layanan" in browser.get("/kantor")
    staff = browser.token
    browser.post("/kantor/keluar")
    assert branch.application.identity.sessions.find(staff, NOW) is None
    browser.get("/kantor")
    assert browser.headers["location"].startswith("/kantor/masuk")


def test_an_idle_clerk_is_out(branch: Branch) -> None:
    clerk = branch.staff()
    branch.wait(minutes=branch.api.settings.session_idle_minutes + 1)
    clerk.get("/kantor")
    assert clerk.headers["location"] == "/kantor/masuk?kabar=lewat"
    assert "berakhir" in clerk.follow()


def test_a_search_without_a_reason_or_a_number_shows_and_records_nothing(branch: Branch) -> None:
    clerk = branch.staff()
    clerk.get("/kantor")
    for number, why in (
        (CARD, ""),
        (CARD, "curiosity"),
        (CARD, "data-request"),
        ("budi", "complaint"),
        ("", "complaint"),
    ):
        clerk.post("/kantor", nomor=number, alasan=why)
        assert clerk.status == 422
        assert "<title>Ada isian yang perlu diperbaiki" in clerk.page
    assert branch.looks() == []


def test_every_search_and_every_look_is_recorded_with_its_reason_also_when_nothing_is_found(branch: Branch) -> None:
    clerk = branch.staff()
    address = clerk.search(f" {CARD[:4]} {CARD[4:]} ", "complaint")
    clerk.get(f"{address}/surat")
    clerk.get("/kantor")
    for number in (NOBODYS, nik(77)):
        clerk.post("/kantor", nomor=number, alasan="phone-call")
        assert (clerk.status, "Tidak ada peserta" in clerk.text) == (404, True)
    clerk.search(nik(1), "claim-help")
    key, page = ("user:sari", "office"), "/kantor/peserta/{view}"
    assert sorted(branch.looks()) == sorted(
        [
            (CARD, *key, "complaint", "/kantor"),
            (branch.budi, *key, "complaint", page),
            (branch.budi, *key, "complaint", f"{page}/surat"),
            (NOBODYS, *key, "phone-call", "/kantor"),
            (search.NO_NIK, *key, "phone-call", "/kantor"),
            (branch.budi, *key, "claim-help", "/kantor"),
            (branch.budi, *key, "claim-help", page),
        ]
    )


def test_the_page_tells_who_opened_the_data_this_look_first(branch: Branch) -> None:
    branch.staff(name="rudi").search(CARD, "claim-help")
    branch.wait(seconds=1)
    clerk = branch.staff()
    clerk.search()
    told = clerk.text.partition("Siapa yang membuka data ini")[2]
    assert told.index("Petugas sari , Kantor cabang") < told.index("Petugas rudi , Kantor cabang")
    assert told.index("Tanya saldo di loket") < told.index("Bantuan klaim di loket")


def test_what_cannot_be_recorded_is_not_shown(branch: Branch) -> None:
    clerk = branch.staff()
    address = clerk.search()
    asked = [("GET", address), ("GET", f"{address}/surat"), ("POST", "/kantor")]
    recorder = branch.application.recorder

    def fail(_: object) -> None:
        raise OSError

    recorder._insert = fail  # type: ignore[method-assign, assignment]
    for method, where in asked:
        clerk.get("/kantor")
        _ = clerk.get(where) if method == "GET" else clerk.post(where, nomor=CARD, alasan="complaint")
        assert (clerk.status, "record-unavailable" in clerk.page) == (503, True)
        assert "Budi" not in clerk.page


def test_no_number_of_a_person_stands_in_an_address_and_only_masked_on_the_page(branch: Branch) -> None:
    clerk = branch.staff()
    address = clerk.search(nik(1))
    assert not {nik(1), CARD, branch.budi, "26000000017"} & set(address.replace("-", "/").split("/"))
    assert CARD not in address
    for path in (address, f"{address}/surat"):
        clerk.get(path)
        assert clerk.status == 200
        assert nik(1) not in clerk.page
        assert f"{nik(1)[:4]}********{nik(1)[-4:]}" in clerk.page
        assert ON_FILE not in clerk.page
        assert "08123456" not in clerk.page
        assert branch.budi not in clerk.page


def test_an_address_opens_nothing_later_elsewhere_or_when_it_was_changed(branch: Branch) -> None:
    clerk, other = branch.staff(), branch.staff(name="rudi")
    address = clerk.search()
    changed = address[:-9] + ("A" if address[-9] != "A" else "B") + address[-8:]
    for browser, path in (
        (other, address),
        (clerk, changed),
        (clerk, "/kantor/peserta/abc"),
        (clerk, f"{changed}/surat"),
    ):
        said = browser.get(path)
        assert (browser.status, "view-over" in said, "Budi" in said) == (410, True, False)
    branch.wait(minutes=9)
    branch.api.follow()
    clerk.get(address)
    assert clerk.status == 200
    branch.wait(minutes=1)
    clerk.get(address)
    assert clerk.status == 410
    again = branch.staff()  # the same clerk after a new login
    again.get(address)
    assert again.status == 410


def test_a_clerk_who_searches_like_a_program_is_stopped(branch: Branch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "MOST_SEARCHES", "3/hour")
    clerk = branch.staff()
    clerk.get("/kantor")
    for _ in range(3):
        clerk.post("/kantor", nomor=NOBODYS, alasan="complaint")
        assert clerk.status == 404
    clerk.post("/kantor", nomor=CARD, alasan="complaint")
    assert clerk.status == 429
    assert len(branch.looks()) == 3


def test_a_form_of_another_site_changes_nothing(branch: Branch) -> None:
    branch.active()
    supervisor = branch.supervisor()
    address = supervisor.search()
    supervisor.post(address, tindakan="tutup", csrf="")
    assert (supervisor.status, branch.state()) == (403, "active")
    supervisor.get(address)
    other = branch.staff()
    other.get("/kantor")
    supervisor.page = other.page
    supervisor.post(address, tindakan="tutup")
    assert (supervisor.status, branch.state()) == (403, "active")


def test_the_letter_says_which_months_have_not_come_why_and_up_to_when_payments_are_known(branch: Branch) -> None:
    clerk = branch.staff()
    clerk.get(f"{clerk.search()}/surat")
    words = clerk.text
    told = r"(Januari 2025–Agustus 2026[^.]*) {} \d+ bulan belum masuk\. Belum diterima dari PT 10000001, dan jatuh"
    assert re.search(told.format(CARD), words), words
    assert words.count("Belum diterima dari PT 10000001") == 2, "one sentence for each card"
    assert "Data pembayaran lengkap sampai 20 November 2026." in words
    who = Header("test", "test", "", "feed-incomplete")
    scheme.complete(branch.api.log, date(2024, 12, 31), who, lambda: NOW)
    branch.api.follow()
    clerk.get(f"{clerk.search()}/surat")
    assert "Belum diterima" not in clerk.text
    assert "Data pembayaran lengkap sampai 31 Desember 2024." in clerk.text


def test_the_balances_are_those_of_every_channel(branch: Branch) -> None:
    clerk = branch.staff()
    clerk.search()
    balance = branch.api.client.get(f"/v1/accounts/{CARD}/balance", headers=branch.api.key()).json()
    assert balance["balance"] == 570_000
    assert '<span class="amount mid"><span class="rp">Rp</span>570.000</span>' in clerk.page
    assert "Per 21 November 2026, pukul 10.00 WIB" in clerk.text
    assert "Akses ini dicatat" in clerk.text
    assert "Belum ada iuran yang masuk" in clerk.text  # the second card's zero says why
    waits = "dengan NIK yang bukan milik pemegang kartu. PT 10000001 perlu membetulkan datanya."
    assert waits in clerk.text
    clerk.search(BARE)
    assert "Belum ada iuran yang masuk" in clerk.text


def test_a_stale_or_empty_read_side_shows_a_sentence_and_never_a_zero(branch: Branch) -> None:
    clerk = branch.staff()
    address = clerk.search()
    branch.wait(minutes=5)
    said = clerk.get(address)
    assert clerk.status == 200
    assert "Pembaruan saldo sedang tertunda" in clerk.text
    assert "bukan berarti saldonya nol" in clerk.text
    assert 'class="rp"' not in said
    clerk.get(f"{address}/surat")
    assert (clerk.status, "read-side-stale" in clerk.page, "Rp" in clerk.text) == (503, True, False)


def test_one_card_under_examination_hides_no_other_and_prints_no_letter(branch: Branch) -> None:
    live = branch.api.store.pointers().live["balances"]
    with branch.api.store.database(live).write() as tx:
        tx.insert(f"{live.table}_incomplete", {"card": [card_number(SECOND)], "since": [3]}, "bigint bigint")
    clerk = branch.staff()
    address = clerk.search()
    assert "570.000" in clerk.page
    assert "Satu catatan di kartu ini sedang diperiksa" in clerk.text
    clerk.get(f"{address}/surat")
    assert (clerk.status, "account-incomplete" in clerk.page) == (503, True)


def test_the_letter_says_who_what_and_until_which_record(branch: Branch) -> None:
    clerk = branch.staff()
    address = clerk.search()
    said = clerk.get(f"{address}/surat")
    position = branch.api.client.get(f"/v1/accounts/{CARD}/balance", headers=branch.api.key()).json()["as_of"][
        "position"
    ]
    for part in ("Budi Santoso 1", CARD, SECOND, "Rp570.000", position, "21 November 2026", "sari"):
        assert part in said
    assert OTHERS not in said
    assert 'class="doc"' in said
    codes = dict(re.findall(r'kartu ([0-9]{11}) <b class="code">([0-9A-Z-]{38})</b>', said))
    assert set(codes) == {CARD, SECOND}
    for kpj, code in codes.items():
        given = branch.api.client.get(f"/v1/answers/{code}", headers=branch.api.key()).json()
        then = given["given"]["then"]
        assert (given["kind"], then["kpj"], then["as_of"]["position"]) == ("letter", kpj, position)
        assert f"Rp{then['balance']:,}".replace(",", ".") in said


def test_names_cannot_bring_markup_into_a_page(branch: Branch) -> None:
    from ledger.acts import person as persons

    evil = "<script>alert(1)</script>\"'><img src=x>"
    application = branch.application
    persons.correct(application.log, application.members.vault, branch.budi, {"name": evil}, "test", "test", NOW,
                    also=application.members.after_correction(branch.budi, branch.acting()))  # fmt: skip
    branch.api.follow()
    supervisor = branch.supervisor()
    address = supervisor.search()
    branch.active()
    number = application.members.request_data(branch.budi, "correct", evil, branch.acting())
    queue = supervisor.get(address).split('href="/kantor/permintaan/')[1].split('"')[0]
    for path in (address, f"{address}/surat", f"/kantor/permintaan/{queue}"):
        said = supervisor.get(path)
        assert supervisor.status == 200
        assert "alert(1)" in said
        assert "<script" not in said
        assert "<img" not in said
    assert queue.endswith(f"/{number}")
    assert application.log.events(member_stream(branch.budi))


def test_every_page_speaks_both_languages_and_keeps_everything_out(branch: Branch) -> None:
    branch.active()
    number = branch.application.members.request_data(branch.budi, "export", "", branch.acting())
    supervisor = branch.supervisor()
    paths = [path for method, path, _ in pages(branch, supervisor, number) if method == "GET" and "laporan" not in path]
    seen: dict[str, str] = {}
    for language in ("id", "en"):
        for path in paths:
            said = supervisor.get(path, language)
            assert supervisor.status == 200, path
            assert f'<html lang="{language}">' in said
            assert seen.get(path) != said
            seen[path] = said
            assert supervisor.headers["cache-control"] == "no-store"
            assert "default-src 'none'" in supervisor.headers["content-security-policy"]
            assert "style=" not in said
            assert "<script" not in said
            assert said.count("<h1") == 1


def test_contacts_that_the_member_asked_for_are_shown_and_nothing_can_be_done_with_them(branch: Branch) -> None:
    branch.active()
    members = branch.application.members
    members.ask_contact(branch.budi, "email", "baru@contoh.id", branch.acting())
    agree = next(one.details["token"] for one in branch.letters() if one.to == ON_FILE)
    members.use_link(agree, branch.acting())
    members.ask_contact(branch.budi, "phone", "+6281299990000", branch.acting())
    clerk = branch.staff()
    clerk.search()
    told = "Kontak baru yang menunggu baru@contoh.id Tinggal dibuktikan 0812-9999-0000 Menunggu persetujuan"
    assert told in clerk.text
    assert "belum ada yang berubah" in clerk.text
