"""`/v1/suspense`: money that was received and waits, because nobody can be credited with it yet."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

from fastapi import APIRouter, Query, Security
from starlette.requests import Request
from starlette.responses import Response

from api import schemas
from api.access.keys import Caller, api_key
from api.application import ApplicationState, application_of
from api.parameters import SuspenseQuery, Why, cursor_text
from api.problems import asked_language, refusals
from api.responses import described
from api.route import Route
from api.v1.accounts import READ_PROBLEMS
from ledger.clock import jakarta_date
from ledger.days import day_text
from ledger.errors import Problem, sentences
from ledger.identifiers import KINDS, kpj_of, month_text
from ledger.store.account_index import must_be_registered
from ledger.store.log import position_text
from ledger.store.suspense import Case, suspense_page

router = APIRouter(route_class=Route, tags=["suspense"])


@router.get(
    "/v1/suspense",
    operation_id="suspense",
    summary="Waiting money",
    responses=refusals(
        *(code for code in READ_PROBLEMS if not code.startswith("read-side")), "npp-unreadable", "employer-not-found"
    )
    | {200: {"headers": described("JHT-Position", "Content-Language")}},
)
async def suspense(
    request: Request,
    response: Response,
    caller: Annotated[Caller, Security(api_key, scopes=["suspense"])],
    query: Annotated[SuspenseQuery, Query()],
    why: Why = "",
) -> schemas.Suspense:
    """The waiting lines, oldest first; read beside the log itself, so it is never behind."""
    application = application_of(request)
    language = asked_language(request)
    key, npp = query.after(2), query.npp
    if npp is not None:
        caller.must_cover([npp])
    npps = [npp] if npp is not None else None if caller.npps is None else sorted(caller.npps)
    now = application.now()
    today = jakarta_date(now)
    cases, head = await application.ask(_page, application, key or (0, -1), query.limit + 1, npps, npp)
    asked = "suspense" if npp is None else f"suspense {npp:08d}"
    await application.record(request, caller, why, asked, head, now)
    position = position_text(application.log.log_id, head)
    response.headers["JHT-Position"] = position
    response.headers["Content-Language"] = language
    last = cases[query.limit - 1] if len(cases) > query.limit else None
    return schemas.Suspense(
        lines=[_waiting(case, today, language) for case in cases[: query.limit]],
        next=None if last is None else cursor_text((last.position, last.line)),
        position=position,
    )


def _page(
    application: ApplicationState, after: tuple[int, int], limit: int, npps: list[int] | None, asked: int | None
) -> tuple[list[Case], int]:
    with application.log.database.read() as tx:
        if asked is not None:
            must_be_registered(tx, [asked])
        return suspense_page(tx, after, limit, npps), application.log.head_in(tx)


def _waiting(case: Case, today: date, language: str) -> schemas.Waiting:
    recorded = datetime.fromisoformat(case.recorded_at)
    return schemas.Waiting(
        kpj=kpj_of(case.card),
        npp=f"{case.npp:08d}" if case.npp else None,
        month=month_text(case.month),
        kind=KINDS[case.kind],
        paid_on=day_text(case.paid_on),
        employer=case.employer,
        worker=case.worker,
        total=case.employer + case.worker,
        reason=case.reason,
        detail=Problem(case.reason).say(language) if case.reason in sentences() else case.reason,
        recorded_at=case.recorded_at,
        age_days=(today - jakarta_date(recorded)).days,
        remittance=case.stream,
    )
