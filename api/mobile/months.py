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
from api.parameters import HandlePath, PastMonthsQuery
from api.past import asked_past
from api.problems import asked_language, refusals
from api.reasons import MEMBER
from api.responses import VERSIONED, versioned
from api.route import Route
from api.v1.accounts import FRESH_PROBLEMS, KNOWN_PROBLEMS, PARAMETER_PROBLEMS, POSITION_PROBLEMS

router = APIRouter(route_class=Route, tags=["mobile"])


@router.get(
    "/v1/mobile/cards/{handle}/months",
    operation_id="mobile_months",
    summary="One card's months",
    response_model=Months,
    responses=refusals(
        *MEMBER_PROBLEMS, *PARAMETER_PROBLEMS, *POSITION_PROBLEMS, *FRESH_PROBLEMS, *KNOWN_PROBLEMS, "card-unknown",
        "account-incomplete",
    )
    | VERSIONED,
)  # fmt: skip
async def months(
    request: Request,
    member: CurrentMember,
    handle: HandlePath,
    query: Annotated[PastMonthsQuery, Query()],
) -> Response:
    """Every month since the first membership, newest first, with the employers' names; with `as_of` and `known_at` as they
    were on that day, by what was known there."""
    application = application_of(request)
    language = asked_language(request)
    card, now = member.card(handle), application.now()
    past = await asked_past(application, query, now)
    if past.is_past:
        row, facts = await there(application.months_at(card, now, past.day, past.known))
    else:
        row, facts = await there(application.months(card, now))
    await application.recorder.note(own_read(request, row.kpj, row.position, now))
    as_of = schemas.as_of(application.log.log_id, row, past.day)
    telling = Telling(language, MEMBER, lambda npp, name: name)
    body = months_answer(facts, past.day, as_of, masked(row.kpj), query.year, telling)
    version = months_version(row, facts, as_of, query.year) + past.mark
    return versioned(request, body, as_of.position, version, language)
