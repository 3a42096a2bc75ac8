"""`/v1/accounts/{kpj}/simulate`: what a card's savings may become."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from api.application import application_of
from api.parameters import KpjPath, SimulationQuery, Why
from api.problems import asked_language, refusals
from api.responses import VERSIONED, versioned
from api.route import Route
from api.simulation_answer import Simulated, simulation_fields, simulation_version
from api.v1.accounts import POSITION_PROBLEMS, READ_PROBLEMS, Reader
from ledger.clock import jakarta_date
from ledger.identifiers import card_number
from projections.outlook import LOOKED_AT, simulation_of

SIMULATION_PROBLEMS = ("simulation-out-of-range", "simulation-age-passed", "simulation-rate-missing")
router = APIRouter(route_class=Route, tags=["accounts"])


@router.get(
    "/v1/accounts/{kpj}/simulate",
    operation_id="simulate",
    summary="What one card's savings may become",
    response_model=Simulated,
    responses=refusals(
        *READ_PROBLEMS, *POSITION_PROBLEMS, *SIMULATION_PROBLEMS, "kpj-unreadable", "account-not-found",
        "account-incomplete", "key-bound",
    )
    | VERSIONED,
)  # fmt: skip
async def simulate(
    request: Request,
    caller: Reader,
    kpj: KpjPath,
    query: Annotated[SimulationQuery, Query()],
    why: Why = "",
) -> Response:
    """An estimate under the assumptions that stand beside it, in the money of then and of today. Years are given: a key is
    told nothing of a birth date."""
    application = application_of(request)
    language = asked_language(request)
    card, now = card_number(kpj), application.now()
    today = jakarta_date(now)
    application.must_be_free(caller)
    await application.reach(query.min_position)
    asked = application.balance(card, now, None)
    row = await application.answer(asked, request, caller, why, kpj, now)
    lines = await application.ask(application.reader.entries, card, now, None, LOOKED_AT)
    await application.record(request, caller, why, row.kpj, row.position, now)
    found = simulation_of(row, lines, query.wish(), today)
    body = simulation_fields(application.log.log_id, row, row.kpj, found, today)
    version = simulation_version(row, found, today)
    return versioned(request, body, body["as_of"]["position"], version, language)
