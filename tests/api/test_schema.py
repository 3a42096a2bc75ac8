"""Requests made up from the description: whatever comes, the answer is a described one and never a 5xx."""

from __future__ import annotations

import contextlib

import hypothesis
import hypothesis.errors
import pytest
import schemathesis
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from starlette.testclient import TestClient

from tests.api.conftest import Api
from tests.conftest import LONG

EXAMPLES = 200 if LONG else 10
CHECKS = [status_code_conformance, content_type_conformance, response_schema_conformance]


Answered = dict[str, set[int]]


def asked(client: TestClient, headers: dict[str, str], below: str, but: str = "") -> Answered:
    """What came back from made-up requests to the described routes below an address: operation -> statuses."""
    schema = schemathesis.openapi.from_dict(client.get("/openapi.json").json())
    answered: Answered = {}

    def ask(case: schemathesis.Case) -> None:
        sent = case.as_transport_kwargs(base_url="http://testserver", headers=headers)
        sent.pop("cookies", None)
        sent["headers"] = [(name, str(value).encode("latin-1", "replace")) for name, value in sent["headers"].items()]
        body = sent.pop("data", None)
        if body is not None:
            sent["content"] = body.encode() if isinstance(body, str) else body
        response = client.request(**sent)
        answered.setdefault(f"{case.method} {case.path}", set()).add(response.status_code)
        assert response.status_code < 500, (case.method, case.path, response.text)
        case.validate_response(response, checks=CHECKS)

    for result in schema.get_all_operations():
        operation = result.ok()
        if not operation.path.startswith(below) or (but and operation.path.startswith(but)):
            continue
        for mode in schemathesis.GenerationMode:
            run = hypothesis.given(case=operation.as_strategy(generation_mode=mode))(ask)
            limited = hypothesis.settings(
                max_examples=EXAMPLES,
                deadline=None,
                derandomize=True,
                database=None,
                suppress_health_check=list(hypothesis.HealthCheck),
            )(run)
            # A route without parameters cannot be asked wrongly.
            with contextlib.suppress(hypothesis.errors.Unsatisfiable):
                limited()
    return answered


@pytest.mark.filterwarnings("ignore::DeprecationWarning:schemathesis")
def test_whatever_is_asked_the_answer_is_a_described_one(api: Api) -> None:
    answered = asked(api.client, api.key(), "/", but="/v1/mobile/")
    assert len(answered) == 14
    assert 200 in answered["GET /v1/suspense"]
