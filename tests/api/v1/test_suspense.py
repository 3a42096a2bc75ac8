"""`/v1/suspense`: the money that waits."""

from __future__ import annotations

from datetime import timedelta

from tests.api.conftest import Api
from tests.conftest import NOW


def test_waiting_money_is_told_to_its_readers_only(api: Api) -> None:
    for headers, status, code in (
        ({}, 401, "key-missing"),
        (api.key("read"), 403, "scope-missing"),
    ):
        answer = api.client.get("/v1/suspense", headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (status, code)
    bound = api.key("suspense", npps=[10000002])
    foreign = api.client.get("/v1/suspense?npp=10000001", headers=bound)
    assert (foreign.status_code, foreign.json()["code"]) == (403, "object-foreign")
    assert [line["npp"] for line in api.client.get("/v1/suspense", headers=bound).json()["lines"]] == ["10000002"]


def test_a_line_says_why_and_since_when_it_waits(api: Api) -> None:
    api.clock = NOW + timedelta(days=3)
    answer = api.client.get("/v1/suspense?npp=10000002", headers=api.key("suspense") | {"Accept-Language": "en"})
    (line,) = answer.json()["lines"]
    assert line == {
        "kpj": "26999999999",
        "npp": "10000002",
        "month": "2026-08",
        "kind": "regular",
        "paid_on": "2026-09-11",
        "employer": 185_000,
        "worker": 100_000,
        "total": 285_000,
        "reason": "account-unknown",
        "detail": "This KPJ is not registered. The money is held and will be posted by itself after registration.",
        "recorded_at": "2026-11-21T03:00:00.000000Z",
        "age_days": 3,
        "remittance": "remittance-e:10000002:2026-08",
    }
    assert answer.json()["position"] == f"{api.log.log_id}-{api.log.head()}" == answer.headers["jht-position"]
    assert api.records()[0][0] == "suspense 10000002"


def test_pages_go_on_where_the_last_one_ended(api: Api) -> None:
    headers = api.key("suspense")
    whole = api.client.get("/v1/suspense", headers=headers).json()
    assert (len(whole["lines"]), whole["next"]) == (3, None)
    first = api.client.get("/v1/suspense?limit=1", headers=headers).json()
    second = api.client.get(f"/v1/suspense?limit=2&cursor={first['next']}", headers=headers).json()
    assert first["lines"] + second["lines"] == whole["lines"]
    assert second["next"] is None


def test_bad_parameters_are_refused(api: Api) -> None:
    headers = api.key("suspense")
    for query, code in (
        ("npp=1", "npp-unreadable"),
        ("cursor=WzFd", "parameter-unreadable"),
        ("kpj=1", "parameter-unknown"),
        ("npp=99999999", "employer-not-found"),
    ):
        assert api.client.get(f"/v1/suspense?{query}", headers=headers).json()["code"] == code
