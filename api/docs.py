"""The description of the API, for programs and as a page: nothing is fetched from elsewhere, no script runs.

`make openapi` writes api/static/openapi.json again.
"""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.requests import Request
from starlette.responses import Response

from api import docs_page
from api.responses import HEADERS, KNOWN_VERSION, LANGUAGE
from api.responses import described as described_headers
from api.route import PlainRoute
from api.schemas import Problem
from api.v1.upload_columns import row_name, row_schema
from ledger.layouts import LAYOUTS

STATIC = Path(__file__).parent / "static"
_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
ABOUT = """Savings of JHT (Jaminan Hari Tua): contributions in, balances out.

Amounts are whole rupiah in JSON integers. Every refusal is `application/problem+json` with a stable `code`, in
Indonesian or English. What cannot be told truthfully is refused; it is never a zero."""


def _version(data: bytes) -> str:
    return '"' + hashlib.sha256(data).hexdigest()[:16] + '"'


@cache
def _file(name: str) -> tuple[bytes, str]:
    data = (STATIC / name).read_bytes()
    return data, _version(data)


@cache
def _page() -> tuple[bytes, str]:
    data = docs_page.rendered(json.loads(_file("openapi.json")[0]))
    return data, _version(data)


def _answer(request: Request, found: tuple[bytes, str], kind: str, **headers: str) -> Response:
    data, etag = found
    headers |= {"ETag": etag, "Cache-Control": "no-cache"}
    if request.headers.get("if-none-match") == etag:
        return Response(None, 304, headers)
    return Response(data, media_type=kind, headers=headers)


async def page(request: Request) -> Response:
    """The documentation page."""
    return _answer(request, _page(), "text/html", **{"Content-Security-Policy": _POLICY})


async def style(request: Request) -> Response:
    """What the page has beyond the style of the site."""
    return _answer(request, _file("docs.css"), "text/css")


async def described(request: Request) -> Response:
    """The OpenAPI description that is committed with the code."""
    return _answer(request, _file("openapi.json"), "application/json")


ROUTES = [
    PlainRoute("/docs", page, methods=["GET"]),
    PlainRoute("/docs/docs.css", style, methods=["GET"]),
    PlainRoute("/openapi.json", described, methods=["GET"]),
]


def describe(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI description of an app, made from its routes by FastAPI.

    Added are the problem that every refusal has, the rows of uploads, the headers that concern every answer, and what
    each good answer is; taken away is what FastAPI says of validation errors, which never leave.
    """
    found = get_openapi(title=app.title, version=app.version, description=ABOUT, routes=app.routes)
    parts = found["components"]["schemas"]
    problem = Problem.model_json_schema(mode="serialization", ref_template="#/components/schemas/{model}")
    parts |= problem.pop("$defs") | {"Problem": problem}
    parts["Code"]["description"] = "A code, of one closed list; its sentences are in api/README.md"
    found["components"]["headers"] = HEADERS
    parts |= {row_name(layout): row_schema(layout) for layout in LAYOUTS}
    for name in ("HTTPValidationError", "ValidationError"):
        parts.pop(name, None)
    for methods in found["paths"].values():
        for operation in methods.values():
            versions = [KNOWN_VERSION] if "304" in operation["responses"] else []
            operation["parameters"] = [*operation.get("parameters", ()), *versions, LANGUAGE]
            for parameter in operation["parameters"]:
                if parameter["schema"].get("default") == "":  # what stands for an absent text may not be sent
                    del parameter["schema"]["default"]
            for status, response in list(operation["responses"].items()):
                response["headers"] = described_headers("X-Request-Id", "Cache-Control") | response.get("headers", {})
                schema = response.get("content", {}).get("application/json", {}).get("schema", {})
                name = schema.get("$ref", "").rpartition("/")[2]
                if name == "HTTPValidationError":
                    del operation["responses"][status]
                elif response["description"] == "Successful Response":
                    response["description"] = parts[name]["description"] if name else "Done"
    return found


def rendered(app: FastAPI) -> bytes:
    """The description as the committed file holds it."""
    return (json.dumps(app.openapi(), indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()
