"""The member's cards: all of them, one's balance, one's statement, one more."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any

from fastapi import APIRouter
from msgspec import UNSET
from starlette.requests import Request
from starlette.responses import Response

from api import schemas
from api.application import ApplicationState
from api.middleware import masked
from api.mobile import bodies
from api.mobile.access import guarded, member_of, own_read
from api.mobile.bodies import HANDLE, LANGUAGE, OWN_PROBLEMS, READ_PROBLEMS, SENT_PROBLEMS
from api.parameters import cursor_of, cursor_text, limit_of, parameters
from api.problems import asked_language, documented
from api.responses import ready
from api.v1.accounts import (
    CURSOR,
    EXAMPLE,
    IF_NONE_MATCH,
    LIMIT,
    MIN_POSITION,
    POSITION_PROBLEMS,
    SCHEME_VERSION,
    tagged,
)
from ledger.clock import jakarta_date
from ledger.errors import NotFound, Refused, Unavailable
from ledger.identifiers import clean_kpj, kpj_of
from ledger.members import Acting
from projections.results import BalanceRow, Entry

LINKS = "10/hour"
"""How many card numbers a member may try."""
NOT_CHANGED: dict[int | str, dict[str, Any]] = {304: {"description": "Not changed since the given ETag"}}


def routes(application: ApplicationState) -> APIRouter:
    """The routes over what the process holds open; the one that is asked most stands first."""
    router = APIRouter(route_class=guarded(application), tags=["mobile"])

    async def balance(request: Request) -> Response:
        """What one of the member's cards holds now."""
        member = member_of(request)
        found = parameters(request, "min_position")
        card = member.card(request.path_params["handle"])
        now = application.now()
        await application.reach(found)
        row = await _row(application, card, now)
        await application.recorder.note(own_read(request, row.kpj, row.position, now))
        told = schemas.balance_of(application.log.log_id, row, jakarta_date(now))
        shown = bodies.MobileBalance(
            masked(told.kpj), told.segment, told.status, told.balance, row.employer, row.worker, told.yield_credited,
            told.months_contributed, told.last_contribution, told.as_of, told.reason,
        )  # fmt: skip
        return tagged(request, shown, told.as_of.position, f"{row.tag}-{SCHEME_VERSION}-{told.as_of.date}")

    async def cards(request: Request) -> Response:
        """The member's cards with their balances."""
        member = member_of(request)
        found = parameters(request, "min_position")
        now = application.now()
        await application.reach(found)
        answers = await asyncio.gather(*(_row_or_problem(application, card, now) for card in member.cards.values()))
        rows = [answer for answer in answers if isinstance(answer, BalanceRow)]
        for row in rows:
            await application.recorder.note(own_read(request, row.kpj, row.position, now))
        log_id, today, language = application.log.log_id, jakarta_date(now), asked_language(request)
        shown = []
        for (handle, card), answer in zip(member.cards.items(), answers, strict=True):
            if isinstance(answer, Unavailable):
                problem = bodies.CardProblem(answer.code, answer.problem.say(language))
                shown.append(bodies.MobileCard(handle, masked(kpj_of(card)), problem=problem))
            else:
                told = schemas.balance_of(log_id, answer, today)
                shown.append(
                    bodies.MobileCard(handle, masked(told.kpj), told.segment, told.status, told.balance, told.reason)
                )
        if not rows or len(rows) < len(shown):
            # A sum without one of the cards would be another, smaller truth.
            return ready(bodies.MobileCards(shown))
        # Each card was read at its own moment; the answer as a whole knows what the earliest of them knew.
        first = min(rows, key=lambda row: row.position)
        as_of = schemas.as_of(log_id, first, today)
        whole = bodies.MobileCards(shown, sum(row.total for row in rows), as_of)
        version = f"{max(rows, key=lambda row: row.version).tag}.{len(rows)}-{SCHEME_VERSION}-{as_of.date}"
        return tagged(request, whole, as_of.position, version)

    async def entries(request: Request) -> Response:
        """One card's statement, newest month first, in pages."""
        member = member_of(request)
        found = parameters(request, "limit", "cursor", "min_position")
        card = member.card(request.path_params["handle"])
        limit, after = limit_of(found, 25), cursor_of(found, 3)
        now = application.now()
        await application.reach(found)
        row = await _row(application, card, now)
        # One more than asked tells whether there is a next page.
        lines = await application.ask(application.reader.entries, card, now, after, limit + 1)
        await application.recorder.note(own_read(request, row.kpj, row.position, now))
        page = bodies.MobileEntries(
            masked(row.kpj),
            [_entry(line) for line in lines[:limit]],
            cursor_text(lines[limit - 1].key) if len(lines) > limit else None,
            schemas.as_of(application.log.log_id, row, jakarta_date(now)),
        )
        version = f"{row.tag}-{SCHEME_VERSION}-{limit}.{found.get('cursor', '')}"
        return tagged(request, page, page.as_of.position, version)

    async def link(request: Request) -> Response:
        """Show one more of the member's own cards."""
        member = member_of(request)
        body = await bodies.read(request, bodies.LinkCard)
        kpj = clean_kpj(body.kpj)
        if kpj is None:
            raise Refused("kpj-unreadable")
        # A number that is tried may be another's: nobody searches for them here.
        await application.identity.guard.take(LINKS, "link-card", member.person)
        acting = Acting("member", "mobile", application.now(), asked_language(request))
        linked = await application.work(lambda: application.members.link_card(member.person, kpj, acting))
        application.identity.tokens.forget()
        return ready(bodies.LinkedCard(linked.handle, masked(kpj)), 201)

    router.add_api_route(
        "/v1/mobile/cards/{handle}/balance",
        balance,
        methods=["GET"],
        operation_id="mobile_balance",
        summary="One card's balance",
        responses=documented(
            *READ_PROBLEMS, *POSITION_PROBLEMS, "card-unknown", "account-incomplete"
        )
        | {200: schemas.returned("MobileBalance", "The balance", BALANCE)} | NOT_CHANGED,
        openapi_extra={"x-auth": "member", "parameters": [HANDLE, MIN_POSITION, IF_NONE_MATCH, LANGUAGE]},
    )  # fmt: skip
    router.add_api_route(
        "/v1/mobile/cards",
        cards,
        methods=["GET"],
        operation_id="mobile_cards",
        summary="The member's cards",
        responses=documented(*READ_PROBLEMS, *POSITION_PROBLEMS)
        | {200: schemas.returned("MobileCards", "Every card, and the sum", CARDS)} | NOT_CHANGED,
        openapi_extra={"x-auth": "member", "parameters": [MIN_POSITION, IF_NONE_MATCH, LANGUAGE]},
    )  # fmt: skip
    router.add_api_route(
        "/v1/mobile/cards/{handle}/entries",
        entries,
        methods=["GET"],
        operation_id="mobile_entries",
        summary="One card's statement",
        responses=documented(
            *READ_PROBLEMS, *POSITION_PROBLEMS, "card-unknown", "account-incomplete"
        )
        | {200: schemas.returned("MobileEntries", "A page of the statement", ENTRIES)} | NOT_CHANGED,
        openapi_extra={
            "x-auth": "member", "parameters": [HANDLE, LIMIT, CURSOR, MIN_POSITION, IF_NONE_MATCH, LANGUAGE],
        },
    )  # fmt: skip
    router.add_api_route(
        "/v1/mobile/cards",
        link,
        methods=["POST"],
        operation_id="mobile_link_card",
        summary="Show one more of the own cards",
        status_code=201,
        responses=documented(*OWN_PROBLEMS, *SENT_PROBLEMS, "kpj-unreadable", "card-not-yours", "too-many-tries")
        | {201: schemas.returned("LinkedCard", "The card is shown from now on", LINKED)},
        openapi_extra={
            "x-auth": "member", "parameters": [LANGUAGE], "requestBody": bodies.sent(bodies.LinkCard, {"kpj": KPJ}),
        },
    )  # fmt: skip
    return router


async def _row(application: ApplicationState, card: int, now: datetime) -> BalanceRow:
    try:
        return await application.balance(card, now, None)
    except NotFound:
        # Members are linked to cards by the register, which the read side follows: it is not there yet.
        raise Unavailable("position-not-reached") from None


async def _row_or_problem(application: ApplicationState, card: int, now: datetime) -> BalanceRow | Unavailable:
    """The balance, or what is wrong with this card alone; what is wrong with all is raised."""
    try:
        return await _row(application, card, now)
    except Unavailable as error:
        if error.code not in {"account-incomplete", "position-not-reached"}:
            raise
        return error


def _entry(line: Entry) -> bodies.MobileEntry:
    return bodies.MobileEntry(
        line.type,
        line.month,
        line.paid_on,
        line.npp or None,
        line.wage,
        line.employer,
        line.worker,
        line.employer + line.worker + line.credited,
        UNSET if line.kind == "regular" else line.kind,
        line.back_pay or UNSET,
        line.credited or UNSET,
    )


KPJ = "26000000025"
LINKED = {"handle": "mR3x0v7JcQe1sYd9LwPz5A", "kpj": "***0025"}
_AS_OF = EXAMPLE["as_of"]
BALANCE = {
    "kpj": "***0017",
    "segment": "PU",
    "status": "aktif",
    "balance": 3990000,
    "employer": 2590000,
    "worker": 1400000,
    "yield_credited": 0,
    "months": 14,
    "last": EXAMPLE["last_contribution"],
    "as_of": _AS_OF,
}
CARDS = {
    "cards": [
        {
            "handle": HANDLE["example"],
            "kpj": "***0017",
            "segment": "PU",
            "status": "aktif",
            "balance": 3990000,
        }
    ],
    "balance": 3990000,
    "as_of": _AS_OF,
}
ENTRIES = {
    "kpj": "***0017",
    "entries": [
        {
            "type": "posted",
            "month": "2026-10",
            "paid_on": "2026-11-12",
            "npp": "10000001",
            "wage": 5000000,
            "employer": 185000,
            "worker": 100000,
            "total": 285000,
        }
    ],
    "next": "WzI0MzIxLDQ4MjExLDBd",
    "as_of": _AS_OF,
}
