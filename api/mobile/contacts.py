"""The contacts on file, changed by the member: as on the website, a contact that is known agrees, then the new one is
proven. Links in our e-mails open the website; the numbers that phones get are sent here."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api.application import application_of
from api.contact_changes import answer_number, ask_contact, read_contact
from api.mobile.access import MEMBER_PROBLEMS, CurrentMember, own_read
from api.mobile.cards import BODY_PROBLEMS
from api.mobile.me import VARY
from api.mobile.schemas import AnswerNumber, AskContact, ContactAnswered, Contacts, WaitingContact
from api.parameters import NoParameters
from api.problems import asked_language, refusals
from api.route import Route
from api.v1.accounts import PARAMETER_PROBLEMS
from ledger.errors import Refused
from ledger.members import Acting, masked_email, masked_phone

_PATH = "/v1/mobile/contacts"
_PROBLEMS = (*MEMBER_PROBLEMS, *PARAMETER_PROBLEMS)
router = APIRouter(route_class=Route, tags=["mobile"])


@router.get(
    _PATH,
    operation_id="mobile_contacts",
    summary="The contacts on file, and those that wait",
    responses=refusals(*_PROBLEMS, "record-unavailable"),
)
async def contacts(request: Request, response: Response, member: CurrentMember, query: NoParameters) -> Contacts:
    """The e-mail address and phone on file, masked, and what the member asked for in their place."""
    application = application_of(request)
    now = application.now()
    about = await application.ask(application.members.about, member.person)
    waiting = await application.ask(application.members.asked_contacts, member.person)
    await application.recorder.note(own_read(request, member.person, 0, now))
    response.headers["Vary"] = VARY
    return Contacts(
        email=masked_email(about.contact.email) if about.contact.email else None,
        phone=masked_phone(about.contact.phone) if about.contact.phone else None,
        login=masked_email(about.email) if about.email else None,
        waiting=[
            WaitingContact(asked=one.asked, what=one.what, contact=one.contact, agreed=one.is_agreed)
            for one in waiting
        ],
    )  # fmt: skip


@router.post(
    _PATH,
    operation_id="mobile_ask_contact",
    summary="Ask for another contact",
    status_code=204,
    responses=refusals(
        *_PROBLEMS, *BODY_PROBLEMS, "email-unreadable", "phone-unreadable", "password-wrong", "contact-same", "login-busy",
        "too-many-tries", "login-by-provider", "member-unknown",
    ),
)  # fmt: skip
async def ask(request: Request, member: CurrentMember, query: NoParameters, body: AskContact) -> Response:
    """Ask that this be the e-mail address or phone on file; the password is asked once more.

    It does not count yet: every known contact is asked, and who gets our e-mail or SMS there agrees; then the new one is
    proven in the same way. Known contacts that nobody can reach any more are changed at a branch.
    """
    application = application_of(request)
    if application.settings.oidc_issuer is not None:
        raise Refused("login-by-provider")
    acting = Acting("member", "mobile", application.now(), asked_language(request))
    await ask_contact(application, member.person, read_contact(body.contact.strip()), body.password, acting)
    return Response(status_code=204)


@router.post(
    f"{_PATH}/number",
    operation_id="mobile_answer_contact",
    summary="The number from our SMS",
    responses=refusals(*_PROBLEMS, *BODY_PROBLEMS, "number-wrong", "too-many-tries"),
)
async def answer(request: Request, member: CurrentMember, query: NoParameters, body: AnswerNumber) -> ContactAnswered:
    """The eight digits that a phone was told for a contact that waits: from a known phone they agree, from the new phone
    they prove it, and it stands on file from then on."""
    application = application_of(request)
    acting = Acting("member", "mobile", application.now(), asked_language(request))
    replaced = await answer_number(application, member.person, body.asked, body.number, acting)
    return ContactAnswered(replaced=replaced)
