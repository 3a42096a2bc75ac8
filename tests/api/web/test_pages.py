"""Every page of the member's website: in both languages, well formed, with its headers, and its errors as pages."""

from __future__ import annotations

import gzip
import re

import pytest

from api.web import public
from tests.api.web.site import BUDI, DEWI, Site, faults, text, title

PUBLIC = (
    "/",
    "/bantuan",
    "/mitra",
    "/daftar",
    "/daftar/terkirim",
    "/masuk",
    "/masuk?kabar=sandi",
    "/lupa",
    "/periksa",
    "/lupa?kabar=terkirim",
    "/luring",
)
OWN = (
    "/saldo",
    "/iuran",
    "/iuran?tahun=2026",
    "/kartu",
    "/akun",
    "/akun?kabar=hp",
    "/akun/akses",
    "/akun/data",
    "/akun/kontak",
)
SENTENCES = {"id": ("yang", "Anda"), "en": ("the", "your")}


@pytest.mark.parametrize("language", ["id", "en"])
def test_every_page_is_well_formed_in_both_languages(still: Site, language: str) -> None:
    guest, budi, dewi = (still.browser(who, language) for who in ("", BUDI, DEWI))
    for browser, addresses in ((guest, (*PUBLIC, "/tidak-ada")), (budi, OWN), (dewi, OWN[:2])):
        for address in addresses:
            answer = browser.get(address)
            assert answer.status_code == (404 if address == "/tidak-ada" else 200), address
            assert faults(answer.text) == [], address
            assert f'<html lang="{language}">' in answer.text
            assert answer.headers["content-language"] == language
            words = text(answer.text).split()
            other = SENTENCES["en" if language == "id" else "id"]
            assert not set(words) & set(other), (address, set(words) & set(other))


def test_every_page_forbids_scripts_frames_copies_and_strangers(still: Site) -> None:
    for browser, address in ((still.browser(), "/"), (still.browser(), "/tidak-ada"), (still.browser(BUDI), "/saldo")):
        headers = browser.get(address).headers
        assert "default-src 'none'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["cache-control"] == "no-store"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["x-content-type-options"] == "nosniff"


def test_the_style_sheet_may_be_kept_for_ever_because_its_address_changes_with_it(still: Site) -> None:
    browser = still.browser()
    (address,) = re.findall(r'href="(/aset/style[^"]+)"', browser.get("/").text)
    answer = browser.client.get(address, headers={"accept-encoding": "identity"})
    assert answer.headers["content-type"] == "text/css; charset=utf-8"
    assert "immutable" in answer.headers["cache-control"]
    assert len(gzip.compress(answer.content)) < 12_000
    packed = browser.client.get(address, headers={"accept-encoding": "gzip"})
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.content == answer.content
    assert browser.get("/aset/style.000000000000.css").status_code == 404


@pytest.mark.parametrize(
    ("accepted", "chosen", "language"),
    [
        ("", "", "id"), ("fr-FR", "", "id"), ("en-US,en;q=0.9", "", "en"), ("en;q=0.5,id;q=0.9", "", "id"),
        ("en", "id", "id"), ("id", "en", "en"), ("id", "zz", "id"),
    ],
)  # fmt: skip
def test_the_language_is_the_chosen_one_then_the_browsers_then_indonesian(
    still: Site, accepted: str, chosen: str, language: str
) -> None:  # fmt: skip
    browser = still.browser(language=accepted)
    if chosen:
        browser.client.cookies.set("bahasa", chosen)
    assert browser.get("/").headers["content-language"] == language


def test_choosing_a_language_leads_back_to_the_page_and_nowhere_else(still: Site) -> None:
    browser = still.browser()
    answer = browser.get("/bahasa?ke=en&dari=/akun/data")
    assert (answer.status_code, answer.headers["location"]) == (303, "/akun/data")
    assert browser.get("/").headers["content-language"] == "en"
    for elsewhere in (
        "https://jahat.example",
        "//jahat.example",
        "/\\jahat.example",
        "/tautan/abc",
        "javascript:1",
        "",
    ):
        answer = browser.client.get("/bahasa", params={"ke": "id", "dari": elsewhere}, follow_redirects=False)
        assert answer.headers["location"] == "/", elsewhere


def test_a_secret_in_an_address_does_not_travel_into_another(still: Site) -> None:
    page = still.browser().get("/tautan/0123456789012345678901234567890123456789012").text
    assert "dari=/&" in page.replace("&amp;", "&") or 'dari=/"' in page
    assert page.count("0123456789012345678901234567890123456789012") == 0


def test_an_unknown_address_and_a_wrong_method_are_pages(still: Site) -> None:
    browser = still.browser()
    missing = browser.get("/tidak-ada")
    assert (missing.status_code, title(missing.text)) == (404, "Halaman tidak ditemukan – Saldo JHT")
    assert "route-unknown" in missing.text
    wrong = browser.client.delete("/masuk")
    assert wrong.status_code == 405
    assert faults(wrong.text) == []


def test_a_mistake_of_ours_is_a_page_with_an_incident_number_and_nothing_else(
    still: Site, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    def broken(*_: object) -> None:
        raise RuntimeError("rahasia 3171011705900001")

    browser = still.browser(BUDI)
    monkeypatch.setattr(still.application.reader, "balance", broken)
    monkeypatch.setattr(still.application, "balance", broken)
    answer = browser.get("/saldo")
    assert answer.status_code == 500
    assert faults(answer.text) == []
    assert "rahasia" not in answer.text
    assert re.search(r"Nomor kejadian: [0-9a-f]{12}", answer.text)


@pytest.mark.parametrize("address", ["/masuk", "/daftar/data", "/lupa", "/keluar"])
def test_a_form_without_its_token_or_from_another_site_is_refused(still: Site, address: str) -> None:
    browser = still.browser()
    answer = browser.client.post(address, data={"identifier": BUDI}, follow_redirects=False)
    assert (answer.status_code, "form-foreign" in answer.text) == (403, True)
    token = re.search(r'name="csrf" value="([^"]+)"', browser.get("/masuk").text)
    assert token is not None
    for headers in ({"origin": "https://jahat.example"}, {"sec-fetch-site": "cross-site"}):
        answer = browser.client.post(address, data={"csrf": token[1]}, headers=headers, follow_redirects=False)
        assert answer.status_code == 403, headers


def test_a_token_of_another_visitor_opens_nothing(still: Site) -> None:
    token = re.search(r'name="csrf" value="([^"]+)"', still.browser().get("/masuk").text)
    assert token is not None
    mine = still.browser()
    mine.get("/masuk")
    assert mine.client.post("/masuk", data={"csrf": token[1]}).status_code == 403


@pytest.mark.parametrize(
    "path", ["/akun/sandi", "/akun/keluar-semua", "/akun/hp", "/akun/luring", "/akun/data", "/kartu"]
)
def test_every_change_wants_the_members_own_token(still: Site, path: str) -> None:
    browser = still.browser(BUDI)
    assert browser.client.post(path, data={"kpj": "1"}, follow_redirects=False).status_code == 403


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"a=" + b"x" * 20_000, "application/x-www-form-urlencoded", 413),
        (b"&".join(b"a%d=1" % i for i in range(200)), "application/x-www-form-urlencoded", 422),
        (b'{"csrf": "1"}', "application/json", 415),
        (b"\xff\xfe%ff=%00&csrf=%ff", "application/x-www-form-urlencoded", 403),
    ],
)
def test_forms_of_another_shape_are_refused_as_pages(still: Site, content: bytes, kind: str, status: int) -> None:
    browser = still.browser()
    browser.get("/masuk")
    answer = browser.client.post("/masuk", content=content, headers={"content-type": kind})
    assert answer.status_code == status
    assert faults(answer.text) == []


def test_a_guest_without_a_form_gets_no_cookie(still: Site) -> None:
    assert "set-cookie" not in still.browser().get("/").headers
    cookie = still.browser().get("/masuk").headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie


def test_the_partners_page_names_every_route_that_a_key_opens(still: Site) -> None:
    described = {
        (scope, f"{method.upper()} {path}")
        for path, methods in still.app.openapi()["paths"].items()
        for method, operation in methods.items()
        for one in operation.get("security", ())
        for scope in one.get("key", ())
    }
    assert {(scope, route) for scope, routes in public.DOORS for route in routes} == described - {
        ("metrics", "GET /metrics")
    }
    page = text(still.browser().get("/mitra").text)
    for _, routes in public.DOORS:
        for route in routes:
            assert route in page
    for address in ("/", "/bantuan"):
        assert still.browser().get(address).text.count('href="/mitra"') == 2
