"""Passkeys of members: what opens the door, what does not, and what goes with one."""

from __future__ import annotations

import html
import json
import re
from datetime import timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from httpx2 import Response

from api.access import challenges
from ledger.members.passkeys import MOST_PASSKEYS
from ledger.settings import Settings
from tests.api.authenticator import ORIGIN, PRESENT, VERIFIED, Authenticator
from tests.api.web.site import ANI, BUDI, PASSWORD, Browser, Site, faults, text

JUNK = ("", "{", "[]", "null", '{"id": 1}', "[" * 4_000, '{"response": {}}', "1" * 4_000, "\U0001f600", '{"id": "A"}')


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """An address that browsers have passkeys for."""
    return settings.model_copy(update={"public_url": ORIGIN})


def to_add(browser: Browser, old: str = PASSWORD) -> dict[str, Any]:
    """What the page tells the browser, after the password."""
    page = browser.post("/akun/passkey", old=old)
    assert page.status_code == 200
    assert faults(page.text) == []
    found = re.search(r'data-options="([^"]+)"', page.text)
    assert found is not None
    options: dict[str, Any] = json.loads(html.unescape(found[1]))
    return options


def keep(browser: Browser, made: str) -> Response:
    return browser.post("/akun/passkey/baru", "/akun/passkey", credential=made)


def with_passkey(site: Site, who: str = BUDI, *, counts: bool = True) -> tuple[Browser, Authenticator]:
    """A member who has just added one."""
    browser, own = site.browser(who), Authenticator(counts=counts)
    done = keep(browser, own.create(to_add(browser)))
    assert done.headers["location"] == "/akun/passkey?kabar=ditambah"
    site.forget()
    return browser, own


def to_enter(browser: Browser) -> dict[str, Any]:
    browser.get("/masuk")
    options: dict[str, Any] = browser.get("/masuk/passkey").json()
    return options


def enter(browser: Browser, signed: str) -> Response:
    return browser.post("/masuk/passkey", "/masuk", credential=signed)


def come_in(site: Site, own: Authenticator, **wrong: Any) -> Response:
    """A new browser that shows the passkey."""
    browser = site.browser()
    return enter(browser, own.get(to_enter(browser), **wrong))


def numbers(site: Site) -> list[int]:
    return [one.added for one in site.application.members.passkeys_of(site.budi)]


def test_a_passkey_is_added_with_the_password_opens_the_account_and_is_told_to_every_contact(site: Site) -> None:
    elsewhere = site.browser(BUDI)
    browser, own = with_passkey(site)
    assert [letter.kind for letter in site.letters()] == ["passkey-added"] * 2, (
        "to the address and to the phone on file"
    )
    assert elsewhere.get("/saldo").headers["location"] == "/masuk?kabar=lewat", "other sessions have ended"
    page = browser.get("/akun/passkey?kabar=ditambah")
    assert (page.status_code, faults(page.text)) == (200, [])
    assert "Belum pernah dipakai untuk masuk" in text(page.text)
    visitor = site.browser()
    options = to_enter(visitor)
    assert (options["rpId"], options["userVerification"], options.get("allowCredentials", [])) == (
        "localhost",
        "required",
        [],
    )
    done = enter(visitor, own.get(options))
    assert (done.status_code, done.headers["location"]) == (303, "/saldo")
    assert "Budi Santoso 1" in visitor.get("/akun").text
    site.clock += timedelta(minutes=10)
    assert come_in(site, own).status_code == 303
    assert "Terakhir dipakai" in text(visitor.get("/akun/passkey").text)
    with_passkey(site, ANI)
    assert len(numbers(site)) == 1, "another's is another's"


def test_what_an_authenticator_did_not_make_for_this_member_here_and_now_is_not_kept(site: Site) -> None:
    browser, other = site.browser(BUDI), site.browser(ANI)
    assert browser.post("/akun/passkey", old="").status_code == 422
    assert browser.post("/akun/passkey", old="salah sekali ini").status_code == 422
    own = Authenticator()
    options, theirs, signing = to_add(browser), to_add(other), to_enter(site.browser())
    wrong: dict[str, dict[str, Any]] = {
        "of another site": {"origin": "http://localhost:9000"},
        "for another host": {"host": "contoh.id"},
        "without a finger or PIN": {"flags": PRESENT},
        "with nobody there": {"flags": VERIFIED},
        "signed to log in": {"type": "webauthn.get"},
        "for somebody else": {"challenge": theirs["challenge"]},
        "for a log-in": {"challenge": signing["challenge"]},
        "for a challenge of its own": {"challenge": "A" * 75},
    }
    for name, change in wrong.items():
        page = keep(browser, own.create(options, **change))
        assert (page.status_code, "Passkey itu tidak dapat ditambahkan." in page.text) == (422, True), name
        assert faults(page.text) == [], name
    for junk in JUNK:
        assert keep(browser, junk).status_code == 422, junk[:20]
    late = own.create(options)
    site.clock += challenges.LASTS
    assert keep(browser, late).status_code == 422, "too late"
    assert numbers(site) == []
    made = own.create(to_add(browser))
    assert keep(browser, made).status_code == 303
    assert keep(browser, made).status_code == 422, "once"
    assert keep(other, own.create(to_add(other))).status_code == 422, "nobody else can have the same"
    assert len(numbers(site)) == 1


def test_the_password_cannot_be_guessed_there_and_there_are_not_endless_passkeys(site: Site) -> None:
    browser = site.browser(BUDI)
    for _ in range(MOST_PASSKEYS):
        assert keep(browser, Authenticator().create(to_add(browser))).status_code == 303
    page = keep(browser, Authenticator().create(to_add(browser)))
    assert (page.status_code, "paling banyak 10 passkey" in page.text) == (422, True)
    tried = [browser.post("/akun/passkey", old="salah sekali ini").status_code for _ in range(6)]
    assert tried == [422] * 5 + [429]


def test_nothing_but_the_passkey_itself_here_and_now_opens_the_account(site: Site) -> None:
    browser, own = with_passkey(site)
    _, anis = with_passkey(site, ANI)
    adding, elsewhere = to_add(browser), to_enter(site.browser())
    stranger = ec.generate_private_key(ec.SECP256R1())
    unknown = Authenticator()
    unknown.handle = own.handle
    wrong: dict[str, tuple[Authenticator, dict[str, Any]]] = {
        "of another site": (own, {"origin": "https://saldojht.example"}),
        "for another host": (own, {"host": "contoh.id"}),
        "without a finger or PIN": (own, {"flags": PRESENT}),
        "with nobody there": (own, {"flags": VERIFIED}),
        "made, not shown": (own, {"type": "webauthn.create"}),
        "by another key": (own, {"key": stranger}),
        "of somebody else": (own, {"handle": anis.handle}),
        "of nobody": (own, {"handle": b""}),
        "that nobody registered": (unknown, {}),
        "for another browser": (own, {"challenge": elsewhere["challenge"]}),
        "for adding one": (own, {"challenge": adding["challenge"]}),
        "for a challenge of its own": (own, {"challenge": "A" * 75}),
    }
    pages = set()
    for name, (shown, change) in wrong.items():
        answer = come_in(site, shown, **change)
        assert answer.status_code == 401, name
        pages.add(text(answer.text))
    for junk in JUNK:
        answer = enter(site.browser(), junk)
        assert answer.status_code == 401, junk[:20]
        pages.add(text(answer.text))
    assert len(pages) == 1, "no answer tells what was wrong"
    visitor = site.browser()
    signed = own.get(to_enter(visitor))
    site.clock += challenges.LASTS
    assert enter(visitor, signed).status_code == 401, "too late"
    signed = own.get(to_enter(visitor))
    jar = dict(visitor.client.cookies)
    assert enter(visitor, signed).status_code == 303
    for name, value in jar.items():
        visitor.client.cookies.set(name, value)
    visitor.client.cookies.delete("jht")
    assert enter(visitor, signed).status_code == 401, "once"
    assert come_in(site, own).status_code == 303, "and the right one opens"


def test_a_count_that_does_not_grow_opens_nothing_and_is_told_once_a_day(site: Site) -> None:
    _, own = with_passkey(site)
    assert come_in(site, own, count=7).status_code == 303
    site.letters()
    for count in (7, 6, 0):
        page = come_in(site, own, count=count)
        assert (page.status_code, "mungkin sudah disalin" in page.text) == (401, True), count
    assert [letter.kind for letter in site.letters()] == ["passkey-copied"] * 2
    assert come_in(site, own, count=8).status_code == 303
    _, never = with_passkey(site, ANI, counts=False)
    assert [come_in(site, never).status_code for _ in range(3)] == [303] * 3, "one that does not count"


def test_a_removed_passkey_opens_nothing_and_every_session_ends(site: Site) -> None:
    browser, own = with_passkey(site)
    other, _ = with_passkey(site, ANI)
    (number,) = numbers(site)
    lost = site.browser()
    assert enter(lost, own.get(to_enter(lost))).status_code == 303
    assert other.post("/akun/passkey/hapus", "/akun/passkey", nomor=str(number + 1)).status_code == 404
    for nomor in ("", "x", "9" * 30, "\u0661", "-1"):
        assert browser.post("/akun/passkey/hapus", "/akun/passkey", nomor=nomor).status_code == 404
    site.letters()
    done = browser.post("/akun/passkey/hapus", "/akun/passkey", nomor=str(number))
    assert done.headers["location"] == "/akun/passkey?kabar=dihapus"
    site.forget()
    assert browser.get("/akun/passkey?kabar=dihapus").status_code == 200
    assert lost.get("/saldo").headers["location"] == "/masuk?kabar=lewat"
    assert come_in(site, own).status_code == 401
    assert [letter.kind for letter in site.letters()] == ["passkey-removed"] * 2


@pytest.mark.parametrize("act", ["reset", "close"])
def test_a_forgotten_password_and_a_closed_access_take_every_passkey_along(site: Site, act: str) -> None:
    members, (_, own) = site.application.members, with_passkey(site)
    site.letters()
    if act == "reset":
        members.ask_reset(BUDI, site.acting())
        (token,) = [letter.details["token"] for letter in site.letters() if letter.kind == "reset"]
        members.reset(token, "$argon2id$2", site.acting())
        told = sorted({letter.kind for letter in site.letters()})
        assert told == ["passkey-removed", "password-changed"]
    else:
        members.close(site.budi, "office", site.acting())
    assert numbers(site) == []
    assert come_in(site, own).status_code == 401


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("https://saldo.example", "saldo.example"), ("https://saldo.example:8443", "saldo.example"),
        ("http://localhost:8099", "localhost"), ("http://saldo.example", ""), ("http://127.0.0.1:8099", ""),
        ("https://203.0.113.7", ""), ("https://[2001:db8::1]", ""),
    ],
)  # fmt: skip
def test_passkeys_are_bound_to_the_host_of_the_public_address_where_browsers_make_them(address: str, host: str) -> None:
    assert Settings(public_url=address).passkey_host == host


def test_where_none_are_offered_no_page_speaks_of_them(still: Site) -> None:
    browser = still.browser(BUDI)
    for address in ("/masuk?kabar=keluar", "/akun"):
        assert "passkey" not in browser.get(address).text
    for address in ("/akun/passkey", "/masuk/passkey"):
        assert browser.get(address).status_code == 404
    assert browser.post("/masuk/passkey", "/akun", credential="{}").status_code == 404
