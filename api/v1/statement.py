"""`/v1/accounts/{kpj}/statement`: a card's statement of a year or any days, as JSON or a file."""

from __future__ import annotations

from datetime import date, datetime
from functools import partial
from typing import Annotated, Any, NamedTuple

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from api import schemas
from api.application import application_of
from api.parameters import KpjPath, PastStatementQuery, Why
from api.past import asked_past
from api.problems import asked_language, refusals
from api.responses import VERSIONED, file_response, is_known, unchanged, version_headers, versioned
from api.route import Route
from api.statement.answer import StatementAnswer, statement_answer
from api.statement.code import code_of, question_of
from api.statement.forms import FILES, Form, file_name, file_of
from api.statement.paper import Head, Holder
from api.v1.accounts import KNOWN_PROBLEMS, POSITION_PROBLEMS, READ_PROBLEMS, Reader
from ledger.identifiers import card_number
from projections.card_statement import CardStatement
from projections.statement import Period

router = APIRouter(route_class=Route, tags=["accounts"])

PERIOD_PROBLEMS = (
    "statement-period-unclear", "statement-year-ahead", "statement-ahead", "statement-ends-early",
    "statement-before-opening",
)  # fmt: skip
FILE_CONTENT: dict[str, Any] = {
    Form(name, "id", lambda npp, name: None).kind: {"schema": {"type": "string", "format": "binary"}} for name in FILES
}
"""OpenAPI's `content` of the files."""


@router.get(
    "/v1/accounts/{kpj}/statement",
    operation_id="statement",
    summary="One card's statement of a year or any days",
    response_model=StatementAnswer,
    responses=refusals(
        *READ_PROBLEMS, *POSITION_PROBLEMS, *KNOWN_PROBLEMS, *PERIOD_PROBLEMS, "kpj-unreadable", "account-not-found",
        "account-incomplete", "key-bound",
    )
    | {304: VERSIONED[304], 200: {**VERSIONED[200], "content": FILE_CONTENT}},
)  # fmt: skip
async def statement(
    request: Request,
    caller: Reader,
    kpj: KpjPath,
    query: Annotated[PastStatementQuery, Query()],
    why: Why = "",
) -> Response:
    """Opening, every line with its paid and posted day, yield, what was paid out, closing, and the gaps with their
    reasons: closing = opening + lines + yield - paid out. With `as_of` as on that day, with `known_at` by what was
    known there: the same for ever."""
    application = application_of(request)
    language = query.lang or asked_language(request)
    card, now = card_number(kpj), application.now()
    application.must_be_free(caller)
    past = await asked_past(application, query, now)
    period = query.period(past.day)
    if past.is_past:
        asked = application.statement_at(card, now, period, past.day, past.known)
    else:
        asked = application.statement(card, now, period)
    read = await application.answer(asked, request, caller, why, kpj, now)
    await application.record(request, caller, why, read.row.kpj, read.row.position, now)
    # Other systems know employers by their NPP, and whose card it is the balance does not say either.
    form = Form(query.form, language, lambda npp, name: None)
    return await answered(request, read, form, Made(period, past.day, past.moment(now), past.is_past))


class Made(NamedTuple):
    """Of which days a statement is, as of which day, and the moment up to which what was recorded is in it; `is_past`: of
    something else than the present."""

    period: Period
    day: date
    moment: datetime
    is_past: bool


async def answered(
    request: Request, read: CardStatement, form: Form, made: Made, *, kpj: str = "", holder: Holder | None = None
) -> Response:  # fmt: skip
    """The statement in the form that was asked for, or 304. `kpj`: the number as JSON shows it, where not in full; `holder`:
    whom a paper names."""
    application, (row, found) = application_of(request), read
    as_of = schemas.as_of(application.log.log_id, row, made.day)
    version = f"{row.tag}-{row.position if made.is_past else 0}-{found.version}-{as_of.date}-{form.name}"
    headers = version_headers(as_of.position, version, form.language)
    if is_known(request, headers):
        return unchanged(headers)
    code = await application.work(
        partial(code_of, application.codes, question_of(row, made.period, form.language, made.day))
    )
    if form.name not in FILES:
        body = statement_answer(found, kpj or row.kpj, as_of, form.employer, code)
        return versioned(request, body, as_of.position, version, form.language)
    head = Head(row.kpj, row.segment, holder, made.moment, as_of.position, code, application.settings.printed_url)
    content = await application.work(partial(file_of, form, found, head))
    return file_response(content, form.kind, file_name(form, made.period), headers)
