"""What the savings may become, at every door: the same numbers, with their assumptions, and what cannot be assumed."""

from __future__ import annotations

import re

import pytest

from api.simulation_answer import Simulated
from tests.api.declared import declare
from tests.api.mobile.conftest import CARD, App, MobileApi, code, decoded
from tests.api.web.conftest import site
from tests.api.web.site import ANI, BUDI, Site, faults, text

__all__ = ["site"]


@pytest.fixture
def mobile(settings, monkeypatch):  # type: ignore[no-untyped-def]
    """The app's API."""
    monkeypatch.setattr("api.access.guard.SLOW_SECONDS", (0.0,))
    with MobileApi(settings) as api:
        api.fill()
        yield api


def ask(mobile: MobileApi, query: str = "", **key: object):  # type: ignore[no-untyped-def]
    headers = mobile.key("read", **key)  # type: ignore[arg-type]
    return mobile.client.get(f"/v1/accounts/{CARD}/simulate?{query}", headers=headers)


def test_an_estimate_says_what_it_assumes_and_where_it_begins(mobile: MobileApi) -> None:
    declare(mobile)
    shown = decoded(ask(mobile, "years=10"), Simulated)
    assert shown.estimate is True
    assert (shown.balance_now, shown.assumptions.monthly, shown.assumptions.rate) == (855_000, 285_000, 50_000)
    assert (shown.assumptions.growth, shown.assumptions.inflation, shown.assumptions.until) == (
        30_000,
        30_000,
        "2036-11",
    )
    assert shown.balance == 855_000 + shown.contributed + shown.earned
    assert shown.today < shown.balance
    assert shown.estimated_now > 0
    assert shown.as_of.date == "2026-11-21"


def test_whoever_knows_no_rate_has_to_say_one(mobile: MobileApi) -> None:
    assert code(ask(mobile, "years=5")) == (422, "simulation-rate-missing")
    assert ask(mobile, "years=5&rate=55000").json()["assumptions"]["rate"] == 55_000


@pytest.mark.parametrize(
    ("query", "refused"),
    [
        ("years=0", "simulation-out-of-range"), ("years=61", "simulation-out-of-range"),
        ("growth=200001", "simulation-out-of-range"), ("rate=-1", "simulation-out-of-range"),
        ("inflation=200001", "simulation-out-of-range"), ("monthly=1000000001", "simulation-out-of-range"),
    ],
)  # fmt: skip
def test_what_cannot_be_assumed_is_refused_with_its_range(mobile: MobileApi, query: str, refused: str) -> None:
    declare(mobile)
    answer = ask(mobile, query)
    assert code(answer) == (422, refused)
    assert answer.json()["column"] == query.partition("=")[0]


def test_a_parameter_that_is_no_number_or_none_of_ours_is_refused(mobile: MobileApi) -> None:
    assert code(ask(mobile, "years=x")) == (400, "parameter-unreadable")
    assert code(ask(mobile, "age=60")) == (400, "parameter-unknown"), "a key is told nothing of a birth date"
    assert code(ask(mobile, npps=[10000001])) == (403, "key-bound")


def test_a_known_estimate_is_not_sent_again_and_another_assumption_is(mobile: MobileApi) -> None:
    headers = mobile.key("read")
    path = f"/v1/accounts/{CARD}/simulate?rate=50000&years="
    tag = mobile.client.get(f"{path}5", headers=headers).headers["etag"]
    assert mobile.client.get(f"{path}5", headers={**headers, "if-none-match": tag}).status_code == 304
    assert mobile.client.get(f"{path}6", headers={**headers, "if-none-match": tag}).status_code == 200


def test_the_holder_sees_it_until_their_fifty_sixth_birthday(mobile: MobileApi) -> None:
    declare(mobile)
    app: App = mobile.login()
    shown = decoded(app.ask(f"cards/{app.handle()}/simulate"), Simulated)
    assert (shown.kpj, shown.assumptions.until) == ("***0017", "2046-05"), "born in May 1990"
    same = ask(mobile, "years=10&growth=0").json()
    mine = app.ask(f"cards/{app.handle()}/simulate?years=10&growth=0").json()
    assert mine | {"kpj": CARD} == same
    older = app.ask(f"cards/{app.handle()}/simulate?age=60").json()
    assert older["assumptions"]["until"] == "2050-05"
    assert code(app.ask(f"cards/{app.handle()}/simulate?age=55")) == (422, "simulation-out-of-range")


def address(site: Site) -> str:
    return f"/saldo/{site.application.members.cards(site.budi)[0].handle}/perkiraan"


@pytest.mark.parametrize("language", ["id", "en"])
def test_the_page_is_clearly_an_estimate(site: Site, language: str) -> None:
    declare(site)
    browser = site.browser(BUDI, language)
    page = browser.get(address(site)).text
    assert faults(page) == []
    words = text(page)
    assert ("Ini perkiraan, bukan janji." if language == "id" else "This is an estimate, not a promise.") in words
    assert ("Saldo pada tahun 2046" if language == "id" else "Balance in 2046") in words
    assert 'class="total"' not in page, "a double rule is for what is final"
    assert f'href="{address(site)}"' in browser.get("/saldo").text


def test_the_assumptions_are_the_visitors_to_change_and_stand_in_no_address(site: Site) -> None:
    declare(site)
    browser = site.browser(BUDI)
    page = browser.post(address(site), years="10", monthly="Rp500.000", growth="0", rate="5,5", inflation="4")
    words = text(page.text)
    assert page.status_code == 200
    assert "Iuran Rp500.000 setiap bulan, naik 0,00 %" in words
    assert "Saldo pada tahun 2036" in words
    assert re.search(r'name="rate"[^>]* value="5,5"', page.text), "what was typed stays in the form"


@pytest.mark.parametrize(
    ("field", "typed", "said"),
    [
        ("years", "99", "di antara 1 dan 60"), ("age", "20", "di antara 56 dan 80"), ("rate", "21", "antara 0 % dan 20 %"),
        ("monthly", "banyak", "tidak terbaca"), ("growth", "x", "tidak terbaca"),
    ],
)  # fmt: skip
def test_a_wrong_assumption_is_told_beside_its_field(site: Site, field: str, typed: str, said: str) -> None:
    declare(site)
    page = site.browser(BUDI).post(address(site), **{field: typed})
    assert (page.status_code, faults(page.text)) == (422, [])
    assert said in text(page.text)
    assert f'id="{field}-e"' in page.text


def test_a_first_look_without_any_rate_asks_for_one(site: Site) -> None:
    page = site.browser(BUDI).get(address(site))
    assert page.status_code == 200
    assert "Belum ada tingkat pengembangan yang diketahui" in text(page.text)


def test_nobody_sees_the_estimate_of_another(site: Site) -> None:
    assert site.browser(ANI).get(address(site)).status_code == 404
