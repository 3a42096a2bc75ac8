"""`/v1/suspense`: money that was received and waits, because nobody can be credited with it yet."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api import schemas
from api.access.keys import caller_of, guarded
from api.application import ApplicationState
from api.parameters import cursor_of, cursor_text, limit_of, npp_of, parameters
from api.problems import asked_language, documented
from api.responses import ready
from api.v1.accounts import COMMON, CURSOR, LIMIT, READ_PROBLEMS, npp_text, parameter
from ledger.clock import jakarta_date
from ledger.errors import Problem, sentences
from ledger.identifiers import KINDS, kpj_of, month_text
from ledger.store import account_index
from ledger.store.log import position_text


def routes(application: ApplicationState) -> APIRouter:
    """The routes over what the process holds open."""
    router = APIRouter(route_class=guarded(application.admit), tags=["suspense"])

    def page(after: tuple[int, int], limit: int, npps: list[int] | None) -> tuple[list[account_index.Case], int]:
        with application.log.database.read() as tx:
            return account_index.suspense_page(tx, after, limit, npps), application.log.head_in(tx)

    async def suspense(request: Request) -> Response:
        """The waiting lines, oldest first; read beside the log itself, so it is never behind."""
        caller = caller_of(request)
        found = parameters(request, "limit", "cursor", "npp")
        limit, key, npp = limit_of(found), cursor_of(found, 2), npp_of(found)
        if npp is not None:
            caller.must_cover([npp])
        npps = [npp] if npp is not None else None if caller.npps is None else sorted(caller.npps)
        now = application.now()
        cases, head = await application.ask(page, key or (0, -1), limit + 1, npps)
        await application.record(request, caller, "suspense" if npp is None else f"suspense {npp:08d}", head, now)
        language = asked_language(request)
        position = position_text(application.log.log_id, head)
        body = schemas.Suspense(
            [_waiting(case, now, language) for case in cases[:limit]],
            cursor_text((cases[limit - 1].position, cases[limit - 1].line)) if len(cases) > limit else None,
            position,
        )
        return ready(body, headers={"JHT-Position": position, "Content-Language": language})

    router.add_api_route(
        "/v1/suspense",
        suspense,
        methods=["GET"],
        operation_id="suspense",
        summary="Waiting money",
        responses=documented(*(code for code in READ_PROBLEMS if not code.startswith("read-side")), "npp-unreadable")
        | {200: schemas.returned("Suspense", "A page of waiting lines", _EXAMPLE)},
        openapi_extra={
            "x-scope": "suspense",
            "parameters": [
                LIMIT,
                CURSOR,
                parameter("npp", "Only of this payer", {"type": "string", "pattern": "^[0-9]{8}$"}, "10000001"),
                *COMMON,
            ],
        },
    )
    return router


def _waiting(case: account_index.Case, now: datetime, language: str) -> schemas.Waiting:
    recorded = datetime.fromisoformat(case.recorded_at)
    return schemas.Waiting(
        kpj_of(case.card),
        npp_text(case.npp),
        month_text(case.month),
        KINDS[case.kind],
        account_index.day_text(case.paid_on),
        case.employer,
        case.worker,
        case.employer + case.worker,
        case.reason,
        Problem(case.reason).say(language) if case.reason in sentences() else case.reason,
        case.recorded_at,
        (jakarta_date(now) - jakarta_date(recorded)).days,
        case.stream,
    )


_EXAMPLE = {
    "lines": [
        {
            "kpj": "26000000099",
            "npp": "10000001",
            "month": "2026-10",
            "kind": "regular",
            "paid_on": "2026-11-12",
            "employer": 185000,
            "worker": 100000,
            "total": 285000,
            "reason": "account-unknown",
            "detail": Problem("account-unknown").say("id"),
            "since": "2026-11-14T02:10:11.000000Z",
            "age_days": 7,
            "remittance": "remittance-e:10000001:2026-10",
        }
    ],
    "next": "WzI0MzIxLDQ4MjExLDBd",
    "position": "3f9c2a1b7d04e586-48211",
}
