"""Responses that are bytes already, the ETag, and what OpenAPI says of response headers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

_encode = msgspec.json.Encoder().encode
_JSON = (b"content-type", b"application/json")
_PRIVATE = (b"cache-control", b"private, no-cache")
_VARY = (b"vary", b"Authorization, Accept-Language")


class BytesResponse(Response):
    """A response whose headers are given as the server sends them."""

    def __init__(self, body: bytes, status: int, headers: list[tuple[bytes, bytes]]) -> None:
        self.status_code = status
        self.body = body
        self.background = None
        self.raw_headers = headers


def json_response(body: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON response that may not be kept by anybody."""
    return Response(_encode(body), status, {"Cache-Control": "no-store", **(headers or {})}, "application/json")


def versioned(request: Request, body: object, position: str, version: str, language: str) -> Response:
    """The answer with its weak ETag, or 304 when the caller has it already.

    `body`: a model, or its fields where a short route sends them as they are. `position`: in its outside form.
    """
    headers = version_headers(position, version, language)
    if is_known(request, headers):
        return unchanged(headers)
    content = body.model_dump_json().encode() if isinstance(body, BaseModel) else _encode(body)
    return BytesResponse(content, 200, [*headers, _JSON, (b"content-length", str(len(content)).encode())])


def version_headers(position: str, version: str, language: str) -> list[tuple[bytes, bytes]]:
    """The headers of a read with a weak ETag, which comes first."""
    # Positions are used again after a restore: the log's id, which stands in every position, belongs into the tag.
    etag = f'W/"{position.partition("-")[0]}-{version}-{language}"'
    return [(b"etag", etag.encode()), (b"jht-position", position.encode()), _PRIVATE, _VARY]


def is_known(request: Request, headers: list[tuple[bytes, bytes]]) -> bool:
    """Whether the caller has the answer of these `version_headers` already."""
    known = header(request, b"if-none-match")
    return bool(known) and _has(known, headers[0][1].decode())


def unchanged(headers: list[tuple[bytes, bytes]]) -> Response:
    """304 with the headers of the answer."""
    return BytesResponse(b"", 304, headers)


def file_response(content: bytes, kind: str, name: str, headers: Iterable[tuple[bytes, bytes]] = ()) -> Response:
    """A file to keep under a name of plain letters; nobody between may keep it."""
    disposition = (b"content-disposition", f'attachment; filename="{name}"'.encode())
    length, kept = (b"content-length", str(len(content)).encode()), list(headers) or [(b"cache-control", b"no-store")]
    return BytesResponse(content, 200, [*kept, (b"content-type", kind.encode()), disposition, length])


def _has(header: str, etag: str) -> bool:
    wanted = etag.removeprefix("W/")
    return any(part.strip().removeprefix("W/") in {wanted, "*"} for part in header.split(","))


def header(request: Request, name: bytes) -> str:
    """A request's header, '' when it is absent. `name` in small letters."""
    given: dict[bytes, bytes] = request.scope["given"]
    value = given.get(name)
    return "" if value is None else value.decode("latin-1")


def _described(description: str, *, always: bool = True, **schema: Any) -> dict[str, Any]:
    return {"description": description, "required": always, "schema": {"type": "string"} | schema}


HEADERS: dict[str, dict[str, Any]] = {
    "ETag": _described(
        "Version of the answer: of the card, the yields, the day and the language", pattern='^W/"[0-9a-f]{16}-[^"]+"$'
    ),
    "JHT-Position": _described(
        "Position in the log up to which the answer is true, or that a write reached", always=False,
        pattern="^[0-9a-f]{16}-[0-9]+$",
    ),
    "Content-Language": _described("Language of the sentences", enum=["id", "en"]),
    "Idempotency-Replayed": _described(
        "There when the answer is that of an earlier request with the same key", always=False, const="true"
    ),
    "Retry-After": _described("Seconds until it is worth trying again", type="integer", minimum=1),
    "WWW-Authenticate": _described("How to come in", const='Bearer realm="jht-ledger"'),
    "Cache-Control": _described("Nobody may keep it", const="no-store"),
    "Vary": _described("What else the answer depends on"),
    "X-Request-Id": _described("Finds the request in the service's log", pattern="^[0-9a-f-]{10,36}$"),
}  # fmt: skip
"""What headers of answers mean; the schemas of OpenAPI."""
KEPT = _described("Only the caller may keep it, and asks each time whether it still holds", const="private, no-cache")
"""`Cache-Control` of an answer with an ETag."""


def _parameter(name: str, description: str, example: str) -> dict[str, Any]:
    return {"name": name, "in": "header", "description": description, "schema": {"type": "string"}, "example": example}


LANGUAGE = _parameter("Accept-Language", "Language of the sentences: `id` (default) or `en`", "id")
KNOWN_VERSION = _parameter(
    "If-None-Match", "The ETag of an earlier answer", 'W/"3f9c2a1b7d04e586-48211.9c1e-48100.07ab-2026-11-21-id"'
)
"""Headers that no route takes as a parameter: they are read where answers and refusals are made."""


def described(*names: str) -> dict[str, Any]:
    """OpenAPI's `headers` of a response, each described once among its components."""
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


_OF_VERSIONED = described("ETag", "JHT-Position", "Vary") | {"Cache-Control": KEPT}
VERSIONED: dict[int | str, dict[str, Any]] = {
    200: {"headers": _OF_VERSIONED},
    304: {"description": "Not changed since the given ETag", "headers": _OF_VERSIONED},
}
"""What OpenAPI says of a read with an ETag."""
_AT_TIMES = {name: HEADERS[name] | {"required": False} for name in ("ETag", "Vary")} | {
    "Cache-Control": _described(
        "May be kept by the caller where it has an ETag", enum=["private, no-cache", "no-store"]
    ),
}
VERSIONED_AT_TIMES = VERSIONED | {200: {"headers": described("JHT-Position") | _AT_TIMES}}
"""Of one that has an ETag only where nothing about it is in doubt."""
