"""How the yield of one of the member's cards was worked out, and what its savings may become."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from api.application import application_of
from api.middleware import masked
from api.mobile.access import MEMBER_PROBLEMS, CurrentMember, own_read, there
from api.parameters import BalanceQuery, HandlePath, MobileSimulationQuery
from api.past import asked_past
from api.problems import asked_language, refusals
from api.responses import VERSIONED, versioned
from api.route import Route
from api.schemas import Explained, balance_fields, group_fields
from api.simulation_answer import Simulated, simulation_fields, simulation_version
from api.v1.accounts import FRESH_PROBLEMS, KNOWN_PROBLEMS, PARAMETER_PROBLEMS, POSITION_PROBLEMS
from api.v1.simulation import SIMULATION_PROBLEMS
from ledger.clock import jakarta_date
from ledger.store.log import position_text
from projections.outlook import LOOKED_AT, simulation_of

_PROBLEMS = (
    *MEMBER_PROBLEMS, *PARAMETER_PROBLEMS, *POSITION_PROBLEMS, *FRESH_PROBLEMS, "card-unknown", "account-incomplete",
)  # fmt: skip
router = APIRouter(route_class=Route, tags=["mobile"])


@router.get(
    "/v1/mobile/cards/{handle}/explain",
    operation_id="mobile_explain",
    summary="How one card's yield was worked out",
    response_model=Explained,
    responses=refusals(*_PROBLEMS, *KNOWN_PROBLEMS) | VERSIONED,
)
async def explain(
    request: Request,
    member: CurrentMember,
    handle: HandlePath,
    query: Annotated[BalanceQuery, Query()],
) -> Response:
    """The balance, now or at an earlier day and as it was known then, and its working line by line: by this project's model
    of a rule that the agency does not publish."""
    application = application_of(request)
    language = asked_language(request)
    card, now = member.card(handle), application.now()
    past = await asked_past(application, query, now)
    read = application.reader.explanation
    found = await there(application.ask(read, card, jakarta_date(now), now, past.asked, past.known))
    row, log_id = found.row, application.log.log_id
    await application.recorder.note(own_read(request, row.kpj, row.position, now))
    group = await application.group(row, now, past.asked, past.known)
    balance = balance_fields(log_id, row, past.day) | {
        "kpj": masked(row.kpj),
        "group": group and group_fields(group, masked),
    }
    body = {"balance": balance, "accounts": found.accounts}
    version = f"{group.tag if group else row.tag}-{row.position}-{past.day.isoformat()}"
    return versioned(request, body, position_text(log_id, row.position), version, language)


@router.get(
    "/v1/mobile/cards/{handle}/simulate",
    operation_id="mobile_simulate",
    summary="What one card's savings may become",
    response_model=Simulated,
    responses=refusals(*_PROBLEMS, *SIMULATION_PROBLEMS) | VERSIONED,
)
async def simulate(
    request: Request,
    member: CurrentMember,
    handle: HandlePath,
    query: Annotated[MobileSimulationQuery, Query()],
) -> Response:
    """An estimate under the assumptions that stand beside it, until the 56th birthday when nothing else is said."""
    application = application_of(request)
    language = asked_language(request)
    card, now = member.card(handle), application.now()
    today = jakarta_date(now)
    await application.reach(query.min_position)
    row = await there(application.balance(card, now, None))
    lines = await there(application.ask(application.reader.entries, card, now, None, LOOKED_AT))
    about = await application.ask(application.members.about, member.person)
    await application.recorder.note(own_read(request, row.kpj, row.position, now))
    found = simulation_of(row, lines, query.wish(), today, date.fromisoformat(about.identity.birth_date))
    body = simulation_fields(application.log.log_id, row, masked(row.kpj), found, today)
    version = simulation_version(row, found, today)
    return versioned(request, body, body["as_of"]["position"], version, language)
