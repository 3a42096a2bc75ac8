"""Logging in through a real OpenID provider."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator

import httpx2
import pytest
from starlette.testclient import TestClient

from api.web.words import words
from ledger.settings import Settings
from tests.api.conftest import Api
from tests.office import Office, nik
from tests.system import oidc
from tests.system.oidc import Provider

PUBLIC = "http://testserver"
KPJ = "26000000017"
DATA = {
    "segment": "PU", "nik": nik(1), "day": "17", "month": "5", "year": "1990", "kpj": KPJ,
}  # fmt: skip


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    """The provider of all tests: what it remembers hangs on a browser's cookies, and each test begins without any."""
    with oidc.running() as made:
        made.send_back_to(PUBLIC)
        yield made


@pytest.fixture
def site(settings: Settings, provider: Provider) -> Iterator[Api]:
    """The service with that provider, and one registered worker whose address on file is budi1@contoh.id."""
    made = Settings(**(settings.model_dump() | provider.settings | {"public_url": PUBLIC}))
    with Api(made, live=True) as api:
        office = Office(api.log)
        office.employers("10000001")
        office.workers(KPJ)
        office.close()
        yield api


def at_the_provider(address: str, name: str) -> str:
    """What a person does there: log in, agree; the address the browser is sent back to."""
    with httpx2.Client(trust_env=False, timeout=20) as browser:
        answer = browser.get(address)
        for _ in range(10):
            if answer.is_redirect:
                place = str(answer.headers["location"])
                if place.startswith(PUBLIC):
                    return place
                answer = browser.get(answer.url.join(place))
                continue
            action = re.search(r'<form[^>]*action="([^"]+)"', answer.text)
            prompt = re.search(r'name="prompt" value="(\w+)"', answer.text)
            assert action, answer.text
            assert prompt, answer.text
            form = {"prompt": prompt[1], "login": name, "password": "x"}
            answer = browser.post(answer.url.join(action[1]), data=form)
    raise AssertionError("the provider never sent the browser back")


def begun(client: TestClient) -> str:
    answer = client.get("/oidc/mulai", follow_redirects=False)
    assert answer.status_code == 303
    return str(answer.headers["location"])


def come_in(client: TestClient, name: str) -> str:
    """Where a login as `name` leads to."""
    back = at_the_provider(begun(client), name)
    answer = client.get(back, follow_redirects=False)
    return str(answer.headers.get("location", answer.status_code))


def sent(client: TestClient, **changes: str) -> httpx2.Response:
    token = re.search(r'name="csrf" value="([^"]+)"', client.get("/oidc/data").text)
    assert token
    answer = client.post("/oidc/data", data=DATA | changes | {"csrf": token[1]}, follow_redirects=False)
    assert isinstance(answer, httpx2.Response)
    return answer


def test_a_first_login_binds_the_person_and_the_next_goes_straight_in(site: Api) -> None:
    client = site.client
    assert client.get("/masuk", follow_redirects=False).headers["location"] == "/oidc/mulai"
    assert come_in(client, "budi1") == "/oidc/data"
    assert sent(client).headers["location"] == "/saldo"
    assert client.get("/akun").status_code == 200
    client.cookies.clear()
    assert client.get("/akun", follow_redirects=False).status_code == 303
    assert come_in(client, "budi1") == "/saldo"
    assert client.get("/akun").status_code == 200


def test_data_that_fit_nobody_and_an_address_that_is_not_on_file_look_the_same(site: Api) -> None:
    client = site.client
    assert come_in(client, "orang-lain") == "/oidc/data"
    stranger = sent(client, nik=nik(2))
    client.cookies.clear()
    assert come_in(client, "orang-lain") == "/oidc/data"
    waiting = sent(client)
    assert (stranger.status_code, stranger.headers["location"]) == (waiting.status_code, waiting.headers["location"])
    assert stranger.status_code == 303
    assert [one for one in stranger.headers if one != "x-request-id"] == [
        one for one in waiting.headers if one != "x-request-id"
    ]
    assert re.sub(r"\s+", " ", stranger.text) == re.sub(r"\s+", " ", waiting.text)
    assert client.get("/akun", follow_redirects=False).status_code == 303
    assert come_in(client, "orang-lain") == "200"
    assert client.get("/akun", follow_redirects=False).status_code == 303


def test_an_address_that_the_provider_has_not_verified_opens_nothing(site: Api) -> None:
    back = at_the_provider(begun(site.client), "new1")
    answer = site.client.get(back, follow_redirects=False)
    assert answer.status_code == 422
    assert site.client.get("/oidc/data", follow_redirects=False).status_code == 422


def test_a_code_is_worth_nothing_in_another_browser_nor_twice(site: Api) -> None:
    client = site.client
    back = at_the_provider(begun(client), "budi1")
    mine = dict(client.cookies)
    client.cookies.clear()
    assert client.get(back, follow_redirects=False).status_code == 422
    begun(client)
    assert client.get(back, follow_redirects=False).status_code == 422
    client.cookies.clear()
    client.cookies.update(mine)
    assert client.get(back, follow_redirects=False).headers["location"] == "/oidc/data"
    client.cookies.update(mine)
    assert client.get(back, follow_redirects=False).status_code == 422


def test_pages_of_passwords_lead_to_the_provider(site: Api) -> None:
    for method, path in (("GET", "/lupa"), ("GET", "/sandi/x"), ("GET", "/daftar/data"), ("GET", "/masuk")):
        answer = site.client.request(method, path, follow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (303, "/oidc/mulai"), path
    assert "/oidc/mulai" in site.client.get("/daftar").text
    assert "/oidc/mulai" in site.client.get("/masuk?kabar=keluar", follow_redirects=False).text


def test_a_provider_that_does_not_answer_is_named_as_the_cause(settings: Settings) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and nobody listens there
        gone = {"oidc_issuer": f"http://127.0.0.1:{taken.getsockname()[1]}", "oidc_client_id": "jht"}
        with Api(Settings(**(settings.model_dump() | gone)), live=True) as api:
            answer = api.client.get("/oidc/mulai")
    assert answer.status_code == 503
    assert words("id")("unavailable.cause_provider-away") in answer.text
