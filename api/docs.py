"""The documentation page and its files, all from this package: nothing is fetched from elsewhere.

python -m api.docs      writes api/static/openapi.json again
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

from api import schemas
from api.mobile import bodies
from api.route import Told
from ledger.errors import NotFound

STATIC = Path(__file__).parent / "static"
_KINDS = {
    "swagger-ui-bundle.js": "text/javascript",
    "swagger-ui.css": "text/css",
    "docs.js": "text/javascript",
}
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_PAGE = b"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>JHT ledger API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/docs/swagger-ui.css">
</head>
<body>
<div id="docs"></div>
<noscript><p>This page needs JavaScript. The description itself: <a href="/openapi.json">openapi.json</a></p></noscript>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/docs.js"></script>
</body>
</html>
"""
ABOUT = """Savings of JHT (Jaminan Hari Tua): contributions in, balances out.

Amounts are whole rupiah in JSON integers. Every refusal is `application/problem+json` with a stable `code`, in
Indonesian or English. What cannot be told truthfully is refused; it is never a zero."""


@cache
def _file(name: str) -> tuple[bytes, str]:
    data = (STATIC / name).read_bytes()
    return data, '"' + hashlib.sha256(data).hexdigest()[:16] + '"'


async def page(request: Request) -> Response:
    """The documentation page."""
    return Response(_PAGE, media_type="text/html", headers={"Content-Security-Policy": _POLICY})


async def asset(request: Request) -> Response:
    """A file of the page."""
    name = request.path_params["name"]
    if name not in _KINDS:
        raise NotFound("route-unknown")
    data, etag = _file(name)
    headers = {"ETag": etag, "Cache-Control": "public, max-age=3600"}
    if request.headers.get("if-none-match") == etag:
        return Response(None, 304, headers)
    return Response(data, media_type=_KINDS[name], headers=headers)


async def described(request: Request) -> Response:
    """The OpenAPI description that is committed with the code."""
    data, etag = _file("openapi.json")
    return Response(data, media_type="application/json", headers={"ETag": etag, "Cache-Control": "no-cache"})


ROUTES = [
    Told("/docs", page, methods=["GET"]),
    Told("/docs/{name}", asset, methods=["GET"]),
    Told("/openapi.json", described, methods=["GET"]),
]


def describe(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI description of an app, made from its routes."""
    found = get_openapi(title=app.title, version=app.version, description=ABOUT, routes=app.routes)
    parts = found.setdefault("components", {})
    # FastAPI adds its own shapes for validation errors, which never leave this API.
    parts["schemas"] = schemas.components(*bodies.BODIES)
    parts["securitySchemes"] = {
        "key": {"type": "http", "scheme": "bearer", "description": "An API key: `jht_<id>_<secret>`"},
        "member": {"type": "http", "scheme": "bearer", "description": "An access token of a member's device"},
    }
    for methods in found["paths"].values():
        for operation in methods.values():
            scope, auth = operation.pop("x-scope", None), operation.pop("x-auth", None)
            operation["security"] = [{"key": []}] if scope else [{"member": []}] if auth == "member" else []
            if scope:
                operation["description"] = f"{operation.get('description', '')}\n\nScope: `{scope}`.".strip()
            operation["responses"].pop("422", None) if not _documents_422(operation) else None
    return found


def _documents_422(operation: dict[str, Any]) -> bool:
    return "application/problem+json" in operation["responses"].get("422", {}).get("content", {})


def rendered(app: FastAPI) -> bytes:
    """The description as the committed file holds it."""
    return (json.dumps(describe(app), indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()


if __name__ == "__main__":
    from api.app import create_app
    from ledger.settings import Settings

    (STATIC / "openapi.json").write_bytes(rendered(create_app(Settings(master_key=None))))
