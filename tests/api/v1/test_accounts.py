"""`/v1/accounts`: balances and statements, and what is said when they cannot be told."""

from __future__ import annotations

import threading
import time
from datetime import timedelta

import pytest

from ledger.acts import merge
from ledger.identifiers import card_number
from ledger.receipt import Header
from tests.api.conftest import EMPTY, PAID, PERSON, SECOND, STRANGER, Api, opened_card, posting
from tests.api.declared import declare
from tests.conftest import NOW

BALANCE, ENTRIES = f"/v1/accounts/{PAID}/balance", f"/v1/accounts/{PAID}/entries"


@pytest.mark.parametrize("path", [BALANCE, ENTRIES])
def test_an_account_is_told_to_its_readers_only(api: Api, path: str) -> None:
    for headers, status, code in (
        ({}, 401, "key-missing"),
        ({"Authorization": "Bearer jht_000000000000_x"}, 401, "key-wrong"),
        ({"Authorization": "Basic abc"}, 401, "key-missing"),
        (api.key("post", "suspense", "persons"), 403, "scope-missing"),
        (api.key("read", npps=[10000002]), 403, "object-foreign" if path == ENTRIES else "key-bound"),
        (api.key("read", npps=[]), 403, "object-foreign" if path == ENTRIES else "key-bound"),
    ):
        answer = api.client.get(path, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (status, code)
        assert "285000" not in answer.text
        if status == 401:
            assert answer.headers["www-authenticate"].startswith("Bearer")
    assert api.client.get(path, headers=api.key("read")).status_code == 200


def test_a_bound_key_sees_lines_of_its_own_employers_and_never_a_balance(api: Api) -> None:
    own, both = api.key("read", npps=[10000001]), api.key("read", npps=[10000001, 10000002])
    for headers in (own, both):
        assert api.client.get(BALANCE, headers=headers).json()["code"] == "key-bound"
        found = api.client.get(ENTRIES, headers=headers).json()["entries"]
        assert found
        assert {entry["npp"] for entry in found} == {"10000001"}


@pytest.mark.parametrize("what", ["balance", "entries"])
def test_a_bound_key_cannot_tell_a_missing_card_from_a_foreign_one(api: Api, what: str) -> None:
    bound = api.key("read", npps=[10000001])
    foreign = api.client.get(f"/v1/accounts/{STRANGER}/{what}", headers=bound).json()
    missing = api.client.get(f"/v1/accounts/26000099999/{what}", headers=bound).json()
    assert foreign["code"] == missing["code"] == ("key-bound" if what == "balance" else "object-foreign")
    assert foreign | {"request_id": ""} == missing | {"request_id": ""}


def test_a_balance_says_what_when_and_up_to_where(api: Api) -> None:
    answer = api.client.get(BALANCE, headers=api.key("read"))
    body = answer.json()
    as_of = body.pop("as_of")
    assert body == {
        "kpj": PAID,
        "segment": "PU",
        "status": "aktif",
        "balance": 570_000,
        "contributed": {"employer": 370_000, "worker": 200_000, "total": 570_000},
        "yield": {"credited": 0, "brought": 0, "estimated": None, "policy": "monthly-simple.v1", "rates": []},
        "months_contributed": 2,
        "last_contribution": {"month": "2026-10", "paid_on": "2026-11-12", "npp": "10000001"},
        "reason": None,
        "group": None,
    }
    assert as_of["date"] == "2026-11-21"
    assert as_of["position"] == f"{api.log.log_id}-{api.log.head()}" == answer.headers["jht-position"]
    assert as_of["recorded_at"] == "2026-11-21T03:00:00.000000Z"
    assert as_of["projected_at"]
    assert answer.headers["cache-control"] == "private, no-cache"
    assert "Authorization" in answer.headers["vary"]


def test_a_card_without_money_says_zero_with_the_reason(api: Api) -> None:
    body = api.client.get(f"/v1/accounts/{EMPTY}/balance", headers=api.key("read")).json()
    assert (body["balance"], body["reason"], body["last_contribution"]) == (0, "no-contribution-yet", None)


@pytest.mark.parametrize(
    ("as_of", "balance"),
    [("2026-11-21", 570_000), ("2026-11-12", 570_000), ("2026-11-11", 285_000), ("2026-10-11", 0)],
)
def test_a_past_day_counts_what_was_paid_by_then(api: Api, as_of: str, balance: int) -> None:
    body = api.client.get(f"{BALANCE}?as_of={as_of}", headers=api.key("read")).json()
    assert (body["balance"], body["as_of"]["date"]) == (balance, as_of)


def test_a_day_begins_in_jakarta(api: Api) -> None:
    headers = api.key("read")
    assert api.client.get(f"{BALANCE}?as_of=2026-11-22", headers=headers).json()["code"] == "as-of-in-future"
    api.clock = NOW.replace(hour=17, minute=1)
    api.follow()
    answer = api.client.get(f"{BALANCE}?as_of=2026-11-22", headers=headers)
    assert (answer.status_code, answer.json()["as_of"]["date"]) == (200, "2026-11-22")


@pytest.mark.parametrize(
    ("address", "status", "code"),
    [
        ("/v1/accounts/26000099999/balance", 404, "account-not-found"),
        ("/v1/accounts/26000099999/entries", 404, "account-not-found"),
        ("/v1/accounts/!!/balance", 422, "kpj-unreadable"),
        (f"{BALANCE}?as_of=2026-2-3", 400, "parameter-unreadable"),
        (f"{BALANCE}?as_of=2026-02-30", 400, "parameter-unreadable"),
        (f"{BALANCE}?as_of=20260203", 400, "parameter-unreadable"),
        (f"{BALANCE}?as_of=", 400, "parameter-unreadable"),
        (f"{BALANCE}?as_off=2026-02-03", 400, "parameter-unknown"),
        (f"{BALANCE}?as_of=2026-02-03&as_of=2026-02-04", 400, "parameter-unreadable"),
        (f"{BALANCE}?min_position=abc", 400, "position-unreadable"),
        (f"{BALANCE}?min_position=0000000000000000-1", 400, "position-foreign"),
        (f"{ENTRIES}?limit=0", 400, "parameter-unreadable"),
        (f"{ENTRIES}?limit=501", 400, "parameter-unreadable"),
        (f"{ENTRIES}?cursor=abc", 400, "parameter-unreadable"),
        (f"{ENTRIES}?as_of=2026-02-30", 400, "parameter-unreadable"),
        (f"{BALANCE}?%ff=1", 400, "parameter-unreadable"),
        (f"{ENTRIES}?limit=1&limit=2", 400, "parameter-unreadable"),
        (f"{BALANCE}?Budi Santoso=1&Budi Santoso=1", 400, "parameter-unreadable"),
        (f"{BALANCE}?as_of=Budi", 400, "parameter-unreadable"),
        ("/v1/accounts", 404, "route-unknown"),
        (f"{BALANCE}/", 404, "route-unknown"),
    ],
)
def test_a_question_that_cannot_be_read_is_refused_with_a_code(api: Api, address: str, status: int, code: str) -> None:
    answer = api.client.get(address, headers=api.key("read"))
    body = answer.json()
    assert (answer.status_code, body["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"
    assert body["status"] == status
    assert body["type"] == f"https://jht-ledger.example/problems/{code}"
    assert "balance" not in body
    assert "Budi" not in answer.text


def test_another_method_is_refused(api: Api) -> None:
    answer = api.client.delete(BALANCE, headers=api.key("read"))
    assert (answer.status_code, answer.json()["code"]) == (405, "method-wrong")
    assert answer.headers["allow"] == "GET"


def test_a_known_answer_is_not_sent_again(api: Api) -> None:
    headers = api.key("read")
    first = api.client.get(BALANCE, headers=headers)
    etag = first.headers["etag"]
    assert etag.startswith('W/"')
    again = api.client.get(BALANCE, headers=headers | {"If-None-Match": f'"x", {etag}'})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == etag
    assert again.headers["jht-position"] == first.headers["jht-position"]
    # Another day, another language and new money are all another answer.
    known = headers | {"If-None-Match": etag}
    assert api.client.get(f"{BALANCE}?as_of=2026-11-12", headers=known).status_code == 200
    assert api.client.get(BALANCE, headers=known | {"Accept-Language": "en"}).status_code == 200
    api.append(posting("10000001", "2026-11", "2026-11-20", SECOND))
    api.follow()
    assert api.client.get(BALANCE, headers=known).status_code == 304
    api.append(posting("10000001", "2026-11", "2026-11-20", PAID, version=2))
    api.follow()
    assert api.client.get(BALANCE, headers=known).json()["balance"] == 855_000
    assert len(api.records()) == 6


def test_what_is_stale_or_missing_is_never_a_number(empty_api: Api) -> None:
    api = empty_api
    headers = api.key("read")

    def refused(code: str) -> None:
        for path in (BALANCE, ENTRIES, f"{BALANCE}?as_of=2026-11-01"):
            answer = api.client.get(path, headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (503, code)
            assert answer.headers["retry-after"]
            assert "570000" not in answer.text
            assert "balance" not in answer.json()

    refused("read-side-empty")
    api.append(*opened_card(PAID, PERSON, "10000001"), posting("10000001", "2026-10", "2026-11-12", PAID))
    api.follow()
    assert api.client.get(BALANCE, headers=headers).json()["balance"] == 285_000
    api.clock = NOW + timedelta(seconds=61)
    refused("read-side-stale")
    api.follow()
    time.sleep(0.12)
    assert api.client.get(BALANCE, headers=headers).json()["balance"] == 285_000
    api.log.renew_log_id()
    time.sleep(0.12)
    refused("log-restored")


def test_an_account_under_review_is_not_told(api: Api) -> None:
    live = api.store.pointers().live["balances"]
    with api.store.database(live).write() as tx:
        tx.insert(f"{live.table}_incomplete", {"card": [card_number(PAID)], "since": [3]}, "bigint bigint")
    answer = api.client.get(BALANCE, headers=api.key("read"))
    assert (answer.status_code, answer.json()["code"]) == (503, "account-incomplete")
    assert api.client.get(f"/v1/accounts/{SECOND}/balance", headers=api.key("read")).status_code == 200


def test_a_read_waits_for_the_position_of_a_write(api: Api) -> None:
    headers = api.key("read")
    position = api.append(posting("10000001", "2026-11", "2026-11-20", PAID))
    late = api.client.get(BALANCE, headers=headers, params={"min_position": position})
    assert (late.status_code, late.json()["code"]) == (503, "position-not-reached")
    api.app.state.application.settings = api.settings.model_copy(update={"max_wait": 60.0})
    follower = threading.Timer(0.1, api.follow)
    follower.start()
    reached = api.client.get(BALANCE, headers=headers, params={"min_position": position})
    follower.join()
    assert (reached.status_code, reached.json()["balance"]) == (200, 855_000)
    ahead = f"{api.log.log_id}-{api.log.head() + 1}"
    refused = api.client.get(BALANCE, headers=headers, params={"min_position": ahead})
    assert (refused.status_code, refused.json()["code"]) == (400, "position-ahead")


def test_a_statement_is_paged_newest_month_first_without_gap_or_repeat(api: Api) -> None:
    headers = api.key("read")
    for number in range(1, 9):
        api.append(posting("10000001", f"2026-0{number}", "2026-11-14", PAID, version=2 if number == 8 else 1))
    api.follow()
    whole = api.client.get(ENTRIES, headers=headers).json()
    months = [entry["month"] for entry in whole["entries"]]
    assert months == [f"2026-{month:02d}" for month in range(10, 0, -1)]
    assert whole["next"] is None
    assert whole["entries"][0]["total"] == 285_000
    assert whole["entries"][0]["npp"] == "10000001"
    paged, cursor = [], ""
    for _ in range(4):
        page = api.client.get(f"{ENTRIES}?limit=3{cursor}", headers=headers).json()
        paged += page["entries"]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert paged == whole["entries"]
    page = api.client.get(f"{ENTRIES}?limit=10", headers=headers).json()
    assert (len(page["entries"]), page["next"]) == (10, None)


def test_every_read_is_recorded_with_who_what_why_and_where(api: Api) -> None:
    headers = api.key("read")
    api.client.get(BALANCE, headers=headers | {"X-Reason": "counter-visit"})
    api.client.get("/v1/accounts/26000099999/balance", headers=headers)
    key = headers["Authorization"].split("_")[1]
    route = "/v1/accounts/{kpj}/balance"
    assert sorted(api.records()) == [
        (PAID, api.log.head(), key, "counter-visit", route),
        ("26000099999", 0, key, "", route),
    ]
    refused = api.client.get(BALANCE, headers=headers | {"X-Reason": "Budi bertanya"})
    assert (refused.status_code, refused.json()["code"]) == (400, "parameter-unreadable")


def test_a_problem_speaks_the_language_that_was_asked_for(api: Api) -> None:
    headers = api.key("read")
    address = "/v1/accounts/26000099999/balance"
    for wanted, detail in (
        ("", "KPJ ini tidak terdaftar."),
        ("fr", "KPJ ini tidak terdaftar."),
        ("en-GB,en;q=0.9,id;q=0.5", "This KPJ is not registered."),
        ("en;q=0.2, id-ID;q=0.7", "KPJ ini tidak terdaftar."),
        ("en;q=x", "KPJ ini tidak terdaftar."),
    ):
        body = api.client.get(address, headers=headers | {"Accept-Language": wanted}).json()
        assert body["detail"] == detail
        assert body["detail_en"] == "This KPJ is not registered."


def test_a_declaration_changes_every_balance_and_every_etag(api: Api) -> None:
    headers = api.key("read")
    api.append(posting("10000001", "2025-05", "2025-06-14", PAID))
    api.follow()
    before = {kpj: api.client.get(f"/v1/accounts/{kpj}/balance", headers=headers) for kpj in (PAID, EMPTY)}
    declare(api)
    for kpj, was in before.items():
        now = api.client.get(f"/v1/accounts/{kpj}/balance", headers={**headers, "if-none-match": was.headers["etag"]})
        assert now.status_code == 200
        assert now.headers["etag"] != was.headers["etag"]
    body = api.client.get(BALANCE, headers=headers).json()
    earned = 8_123  # 8,122.5
    assert body["balance"] == before[PAID].json()["balance"] + earned
    estimated = body["yield"].pop("estimated")
    assert body["yield"] == {
        "credited": earned, "brought": 0, "policy": "monthly-simple.v1",
        "rates": [{"year": 2025, "utama": 57_000, "tambahan": 60_000}],
    }  # fmt: skip
    assert (estimated["rate"], estimated["until"]) == (50_000, "2026-11")
    assert estimated["amount"] > 0


def test_the_working_is_told_with_the_balance_it_leads_to(api: Api) -> None:
    headers = api.key("read")
    api.append(posting("10000001", "2025-05", "2025-06-14", PAID))
    declare(api)
    answer = api.client.get(f"/v1/accounts/{PAID}/explain", headers=headers)
    body = answer.json()
    assert body["balance"] == api.client.get(BALANCE, headers=headers).json()
    (account,) = body["accounts"]
    first, last = account["years"]
    assert (first["kind"], first["rate"], first["earned"]) == ("declared", 57_000, 8_123)
    assert [(part["months"], part["product"]) for part in first["parts"]] == [(6, 1_710_000)]
    assert last["closing"] - last["earned"] == body["balance"]["balance"]
    assert last["earned"] == body["balance"]["yield"]["estimated"]["amount"]
    same = api.client.get(f"/v1/accounts/{PAID}/explain", headers={**headers, "if-none-match": answer.headers["etag"]})
    assert same.status_code == 304
    past = api.client.get(f"/v1/accounts/{PAID}/explain", headers=headers, params={"as_of": "2025-07-01"}).json()
    assert (past["balance"]["balance"], past["balance"]["yield"]["rates"]) == (285_000, [])
    bound = api.key("read", npps=[10000001])
    assert api.client.get(f"/v1/accounts/{PAID}/explain", headers=bound).json()["code"] == "key-bound"


def test_merged_cards_tell_their_sum_beside_their_own_balance(api: Api) -> None:
    key = api.key("read", "persons")
    before = api.client.get(BALANCE, headers=key)
    assert before.json()["group"] is None
    why = Header("user:1", "office", "", "member-asked")
    merge.merge(api.log, card_number(PAID), card_number(SECOND), why, lambda: NOW)
    api.follow()
    cards = [{"kpj": PAID, "balance": 570_000, "into": SECOND}, {"kpj": SECOND, "balance": 285_000, "into": None}]
    group = {"into": SECOND, "balance": 855_000, "cards": cards}
    for kpj, own in ((PAID, 570_000), (SECOND, 285_000)):
        answer = api.client.get(f"/v1/accounts/{kpj}/balance", headers=key)
        assert (answer.json()["balance"], answer.json()["group"]) == (own, group)
        etag = {"If-None-Match": answer.headers["etag"]}
        assert api.client.get(f"/v1/accounts/{kpj}/balance", headers=key | etag).status_code == 304
        assert api.client.get(f"/v1/accounts/{kpj}/explain", headers=key).json()["balance"]["group"] == group
    assert answer.headers["etag"] != before.headers["etag"]
    person = api.client.get(f"/v1/persons/{PERSON}/balance", headers=key).json()
    assert (person["balance"], [one["group"] for one in person["accounts"]]) == (855_000, [group, group])
    past = api.client.get(f"{BALANCE}?as_of=2026-10-12", headers=key).json()["group"]
    assert past["balance"] == sum(one["balance"] for one in past["cards"]) == 570_000
    merge.unmerge(api.log, card_number(PAID), why, lambda: NOW)
    api.follow()
    after = api.client.get(BALANCE, headers=key)
    assert {**after.json(), "as_of": 0} == {**before.json(), "as_of": 0}
