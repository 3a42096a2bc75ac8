"""Requests made up from the description: whatever comes, the answer is a described one and never a 5xx."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

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

from ledger.settings import Settings
from tests.api.conftest import Api, small_ledger
from tests.conftest import LONG

EXAMPLES = 200 if LONG else 10
CHECKS = [status_code_conformance, content_type_conformance, response_schema_conformance]


Answered = dict[str, set[int]]
Asking = tuple[TestClient, dict[str, str]]


def asked(doors: Sequence[Asking], below: str, but: str = "") -> list[Answered]:
    """What came back from made-up requests to the described routes below an address, each sent to every door with its
    headers: operation -> statuses, for each door. To make a request up takes four times as long as to answer it.
    """
    schema = schemathesis.openapi.from_dict(doors[0][0].get("/openapi.json").json())
    all_answered: list[Answered] = [{} for _ in doors]

    def ask(case: schemathesis.Case) -> None:
        for (client, headers), answered in zip(doors, all_answered, strict=True):
            ask_at(client, headers, answered, case)

    def ask_at(client: TestClient, headers: dict[str, str], answered: Answered, case: schemathesis.Case) -> None:
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
    return all_answered


@pytest.mark.filterwarnings("ignore::DeprecationWarning:schemathesis")
def test_whatever_is_asked_the_answer_is_a_described_one(both: list[Settings]) -> None:
    with contextlib.ExitStack() as stack:
        apis = [stack.enter_context(Api(settings)) for settings in both]
        for api in apis:
            api.append(*small_ledger())
            api.follow()
        for answered in asked([(api.client, api.key()) for api in apis], "/", but="/v1/mobile/"):
            assert len(answered) == 19
            assert 200 in answered["GET /v1/suspense"]
