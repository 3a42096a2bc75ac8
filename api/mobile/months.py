"""The months of one of the member's cards."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from api import schemas
from api.application import application_of
from api.middleware import masked
from api.mobile.access import MEMBER_PROBLEMS, CurrentMember, own_read, there
from api.months_answer import Months, Telling, months_answer, months_version
from api.parameters import HandlePath, MonthsQuery
from api.problems import asked_language, refusals
from api.reasons import MEMBER
from api.responses import VERSIONED, versioned
from api.route import Route
from api.v1.accounts import FRESH_PROBLEMS, PARAMETER_PROBLEMS, POSITION_PROBLEMS
from ledger.clock import jakarta_date

router = APIRouter(route_class=Route, tags=["mobile"])


@router.get(
    "/v1/mobile/cards/{handle}/months",
    operation_id="mobile_months",
    summary="One card's months",
    response_model=Months,
    responses=refusals(
        *MEMBER_PROBLEMS, *PARAMETER_PROBLEMS, *POSITION_PROBLEMS, *FRESH_PROBLEMS, "card-unknown",
        "account-incomplete",
    )
    | VERSIONED,
)  # fmt: skip
async def months(
    request: Request,
    member: CurrentMember,
    handle: HandlePath,
    query: Annotated[MonthsQuery, Query()],
) -> Response:
    """Every month since the first membership, newest first, with the employers' names."""
    application = application_of(request)
    language = asked_language(request)
    card, now = member.card(handle), application.now()
    await application.reach(query.min_position)
    row, facts = await there(application.months(card, now))
    await application.recorder.note(own_read(request, row.kpj, row.position, now))
    as_of = schemas.as_of(application.log.log_id, row, jakarta_date(now))
    telling = Telling(language, MEMBER, lambda npp, name: name)
    body = months_answer(facts, jakarta_date(now), as_of, masked(row.kpj), query.year, telling)
    return versioned(request, body, as_of.position, months_version(row, facts, as_of, query.year), language)
