"""`/v1/persons`: all cards of one person."""

from __future__ import annotations

from tests.api.conftest import EMPTY, OTHER, PAID, PERSON, SECOND, STRANGER, Api

PATH = f"/v1/persons/{PERSON}/balance"


def test_a_person_is_told_to_those_who_may_see_all_cards(api: Api) -> None:
    for headers, status, code in (
        ({}, 401, "key-missing"),
        (api.key("read"), 403, "scope-missing"),
        (api.key("persons", npps=[10000002]), 403, "key-bound"),
    ):
        answer = api.client.get(PATH, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (status, code)
    # A balance is made of other employers' money too; and whether a person exists is nobody's to try.
    for path in (PATH, f"/v1/persons/{OTHER}/balance", f"/v1/persons/{'c' * 32}/balance"):
        assert api.client.get(path, headers=api.key("persons", npps=[10000001])).json()["code"] == "key-bound"


def test_the_cards_are_told_each_for_itself_and_together(api: Api) -> None:
    answer = api.client.get(PATH, headers=api.key("persons"))
    body = answer.json()
    assert (body["person"], body["balance"]) == (PERSON, 855_000)
    assert body["contributed"] == {"employer": 555_000, "worker": 300_000, "total": 855_000}
    assert [(a["kpj"], a["balance"]) for a in body["accounts"]] == [(PAID, 570_000), (SECOND, 285_000)]
    assert body["reason"] is None
    again = api.client.get(PATH, headers=api.key("persons") | {"If-None-Match": answer.headers["etag"]})
    assert again.status_code == 304
    assert api.records()[0][:2] == (PERSON, api.log.head())


def test_a_past_day_and_a_card_without_money(api: Api) -> None:
    past = api.client.get(f"{PATH}?as_of=2026-10-12", headers=api.key("persons")).json()
    assert (past["balance"], past["as_of"]["date"]) == (570_000, "2026-10-12")
    other = api.client.get(f"/v1/persons/{OTHER}/balance", headers=api.key("persons")).json()
    assert [(a["kpj"], a["balance"]) for a in other["accounts"]] == [(EMPTY, 0), (STRANGER, 285_000)]
    early = api.client.get(f"/v1/persons/{OTHER}/balance?as_of=2026-01-01", headers=api.key("persons")).json()
    assert (early["balance"], early["reason"]) == (0, "no-contribution-yet")


def test_an_unknown_person_is_not_a_zero(api: Api) -> None:
    answer = api.client.get(f"/v1/persons/{'c' * 32}/balance", headers=api.key("persons"))
    assert (answer.status_code, answer.json()["code"]) == (404, "person-unknown")
    answer = api.client.get("/v1/persons/3174012501900003/balance", headers=api.key("persons"))
    assert (answer.status_code, answer.json()["code"]) == (400, "parameter-unreadable")
    assert "3174012501900003" not in answer.text
