"""What OpenAPI says of the mobile routes is complete, and its examples have the shapes that leave."""

from __future__ import annotations

from typing import Any

import msgspec
from fastapi.routing import APIRoute

from api.application import ApplicationState
from api.mobile.bodies import BODIES
from api.mobile.routes import routes
from api.problems import status_of
from ledger.settings import Settings

KNOWN = {shape.__name__: shape for shape in BODIES}


def described() -> list[APIRoute]:
    found = routes(ApplicationState(Settings(database_url="sqlite:////nowhere/none.db")))
    assert all(isinstance(route, APIRoute) for route in found)
    return found  # type: ignore[return-value]


def shape_of(content: dict[str, Any]) -> str:
    """The name of the shape that an example has."""
    name: str = content["schema"]["$ref"].rpartition("/")[2]
    converted = msgspec.convert(content["example"], KNOWN[name])
    assert msgspec.to_builtins(converted).keys() == content["example"].keys()
    return name


def test_every_route_says_what_it_takes_gives_and_refuses() -> None:
    seen = set()
    for route in described():
        extra = route.openapi_extra or {}
        assert route.summary, route.path
        assert route.endpoint.__doc__, route.path
        good = [status for status in route.responses if int(status) < 300]
        assert good == [route.status_code or 200], route.path
        for status, answer in route.responses.items():
            content = answer.get("content", {})
            if "application/json" in content:
                seen.add(shape_of(content["application/json"]))
            for code, example in content.get("application/problem+json", {}).get("examples", {}).items():
                assert status == status_of(code) == example["value"]["status"]
        if extra["x-auth"] == "member":
            assert 401 in route.responses, route.path
        if "requestBody" in extra:
            seen.add(shape_of(extra["requestBody"]["content"]["application/json"]))
            assert {400, 413, 415, 422} <= route.responses.keys(), route.path
        named = {parameter["name"] for parameter in extra["parameters"]}
        assert ("handle" in named) == ("{handle}" in route.path), route.path
    assert seen == KNOWN.keys()


def test_the_route_that_is_asked_most_is_found_first() -> None:
    assert described()[0].path == "/v1/mobile/cards/{handle}/balance"
