"""The employers' door: who may come in, what is recorded, and what was booked for an employer's workers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

import pytest

from api.access import guard
from api.web.employer import months
from ledger.acts import scheme
from ledger.receipt import Header
from ledger.settings import Settings
from tests.api.peopled import hashed
from tests.api.web.payroll import EVIL, FIFTH, HOME, MISTYPED, ONE, TWO, Clerk, Payroll, wages
from tests.api.web.site import faults, text
from tests.conftest import NOW
from tests.office import NPP, OTHER_NPP, line

PASSWORD = "empat kuda benar"


@pytest.fixture
def payroll(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Payroll]:
    # The real pauses after a wrong password are measured where the login is tested.
    monkeypatch.setattr(guard, "SLOW_SECONDS", (0.0,) * 5)
    with Payroll(settings) as made:
        made.fill()
        yield made


def pages(npp: str = NPP, handle: str = "a" * 20) -> list[tuple[str, str]]:
    """(method, address) of every route of the door behind the login."""
    home = f"/perusahaan/{npp}"
    return [
        ("GET", "/perusahaan"), ("POST", "/perusahaan/keluar"), ("GET", home), ("POST", home),
        ("GET", f"{home}/hasil/{handle}"), ("GET", f"{home}/hasil/{handle}/diterima.csv"),
        ("GET", f"{home}/iuran"), ("GET", f"{home}/iuran/2026-10"),
    ]  # fmt: skip


def test_the_walk_knows_every_route_of_the_door(payroll: Payroll) -> None:
    routes = {
        (method, route.path)
        for route in payroll.app.router.routes
        if getattr(route, "path", "").startswith("/perusahaan")
        for method in route.methods - {"HEAD"}
    }
    places = ((NPP, "{npp}"), ("a" * 20, "{handle}"), ("diterima.csv", "{file}"), ("2026-10", "{month}"))
    walked = set(pages())
    for value, place in places:
        walked = {(method, path.replace(value, place)) for method, path in walked}
    assert routes == walked | {("GET", "/perusahaan/masuk"), ("POST", "/perusahaan/masuk")}


def walk(browser: Clerk, npp: str, handle: str) -> Iterator[tuple[str, int, str, str]]:
    for method, address in pages(npp, handle):
        if address.endswith("/keluar"):
            continue
        said = browser.get(address) if method == "GET" else browser.upload(wages(ONE), home=address)
        yield address, said.status_code, said.headers.get("location", ""), said.text


def test_nobody_members_and_staff_are_led_to_the_entrance_and_see_nothing(payroll: Payroll) -> None:
    handle = payroll.clerk().check(wages(ONE)).rpartition("/")[2]
    before = payroll.looks()
    for browser in (payroll.visitor(), payroll.member(), payroll.staff()):
        for address, status, leads, page in walk(browser, NPP, handle):
            assert (status, leads.partition("?")[0]) == (303, "/perusahaan/masuk"), address
            assert ONE not in page
    assert payroll.looks() == before


def test_another_employers_user_gets_the_same_refusal_for_an_employer_that_exists_and_one_that_does_not(
    payroll: Payroll,
) -> None:
    handle = payroll.clerk().check(wages(ONE)).rpartition("/")[2]
    before = payroll.looks()
    other = payroll.clerk(OTHER_NPP, name="lain")
    for address, status, _, page in walk(other, NPP, handle):
        if address == "/perusahaan":
            continue
        unknown = other.get(address.replace(NPP, "99999999"))
        assert (status, unknown.status_code) == (403, 403), address
        assert text(page) == text(unknown.text)
        assert "script" not in text(page)
        assert faults(page) == []
    assert [look for look in payroll.looks() if look not in before] == []
    for npp in ("1", "abc", "1000000１"):
        assert other.get(f"/perusahaan/{npp}").status_code == 403


def test_a_user_comes_in_with_a_new_session_and_goes_out_for_good(payroll: Payroll) -> None:
    payroll.application.identity.users.create("rini", "employer", hashed(PASSWORD), NOW, npps=[int(NPP)])
    browser, name = payroll.visitor(), payroll.application.identity.cookies.session_name
    assert faults(browser.get("/perusahaan/masuk").text) == []
    wrong = browser.post("/perusahaan/masuk", nama="rini", sandi="bukan ini")
    assert (wrong.status_code, faults(wrong.text), name in browser.client.cookies) == (401, [], False)
    assert "Tidak dapat masuk. Periksa nama pengguna dan kata sandi." in text(wrong.text)
    assert browser.post("/perusahaan/masuk", nama=" RINI ", sandi=PASSWORD).headers["location"] == "/perusahaan"
    first = browser.client.cookies[name]
    assert browser.get("/perusahaan").headers["location"] == HOME
    assert browser.get("/perusahaan/masuk").headers["location"] == "/perusahaan"
    result = browser.check(wages(ONE))
    out = browser.post("/perusahaan/keluar", page=HOME)
    assert (out.status_code, out.headers["location"]) == (303, "/perusahaan/masuk")
    browser.client.cookies.set(name, first, domain="testserver.local")
    payroll.application.identity.sessions._remembered.clear()
    assert browser.get(result).headers["location"] == "/perusahaan/masuk?kabar=lewat"
    assert payroll.application.identity.sessions.find(first, NOW) is None


def test_what_a_session_had_checked_is_dropped_with_it(payroll: Payroll) -> None:
    clerk = payroll.clerk()
    result = clerk.check(wages(ONE))
    session = payroll.application.identity.sessions.find(
        clerk.client.cookies[payroll.application.identity.cookies.session_name], NOW
    )
    assert session is not None
    other = payroll.clerk(name="rekan")
    assert (other.get(result).status_code, clerk.get(result).status_code) == (410, 200)
    clerk.post("/perusahaan/keluar", page=HOME)
    assert clerk.carry("employer", "hrd", 0).get(result).status_code == 410


def test_a_user_of_several_employers_chooses_and_changes(payroll: Payroll) -> None:
    clerk = payroll.clerk(NPP, OTHER_NPP)
    said = clerk.read("/perusahaan")
    assert NPP in said
    assert OTHER_NPP in said
    assert "PT Kedua" in said
    assert "Ganti perusahaan" in clerk.get(f"/perusahaan/{OTHER_NPP}").text
    assert "Ganti perusahaan" not in payroll.clerk(name="satu").get(HOME).text


@pytest.mark.parametrize("language", ["id", "en"])
def test_every_page_is_whole_in_both_languages_and_names_are_only_text(payroll: Payroll, language: str) -> None:
    clerk = payroll.clerk(NPP, OTHER_NPP, language=language)
    result = clerk.check(wages(ONE, MISTYPED, "x", ONE))
    shown = "PT <script>alert(1)</script> &amp; &#34;Rekan&#34;".replace("<", "&lt;").replace(">", "&gt;")
    for address in ("/perusahaan", HOME, result, f"{HOME}/iuran", f"{HOME}/iuran/2026-10", f"{HOME}/iuran/2026-08"):
        page = clerk.get(address)
        assert (page.status_code, faults(page.text)) == (200, []), address
        assert shown in page.text, address
        assert EVIL not in page.text
        assert page.headers["content-language"] == language
        assert "default-src 'none'" in page.headers["content-security-policy"]
        assert page.headers["cache-control"] == "no-store"


def test_the_year_tells_what_was_booked_held_and_taken_back(payroll: Payroll) -> None:
    said = payroll.clerk().read(f"{HOME}/iuran")
    # 5,7 % of 3 x 5.000.000 + 9.000.000, of 2 x 5.000.000; a held line and a reversed one count for nothing
    for words in (
        "September 2026 4 Rp888.000 Rp480.000 Rp1.368.000 12 Oktober 2026, 13 Oktober 2026",
        "Oktober 2026 Ditahan: 1 baris, Rp285.000 2 Rp370.000 Rp200.000 Rp570.000 14 November 2026",
        "Agustus 2026 Dibatalkan: 1 baris, Rp285.000 0 Rp0 Rp0 Rp0",
    ):
        assert words in said
    assert payroll.looks()[-1] == (f"{NPP}:2026", "user:hrd", "/perusahaan/{npp}/iuran")


def test_the_totals_of_a_year_are_those_of_new_money_at_once(payroll: Payroll) -> None:
    clerk = payroll.clerk()
    assert "Rp570.000" in clerk.read(f"{HOME}/iuran")
    payroll.office.contribute(line(ONE, 1_000_000, kind="supplement"), request="r7")
    assert "Rp627.000" in clerk.read(f"{HOME}/iuran")


def test_months_with_workers_and_without_money_are_shown_with_what_to_do(payroll: Payroll) -> None:
    clerk = payroll.clerk()
    said = clerk.read(f"{HOME}/iuran")
    assert "Data pembayaran lengkap sampai 20 November 2026." in said
    assert "Bulan tanpa iuran, 2026" in said
    assert said.count("Belum masuk Belum ada iuran yang kami terima.") == 1, "one sentence for all such months"
    assert "Juli 2026 4 pekerja Jatuh tempo 18 Agustus 2026." in said
    assert "Bawa bukti bayarnya ke kantor cabang" in said
    for month in ("Agustus", "September", "Oktober"):
        assert f"{month} 2026 4 pekerja" not in said, "something was received, even if it was taken back"
    assert "Bulan tanpa iuran, 2025" in clerk.read(f"{HOME}/iuran?tahun=2025")
    scheme.complete(payroll.log, date(2026, 7, 31), Header("test", "test", "", "feed-incomplete"), lambda: NOW)
    said = clerk.read(f"{HOME}/iuran")
    assert said.index("Masih ditunggu Sudah jatuh tempo, tetapi data pembayaran") < said.index("Juli 2026 4 pekerja")


def test_a_year_without_money_leads_to_the_newest(payroll: Payroll) -> None:
    clerk = payroll.clerk()
    assert clerk.get(f"{HOME}/iuran?tahun=1999").headers["location"] == f"{HOME}/iuran"
    assert clerk.get(f"{HOME}/iuran?tahun=//x.example").headers["location"] == f"{HOME}/iuran"
    assert clerk.get(f"{HOME}/iuran?tahun=2026").status_code == 200


def test_an_employer_without_money_is_told_so_and_sees_no_zero(payroll: Payroll) -> None:
    payroll.office.employers("10000003")
    said = payroll.clerk("10000003", name="baru").read("/perusahaan/10000003/iuran")
    assert "Belum ada iuran yang tercatat" in said
    assert "Rp0" not in said


def test_a_month_shows_each_line_with_its_state_and_reason(payroll: Payroll) -> None:
    said = payroll.clerk().read(f"{HOME}/iuran/2026-10")
    assert f"{ONE} Rp5.000.000 Rp185.000 Rp100.000 14 November 2026 Dibukukan" in said
    assert f"{MISTYPED} Rp5.000.000 Rp185.000 Rp100.000 14 November 2026 Ditahan" in said
    assert "belum terdaftar" in said
    assert FIFTH not in said
    assert payroll.looks()[-1] == (f"{NPP}:2026-10", "user:hrd", "/perusahaan/{npp}/iuran/{month}")
    assert "Dibatalkan" in payroll.clerk().read(f"{HOME}/iuran/2026-08")


def test_the_lines_of_a_month_go_on_behind_the_last_one_even_when_money_comes_in_between(
    payroll: Payroll, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(months, "PAGE", 2)
    clerk = payroll.clerk()
    first = clerk.get(f"{HOME}/iuran/2026-09").text
    more = first.partition("?sesudah=")[2].partition('"')[0]
    assert re.fullmatch(r"[0-9]+-[0-9]+", more)
    payroll.office.contribute(
        line(TWO, 1_000_000, month="2026-09", paid_on="2026-10-20", kind="supplement"), request="r7"
    )
    seen, pages = [first], 1
    while more:
        page = clerk.get(f"{HOME}/iuran/2026-09?sesudah={more}").text
        seen.append(page)
        more, pages = page.partition("?sesudah=")[2].partition('"')[0], pages + 1
    assert pages == 3
    rows = [row.partition("<")[0] for page in seen for row in page.split('<th role="rowheader" scope="row">')[1:]]
    assert len(rows) == 5
    assert rows.count(TWO) == 2


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("iuran/2026-07", 404), ("iuran/2026-13", 404), ("iuran/x", 404), ("iuran/2026-10?sesudah=x", 400),
        ("iuran/2026-10?sesudah=000-99999999999999-1", 400), ("hasil/x", 410), ("hasil/x/y.csv", 410),
    ],
)  # fmt: skip
def test_what_is_not_there_is_a_page_that_says_so(payroll: Payroll, address: str, status: int) -> None:
    page = payroll.clerk().get(f"{HOME}/{address}")
    assert (page.status_code, faults(page.text)) == (status, [])


def test_without_a_record_nothing_is_shown(payroll: Payroll) -> None:
    clerk = payroll.clerk()
    result = clerk.check(wages(ONE))
    payroll.application.recorder._stuck = True
    for address in (f"{HOME}/iuran", f"{HOME}/iuran/2026-10", result, f"{result}/diterima.csv"):
        page = clerk.get(address)
        assert (page.status_code, page.headers["retry-after"]) == (503, "2"), address
        assert ONE not in page.text
    assert clerk.upload(wages(ONE)).status_code == 503
