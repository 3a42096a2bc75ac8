"""The member's statements on the website and at the branch: files of the own cards, in the page's language."""

from __future__ import annotations

import re
from datetime import date

from tests.api.test_answer_codes import ask, later
from tests.api.web.site import ANI, BUDI, CARD, Site, faults, text


def handle(site: Site, person: str) -> str:
    return str(site.application.members.cards(person)[0].handle)


def test_a_member_downloads_a_year_as_any_file(site: Site) -> None:
    browser, address = site.browser(BUDI), f"/saldo/{handle(site, site.budi)}/laporan"
    page = browser.get(address)
    assert page.status_code == 200
    assert faults(page.text) == []
    links = re.findall(rf'href="({address}/[0-9]{{4}}\.[a-z]+)"', page.text)
    assert [link.rpartition(".")[2] for link in links[:3]] == ["csv", "xlsx", "pdf"]
    assert f"{address}/2026.pdf" in links
    paper = browser.get(f"{address}/2026.pdf")
    assert (paper.status_code, paper.headers["content-type"]) == (200, "application/pdf")
    assert paper.headers["content-disposition"] == 'attachment; filename="laporan-jht-2026.pdf"'
    assert paper.headers["cache-control"] == "no-store"
    assert paper.content.startswith(b"%PDF-")
    table = browser.get(f"{address}/2026.csv").content.decode("utf-8-sig")
    assert table.startswith("Baris;Iuran bulan;NPP;Perusahaan;")
    (code,) = re.findall(r"kode jawaban;.*;([0-9A-Z-]{42})", table)
    assert site.application.codes.open(code).kind == "statement"
    for wrong in ("2026.exe", "26.pdf", "2026.pdf.pdf", "x"):
        assert browser.get(f"{address}/{wrong}").status_code == 404, wrong
    ahead = browser.get(f"{address}/2027.pdf")
    assert ahead.status_code == 400
    assert "2027" in text(ahead.text)


def test_nobody_gets_another_members_statement(site: Site) -> None:
    other = handle(site, site.ani)
    for path in (f"/saldo/{other}/laporan", f"/saldo/{other}/laporan/2026.pdf"):
        assert site.browser(BUDI).get(path).status_code == 404
        assert site.browser(ANI).get(path).status_code == 200
    assert CARD


def test_a_member_sees_what_was_said_on_a_day_and_why_it_is_another_balance_now(site: Site) -> None:
    address = f"/saldo/{handle(site, site.budi)}/laporan"
    before = site.browser(BUDI).get(f"{address}/2026.csv").content.decode("utf-8-sig")
    later(site)
    browser = site.browser(BUDI)
    page = browser.get(f"{address}?day=21&month=11&year=2026")
    assert (page.status_code, faults(page.text)) == (200, [])
    said = text(page.text)
    for part in ("Per 21 November 2026", "Rp855.000", "Rp1.425.000", "baru tercatat pada 31 Desember 2026: Rp285.000"):
        assert part in said
    assert "What has changed since" in text(site.browser(BUDI, "en").get(f"{address}?day=21&month=11&year=2026").text)
    # The statements of then are those of then, and their code leads back to them.
    assert f'href="{address}/2026.pdf?pada=2026-11-21"' in page.text
    then = browser.get(f"{address}/2026.csv?pada=2026-11-21").content.decode("utf-8-sig")
    assert then == before
    (code,) = re.findall(r"kode jawaban;.*;([0-9A-Z-]{42})", then)
    _, answer = ask(site, code)
    assert (answer["statement"]["closing"], answer["statement"]["year"]) == (855_000, 2026)
    assert browser.get(f"{address}/2026.pdf?pada=2026-11-21").content.startswith(b"%PDF-")
    yesterday = text(browser.get(f"{address}?day=30&month=12&year=2026").text)
    assert "Rp855.000" in yesterday, "what came the day after was not known"


def test_a_day_of_which_nothing_can_be_said_is_told_as_such(site: Site) -> None:
    address, browser = f"/saldo/{handle(site, site.budi)}/laporan", site.browser(BUDI)
    for given, expected in (
        ("day=&month=2&year=2026", "Isi tanggal"), ("day=30&month=2&year=2026", "Tanggal itu tidak ada"),
        ("day=21&month=11&year=2026", "Tanggal itu tidak ada"), ("day=x&month=1&year=2026", "Tanggal itu tidak ada"),
        ("day=1&month=1&year=2020", "belum ada yang tercatat"), ("day=%00&month=1&year=99999", "Tanggal itu tidak ada"),
    ):  # fmt: skip
        page = browser.get(f"{address}?{given}")
        assert (page.status_code, faults(page.text), expected in text(page.text)) == (422, [], True), given
    for day, status in (("x", 404), ("2026-02-30", 404), ("2020-01-01", 400), ("2030-01-01", 400)):
        assert browser.get(f"{address}/2026.pdf?pada={day}").status_code == status, day
    assert date.fromisoformat("2026-11-21") == site.clock.date()
