"""The member's statements on the website and at the branch: files of the own cards, in the page's language."""

from __future__ import annotations

import re

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
