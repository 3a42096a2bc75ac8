"""`/livez`, `/readyz`, `/metrics`, and what the log of requests holds."""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta

import pytest
import structlog

from api.log_lines import start_logging
from ledger.clock import JAKARTA
from ledger.errors import StoreFailed
from tests.api.conftest import PAID, Api
from tests.api.web.facts import COMPLETE
from tests.conftest import NOW


def test_a_process_that_runs_is_alive_even_when_it_is_not_ready(empty_api: Api) -> None:
    assert empty_api.client.get("/livez").json() == {"status": "ok", "checks": {}}
    answer = empty_api.client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json() == {
        "status": "unavailable",
        "checks": {"log": "ok", "access": "ok", "read-side": "read-side-empty"},
    }


def test_it_is_ready_while_the_read_side_is_fresh(api: Api) -> None:
    assert api.client.get("/readyz").json() == {
        "status": "ok", "checks": {"log": "ok", "access": "ok", "read-side": "ok"},
    }  # fmt: skip
    api.clock = NOW + timedelta(minutes=2)
    answer = api.client.get("/readyz")
    assert (answer.status_code, answer.json()["checks"]["read-side"]) == (503, "read-side-stale")
    assert answer.headers["retry-after"]


def test_counters_are_for_the_scope_metrics(api: Api) -> None:
    assert api.client.get("/metrics").json()["code"] == "key-missing"
    assert api.client.get("/metrics", headers=api.key("read")).json()["code"] == "scope-missing"
    api.client.get(f"/v1/accounts/{PAID}/balance", headers=api.key("read"))
    text = api.client.get("/metrics", headers=api.key("metrics")).text
    assert 'jht_http_requests_total{method="GET",route="/v1/accounts/{kpj}/balance",status="200"} 1.0' in text
    assert 'jht_http_request_seconds_count{route="/v1/accounts/{kpj}/balance"} 1.0' in text
    assert f"jht_log_position {float(api.log.head())}" in text
    assert f"jht_read_position {float(api.log.head())}" in text
    assert "jht_access_records_written_total 1.0" in text
    assert PAID not in text
    told = re.search(r"^jht_payments_complete_until_seconds (\S+)$", text, re.MULTILINE)
    assert told is not None
    end = datetime.combine(COMPLETE + timedelta(days=1), datetime.min.time(), JAKARTA)
    assert float(told[1]) == end.timestamp(), "the end of that day in Jakarta"


def test_metrics_are_told_most_of_all_while_something_is_away(empty_api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """No read side yet, one of another log, a log that does not answer: 200, and which part it is."""
    key = empty_api.key("metrics")

    def asked() -> str:
        answer = empty_api.client.get("/metrics", headers=key)
        assert answer.status_code == 200, answer.text
        return answer.text

    text = asked()
    assert 'jht_part_answers{code="read-side-empty",part="read-side"} 0.0' in text
    assert 'jht_part_answers{code="ok",part="log"} 1.0' in text
    assert f"jht_log_position {float(empty_api.log.head())}" in text
    assert "jht_read_position" not in text
    empty_api.follow()
    text = asked()
    assert 'jht_part_answers{code="ok",part="read-side"} 1.0' in text
    assert "jht_read_position" in text
    for code in ("log-restored", "read-side-damaged", "store-failed"):

        def away(*_: object, code: str = code) -> None:
            raise StoreFailed(code, what="OSError", name="balances", why="missing")

        with monkeypatch.context() as patched:
            patched.setattr(type(empty_api.app.state.application.reader), "freshness", away)
            text = asked()
        assert f'jht_part_answers{{code="{code}",part="read-side"}} 0.0' in text
        assert 'jht_http_requests_total{method="GET",route="/metrics",status="200"}' in text
    monkeypatch.setattr(type(empty_api.log), "head", away)
    text = asked()
    assert 'jht_part_answers{code="store-failed",part="log"} 0.0' in text
    assert "jht_log_position" not in text


def test_where_nobody_said_until_when_payments_are_complete_no_moment_is_told(empty_api: Api) -> None:
    empty_api.follow()
    answer = empty_api.client.get("/metrics", headers=empty_api.key("metrics"))
    assert (answer.status_code, "jht_payments_complete" in answer.text) == (200, False)


def test_a_request_line_masks_the_card_and_names_the_request(
    api: Api, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    before = structlog.get_config()
    try:
        start_logging("INFO")
        headers = api.key("read") | {"X-Request-Id": "01979d2e-7f6a-7c1c-9a55-0123456789ab"}
        answer = api.client.get(f"/v1/accounts/{PAID}/balance?as_of=2026-11-12", headers=headers)
        api.client.get(f"/v1/accounts/{PAID}x!/balance", headers=headers)
        api.client.get("/v1/3174012501900003", headers=headers | {"X-Request-Id": "no blanks"})
    finally:
        structlog.configure(**before)
    assert answer.headers["x-request-id"] == "01979d2e-7f6a-7c1c-9a55-0123456789ab"
    text = capfdbinary.readouterr().err
    first, second, third = (json.loads(line) for line in text.splitlines())
    assert (first["request"], first["status"], first["kpj"], first["level"]) == (
        "01979d2e-7f6a-7c1c-9a55-0123456789ab",
        200,
        "***0017",
        "info",
    )
    assert first["route"] == "/v1/accounts/{kpj}/balance"
    assert second["code"] == "kpj-unreadable"
    assert (third["route"], third["code"]) == ("other", "route-unknown")
    assert third["request"] != "no blanks"
    assert PAID.encode() not in text
    assert b"3174012501900003" not in text
    assert headers["Authorization"].split("_", 2)[2].encode() not in text


def test_a_mistake_of_the_service_gives_an_incident_number_and_no_values(
    api: Api, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    headers = api.key("read")

    def broken(*_: object) -> None:
        raise ValueError("Budi 3174012501900003")

    monkeypatch.setattr(type(api.app.state.application), "reach", broken)
    answer = api.client.get(f"/v1/accounts/{PAID}/balance", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    logged = capsys.readouterr().out
    assert answer.json()["detail_en"].split(": ")[1].rstrip(".") in logged
    assert "3174012501900003" not in answer.text + logged
    assert "Budi" not in answer.text + logged
