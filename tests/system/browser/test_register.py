"""From the first page to the balance, as both seed texts describe it: register, verify by e-mail, log in."""

from __future__ import annotations

import re

import pytest

from tests.system.browser.conftest import Visit
from tests.system.browser.town import BALANCE, EMPLOYER, Town, links, words_of
from tests.system.browser.visitor import Visitor


def to_the_balance(visitor: Visitor, town: Town, segment: str) -> None:
    """Register, verify with the password; what the first page behind the login says."""
    who = town.somebody(segment)
    visitor.register(who)
    assert visitor.path == "/daftar/terkirim"
    letter = town.letter(who.email)
    said = re.sub(r"https?://\S+", "", words_of(letter))
    for clear in (who.nik, who.kpj, "Rp"):
        assert clear not in said, "a letter tells no number and no money"
    visitor.use(links(letter)[0])
    assert visitor.path == "/saldo", "who has proven the address and the password is in"
    visitor.log_out()
    visitor.log_in(who.email)
    assert visitor.path == "/saldo"
    assert visitor.balance() == BALANCE[segment]
    visitor.said(visitor.t("saldo.heading", n=1), who.kpj)


def test_a_worker_registers_and_reads_the_balance(each_visitor: Visitor, town: Town) -> None:
    visitor = each_visitor
    to_the_balance(visitor, town, "PU")
    t, page = visitor.t, visitor.page
    made_of = page.locator("dl.sum")
    assert re.sub(r"\s", "", made_of.inner_text()) == re.sub(
        r"\s",
        "",
        f"{t('saldo.employer')}Rp555.000{t('saldo.worker')}Rp300.000"
        f"{t('saldo.credited')}{t('saldo.credited_declared', year=2025)}Rp0{t('saldo.total')}Rp855.000",
    )
    # What has not come, and what is held, with its month and amount.
    visitor.said(t("saldo.missing"), t("saldo.absent_why"), EMPLOYER, t("saldo.held_why"), "Rp285.000")
    # The chart has words of its own, and a table for who cannot see it.
    assert {"id": "855,0 ribu", "en": "855.0 thousand"}[visitor.language] in page.get_by_role(
        "img"
    ).first.aria_snapshot()
    page.get_by_text(t("saldo.as_table"), exact=True).click()
    assert "2026" in page.get_by_role("region", name=t("saldo.table_label")).inner_text()
    with visitor.going():
        page.locator("ol.months a.m.posted").first.click()
    assert visitor.path.startswith("/iuran?tahun=2026")
    visitor.said("Rp185.000", "Rp100.000", "Rp5.000.000")


@pytest.mark.parametrize("segment", ["BPU", "PMI"])
def test_who_pays_for_himself_registers_too(visit: Visit, town: Town, segment: str) -> None:
    to_the_balance(visit(*{"BPU": ("id", "phone"), "PMI": ("en", "desktop")}[segment]), town, segment)


@pytest.mark.parametrize(("language", "size"), [("id", "phone"), ("en", "desktop")])
def test_all_of_it_works_without_script(visit: Visit, town: Town, language: str, size: str) -> None:
    visitor = visit(language, size, script=False)
    to_the_balance(visitor, town, "PU")
    visitor.page.get_by_text(visitor.t("saldo.as_table"), exact=True).click()
    assert "2026" in visitor.page.get_by_role("region", name=visitor.t("saldo.table_label")).inner_text()
    visitor.log_out()


def test_one_logs_in_by_email_by_nik_and_by_card(each_visitor: Visitor, town: Town) -> None:
    visitor, who = each_visitor, town.member()
    for name in (who.email.upper(), f"{who.nik[:4]} {who.nik[4:]}", who.kpj):
        visitor.log_in(name)
        assert visitor.balance() == "Rp855.000"
        visitor.log_out()
        visitor.said(visitor.t("login.notice_keluar"))
    visitor.open("/saldo")
    assert visitor.path == "/masuk", "nothing is left in the browser"


def test_wrong_data_look_the_same_and_the_letter_says_what_to_check(visitor: Visitor, town: Town) -> None:
    who, t = town.somebody(), visitor.t
    visitor.register(who)
    right = visitor.text
    town.letter(who.email)
    stranger = f"kosong-{visitor.language}-{visitor.size}@contoh.id"
    wrong = {
        "id": ({"nik": town.somebody().nik}, {"day": "18"}), "en": ({"kpj": town.somebody().kpj}, {"segment": "BPU"}),
    }  # fmt: skip
    for changes in wrong[visitor.language]:
        visitor.register(who, stranger, **changes)
        assert re.sub(r"\S+\*\S*@\S+", "", visitor.text) == re.sub(r"\S+\*\S*@\S+", "", right)
        letter = town.letter(stranger)
        assert links(letter) == [], "nothing to verify"
        told = words_of(letter)
        for word in ("NIK", "KPJ", "PU", {"id": "tanggal lahir", "en": "birth date"}[visitor.language]):
            assert word in told
        assert who.nik not in told
    visitor.log_in(stranger)
    visitor.said(t("login.title"))
    assert visitor.path == "/masuk"


def test_a_wrong_field_is_said_at_the_top_with_a_link_to_it(visitor: Visitor, town: Town) -> None:
    who, t, page = town.somebody(), visitor.t, visitor.page
    visitor.open("/daftar")
    visitor.press("register.next")
    visitor.said(t("register.wrong_segment"))
    page.get_by_label(t("register.PU")).check()
    visitor.press("register.next")
    visitor.fill("register.nik", who.nik[:-1])
    visitor.fill("register.day", "31")
    visitor.fill("register.month", "2")
    visitor.fill("register.year", "1990")
    visitor.fill("register.kpj", who.kpj)
    visitor.press("register.next")
    assert page.title().startswith(t("site.error_title", title="").strip())
    summary = page.get_by_role("alert")
    assert t("register.wrong_nik", n=15) in summary.inner_text()
    assert t("register.wrong_born") in summary.inner_text()
    for key, field in (("register.wrong_nik", "nik"), ("register.wrong_born", "born")):
        summary.get_by_role("link", name=t(key, n=15)).click()
        assert page.evaluate("document.activeElement.id") == field
        described = page.locator(f"#{field}-e")
        assert described.inner_text().strip() == t(key, n=15)
    assert page.locator("#nik").get_attribute("aria-invalid") == "true"
    assert "nik-e" in (page.locator("#nik").get_attribute("aria-describedby") or "")
    assert page.locator("#nik").input_value() == who.nik[:-1], "what was typed is still there"
    visitor.fill("register.nik", who.nik)
    visitor.fill("register.day", "17")
    visitor.fill("register.month", "5")
    visitor.press("register.next")
    visitor.fill("register.email", "budi@")
    visitor.fill("register.password", "pendek")
    visitor.press("register.send")
    visitor.said(t("register.wrong_email"))
    assert page.get_by_role("alert").get_by_role("link").count() == 2
    assert page.locator("#password").input_value() == ""
