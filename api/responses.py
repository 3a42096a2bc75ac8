"""Ready bytes: a struct becomes JSON in one step, headers are bytes already, and nothing is validated in between."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from starlette.requests import Request
from starlette.responses import Response

_encode = msgspec.json.Encoder().encode
JSON = (b"content-type", b"application/json")


class Ready(Response):
    """A response whose headers are given as the server sends them."""

    def __init__(self, body: bytes, status: int, headers: list[tuple[bytes, bytes]]) -> None:
        self.status_code = status
        self.body = body
        self.background = None
        self.raw_headers = headers


def ready(body: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON response that may not be kept by anybody."""
    return Response(_encode(body), status, {"Cache-Control": "no-store", **(headers or {})}, "application/json")


def header(request: Request, name: bytes) -> str:
    """A request's header, '' when it is absent. `name` in small letters."""
    given: dict[bytes, bytes] = request.scope["given"]
    value = given.get(name)
    return "" if value is None else value.decode("latin-1")
