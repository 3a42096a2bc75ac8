"""The site as an app: what a device may keep, of whom, and when it goes. The browser's part is in `tests/system/browser`."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from api.web import assets, offline
from ledger.errors import Unavailable
from ledger.settings import Settings
from tests.api.web.site import ANI, BUDI, CARD, Browser, Site, faults, text

CLEARED = '"cache", "storage"'


def switch(browser: Browser, on: bool = True) -> None:
    answer = browser.post("/akun/luring", "/akun", nyala="1" if on else "0")
    assert answer.headers["location"] == f"/akun?kabar=luring_{'nyala' if on else 'mati'}"


def test_the_manifest_is_in_both_languages_and_its_icons_are_there(still: Site) -> None:
    for language in ("id", "en"):
        page = still.browser(language=language).get("/").text
        assert f'<link rel="manifest" href="/manifest/{language}">' in page
        answer = still.browser().get(f"/manifest/{language}")
        assert answer.headers["content-type"] == "application/manifest+json"
        given = answer.json()
        assert (given["lang"], given["start_url"], given["display"]) == (language, "/saldo", "standalone")
        kinds = set()
        for icon in given["icons"]:
            served = still.browser().get(icon["src"])
            assert served.headers["content-type"] == "image/png"
            size = int.from_bytes(served.content[16:20], "big")
            assert icon["sizes"] == f"{size}x{size}"
            kinds.add((icon["purpose"], size))
        assert kinds == {("any", 192), ("any", 512), ("maskable", 192), ("maskable", 512)}
    assert still.browser().get("/manifest/fr").status_code == 404


def test_the_worker_is_asked_for_anew_and_differs_with_every_file_that_it_keeps(
    still: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = still.browser().get("/sw.js")
    assert answer.headers["content-type"].startswith("text/javascript")
    assert answer.headers["cache-control"] == "no-cache"
    for address in re.findall(r'"(/aset/[^"]+)"', answer.text):
        assert still.browser().get(address).status_code == 200
    offline.worker.cache_clear()
    with monkeypatch.context() as patch:
        patch.setattr(offline, "asset", lambda name: f"{assets.asset(name)}x")
        assert offline.worker() != answer.content
    offline.worker.cache_clear()


def test_a_balance_is_kept_where_its_member_wants_it_and_nowhere_else(site: Site) -> None:
    browser, other = site.browser(BUDI), site.browser(BUDI)
    assert browser.get("/luring/saldo").status_code == 404
    assert "jht-kept" not in browser.get("/saldo").headers
    switch(browser)
    mark = browser.get("/saldo").headers["jht-kept"]
    assert re.fullmatch(r"[0-9a-f]{16}", mark), "it says nothing about anybody"
    assert browser.get("/bantuan").headers["jht-kept"] == mark, "every page says whose device it is"
    assert "jht-kept" not in other.get("/saldo").headers, "the switch is this device's"
    assert "Perangkat ini menyimpan saldo terakhir" in text(browser.get("/akun").text)
    switch(browser, on=False)
    assert "jht-kept" not in browser.get("/saldo").headers
    assert browser.get("/luring/saldo").status_code == 404


def test_the_mark_of_one_member_is_worth_nothing_to_another_on_the_same_device(site: Site) -> None:
    browser = site.browser(BUDI)
    switch(browser)
    browser.post("/keluar", "/saldo")
    browser.login(ANI)
    assert "jht-kept" not in browser.get("/saldo").headers
    assert browser.get("/luring/saldo").status_code == 404
    switch(browser)
    browser.post("/keluar", "/saldo")
    assert "jht-kept" not in browser.get("/masuk").headers
    browser.login(BUDI)
    assert "jht-kept" in browser.get("/saldo").headers, "the device is still one of theirs"


@pytest.mark.parametrize("language", ["id", "en"])
def test_what_is_kept_is_one_old_number_with_its_date_no_way_in_and_no_token(site: Site, language: str) -> None:
    browser = site.browser(BUDI, language)
    switch(browser)
    answer = browser.get("/luring/saldo")
    assert faults(answer.text) == []
    words = text(answer.text)
    assert "855.000" in words
    assert ("Angka lama: per 21 November 2026, pukul 10.00 WIB" in words) == (language == "id")
    assert '<span class="amount old">' in answer.text
    assert not re.search(r"csrf|<form|name=", answer.text.partition("<body")[2])
    assert CARD not in answer.text
    site.flush()
    assert [(what, route) for what, _, _, _, route in site.records()] == [(CARD, "/luring/saldo")]


def test_a_balance_that_is_doubted_is_not_shown_as_an_old_one(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    browser = site.browser(BUDI)
    switch(browser)

    async def balance(*_: object) -> object:
        raise Unavailable("account-incomplete", position=7)

    monkeypatch.setattr(site.application, "balance", balance)
    for path in ("/saldo", "/luring/saldo"):
        answer = browser.get(path)
        assert (answer.status_code, answer.headers["jht-kept"]) == (503, "doubted")
    monkeypatch.undo()
    site.clock += timedelta(minutes=10)
    late = browser.get("/saldo")
    assert late.status_code == 503
    assert late.headers["jht-kept"] != "doubted"


def test_all_is_cleared_at_log_out_and_when_a_session_is_over(site: Site) -> None:
    browser = site.browser(BUDI)
    assert browser.post("/keluar", "/saldo").headers["clear-site-data"] == CLEARED
    browser.login()
    assert browser.post("/akun/keluar-semua", "/akun").headers["clear-site-data"] == CLEARED
    browser.login()
    site.application.members.end_sessions(site.budi)
    site.forget()
    over = browser.get("/saldo")
    assert (over.headers["location"], over.headers["clear-site-data"]) == ("/masuk?kabar=lewat", CLEARED)
    assert "clear-site-data" not in site.browser().get("/saldo").headers, "nothing was begun"


def test_with_https_the_mark_is_bound_to_the_host(settings: Settings) -> None:
    with Site(settings.model_copy(update={"public_url": "https://jht.example"})) as site:
        assert site.application.identity.cookies.kept_name == "__Host-jht_kept"
