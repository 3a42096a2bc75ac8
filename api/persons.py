"""`/v1/persons/{id}`: what one person holds over all cards."""

from __future__ import annotations

import re

import msgspec
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api import shapes
from api.access import caller_of, guarded
from api.accounts import (
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
from api.opened import Opened
from api.parameters import parameters, past_day
from api.problems import documented
from ledger.clock import jakarta_date
from ledger.errors import NotFound, Refused

_PERSON = re.compile(r"[0-9a-f]{32}")


def routes(opened: Opened) -> APIRouter:
    """The routes over what the process holds open."""
    router = APIRouter(route_class=guarded(opened.admit), tags=["persons"])

    async def balance(request: Request) -> Response:
        """The balances of all cards of a person, each for itself and together."""
        caller = caller_of(request)
        found = parameters(request, "as_of", "min_position")
        person = request.path_params["person"]
        if not _PERSON.fullmatch(person):
            raise Refused("parameter-unreadable", name="person", expected="[0-9a-f]{32}")
        now = opened.now()
        present = jakarta_date(now)
        day = past_day(found, present)
        await opened.reach(found)
        try:
            cards = await opened.ask(opened.reader.person_cards, person)
        except NotFound:
            await opened.must_see(caller, ())
            await opened.record(request, caller, person, 0, now)
            raise
        await opened.must_see(caller, cards)
        if not cards:
            raise NotFound("account-not-found")
        rows = [await opened.balance(card, now, day) for card in cards]
        # Each card was read at its own moment; the answer as a whole knows what the earliest of them knew.
        first = min(rows, key=lambda row: row.position)
        await opened.record(request, caller, person, first.position, now)
        log_id = opened.log.log_id
        accounts = [shapes.balance_of(log_id, row, day or present) for row in rows]
        whole = shapes.PersonBalance(
            person,
            sum(account.balance for account in accounts),
            shapes.Contributed(
                sum(row.employer for row in rows),
                sum(row.worker for row in rows),
                sum(row.employer + row.worker for row in rows),
            ),
            sum(row.credited for row in rows),
            accounts,
            shapes.as_of(log_id, first, day or present),
            "no-contribution-yet" if all(account.reason for account in accounts) else msgspec.UNSET,
        )
        version = f"{max(row.version for row in rows)}.{len(rows)}-{SCHEME_VERSION}-{whole.as_of.date}"
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
            200: shapes.returned("PersonBalance", "Every card and the sum", PERSON_EXAMPLE),
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
