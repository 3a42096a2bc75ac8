"""A card's months in the API: every month since the first membership, with its reason; the same truth as everywhere."""

from __future__ import annotations

from datetime import date

from ledger.acts import scheme
from ledger.decisions.remittance import SUSPENSE_REASONS
from ledger.receipt import Header
from projections.month_grid import CAUSES
from tests.api.conftest import EMPTY, PAID, STRANGER, Api, posting

MONTHS = f"/v1/accounts/{PAID}/months"


def test_every_month_since_the_first_membership_has_a_state_and_its_reason(api: Api) -> None:
    body = api.client.get(MONTHS, headers=api.key("read")).json()
    assert [month["month"] for month in body["months"]][:3] == ["2026-12", "2026-11", "2026-10"]
    assert body["months"][-1]["month"] == "2025-01"
    told = {month["month"]: (month["state"], month["reason"]) for month in body["months"]}
    assert (told["2026-12"], told["2026-11"]) == (("later", "not-due"),) * 2
    assert (told["2026-10"], told["2026-09"]) == (("posted", None),) * 2
    assert set(told.values()) == {("later", "not-due"), ("posted", None), ("absent", "not-received")}
    assert body["missing"] == sum(state == "absent" for state, _ in told.values()) == 20
    # Nothing came before the missing months, so nothing can be said of their amounts.
    assert (body["missing_estimate"], body["missing_estimated"], body["held"]) == (None, 0, 0)
    october = next(month for month in body["months"] if month["month"] == "2026-10")
    assert october["parts"] == [
        {
            "state": "posted", "reason": None, "detail": None, "segment": "PU", "npp": "10000001", "employer": None,
            "amount": 285_000, "expected": None, "estimate": None, "due_on": "2026-11-16", "paid_on": ["2026-11-12"],
        }
    ]  # fmt: skip
    july = next(month for month in body["months"] if month["month"] == "2026-07")
    assert july["detail"] == july["parts"][0]["detail"]
    assert july["detail"] == (
        "Belum diterima dari NPP 10000001; jatuh tempo 18 Agustus 2026. Tanyakan kepada NPP 10000001."
    )
    told = api.client.get(MONTHS, headers=api.key("read") | {"Accept-Language": "en"}).json()["months"]
    assert next(month["detail"] for month in told if month["month"] == "2026-07") == (
        "Not received from NPP 10000001; it was due on 18 August 2026. Ask NPP 10000001."
    )


def test_one_year_is_told_alone_and_the_counts_stay_those_of_all(api: Api) -> None:
    headers = api.key("read")
    whole, year = (api.client.get(f"{MONTHS}{asked}", headers=headers).json() for asked in ("", "?year=2025"))
    assert year["months"] == [month for month in whole["months"] if month["month"].startswith("2025")]
    assert [year[name] for name in ("missing", "held")] == [whole[name] for name in ("missing", "held")]
    wrong = api.client.get(f"{MONTHS}?year=abc", headers=headers)
    assert (wrong.status_code, wrong.json()["code"]) == (400, "parameter-unreadable")
    unknown = api.client.get("/v1/accounts/26999999990/months", headers=headers)
    assert (unknown.status_code, unknown.json()["code"]) == (404, "account-not-found")


def test_an_answer_that_has_not_changed_is_not_sent_again_and_one_that_has_is(api: Api) -> None:
    headers = api.key("read")
    tag = api.client.get(MONTHS, headers=headers).headers["etag"]
    assert api.client.get(MONTHS, headers=headers | {"If-None-Match": tag}).status_code == 304
    api.append(posting("10000001", "2026-07", "2026-11-20", PAID))
    api.follow()
    changed = api.client.get(MONTHS, headers=headers | {"If-None-Match": tag})
    assert changed.status_code == 200
    assert changed.json()["missing"] == 19


def test_no_month_is_called_missing_beyond_the_day_up_to_which_payments_are_complete(api: Api) -> None:
    headers = api.key("read")
    first = api.client.get(MONTHS, headers=headers)
    assert (first.json()["complete_until"], first.json()["latest_paid_on"]) == ("2026-11-20", "2026-11-12")
    who = Header("test", "test", "", "feed-incomplete")
    scheme.complete(api.log, date(2026, 9, 14), who, lambda: api.clock)
    api.follow()
    again = api.client.get(MONTHS, headers=headers | {"If-None-Match": first.headers["etag"]})
    assert again.status_code == 200, "the answer has changed with the fact, though no card did"
    body = again.json()
    told = {month["month"]: (month["state"], month["reason"]) for month in body["months"]}
    assert told["2026-08"] == ("awaited", "payments-incomplete"), "due on 15 September"
    assert told["2026-07"] == ("absent", "not-received")
    assert (body["missing"], body["awaited"], body["complete_until"]) == (19, 1, "2026-09-14")


def test_a_key_of_an_employer_sees_its_months_alone(api: Api) -> None:
    bound = api.key("read", npps=[10000001])
    own = api.client.get(f"/v1/accounts/{EMPTY}/months", headers=bound).json()
    assert {part["npp"] for month in own["months"] for part in month["parts"]} == {"10000001"}
    foreign = api.client.get(f"/v1/accounts/{STRANGER}/months", headers=bound)
    assert (foreign.status_code, foreign.json()["code"]) == (403, "object-foreign")


def test_every_reason_for_which_money_waits_can_be_told(api: Api) -> None:
    shown = api.app.openapi()["components"]["schemas"]["CardMonth"]["properties"]["reason"]["anyOf"][0]["enum"]
    assert set(SUSPENSE_REASONS) <= set(shown) == set(CAUSES)
