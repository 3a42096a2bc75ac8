"""How the yield of one of the member's cards was worked out."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from api.application import application_of
from api.middleware import masked
from api.mobile.access import MEMBER_PROBLEMS, CurrentMember, own_read
from api.parameters import Awaited, HandlePath
from api.problems import asked_language, refusals
from api.responses import VERSIONED, versioned
from api.route import Route
from api.schemas import Explained, balance_fields
from api.v1.accounts import FRESH_PROBLEMS, PARAMETER_PROBLEMS, POSITION_PROBLEMS
from ledger.clock import jakarta_date
from ledger.errors import NotFound, Unavailable
from ledger.store.log import position_text

router = APIRouter(route_class=Route, tags=["mobile"])


@router.get(
    "/v1/mobile/cards/{handle}/explain",
    operation_id="mobile_explain",
    summary="How one card's yield was worked out",
    response_model=Explained,
    responses=refusals(
        *MEMBER_PROBLEMS, *PARAMETER_PROBLEMS, *POSITION_PROBLEMS, *FRESH_PROBLEMS, "card-unknown",
        "account-incomplete",
    )
    | VERSIONED,
)  # fmt: skip
async def explain(
    request: Request,
    member: CurrentMember,
    handle: HandlePath,
    query: Annotated[Awaited, Query()],
) -> Response:
    """The balance of now and its working line by line: by this project's model of a rule that the agency does not
    publish."""
    application = application_of(request)
    language = asked_language(request)
    card, now = member.card(handle), application.now()
    day = jakarta_date(now)
    await application.reach(query.min_position)
    try:
        found = await application.ask(application.reader.explanation, card, day, now)
    except NotFound:
        # The register knows the card already, the read side not yet.
        raise Unavailable("position-not-reached") from None
    row, log_id = found.row, application.log.log_id
    await application.recorder.note(own_read(request, row.kpj, row.position, now))
    body = {"balance": balance_fields(log_id, row, day) | {"kpj": masked(row.kpj)}, "accounts": found.accounts}
    version = f"{row.tag}-{row.position}-{day.isoformat()}"
    return versioned(request, body, position_text(log_id, row.position), version, language)
