"""The member's cards: all of them, one's balance, one's statement, one more."""

from __future__ import annotations

import asyncio
import hashlib
from datetime import datetime
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from api import schemas
from api.application import ApplicationState, application_of
from api.middleware import masked
from api.mobile import schemas as schemas_of_app
from api.mobile.access import MEMBER_PROBLEMS, CurrentMember, own_read, there
from api.mobile.schemas import Card, CardProblem, Cards, LinkCard, LinkedCard
from api.offered_cards import OfferedCard, offered_cards
from api.parameters import Awaited, BalanceQuery, HandlePath, MobileEntriesQuery, NoParameters
from api.past import asked_past
from api.problems import asked_language, refusals
from api.responses import VERSIONED, VERSIONED_AT_TIMES, versioned
from api.route import Route, ShortRoute
from api.v1.accounts import FRESH_PROBLEMS, KNOWN_PROBLEMS, PARAMETER_PROBLEMS, POSITION_PROBLEMS, entries_fields
from ledger.clock import jakarta_date
from ledger.errors import NotFound, Unavailable
from ledger.identifiers import kpj_of
from ledger.members import Acting
from projections.results import BalanceRow

LINKS = "10/hour"
"""How many card numbers a member may try."""
BODY_PROBLEMS = ("content-type-unknown", "body-too-large", "json-unreadable", "request-invalid")
_PROBLEMS = (*MEMBER_PROBLEMS, *PARAMETER_PROBLEMS, *POSITION_PROBLEMS, *FRESH_PROBLEMS)

short = APIRouter(route_class=ShortRoute, tags=["mobile"])
router = APIRouter(route_class=Route, tags=["mobile"])


@short.get(
    "/v1/mobile/cards/{handle}/balance",
    operation_id="mobile_balance",
    summary="One card's balance",
    response_model=schemas.Balance,
    responses=refusals(*_PROBLEMS, *KNOWN_PROBLEMS, "card-unknown", "account-incomplete") | VERSIONED,
)
async def balance(
    request: Request,
    member: CurrentMember,
    handle: HandlePath,
    query: Annotated[BalanceQuery, Query()],
) -> Response:
    """What one of the member's cards holds now, or held at the end of an earlier day (`as_of`), as it is known now or was
    known at an earlier place in the log (`known_at`)."""
    application = application_of(request)
    language = asked_language(request)
    card, now = member.card(handle), application.now()
    past = await asked_past(application, query, now)
    row = await there(application.balance(card, now, past.asked, past.known))
    if group := await application.group(row, now, past.asked, past.known):
        row = group.row(card)
    await application.recorder.note(own_read(request, row.kpj, row.position, now))
    body = schemas.balance_fields(application.log.log_id, row, past.day)
    body["kpj"] = masked(row.kpj)
    if group:
        body["group"] = schemas.group_fields(group, masked)
    as_of = body["as_of"]
    tag = group.tag if group else row.tag
    return versioned(request, body, as_of["position"], f"{tag}-{as_of['date']}{past.mark}", language)


@router.get(
    "/v1/mobile/cards",
    operation_id="mobile_cards",
    summary="The member's cards",
    response_model=Cards,
    responses=refusals(*_PROBLEMS) | VERSIONED_AT_TIMES,
)
async def cards(
    request: Request,
    member: CurrentMember,
    query: Annotated[Awaited, Query()],
) -> Cards | Response:
    """The member's cards with their balances."""
    application = application_of(request)
    language = asked_language(request)
    now = application.now()
    await application.reach(query.min_position)
    answers = await asyncio.gather(*(_row_or_problem(application, card, now) for card in member.cards.values()))
    rows = [answer for answer in answers if isinstance(answer, BalanceRow)]
    for row in rows:
        await application.recorder.note(own_read(request, row.kpj, row.position, now))
    shown = [
        _card(handle, card, answer, language)
        for (handle, card), answer in zip(member.cards.items(), answers, strict=True)
    ]
    offered = [_offered(one) for one in await offered_cards(application, member.person, member.cards.values())]
    if not rows or len(rows) < len(shown):
        # A sum without one of the cards would be another, smaller truth.
        return Cards(cards=shown, offered=offered, balance=None, as_of=None)
    # Each card was read at its own moment; the answer as a whole knows what the earliest of them knew.
    first = min(rows, key=lambda row: row.position)
    as_of = schemas.as_of(application.log.log_id, first, jakarta_date(now))
    whole = Cards(cards=shown, offered=offered, balance=sum(row.total for row in rows), as_of=as_of)
    # Which cards they are changes no card's version.
    listed = ".".join([*member.cards, *(one.handle for one in offered)])
    which = hashlib.blake2s(listed.encode(), digest_size=8).hexdigest()
    version = f"{max(rows, key=lambda row: row.version).tag}.{which}-{as_of.date}"
    return versioned(request, whole, as_of.position, version, language)


@router.get(
    "/v1/mobile/cards/{handle}/entries",
    operation_id="mobile_entries",
    summary="One card's statement",
    response_model=schemas.Entries,
    responses=refusals(*_PROBLEMS, *KNOWN_PROBLEMS, "card-unknown", "account-incomplete") | VERSIONED,
)
async def entries(
    request: Request,
    member: CurrentMember,
    handle: HandlePath,
    query: Annotated[MobileEntriesQuery, Query()],
) -> Response:
    """One card's statement, newest month first, in pages: now, or what had been paid by an earlier day (`as_of`) and
    recorded up to an earlier place in the log (`known_at`)."""
    application = application_of(request)
    language = asked_language(request)
    card, now, after = member.card(handle), application.now(), query.after(3)
    past = await asked_past(application, query, now)
    row = await there(application.balance(card, now, past.asked, past.known))
    # One more than asked tells whether there is a next page.
    read = partial(application.reader.entries, upto=row.position, paid_by=past.day if past.is_past else None)
    lines = await application.ask(read, card, now, after, query.limit + 1)
    await application.recorder.note(own_read(request, row.kpj, row.position, now))
    log_id = application.log.log_id
    body = entries_fields(log_id, masked(row.kpj), lines, query.limit)
    body["as_of"] = schemas.as_of_fields(log_id, row, past.day)
    version = f"{row.tag}-{query.limit}.{query.cursor}-{past.day.isoformat()}{past.mark}"
    return versioned(request, body, body["as_of"]["position"], version, language)


@router.post(
    "/v1/mobile/cards",
    operation_id="mobile_link_card",
    summary="Show one more of the own cards",
    status_code=201,
    responses=refusals(
        *MEMBER_PROBLEMS,
        *PARAMETER_PROBLEMS,
        *BODY_PROBLEMS,
        "kpj-unreadable",
        "card-not-yours",
        "card-unknown",
        "too-many-tries",
    ),
)
async def link(
    request: Request,
    member: CurrentMember,
    query: NoParameters,
    body: LinkCard,
) -> LinkedCard:
    """Show one more of the member's own cards."""
    application = application_of(request)
    language = asked_language(request)
    if body.kpj is not None:
        # A number that is tried may be another's: nobody searches for them here.
        await application.identity.guard.take(LINKS, "link-card", member.person)
        kpj = body.kpj
    else:
        offered = await offered_cards(application, member.person, member.cards.values())
        found = [one.kpj for one in offered if one.handle == body.offer]
        if not found:
            raise NotFound("card-unknown")
        kpj = found[0]
    acting = Acting("member", "mobile", application.now(), language)
    linked = await application.work(lambda: application.members.link_card(member.person, kpj, acting))
    application.identity.tokens.forget()
    return LinkedCard(handle=linked.handle, kpj=masked(kpj))


def _offered(one: OfferedCard) -> schemas_of_app.OfferedCard:
    segment = one.segment or None
    return schemas_of_app.OfferedCard(
        handle=one.handle, kpj=masked(one.kpj), segment=segment, employer=one.employer or None, until=one.until or None
    )


def _card(handle: str, card: int, answer: BalanceRow | Unavailable, language: str) -> Card:
    if isinstance(answer, Unavailable):
        problem = CardProblem(code=answer.code, detail=answer.problem.say(language))
        return Card(
            handle=handle, kpj=masked(kpj_of(card)), segment=None, status=None, balance=None, reason=None,
            problem=problem,
        )  # fmt: skip
    return Card(
        handle=handle, kpj=masked(answer.kpj), segment=answer.segment, status=answer.status, balance=answer.total,
        reason=schemas.no_money(answer), problem=None,
    )  # fmt: skip


async def _row(application: ApplicationState, card: int, now: datetime) -> BalanceRow:
    return await there(application.balance(card, now, None))


async def _row_or_problem(application: ApplicationState, card: int, now: datetime) -> BalanceRow | Unavailable:
    """The balance, or what is wrong with this card alone; what is wrong with all is raised."""
    try:
        return await _row(application, card, now)
    except Unavailable as error:
        if error.code not in {"account-incomplete", "position-not-reached"}:
            raise
        return error
