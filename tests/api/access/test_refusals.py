"""What identity refuses leaves over HTTP with the right status, and says when to come again."""

from __future__ import annotations

import json

import pytest
from starlette.requests import Request

from api.problems import answer, status_of
from ledger.errors import Problem


def test_the_statuses_say_who_must_act() -> None:
    assert {
        code: status_of(code)
        for code in ("login-wrong", "form-foreign", "password-weak", "too-many-tries", "login-busy", "vault-rotating")
    } == {
        "login-wrong": 401, "form-foreign": 403, "password-weak": 422, "too-many-tries": 429, "login-busy": 503,
        "vault-rotating": 503,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("problem", "seconds"), [(Problem("too-many-tries", details={"minutes": 15}), 900), (Problem("login-busy"), 2)]
)
def test_whoever_must_wait_is_told_how_long(problem: Problem, seconds: int) -> None:
    told = answer(Request({"type": "http", "headers": [], "given": {}}), problem)
    assert told.headers["retry-after"] == str(seconds)
    assert json.loads(bytes(told.body))["code"] == problem.code
