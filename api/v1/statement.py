"""`/v1/accounts/{kpj}/statement`: a card's statement of a year or any days, as JSON or a file."""

from __future__ import annotations

from datetime import date
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from api import schemas
from api.application import application_of
from api.parameters import KpjPath, PastStatementQuery, Why
from api.problems import asked_language, refusals
from api.responses import VERSIONED, file_response, is_known, unchanged, version_headers, versioned
from api.route import Route
from api.statement.answer import StatementAnswer, statement_answer
from api.statement.code import code_of, question_of
from api.statement.forms import FILES, Form, file_name, file_of
from api.statement.paper import Head, Holder
from api.v1.accounts import KNOWN_PROBLEMS, POSITION_PROBLEMS, READ_PROBLEMS, Reader
from ledger.clock import jakarta_date
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
    present = jakarta_date(now)
    past = query.asked_day(present)
    application.must_be_free(caller)
    await application.reach(query.min_position)
    known = await application.known_at(query.known_at, now)
    day = query.day(present, known)
    period = query.period(day)
    if past is not None or known is not None:
        asked = application.statement_at(card, now, period, day, known)
    else:
        asked = application.statement(card, now, period)
    read = await application.answer(asked, request, caller, why, kpj, now)
    await application.record(request, caller, why, read.row.kpj, read.row.position, now)
    # Other systems know employers by their NPP, and whose card it is the balance does not say either.
    return await answered(request, read, Form(query.form, language, lambda npp, name: None), period, day=day)


async def answered(
    request: Request, read: CardStatement, form: Form, period: Period, *, day: date | None = None, kpj: str = "",
    holder: Holder | None = None,
) -> Response:  # fmt: skip
    """The statement in the form that was asked for, or 304. `day`: the one it is of, if not today; `kpj`: the number as JSON
    shows it, where not in full; `holder`: whom a paper names."""
    application, (row, found) = application_of(request), read
    now = application.now()
    as_of = schemas.as_of(application.log.log_id, row, day or jakarta_date(now))
    version = f"{row.tag}-{row.position if day else 0}-{found.version}-{as_of.date}-{form.name}"
    headers = version_headers(as_of.position, version, form.language)
    if is_known(request, headers):
        return unchanged(headers)
    code = await application.work(
        partial(code_of, application.codes, question_of(row.card, period, row.position, form.language))
    )
    if form.name not in FILES:
        body = statement_answer(found, kpj or row.kpj, as_of, form.employer, code)
        return versioned(request, body, as_of.position, version, form.language)
    head = Head(row.kpj, row.segment, holder, now, as_of.position, code, application.settings.printed_url)
    content = await application.work(partial(file_of, form, found, head))
    return file_response(content, form.kind, file_name(form, period), headers)
