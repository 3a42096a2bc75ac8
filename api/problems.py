"""How a refusal leaves over HTTP: problem+json (RFC 9457), in Indonesian or English; the one table code -> status.

A status says who must act: 4xx the caller, 503 nobody (try again), 500 the operator. `detail` is in the language the
caller asked for (Indonesian when they asked for none), `detail_en` always English, `code` is what a program reads. What
pydantic finds wrong becomes a code as well, and nothing of the refused value leaves.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import structlog
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from api import schemas
from api.responses import described, header
from ledger.errors import JhtError, Problem, Unavailable, sentences

TYPE_ROOT = "https://jht-ledger.example/problems/"
MEDIA_TYPE = "application/problem+json"
RETRY_SECONDS = 2

_BY_STATUS = {
    400: "kind-unknown file-encoding json-unreadable parameter-unreadable parameter-unknown as-of-in-future "
    "position-unreadable position-ahead position-foreign idempotency-key-unreadable known-at-unreadable "
    "known-at-without-zone known-at-in-future known-at-not-settled known-at-before-log answers-out-of-order "
    "statement-period-unclear statement-year-ahead statement-ahead statement-ends-early",
    401: "key-missing key-wrong gateway-wrong login-wrong login-missing login-over refresh-over refresh-reused "
    "passkey-wrong passkey-copied",
    403: "scope-missing key-bound object-foreign employer-foreign form-foreign role-missing identity-not-seen "
    "login-by-provider factor-own proposal-own",
    404: "account-not-found account-not-yet-known answer-code-unknown "
    "employer-not-found suspense-not-found person-unknown remittance-not-found line-not-found "
    "receipt-not-found route-unknown opening-not-found projection-unknown key-unknown user-unknown member-unknown "
    "card-unknown data-request-unknown factor-unknown passkey-unknown proposal-unknown",
    405: "method-wrong",
    409: "line-conflict opening-conflict employer-conflict idempotency-in-progress erase-has-money erase-retention "
    "scheme-started yield-declared yield-total-differs complete-goes-back user-exists nik-of-another-person "
    "follower-elsewhere rebuild-elsewhere rebuild-nothing-to-undo rebuild-differs clock-not-behind email-taken "
    "member-active data-request-open changed-since merge-already merge-not-there card-differs yield-rate-differs "
    "yield-nothing-new what-if-running reassign-same-person reassign-merged "
    "join-request-open part-not-joined",
    410: "person-erased person-joined link-used report-over view-over",
    413: "body-too-large file-too-large file-expands-too-far",
    415: "content-type-unknown",
    429: "too-many-tries too-many-guesses",
    500: "internal log-broken setting-unknown setting-unreadable setting-wrong master-key-missing master-key-wrong "
    "store-damaged "
    "ledger-foreign ledger-folder-missing ledger-unreadable",
    503: "account-incomplete totals-incomplete "
    "read-side-stale read-side-empty position-not-reached log-restored record-unavailable "
    "scheme-unreadable store-failed store-silent store-unreachable store-read-only read-side-damaged program-too-old "
    "upgrade-needed clock-differs log-ahead provider-away disk-full ledger-missing vault-rotating sms-not-sent "
    "login-busy what-if-stopped",
}
STATUS = {code: status for status, codes in _BY_STATUS.items() for code in codes.split()}
OTHERWISE = 422


def status_of(code: str) -> int:
    """The HTTP status of a code: 422 (what was sent cannot be used) unless the table says otherwise."""
    return STATUS.get(code, OTHERWISE)


@lru_cache(256)
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


def body_of(problem: Problem, language: str, request_id: str = "") -> schemas.Problem:
    """The problem as it leaves."""
    code = problem.code
    return schemas.Problem(
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
    return Response(body.model_dump_json(exclude_defaults=True), body.status, more, MEDIA_TYPE)


async def refused(request: Request, error: Exception) -> Response:
    """Answer an error of this project."""
    assert isinstance(error, JhtError)
    if status_of(error.code) >= 500 and not isinstance(error, Unavailable):
        return answer(request, incident(error))
    return answer(request, error.problem)


async def invalid(request: Request, error: Exception) -> Response:
    """Answer what FastAPI and pydantic found wrong with a request: the first of it."""
    assert isinstance(error, RequestValidationError)
    unread: Problem | None = request.scope.get("body_problem")
    return answer(request, unread or _problem_of(error.errors()[0], request))


def _problem_of(found: Mapping[str, Any], request: Request) -> Problem:
    """The code of one thing wrong. Types that have a code of their own say it (`parameters.refused_as`)."""
    place, *names = found["loc"]
    name = shown_name(str(names[0])) if names else "?"
    if found["type"] in sentences():
        details = {"name": name} if found["type"].startswith("parameter-") else {}
        return Problem(found["type"], details=details | found.get("ctx", {}))
    if place == "body":
        fields = request.scope["route"].body_field.field_info.annotation.model_fields
        return Problem("request-invalid", details={"what": ", ".join(fields)})
    if found["type"] == "extra_forbidden":
        return Problem("parameter-unknown", details={"name": name})
    return Problem("parameter-unreadable", details={"name": name})


def shown_name(name: str) -> str:
    """A parameter's name; `?` for what does not look like one, because it may be a value in the wrong place."""
    return name if re.fullmatch(r"[A-Za-z_-]{1,40}", name) else "?"


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


def refusals(*codes: str) -> dict[int | str, dict[str, Any]]:
    """OpenAPI's `responses` for the given codes: one entry a status, one example a code."""
    found: dict[int | str, dict[str, Any]] = {}
    for code in codes:
        body = body_of(Problem(code), "id")
        found.setdefault(body.status, {})[code] = {"value": body.model_dump(exclude_defaults=True)}
    schema = {"$ref": "#/components/schemas/Problem"}
    return {
        status: {
            "description": ", ".join(f"`{code}`" for code in examples),
            "headers": described("Content-Language", "Vary", *_more_headers(int(status), examples)),
            "content": {MEDIA_TYPE: {"schema": schema, "examples": examples}},
        }
        for status, examples in found.items()
    }


def _more_headers(status: int, codes: Mapping[str, Any]) -> list[str]:
    found = ["WWW-Authenticate"] if status == 401 else []
    return [*found, "Retry-After"] if status in {429, 503} or "idempotency-in-progress" in codes else found
