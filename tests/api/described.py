"""What the committed description says of routes, and whether answers keep to it."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any

import jsonschema_rs
from fastapi import FastAPI
from httpx2 import Response

from api.docs import STATIC


def scopes(app: FastAPI) -> dict[str, dict[str, list[str]]]:
    """`GET /v1/...` -> who is let in: `{"key": [scope]}`, `{"member": []}`, or `{}` for anybody."""
    return {
        f"{method.upper()} {path}": (operation.get("security") or [{}])[0]
        for path, methods in app.openapi()["paths"].items()
        for method, operation in methods.items()
    }


@cache
def description() -> dict[str, Any]:
    """The committed description."""
    found: dict[str, Any] = json.loads((STATIC / "openapi.json").read_bytes())
    return found


@cache
def _routes() -> list[tuple[re.Pattern[str], dict[str, Any]]]:
    return [
        (re.compile(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(path))), methods)
        for path, methods in description()["paths"].items()
    ]


@cache
def _form(schema: str) -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator(json.loads(schema) | {"components": description()["components"]})


def keep_to_the_description(response: Response) -> None:
    """Hold an answer of a described route against the description: status, code, headers, content."""
    method, path = response.request.method.lower(), response.request.url.path
    operation = next((found.get(method) for form, found in _routes() if form.fullmatch(path)), None)
    if operation is None:
        return
    where = f"{method} {path}: {response.status_code}"
    response.read()
    said = operation["responses"].get(str(response.status_code))
    assert said is not None, f"{where} {response.text[:300]}"
    for name, written in said["headers"].items():
        header = description()["components"]["headers"][name] if "$ref" in written else written
        given = response.headers.get(name)
        assert given is not None or not header["required"], f"{where} without {name}"
        if given is not None:
            value = int(given) if header["schema"]["type"] == "integer" else given
            assert _form(json.dumps(header["schema"])).is_valid(value), f"{where} {name}: {given}"
    kind = response.headers.get("content-type", "")
    if not response.content:
        return
    content = next(
        (part for name, part in said.get("content", {}).items() if name.partition(";")[0] == kind.partition(";")[0]),
        None,
    )
    assert content is not None, f"{where} {kind}"
    if "json" in kind and "schema" in content:
        for error in _form(json.dumps(content["schema"])).iter_errors(response.json()):
            raise AssertionError(f"{where} {error.instance_path}: {error.message[:300]}")
    if kind == "application/problem+json":
        assert response.json()["code"] in content["examples"], f"{where} {response.json()['code']}"
