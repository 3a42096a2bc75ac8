"""How a refusal leaves over HTTP: problem+json (RFC 9457), in Indonesian or English; the one table code -> status.

A status says who must act: 4xx the caller, 503 nobody (try again), 500 the operator. `detail` is in the language the
caller asked for (Indonesian when he did not), `detail_en` always English, `code` is what a program reads.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

import msgspec
import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from api.responses import header
from ledger.errors import JhtError, Problem, Unavailable, sentences

TYPE_ROOT = "https://jht-ledger.example/problems/"
MEDIA_TYPE = "application/problem+json"
RETRY_SECONDS = 2

_BY_STATUS = {
    400: "file-encoding json-unreadable parameter-unreadable parameter-unknown as-of-in-future position-unreadable "
    "position-ahead position-foreign idempotency-key-unreadable",
    401: "key-missing key-wrong gateway-wrong login-wrong login-missing login-over refresh-over refresh-reused",
    403: "scope-missing object-foreign employer-foreign form-foreign role-missing identity-not-seen login-by-provider",
    404: "account-not-found person-unknown remittance-not-found line-not-found receipt-not-found route-unknown "
    "opening-not-found projection-unknown key-unknown user-unknown member-unknown card-unknown data-request-unknown",
    405: "method-wrong",
    409: "line-conflict opening-conflict employer-conflict idempotency-in-progress erase-has-money erase-retention "
    "user-exists nik-of-another-person follower-elsewhere rebuild-elsewhere rebuild-nothing-to-undo rebuild-differs "
    "clock-not-behind email-taken member-active data-request-open",
    410: "person-erased link-used report-over view-over",
    413: "body-too-large file-too-large file-expands-too-far",
    415: "content-type-unknown",
    429: "too-many-tries",
    500: "internal log-broken setting-wrong master-key-missing master-key-wrong store-damaged "
    "ledger-foreign ledger-folder-missing ledger-unreadable",
    503: "account-incomplete read-side-stale read-side-empty position-not-reached log-restored record-unavailable "
    "store-failed store-unreachable store-read-only read-side-damaged program-too-old upgrade-needed clock-differs "
    "log-ahead provider-away disk-full ledger-missing vault-rotating sms-not-sent login-busy",
}
STATUS = {code: status for status, codes in _BY_STATUS.items() for code in codes.split()}
OTHERWISE = 422


def status_of(code: str) -> int:
    """The HTTP status of a code: 422 (what was sent cannot be used) unless the table says otherwise."""
    return STATUS.get(code, OTHERWISE)


class ProblemBody(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a caller gets instead of an answer."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    detail_en: str
    line: int = 0
    column: str = ""
    request_id: str = ""


def language_of(accepted: str) -> str:
    """`id` or `en`, whichever an Accept-Language header prefers; `id` when it names neither."""
    best, weight = "id", 0.0
    for part in accepted[:500].split(","):
        tag, _, quality = part.strip().partition(";")
        name = tag.strip().lower().partition("-")[0]
        if name not in {"id", "en"}:
            continue
        try:
            given = float(quality.strip().removeprefix("q=")) if quality else 1.0
        except ValueError:
            continue
        if given > weight:
            best, weight = name, given
    return best


def asked_language(request: Request) -> str:
    """The language of a request."""
    given = header(request, b"accept-language")
    return language_of(given) if given else "id"


def body_of(problem: Problem, language: str, request_id: str = "") -> ProblemBody:
    """The problem as it leaves."""
    code = problem.code
    return ProblemBody(
        type=TYPE_ROOT + code,
        title=code.replace("-", " ").capitalize(),
        status=status_of(code),
        code=code,
        detail=problem.say(language),
        detail_en=problem.say("en"),
        line=problem.line,
        column=problem.column,
        request_id=request_id,
    )


def answer(request: Request, problem: Problem, headers: Mapping[str, str] | None = None) -> Response:
    """The response for a problem."""
    language = asked_language(request)
    body = body_of(problem, language, request.scope.get("request_id", ""))
    more = {
        "Cache-Control": "no-store",
        "Content-Language": language,
        "Vary": "Accept-Language, Authorization",
        **(headers or {}),
    }
    if body.status == 401:
        more["WWW-Authenticate"] = 'Bearer realm="jht-ledger"'
    if body.status == 503 or problem.code == "idempotency-in-progress":
        more["Retry-After"] = str(RETRY_SECONDS)
    elif body.status == 429:
        more["Retry-After"] = str(60 * int(problem.details.get("minutes", 1)))
    request.scope["problem"] = problem.code
    return Response(msgspec.json.encode(body), body.status, more, MEDIA_TYPE)


async def refused(request: Request, error: Exception) -> Response:
    """Answer an error of this project."""
    assert isinstance(error, JhtError)
    if status_of(error.code) >= 500 and not isinstance(error, Unavailable):
        return answer(request, incident(error))
    return answer(request, error.problem)


async def wrong_address(request: Request, error: Exception) -> Response:
    """Answer what the router itself refuses: an unknown address or method."""
    assert isinstance(error, HTTPException)
    code = {404: "route-unknown", 405: "method-wrong"}.get(error.status_code)
    problem = Problem(code) if code else Problem("request-invalid", details={"what": str(error.status_code)})
    return answer(request, problem, error.headers)


async def broken(request: Request, error: Exception) -> Response:
    """Answer an error nobody foresaw: an incident number for the caller, the trace for the operator."""
    return answer(request, incident(error))


def incident(error: Exception) -> Problem:
    """Note an error nobody foresaw, for the operator; the problem that a caller may see: its number."""
    number = secrets.token_hex(6)
    # The trace has file names and lines only: a message or a local variable could hold personal data.
    frames = []
    trace = error.__traceback__
    while trace is not None:
        frames.append(f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}")
        trace = trace.tb_next
    structlog.get_logger().error(
        "incident",
        incident=number,
        error=type(error).__name__,
        code=getattr(error, "code", ""),
        trace=frames[-12:],
    )
    return Problem("internal", details={"incident": number})


def documented(*codes: str) -> dict[int | str, dict[str, Any]]:
    """OpenAPI's `responses` for the given codes: one entry a status, one example a code."""
    found: dict[int | str, dict[str, Any]] = {}
    for code in codes:
        assert code in sentences(), code
        entry = found.setdefault(
            status_of(code),
            {
                "description": "",
                "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}, "examples": {}}},
            },
        )
        entry["description"] = ", ".join(part for part in (entry["description"], f"`{code}`") if part)
        entry["content"][MEDIA_TYPE]["examples"][code] = {"value": msgspec.to_builtins(body_of(Problem(code), "id"))}
    return found
