"""`known_at` beside `as_of`: what was said then, on every route that tells what a card has."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import pytest

from ledger.acts import scheme as acts
from ledger.events import Rates
from ledger.receipt import Header
from tests.api.conftest import EMPTY, PAID, PERSON, SECOND, STRANGER, Api, opened_card, posting, small_ledger
from tests.conftest import NOW

WHAT = ("balance", "entries", "explain", "months", "statement")
MUST = {"statement": {"year": "2026"}}
"""What must be asked beside it."""


def ask(api: Api, what: str, headers: dict[str, str], **params: str) -> Any:
    answer = api.client.get(f"/v1/accounts/{PAID}/{what}", headers=headers, params=params | MUST.get(what, {}))
    return answer.status_code, figures(answer.json()), answer.headers.get("jht-position")


def figures(body: Any) -> Any:
    """An answer without the moment at which this read side last looked."""
    if isinstance(body, dict):
        return {name: figures(one) for name, one in body.items() if name not in {"projected_at", "request_id"}}
    return [figures(one) for one in body] if isinstance(body, list) else body


def test_an_answer_of_then_is_given_again_after_everything_that_came_later(api: Api) -> None:
    headers = api.key("read")
    here = f"{api.log.log_id}-{api.log.head()}"
    before = {what: ask(api, what, headers) for what in WHAT}
    assert {what: ask(api, what, headers, known_at=here) for what in WHAT} == before
    api.clock = NOW + timedelta(days=40)
    api.append(posting("10000001", "2025-11", "2025-12-20", PAID), posting("10000001", "2026-12", "2026-12-28", PAID))
    who = Header("cli:1000", "cli")
    acts.start(api.log, 2025, who, lambda: api.clock)
    acts.declare(api.log, 2025, Rates(57_000, 60_000), "Perdir 1/2026", who, lambda: api.clock)
    api.follow()
    time.sleep(0.12)  # for so long a process may believe what it saw last
    for what in WHAT:
        assert ask(api, what, headers)[1] != before[what][1]
        assert ask(api, what, headers, known_at=here) == before[what]
        assert ask(api, what, headers, known_at="2026-11-21T23:00+07:00") == before[what]
        assert ask(api, what, headers, known_at=here, as_of="2026-11-21") == before[what]
    # By the day alone it is what is known now of money paid by then.
    _, now, _ = ask(api, "balance", headers, as_of="2026-11-21")
    assert now["contributed"]["total"] == before["balance"][1]["contributed"]["total"] + 285_000
    _, then, _ = ask(api, "entries", headers, as_of="2026-11-11", known_at=here)
    assert [one["paid_on"] for one in then["entries"]] == ["2026-10-12"]
    assert then["as_of"] == {
        "date": "2026-11-11", "position": here, "recorded_at": "2026-11-21T03:00:00.000000Z",
    }  # fmt: skip


def test_answers_of_other_places_have_other_etags(api: Api) -> None:
    headers, log_id = api.key("read"), api.log.log_id
    for what in WHAT:
        address = f"/v1/accounts/{PAID}/{what}"
        more = "".join(f"&{name}={value}" for name, value in MUST.get(what, {}).items())
        asked = [f"?known_at={log_id}-{api.log.head() - one}{more}" for one in (0, 1)]
        etags = {api.client.get(address + one, headers=headers).headers["etag"] for one in asked}
        assert len(etags) == 2, what
        again = api.client.get(address + asked[0], headers=headers | {"If-None-Match": ", ".join(etags)})
        assert again.status_code == 304


@pytest.mark.parametrize(
    ("known_at", "status", "code"),
    [
        ("2026-11-21T10:00:01+07:00", 400, "known-at-in-future"),
        ("2026-11-21T10:00:00+07:00", 400, "known-at-not-settled"),
        ("2020-01-01T00:00Z", 400, "known-at-before-log"),
        ("2026-11-31T00:00Z", 400, "known-at-unreadable"),
        ("2026-11-20T00:00", 400, "known-at-without-zone"),
        ("Budi", 400, "known-at-unreadable"),
        ("", 400, "known-at-unreadable"),
        ("x" * 200, 400, "known-at-unreadable"),
        ("0123456789abcdef-1", 400, "position-foreign"),
    ],
)
def test_a_place_that_is_none_is_refused_with_a_code(both: list[Any], known_at: str, status: int, code: str) -> None:
    for settings in both:
        with Api(settings) as api:
            api.append(*small_ledger())
            api.follow()
            for what in WHAT:
                answer = api.client.get(
                    f"/v1/accounts/{PAID}/{what}",
                    headers=api.key("read"),
                    params={"known_at": known_at, **MUST.get(what, {})},
                )
                assert (answer.status_code, answer.json()["code"]) == (status, code)
                assert "Budi" not in answer.text


def test_a_card_that_was_not_there_yet_and_a_position_ahead(api: Api) -> None:
    headers, here = api.key("read"), f"{api.log.log_id}-{api.log.head()}"
    api.append(*opened_card("26000000058", PERSON, "10000001"))
    api.follow()
    for what in WHAT:
        params = {"known_at": here, **MUST.get(what, {})}
        answer = api.client.get(f"/v1/accounts/26000000058/{what}", headers=headers, params=params)
        assert (answer.status_code, answer.json()["code"]) == (404, "account-not-yet-known")
    ahead = f"{api.log.log_id}-{api.log.head() + 1}"
    answer = api.client.get(f"/v1/accounts/{PAID}/balance", headers=headers, params={"known_at": ahead})
    assert (answer.status_code, answer.json()["code"]) == (400, "position-ahead")
    # A position that the read side has not reached is waited for, and not answered with less.
    late = api.append(posting("10000001", "2026-11", "2026-11-20", PAID))
    answer = api.client.get(f"/v1/accounts/{PAID}/balance", headers=headers, params={"known_at": late})
    assert (answer.status_code, answer.json()["code"]) == (503, "position-not-reached")


def test_a_bound_key_sees_its_lines_of_then_and_never_a_balance(api: Api) -> None:
    bound, here = api.key("read", npps=[10000001]), f"{api.log.log_id}-{api.log.head()}"
    for what in ("balance", "explain"):
        answer = api.client.get(f"/v1/accounts/{PAID}/{what}", headers=bound, params={"known_at": here})
        assert answer.json()["code"] == "key-bound"
    found = api.client.get(f"/v1/accounts/{EMPTY}/entries", headers=bound, params={"known_at": here})
    assert found.json()["entries"] == []
    foreign = api.client.get(f"/v1/accounts/{STRANGER}/entries", headers=bound, params={"known_at": here})
    assert foreign.json()["code"] == "object-foreign"


@pytest.mark.parametrize("what", WHAT)
def test_what_a_client_keeps_is_of_its_day(api: Api, what: str) -> None:
    """The answer names the day, so yesterday's is not today's although nothing was recorded."""
    headers, address = api.key("read"), f"/v1/accounts/{PAID}/{what}"
    params = MUST.get(what, {})
    first = api.client.get(address, headers=headers, params=params)
    kept = headers | {"If-None-Match": first.headers["etag"]}
    same = api.client.get(address, headers=kept, params=params)
    assert same.status_code == 304
    api.clock = NOW + timedelta(days=1)
    api.follow()
    time.sleep(0.12)
    later = api.client.get(address, headers=kept, params=params)
    assert later.status_code == 200
    assert "2026-11-22" in later.text


def test_a_statement_of_the_present_is_kept_until_the_card_changes(api: Api) -> None:
    """Whatever else is recorded meanwhile: the position stands in a header, the figures are the same."""
    headers, address = api.key("read"), f"/v1/accounts/{PAID}/statement"
    first = api.client.get(address, headers=headers, params={"year": 2026})
    api.append(posting("10000001", "2026-11", "2026-11-20", SECOND))
    api.follow()
    time.sleep(0.12)
    again = api.client.get(address, headers=headers | {"If-None-Match": first.headers["etag"]}, params={"year": 2026})
    assert again.status_code == 304
