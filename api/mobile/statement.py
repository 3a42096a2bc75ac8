"""The statement of one of the member's cards."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from api.application import application_of
from api.middleware import masked
from api.mobile.access import MEMBER_PROBLEMS, CurrentMember, own_read, there
from api.parameters import HandlePath, PastStatementQuery
from api.past import asked_past
from api.problems import asked_language, refusals
from api.responses import VERSIONED
from api.route import Route
from api.statement.answer import StatementAnswer
from api.statement.forms import Form
from api.statement.paper import holder_of
from api.v1.accounts import FRESH_PROBLEMS, KNOWN_PROBLEMS, PARAMETER_PROBLEMS, POSITION_PROBLEMS
from api.v1.statement import FILE_CONTENT, PERIOD_PROBLEMS, Made, answered

router = APIRouter(route_class=Route, tags=["mobile"])


@router.get(
    "/v1/mobile/cards/{handle}/statement",
    operation_id="mobile_statement",
    summary="One card's statement of a year or any days",
    response_model=StatementAnswer,
    responses=refusals(
        *MEMBER_PROBLEMS, *PARAMETER_PROBLEMS, *POSITION_PROBLEMS, *FRESH_PROBLEMS, *KNOWN_PROBLEMS, *PERIOD_PROBLEMS,
        "card-unknown", "account-incomplete",
    )
    | {304: VERSIONED[304], 200: {**VERSIONED[200], "content": FILE_CONTENT}},
)  # fmt: skip
async def statement(
    request: Request,
    member: CurrentMember,
    handle: HandlePath,
    query: Annotated[PastStatementQuery, Query()],
) -> Response:
    """Opening, every line with its employer, yield, what was paid out, closing, and the gaps; as JSON or a file. With
    `as_of` and `known_at` as it was on that day, by what was known there. A paper names the member and the card's number."""
    application = application_of(request)
    card, now = member.card(handle), application.now()
    past = await asked_past(application, query, now)
    period = query.period(past.day)
    if past.is_past:
        read = await there(application.statement_at(card, now, period, past.day, past.known))
    else:
        read = await there(application.statement(card, now, period))
    await application.recorder.note(own_read(request, read.row.kpj, read.row.position, now))
    form = Form(query.form, query.lang or asked_language(request), lambda npp, name: name)
    holder = None
    if form.name == "pdf":
        holder = holder_of((await application.ask(application.members.about, member.person)).identity)
    made = Made(period, past.day, past.moment(now), past.is_past)
    return await answered(request, read, form, made, kpj=masked(read.row.kpj), holder=holder)
