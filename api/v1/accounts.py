"""`/v1/accounts/{kpj}`: one card's balance and statement."""

from __future__ import annotations

from typing import Any

import msgspec
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api import schemas
from api.access.keys import caller_of, guarded
from api.application import ApplicationState
from api.parameters import card_of, cursor_of, cursor_text, limit_of, parameters, past_day
from api.problems import asked_language, documented
from api.responses import JSON, Ready, header
from ledger.clock import jakarta_date
from ledger.errors import NotFound
from ledger.identifiers import kpj_of
from ledger.store.log import position_text
from projections.results import Entry

SCHEME_VERSION = 0
"""Part of every ETag: it will rise when a yield is declared, which changes balances without touching a card."""

READ_PROBLEMS = (
    "parameter-unreadable", "parameter-unknown", "key-missing", "key-wrong", "scope-missing", "object-foreign",
    "read-side-stale", "read-side-empty", "log-restored", "record-unavailable", "store-failed", "internal",
)  # fmt: skip
POSITION_PROBLEMS = ("position-unreadable", "position-foreign", "position-ahead", "position-not-reached")
_encode = msgspec.json.Encoder().encode


def npp_text(npp: int) -> str | None:
    """The payer as it leaves: null when the participant paid for himself."""
    return f"{npp:08d}" if npp else None


_PRIVATE = (b"cache-control", b"private, no-cache")
_VARY = (b"vary", b"Authorization, Accept-Language")


def tagged(request: Request, body: msgspec.Struct, position: str, version: str) -> Response:
    """The answer with its ETag, or 304 when the caller has it already."""
    etag = f'W/"{position.partition("-")[0]}-{version}-{asked_language(request)}"'
    headers = [(b"etag", etag.encode()), (b"jht-position", position.encode()), _PRIVATE, _VARY]
    known = header(request, b"if-none-match")
    if known and _has(known, etag):
        return Ready(b"", 304, headers)
    content = _encode(body)
    return Ready(content, 200, [*headers, JSON, (b"content-length", str(len(content)).encode())])


def _has(header: str, etag: str) -> bool:
    wanted = etag.removeprefix("W/")
    return any(part.strip().removeprefix("W/") in {wanted, "*"} for part in header.split(","))


def routes(application: ApplicationState) -> APIRouter:
    """The routes over what the process holds open."""
    router = APIRouter(route_class=guarded(application.admit), tags=["accounts"])

    async def balance(request: Request) -> Response:
        """What one card holds, now or at the end of an earlier day (`as_of`, in Jakarta)."""
        caller = caller_of(request)
        found = parameters(request, "as_of", "min_position")
        card = card_of(request.path_params["kpj"])
        now = application.now()
        present = jakarta_date(now)
        day = past_day(found, present)
        await application.must_see(caller, (card,))
        await application.reach(found)
        try:
            row = await application.balance(card, now, day)
        except NotFound:
            # Who looks for cards that do not exist is to be seen in the records too.
            await application.record(request, caller, kpj_of(card), 0, now)
            raise
        await application.record(request, caller, row.kpj, row.position, now)
        shown = schemas.balance_of(application.log.log_id, row, day or present)
        version = f"{row.tag}-{SCHEME_VERSION}-{shown.as_of.date}"
        return tagged(request, shown, shown.as_of.position, version)

    async def entries(request: Request) -> Response:
        """A card's statement, newest month first, in pages."""
        caller = caller_of(request)
        found = parameters(request, "limit", "cursor", "min_position")
        card = card_of(request.path_params["kpj"])
        limit, after = limit_of(found), cursor_of(found, 3)
        now = application.now()
        present = jakarta_date(now)
        await application.must_see(caller, (card,))
        await application.reach(found)
        try:
            row = await application.balance(card, now, None)
        except NotFound:
            await application.record(request, caller, kpj_of(card), 0, now)
            raise
        # One more than asked tells whether there is a next page.
        lines = await application.ask(application.reader.entries, card, now, after, limit + 1)
        await application.record(request, caller, row.kpj, row.position, now)
        log_id = application.log.log_id
        page = schemas.Entries(
            row.kpj,
            [_entry(log_id, line) for line in lines[:limit]],
            cursor_text(lines[limit - 1].key) if len(lines) > limit else None,
            schemas.as_of(log_id, row, present),
        )
        version = f"{row.tag}-{SCHEME_VERSION}-{limit}.{found.get('cursor', '')}"
        return tagged(request, page, page.as_of.position, version)

    router.add_api_route(
        "/v1/accounts/{kpj}/balance",
        balance,
        methods=["GET"],
        operation_id="balance",
        summary="One card's balance",
        responses=documented(
            *READ_PROBLEMS, *POSITION_PROBLEMS, "kpj-unreadable", "account-not-found", "account-incomplete",
            "as-of-in-future", "as-of-before-opening",
        )
        | {
            200: schemas.returned("Balance", "The balance", EXAMPLE),
            304: {"description": "Not changed since the given ETag"},
        },
        openapi_extra={"x-scope": "read", "parameters": [KPJ, AS_OF, MIN_POSITION, IF_NONE_MATCH, *COMMON]},
    )  # fmt: skip
    router.add_api_route(
        "/v1/accounts/{kpj}/entries",
        entries,
        methods=["GET"],
        operation_id="entries",
        summary="One card's statement",
        responses=documented(
            *READ_PROBLEMS, *POSITION_PROBLEMS, "kpj-unreadable", "account-not-found", "account-incomplete"
        )
        | {
            200: schemas.returned("Entries", "A page of the statement", ENTRIES_EXAMPLE),
            304: {"description": "Not changed since the given ETag"},
        },
        openapi_extra={
            "x-scope": "read",
            "parameters": [KPJ, LIMIT, CURSOR, MIN_POSITION, IF_NONE_MATCH, *COMMON],
        },
    )
    return router


def _entry(log_id: str, line: Entry) -> schemas.Entry:
    return schemas.Entry(
        line.type,
        line.kind,
        line.month,
        line.paid_on,
        line.npp or None,
        line.wage,
        line.back_pay,
        line.employer,
        line.worker,
        line.credited,
        line.employer + line.worker + line.credited,
        line.months,
        line.recorded_at,
        position_text(log_id, line.key[1]),
        line.reference or msgspec.UNSET,
    )


def parameter(
    name: str, description: str, schema: dict[str, Any], example: Any = None, place: str = "query"
) -> dict[str, Any]:
    """A parameter for OpenAPI."""
    shown = {
        "name": name,
        "in": place,
        "required": place == "path",
        "description": description,
        "schema": schema,
    }
    return shown if example is None else shown | {"example": example}


KPJ = parameter(
    "kpj", "Membership card number", {"type": "string", "pattern": "^[0-9A-Z]{5,12}$"}, "26000000017", "path"
)
AS_OF = parameter(
    "as_of", "At the end of this day (Asia/Jakarta); today when absent", {"type": "string", "format": "date"}
)
MIN_POSITION = parameter(
    "min_position", "Wait until the read side has reached this position (from a receipt)", {"type": "string"}
)
LIMIT = parameter("limit", "Rows a page", {"type": "integer", "minimum": 1, "maximum": 500, "default": 100}, 100)
CURSOR = parameter("cursor", "`next` of the page before", {"type": "string"})
IF_NONE_MATCH = parameter("If-None-Match", "An ETag of before", {"type": "string"}, place="header")
COMMON = [
    parameter("Accept-Language", "`id` (default) or `en`", {"type": "string"}, "id", "header"),
    parameter(
        "X-Reason",
        "Why it is read: a short code for the access record",
        {"type": "string", "pattern": "^[a-z][a-z-]{0,39}$"},
        "counter-visit",
        "header",
    ),
]
_AS_OF_EXAMPLE = {
    "date": "2026-11-21",
    "position": "3f9c2a1b7d04e586-48211",
    "recorded_at": "2026-11-21T03:00:00.000000Z",
    "projected_at": "2026-11-21T03:00:00.020000Z",
}
EXAMPLE = {
    "kpj": "26000000017",
    "segment": "PU",
    "status": "aktif",
    "balance": 3990000,
    "contributed": {"employer": 2590000, "worker": 1400000, "total": 3990000},
    "yield_credited": 0,
    "months_contributed": 14,
    "last_contribution": {"month": "2026-10", "paid_on": "2026-11-12", "npp": "10000001"},
    "as_of": _AS_OF_EXAMPLE,
}
ENTRIES_EXAMPLE = {
    "kpj": "26000000017",
    "entries": [
        {
            "type": "posted",
            "kind": "regular",
            "month": "2026-10",
            "paid_on": "2026-11-12",
            "npp": "10000001",
            "wage": 5000000,
            "back_pay": 0,
            "employer": 185000,
            "worker": 100000,
            "yield_credited": 0,
            "total": 285000,
            "months": 1,
            "recorded_at": "2026-11-14T02:10:11.000000Z",
            "position": "3f9c2a1b7d04e586-48211",
        }
    ],
    "next": "WzI0MzIxLDQ4MjExLDBd",
    "as_of": _AS_OF_EXAMPLE,
}
