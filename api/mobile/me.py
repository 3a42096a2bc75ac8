"""Who the member is, where they are logged in, and who looked at their data."""

from __future__ import annotations

import base64
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from api.access.log import Record
from api.application import application_of
from api.middleware import masked
from api.mobile.access import MEMBER_PROBLEMS, CurrentMember, own_read
from api.mobile.schemas import Access, AccessLog, Device, Me
from api.parameters import MobilePaged, NoParameters
from api.problems import asked_language, refusals
from api.route import Route
from api.schemas import CHANNELS, moment_text
from api.v1.accounts import PARAMETER_PROBLEMS
from ledger.errors import Refused
from ledger.identifiers import kpj_of
from ledger.members import masked_email, masked_phone

VARY = "Authorization, Accept-Language"
_RESPONSES = refusals(*MEMBER_PROBLEMS, *PARAMETER_PROBLEMS, "record-unavailable")
router = APIRouter(route_class=Route, tags=["mobile"])


@router.get(
    "/v1/mobile/me", operation_id="mobile_me", summary="Who the member is, and where logged in", responses=_RESPONSES
)
async def me(
    request: Request,
    response: Response,
    member: CurrentMember,
    query: NoParameters,
) -> Me:
    """The member's name, masked contact and devices."""
    application = application_of(request)
    language = asked_language(request)
    now = application.now()
    about = await application.ask(application.members.about, member.person)
    devices = await application.ask(application.identity.tokens.devices, member.person, now)
    await application.recorder.note(own_read(request, member.person, 0, now))
    response.headers["Vary"] = VARY
    return Me(
        name=about.identity.name,
        email=masked_email(about.email) if about.email else None,
        phone=masked_phone(about.phone) if about.phone else None,
        segment=about.segment,
        language="en" if language == "en" else "id",
        devices=[
            Device(
                name=device.name,
                since=moment_text(device.made_at),
                used_at=moment_text(device.seen_at),
                this=device.id == member.device,
            )
            for device in devices
        ],
    )


@router.get(
    "/v1/mobile/access-log",
    operation_id="mobile_access_log",
    summary="Who looked at the member's data",
    responses=_RESPONSES,
)
async def access_log(
    request: Request,
    response: Response,
    member: CurrentMember,
    query: Annotated[MobilePaged, Query()],
) -> AccessLog:
    """Who looked at the member's data, by which door and when, newest first, in pages."""
    application = application_of(request)
    now = application.now()
    looked_for = [member.person, *(kpj_of(card) for card in member.cards.values())]
    looks = await application.ask(application.recorder.seen, looked_for, _mark(query.cursor), query.limit)
    await application.recorder.note(own_read(request, member.person, 0, now))
    response.headers["Vary"] = VARY
    return AccessLog(reads=[_access(look, member.person) for look in looks.records], next=_cursor(looks.more))


def _access(look: Record, person: str) -> Access:
    return Access(
        at=moment_text(look.at),
        by=_by(look),
        # An API key may be named a channel of its own; members are told that it was a partner.
        channel=look.channel if look.channel in CHANNELS else "partner",
        why=look.why,
        what="person" if look.what == person else masked(look.what),
    )


def _by(look: Record) -> str:
    """Who it was, without a name: the member, by SMS, the office or an employer, or a partner's machine."""
    if look.key in {"member", "sms"}:
        return look.key
    return look.channel if look.key.startswith("user:") else "partner"


def _cursor(more: str) -> str | None:
    # A mark has a `+` in its time, which an address would turn into a blank.
    return base64.urlsafe_b64encode(more.encode()).rstrip(b"=").decode() or None


def _mark(text: str) -> str:
    """The recorder's mark in a cursor; what is none it refuses itself."""
    try:
        mark = base64.b64decode(text[:100] + "=" * (-len(text[:100]) % 4), altchars=b"-_", validate=True).decode(
            "ascii"
        )
    except ValueError:
        mark = ""
    if text and not mark:
        raise Refused("parameter-unreadable", name="cursor", expected="next")
    return mark
