"""`/v1/totals`: what all cards together hold, or what one employer has paid, of any day and as known at any place."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from api.application import application_of
from api.parameters import TotalsQuery, Why
from api.past import asked_past
from api.problems import asked_language, refusals
from api.responses import VERSIONED, versioned
from api.route import Route
from api.schemas import Totals, totals_fields
from api.v1.accounts import KNOWN_PROBLEMS, POSITION_PROBLEMS, READ_PROBLEMS, Reader
from ledger.store.log import position_text
from projections.results import npp_text
from projections.totals import totals

router = APIRouter(route_class=Route, tags=["totals"])


@router.get(
    "/v1/totals",
    operation_id="totals",
    summary="What all cards hold, or what one employer has paid",
    response_model=Totals,
    responses=refusals(
        *READ_PROBLEMS, *POSITION_PROBLEMS, *(code for code in KNOWN_PROBLEMS if not code.startswith("account")),
        "npp-unreadable", "employer-not-found", "totals-incomplete", "key-bound",
    )
    | VERSIONED,
)  # fmt: skip
async def read(
    request: Request,
    caller: Reader,
    query: Annotated[TotalsQuery, Query()],
    why: Why = "",
) -> Response:
    """Sums over all cards, now, at an earlier day, and as they were known then; with `npp` the contributions of one
    employer. A key that is bound to employers sees theirs. Yield is added up card by card, which takes its time
    where years are declared."""
    application = application_of(request)
    language, now = asked_language(request), application.now()
    if query.npp is None:
        application.must_be_free(caller)
    else:
        caller.must_cover([query.npp])
    past = await asked_past(application, query, now)
    ask = partial(totals, application.reader, application.store, now, past.day, past.known, query.npp)
    # One at a time: each reads every entry.
    async with application.turn:
        found = await application.work(ask)
    what = npp_text(query.npp) if query.npp is not None else ""
    await application.record(request, caller, why, what, found.reached[0], now)
    position = position_text(application.log.log_id, found.reached[0])
    body = totals_fields(position, found, past.day, what)
    return versioned(request, body, position, f"{found.reached[0]}-{past.day}-{what}", language)
