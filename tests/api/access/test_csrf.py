"""Forms: a token of the session's or the guest's own, and the browser's word that the page was ours."""

from __future__ import annotations

import re

import pytest
from starlette.requests import Request
from starlette.responses import Response

from api.access.cookies import Cookies
from api.access.csrf import Csrf
from api.access.sessions import Session
from ledger.errors import NotAllowed
from ledger.settings import Settings
from ledger.store.log import Log
from ledger.store.vault import Vault
from tests.conftest import NOW

OURS = "https://jht.contoh.id"


def request(**headers: str) -> Request:
    raw = [(name.replace("_", "-").encode(), value.encode("latin-1")) for name, value in headers.items()]
    return Request({"type": "http", "method": "POST", "path": "/", "headers": raw})


def session(csrf: str) -> Session:
    return Session(b"", "member", "p" * 32, 0, "website", csrf, NOW, NOW, NOW)


@pytest.fixture
def csrf(log: Log) -> Csrf:
    return Csrf(log.settings.model_copy(update={"public_url": OURS}), Vault.open(log))


ONE_STORE = pytest.mark.parametrize("settings", ["sqlite"], indirect=True)


@ONE_STORE
def test_a_token_belongs_to_one_session_or_one_guest(csrf: Csrf) -> None:
    mine, other = session("a"), session("b")
    tokens = {csrf.token(mine, ""), csrf.token(other, ""), csrf.token(None, "a"), csrf.token(None, "b")}
    assert len(tokens) == 4
    csrf.check(request(), mine, "", csrf.token(mine, ""))
    csrf.check(request(), None, "a", csrf.token(None, "a"))
    assert csrf.token(mine, "guest") == csrf.token(mine, ""), "after the login the guest's cookie does not count"
    for who, guest, given in (
        (mine, "", csrf.token(other, "")), (mine, "a", csrf.token(None, "a")), (None, "a", csrf.token(mine, "")),
        (None, "b", csrf.token(None, "a")), (None, "", csrf.token(None, "")), (mine, "", ""), (mine, "", "\ud800"),
        (mine, "", csrf.token(mine, "") + "x"),
    ):  # fmt: skip
        with pytest.raises(NotAllowed) as refused:
            csrf.check(request(), who, guest, given)
        assert refused.value.code == "form-foreign"


@ONE_STORE
@pytest.mark.parametrize(
    ("headers", "ours"),
    [
        ({}, True), ({"origin": OURS}, True), ({"origin": "HTTPS://JHT.contoh.id"}, True),
        ({"origin": "null"}, True), ({"origin": "null", "sec_fetch_site": "same-origin"}, True),
        ({"origin": OURS, "sec_fetch_site": "same-origin"}, True), ({"sec_fetch_site": "none"}, True),
        ({"origin": "https://evil.example"}, False), ({"origin": OURS + ".evil.example"}, False),
        ({"origin": "http://jht.contoh.id"}, False), ({"origin": OURS + ":8443"}, False),
        ({"origin": "null", "sec_fetch_site": "cross-site"}, False), ({"sec_fetch_site": "same-site"}, False),
        ({"origin": OURS, "sec_fetch_site": "cross-site"}, False),
        ({"origin": "https://evil.example", "sec_fetch_site": "same-origin"}, False),
    ],
    ids=str,
)  # fmt: skip
def test_a_form_from_another_page_is_refused_even_with_the_right_token(
    csrf: Csrf, headers: dict[str, str], ours: bool
) -> None:
    mine = session("a")
    if ours:
        csrf.check(request(**headers), mine, "", csrf.token(mine, ""))
    else:
        with pytest.raises(NotAllowed):
            csrf.check(request(**headers), mine, "", csrf.token(mine, ""))


@pytest.mark.parametrize(
    ("public", "names"),
    [(OURS, ("__Host-jht", "__Host-jht_guest")), ("http://127.0.0.1:8099", ("jht", "jht_guest"))],
)
def test_cookies_are_bound_to_the_host_and_unreadable_for_scripts(public: str, names: tuple[str, str]) -> None:
    cookies = Cookies(Settings(public_url=public))
    response = Response()
    guest = "g" * 32
    cookies.set_guest(response, guest)
    cookies.set_session(response, "token")
    cookies.drop_session(response)
    lines = [value.decode() for name, value in response.raw_headers if name == b"set-cookie"]
    assert [line.partition("=")[0] for line in lines] == [names[1], names[0], names[1], names[0]]
    assert lines[0].startswith(f"{names[1]}={guest};")
    for line in lines:
        parts = {part.strip().lower() for part in line.split(";")[1:]}
        assert {"httponly", "samesite=lax", "path=/"} <= parts
        assert ("secure" in parts) == public.startswith("https")
        assert not any(part.startswith("domain") for part in parts)
    assert all("max-age=0" in line.lower() for line in lines[2:])
    asked = request(cookie=f"{names[0]}=abc; {names[1]}={'x' * 500}")
    assert (cookies.session(asked), cookies.guest(asked)) == ("abc", "x" * 128)
    assert (cookies.session(request()), cookies.guest(request())) == ("", "")


@pytest.mark.parametrize("wrong", ["jht.contoh.id", "ftp://x", "https://x/path", "https://u:p@x", "https://x?a=b", ""])
def test_a_public_address_is_an_origin(wrong: str) -> None:
    with pytest.raises(ValueError, match=re.escape("http(s)://HOST[:PORT]")):
        Settings(public_url=wrong)
