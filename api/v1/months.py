"""`/v1/accounts/{kpj}/months`: what came for each month, what has not, and why."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from api import schemas
from api.application import application_of
from api.months_answer import Months, Telling, months_answer, months_version
from api.parameters import KpjPath, PastMonthsQuery, Why
from api.past import asked_past
from api.problems import asked_language, refusals
from api.reasons import OTHERS
from api.responses import VERSIONED, versioned
from api.route import Route
from api.v1.accounts import KNOWN_PROBLEMS, POSITION_PROBLEMS, READ_PROBLEMS, Reader
from ledger.identifiers import card_number
from projections.card_months import of_payers

router = APIRouter(route_class=Route, tags=["accounts"])


@router.get(
    "/v1/accounts/{kpj}/months",
    operation_id="months",
    summary="One card's months",
    response_model=Months,
    responses=refusals(
        *READ_PROBLEMS, *POSITION_PROBLEMS, *KNOWN_PROBLEMS, "kpj-unreadable", "account-not-found", "account-incomplete"
    )
    | VERSIONED,
)
async def months(
    request: Request,
    caller: Reader,
    kpj: KpjPath,
    query: Annotated[PastMonthsQuery, Query()],
    why: Why = "",
) -> Response:
    """Every month since the first membership, newest first: its state, and the reason where it is not simply posted; now, or
    at an earlier day (`as_of`) and as it was known at an earlier place in the log (`known_at`).

    A key that is bound to employers sees their months alone.
    """
    application = application_of(request)
    language = asked_language(request)
    card, now = card_number(kpj), application.now()
    await application.must_see(caller, (card,))
    past = await asked_past(application, query, now)
    there = application.months_at(card, now, past.day, past.known) if past.is_past else application.months(card, now)
    row, facts = await application.answer(there, request, caller, why, kpj, now)
    await application.record(request, caller, why, row.kpj, row.position, now)
    if caller.npps is not None:
        facts = of_payers(facts, caller.npps)
    as_of = schemas.as_of(application.log.log_id, row, past.day)
    # Other systems know employers by their NPP.
    telling = Telling(language, OTHERS, lambda npp, name: None)
    body = months_answer(facts, past.day, as_of, row.kpj, query.year, telling)
    version = months_version(row, facts, as_of, query.year) + past.mark
    return versioned(request, body, as_of.position, version, language)
