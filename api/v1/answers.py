"""`/v1/answers/{code}` and `/v1/accounts/{kpj}/difference`: what was answered, again, and why today's answer is another."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from api.application import ApplicationState, application_of
from api.parameters import Awaited, CodePath, DifferenceQuery, KpjPath, Why
from api.problems import asked_language, refusals
from api.responses import VERSIONED, versioned
from api.route import Route
from api.schemas import Answer, Balance, Day, Difference, OneOf, as_of, balance_fields, difference_fields
from api.statement.answer import StatementAnswer, statement_answer
from api.statement.code import code_of
from api.v1.accounts import KNOWN_PROBLEMS, POSITION_PROBLEMS, READ_PROBLEMS, Reader
from ledger.clock import jakarta_date
from ledger.errors import Refused
from ledger.identifiers import card_number, kpj_of
from ledger.store.answer_codes import KINDS, LANGUAGES, Question
from ledger.store.known_at import KnownAt, at_position
from projections.difference import Difference as Between
from projections.difference import difference
from projections.statement import period_again

_PROBLEMS = (*READ_PROBLEMS, *POSITION_PROBLEMS, *KNOWN_PROBLEMS, "account-incomplete", "key-bound")
router = APIRouter(route_class=Route, tags=["answers"])


class GivenAnswer(Answer):
    """What stands behind an answer code: the figures as they were given, and why those of today differ."""

    kind: Annotated[str, OneOf(KINDS)]
    language: Annotated[str, OneOf(LANGUAGES)]
    since: Annotated[Day | None, Field(description="The first day of a statement", examples=["2025-01-01"])]
    before: Annotated[
        Balance | None,
        Field(description="Of a statement: the balance of the day before its first, null where nobody knows it"),
    ]
    statement: Annotated[
        StatementAnswer | None, Field(description="Of a statement: all of it again, every line, yield and gap")
    ]
    given: Difference


@router.get(
    "/v1/accounts/{kpj}/difference",
    operation_id="difference",
    summary="Why two answers about a card differ",
    response_model=Difference,
    responses=refusals(*_PROBLEMS, "kpj-unreadable", "account-not-found", "answers-out-of-order") | VERSIONED,
)
async def between(
    request: Request,
    caller: Reader,
    kpj: KpjPath,
    query: Annotated[DifferenceQuery, Query()],
    why: Why = "",
) -> Response:
    """An earlier answer, a later one (of today, unless another is named), and what lies between: amounts that add up."""
    application = application_of(request)
    language = asked_language(request)
    card, now = card_number(kpj), application.now()
    present = jakarta_date(now)
    application.must_be_free(caller)
    await application.reach(query.min_position)
    known = await application.known_at(query.known_at, now)
    assert known is not None
    last = await application.known_at(query.until_known_at, now)
    until = query.until_as_of or (last.day if last is not None else present)
    day = query.as_of or known.day
    if max(day, until) > present:
        raise Refused("as-of-in-future")
    ask = partial(difference, application.reader, card, now, day, known, until, last)
    asked = application.work(ask)
    found = await application.answer(asked, request, caller, why, kpj, now)
    await application.record(request, caller, why, found.now.kpj, found.now.position, now)
    body, version = await _told(application, found, now, (day, until), language)
    return versioned(request, body, body["now"]["as_of"]["position"], version, language)


@router.get(
    "/v1/answers/{code}",
    operation_id="answer",
    summary="What stands behind an answer code",
    response_model=GivenAnswer,
    responses=refusals(*_PROBLEMS, "answer-code-unknown", "account-not-found") | VERSIONED,
)
async def given(
    request: Request,
    caller: Reader,
    code: CodePath,
    query: Annotated[Awaited, Query()],
    why: Why = "",
) -> Response:
    """The figures as they were given when the code was, and why today's differ. The code of somebody who was erased is as
    unknown as one that was never given."""
    application = application_of(request)
    language = asked_language(request)
    now = application.now()
    application.must_be_free(caller)
    await application.reach(query.min_position)
    asked = application.work(partial(application.codes.open, code))
    question = await application.answer(asked, request, caller, why, "", now)
    known = await application.ask(at_position, application.log, question.position)
    await application.wait_for(known.position)
    found = await application.work(
        partial(difference, application.reader, question.card, now, question.as_of, known)
    )  # fmt: skip
    await application.record(request, caller, why, kpj_of(question.card), found.now.position, now)
    told, version = await _told(application, found, now, (question.as_of, jakarta_date(now)), language)
    body = {
        "kind": question.kind,
        "language": question.language,
        "since": question.since.isoformat() if question.since is not None else None,
        "before": await _before(application, question, known),
        "statement": await _statement(application, question, known, now),
        "given": told,
    }
    return versioned(request, body, told["now"]["as_of"]["position"], f"{version}-{question.kind}", language)


async def _statement(
    application: ApplicationState, question: Question, known: KnownAt, now: datetime
) -> dict[str, Any] | None:  # fmt: skip
    """A statement as it was given, with the gaps of the day on which it was made."""
    if question.since is None:
        return None
    day = question.told_on or max(question.as_of, known.day)
    period = period_again(question.since, question.as_of, day)
    found = await application.statement_at(question.card, now, period, day, known)
    code = await application.work(partial(code_of, application.codes, question))
    place = as_of(application.log.log_id, found.row, day)
    # As `/v1/accounts/{kpj}/statement` tells it: other systems know employers by their NPP.
    return statement_answer(found.statement, found.row.kpj, place, lambda npp, name: None, code).model_dump()


async def _told(
    application: ApplicationState, found: Between, now: datetime, days: tuple[date, date], language: str
) -> tuple[dict[str, Any], str]:
    """The fields of `Difference`, and what its ETag holds; of merged cards each answer has the group of its own place in the
    log."""
    groups = []
    for row, day in zip((found.then, found.now), days, strict=True):
        place = await application.ask(at_position, application.log, row.position) if row.grouped else None
        groups.append(await application.group(row, now, day, place))
    then, last = groups
    tags = (group.tag if group else row.tag for group, row in ((then, found.then), (last, found.now)))
    version = "-".join((*tags, str(found.then.position), *(day.isoformat() for day in days)))
    return difference_fields(application.log.log_id, found, days, (then, last), language), version


async def _before(
    application: ApplicationState, question: Question, known: KnownAt
) -> dict[str, Any] | None:  # fmt: skip
    """What a statement began with."""
    if question.since is None:
        return None
    day = question.since - timedelta(days=1)
    now = application.now()
    try:
        row = await application.balance(question.card, now, day, known)
    except Refused as refused:
        if refused.code != "as-of-before-opening":
            raise
        return None
    return balance_fields(application.log.log_id, row, day, await application.group(row, now, day, known))
