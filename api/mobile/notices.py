"""Of what the member is told without asking, by mail and by SMS."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api.application import application_of
from api.mobile.access import MEMBER_PROBLEMS, CurrentMember, own_read
from api.mobile.cards import BODY_PROBLEMS
from api.mobile.me import VARY
from api.mobile.schemas import ChooseNotices, Notices
from api.parameters import NoParameters
from api.problems import asked_language, refusals
from api.route import Route
from api.v1.accounts import PARAMETER_PROBLEMS
from ledger.members import Acting
from ledger.members.state import Notices as Chosen

CHOICES = "20/hour"
"""How often a member may choose anew: each change is told to every contact."""
_PATH = "/v1/mobile/notices"
router = APIRouter(route_class=Route, tags=["mobile"])


@router.get(
    _PATH,
    operation_id="mobile_notices",
    summary="Of what the member is told without asking",
    responses=refusals(*MEMBER_PROBLEMS, *PARAMETER_PROBLEMS, "record-unavailable"),
)
async def notices(request: Request, response: Response, member: CurrentMember, query: NoParameters) -> Notices:
    """What was chosen, by mail and by SMS, and whether an SMS could reach the member."""
    application = application_of(request)
    now = application.now()
    about = await application.ask(application.members.about, member.person)
    await application.recorder.note(own_read(request, member.person, 0, now))
    response.headers["Vary"] = VARY
    return Notices(mail=list(about.notices.mail), sms=list(about.notices.sms), phone=bool(about.phone))


@router.put(
    _PATH,
    operation_id="mobile_choose_notices",
    summary="Choose of what to be told without asking",
    status_code=204,
    responses=refusals(
        *MEMBER_PROBLEMS, *PARAMETER_PROBLEMS, *BODY_PROBLEMS, "notices-no-email", "notices-no-phone", "too-many-tries",
    ),
)  # fmt: skip
async def choose(request: Request, member: CurrentMember, query: NoParameters, body: ChooseNotices) -> Response:
    """Be told of this from now on, in place of what was chosen before; an empty list ends a way. Notices come in the
    language of this request. Every known contact is told of a change."""
    application = application_of(request)
    await application.identity.guard.take(CHOICES, "choose-notices", member.person)
    acting = Acting("member", "mobile", application.now(), asked_language(request))
    chosen = Chosen(tuple(body.mail), tuple(body.sms))
    await application.work(lambda: application.members.choose_notices(member.person, chosen, acting))
    return Response(status_code=204)
