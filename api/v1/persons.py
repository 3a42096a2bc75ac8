"""`/v1/persons/{id}`: what one person holds over all cards."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Security
from starlette.requests import Request
from starlette.responses import Response

from api import schemas
from api.access.keys import Caller, api_key
from api.application import application_of
from api.parameters import PastQuery, PersonPath, Why
from api.problems import asked_language, refusals
from api.responses import VERSIONED, versioned
from api.route import Route
from api.v1.accounts import POSITION_PROBLEMS, READ_PROBLEMS
from ledger.clock import jakarta_date
from ledger.errors import NotFound
from ledger.store.log import position_text

router = APIRouter(route_class=Route, tags=["persons"])


@router.get(
    "/v1/persons/{person}/balance",
    operation_id="person_balance",
    summary="All cards of one person",
    response_model=schemas.PersonBalance,
    responses=refusals(
        *READ_PROBLEMS, *POSITION_PROBLEMS, "person-unknown", "person-joined", "account-not-found", "account-incomplete",
        "as-of-in-future", "as-of-before-opening", "key-bound",
    )
    | VERSIONED,
)  # fmt: skip
async def balance(
    request: Request,
    caller: Annotated[Caller, Security(api_key, scopes=["persons"])],
    person: PersonPath,
    query: Annotated[PastQuery, Query()],
    why: Why = "",
) -> Response:
    """The balances of all cards of a person, each for itself and their sum."""
    application = application_of(request)
    language = asked_language(request)
    now = application.now()
    present = jakarta_date(now)
    day = query.past_day(present)
    application.must_be_free(caller)
    await application.reach(query.min_position)
    asked = application.ask(application.reader.person_cards, person)
    cards = await application.answer(asked, request, caller, why, person, now)
    if not cards:
        raise NotFound("account-not-found")
    rows = [await application.balance(card, now, day) for card in cards]
    groups = [await application.group(row, now, day) for row in rows]
    # Each card was read at its own moment; the answer as a whole knows what the earliest of them knew.
    first = min(rows, key=lambda row: row.position)
    await application.record(request, caller, why, person, first.position, now)
    log_id = application.log.log_id
    day = day or present
    accounts = [schemas.balance_fields(log_id, row, day, group) for row, group in zip(rows, groups, strict=True)]
    employer, worker = sum(row.employer for row in rows), sum(row.worker for row in rows)
    whole = {
        "person": person,
        "balance": sum(row.total for row in rows),
        "contributed": {"employer": employer, "worker": worker, "total": employer + worker},
        "yield": schemas.yield_fields(sorted(rows, key=lambda row: row.position)),
        "accounts": accounts,
        "reason": "no-contribution-yet" if all(account["reason"] for account in accounts) else None,
        "as_of": schemas.as_of_fields(log_id, first, day),
    }
    position = position_text(log_id, first.position)
    version = f"{max(rows, key=lambda row: row.version).tag}.{len(rows)}-{day.isoformat()}"
    return versioned(request, whole, position, version, language)
