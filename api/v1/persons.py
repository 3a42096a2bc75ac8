"""`/v1/persons/{id}`: what one person holds over all cards."""

from __future__ import annotations

import re

import msgspec
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api import schemas
from api.access.keys import caller_of, guarded
from api.application import ApplicationState
from api.parameters import parameters, past_day
from api.problems import documented
from api.v1.accounts import (
    AS_OF,
    COMMON,
    EXAMPLE,
    IF_NONE_MATCH,
    MIN_POSITION,
    POSITION_PROBLEMS,
    READ_PROBLEMS,
    SCHEME_VERSION,
    parameter,
    tagged,
)
from ledger.clock import jakarta_date
from ledger.errors import NotFound, Refused

_PERSON = re.compile(r"[0-9a-f]{32}")


def routes(application: ApplicationState) -> APIRouter:
    """The routes over what the process holds open."""
    router = APIRouter(route_class=guarded(application.admit), tags=["persons"])

    async def balance(request: Request) -> Response:
        """The balances of all cards of a person, each for itself and together."""
        caller = caller_of(request)
        found = parameters(request, "as_of", "min_position")
        person = request.path_params["person"]
        if not _PERSON.fullmatch(person):
            raise Refused("parameter-unreadable", name="person", expected="[0-9a-f]{32}")
        now = application.now()
        present = jakarta_date(now)
        day = past_day(found, present)
        await application.reach(found)
        try:
            cards = await application.ask(application.reader.person_cards, person)
        except NotFound:
            await application.must_see(caller, ())
            await application.record(request, caller, person, 0, now)
            raise
        await application.must_see(caller, cards)
        if not cards:
            raise NotFound("account-not-found")
        rows = [await application.balance(card, now, day) for card in cards]
        # Each card was read at its own moment; the answer as a whole knows what the earliest of them knew.
        first = min(rows, key=lambda row: row.position)
        await application.record(request, caller, person, first.position, now)
        log_id = application.log.log_id
        accounts = [schemas.balance_of(log_id, row, day or present) for row in rows]
        whole = schemas.PersonBalance(
            person,
            sum(account.balance for account in accounts),
            schemas.Contributed(
                sum(row.employer for row in rows),
                sum(row.worker for row in rows),
                sum(row.employer + row.worker for row in rows),
            ),
            sum(row.credited for row in rows),
            accounts,
            schemas.as_of(log_id, first, day or present),
            "no-contribution-yet" if all(account.reason for account in accounts) else msgspec.UNSET,
        )
        version = f"{max(rows, key=lambda row: row.version).tag}.{len(rows)}-{SCHEME_VERSION}-{whole.as_of.date}"
        return tagged(request, whole, whole.as_of.position, version)

    router.add_api_route(
        "/v1/persons/{person}/balance",
        balance,
        methods=["GET"],
        operation_id="person_balance",
        summary="All cards of one person",
        responses=documented(
            *READ_PROBLEMS,
            *POSITION_PROBLEMS,
            "person-unknown",
            "account-not-found",
            "account-incomplete",
            "as-of-in-future",
            "as-of-before-opening",
        )
        | {
            200: schemas.returned("PersonBalance", "Every card and the sum", PERSON_EXAMPLE),
            304: {"description": "Not changed since the given ETag"},
        },
        openapi_extra={
            "x-scope": "persons",
            "parameters": [
                parameter(
                    "person",
                    "Person id",
                    {"type": "string", "pattern": "^[0-9a-f]{32}$"},
                    PERSON_EXAMPLE["person"],
                    "path",
                ),
                AS_OF,
                MIN_POSITION,
                IF_NONE_MATCH,
                *COMMON,
            ],
        },
    )
    return router


PERSON_EXAMPLE = {
    "person": "5a0c7e1f93b24d68a1c4e0f7b2d9836c",
    "balance": EXAMPLE["balance"],
    "contributed": EXAMPLE["contributed"],
    "yield_credited": 0,
    "accounts": [EXAMPLE],
    "as_of": EXAMPLE["as_of"],
}
