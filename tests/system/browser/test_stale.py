"""A read side that nobody keeps at the head: every page of a balance says so, and none shows a number."""

from __future__ import annotations

import re

import pytest

from tests.system.browser.conftest import Visit
from tests.system.browser.town import STAFF, Town

MONEY = re.compile(r"Rp\s?[0-9]")


@pytest.mark.parametrize(("language", "size"), [("id", "phone"), ("en", "desktop")])
def test_no_page_of_a_balance_shows_a_number(visit: Visit, stale: Town, language: str, size: str) -> None:
    visitor = visit(language, size, of=stale)
    visitor.log_in(stale.member().email)
    t = visitor.t
    for path in ("/saldo", "/iuran", "/iuran?tahun=2026"):
        assert visitor.open(path) == 503
        assert visitor.heading == t("unavailable.heading")
        visitor.said(
            t("unavailable.none"), t("unavailable.not_zero"), t("unavailable.cause_read-side-stale"),
            t("unavailable.wait"), "read-side-stale",
        )  # fmt: skip
        assert MONEY.search(visitor.text) is None
        assert visitor.page.title().startswith(t("unavailable.title"))
    # What needs no balance goes on.
    for path in ("/akun", "/akun/data", "/bantuan"):
        assert visitor.open(path) == 200


@pytest.mark.parametrize(("language", "size"), [("id", "desktop"), ("en", "phone")])
def test_neither_does_the_office(visit: Visit, stale: Town, language: str, size: str) -> None:
    clerk, who = visit(language, size, of=stale), stale.somebody()
    clerk.enter("office", STAFF)
    clerk.fill("office.number", who.kpj)
    clerk.page.get_by_label(clerk.t("office.reason"), exact=True).select_option("counter-visit")
    clerk.press("office.find")
    clerk.said(clerk.t("unavailable.none"), clerk.t("office.not_zero"))
    assert MONEY.search(clerk.text) is None
    assert clerk.open(clerk.path + "/surat") == 503
    assert MONEY.search(clerk.text) is None
