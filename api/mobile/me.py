"""Who the member is, where logged in, and who looked at the data."""

from __future__ import annotations

import base64

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api import schemas
from api.access.log import Record
from api.application import ApplicationState
from api.middleware import masked
from api.mobile import bodies
from api.mobile.access import guarded, member_of, own_read
from api.mobile.bodies import LANGUAGE, OWN_PROBLEMS
from api.parameters import limit_of, parameters
from api.problems import asked_language, documented
from api.responses import ready
from api.v1.accounts import CURSOR, LIMIT
from api.web.formats import masked_phone
from ledger.errors import Refused
from ledger.identifiers import kpj_of
from ledger.members import masked_email

VARY = {"Vary": "Authorization, Accept-Language"}


def routes(application: ApplicationState) -> APIRouter:
    """The routes over what the process holds open."""
    router = APIRouter(route_class=guarded(application), tags=["mobile"])

    async def me(request: Request) -> Response:
        """The member's name, masked contact and devices."""
        parameters(request)
        member, now = member_of(request), application.now()
        about = await application.ask(application.members.about, member.person)
        devices = await application.ask(application.identity.tokens.devices, member.person, now)
        await application.recorder.note(own_read(request, member.person, 0, now))
        shown = bodies.Me(
            about.identity.name,
            masked_email(about.email) if about.email else None,
            masked_phone(about.phone) if about.phone else None,
            about.segment,
            asked_language(request),
            [
                bodies.MobileDevice(device.name, device.made_at, device.seen_at, device.id == member.device)
                for device in devices
            ],
        )
        return ready(shown, headers=VARY)

    async def access_log(request: Request) -> Response:
        """Who looked at the member's data, by which door and when, newest first, in pages."""
        member, now = member_of(request), application.now()
        found = parameters(request, "limit", "cursor")
        limit, after = limit_of(found, 25), _mark(found)
        looked_for = [member.person, *(kpj_of(card) for card in member.cards.values())]
        looks = await application.ask(application.recorder.seen, looked_for, after, limit)
        await application.recorder.note(own_read(request, member.person, 0, now))
        shown = bodies.AccessLog(
            [
                bodies.Access(
                    look.at, _by(look), look.channel, look.why,
                    "person" if look.what == member.person else masked(look.what),
                )
                for look in looks.records
            ],
            _cursor(looks.more),
        )  # fmt: skip
        return ready(shown, headers=VARY)

    router.add_api_route(
        "/v1/mobile/access-log",
        access_log,
        methods=["GET"],
        operation_id="mobile_access_log",
        summary="Who looked at the member's data",
        responses=documented(*OWN_PROBLEMS, "parameter-unreadable", "parameter-unknown", "record-unavailable")
        | {200: schemas.returned("AccessLog", "A page of reads", ACCESS_LOG)},
        openapi_extra={"x-auth": "member", "parameters": [LIMIT, CURSOR, LANGUAGE]},
    )
    router.add_api_route(
        "/v1/mobile/me",
        me,
        methods=["GET"],
        operation_id="mobile_me",
        summary="Who the member is, and where logged in",
        responses=documented(*OWN_PROBLEMS, "parameter-unknown", "record-unavailable")
        | {200: schemas.returned("Me", "The member", ME)},
        openapi_extra={"x-auth": "member", "parameters": [LANGUAGE]},
    )
    return router


def _by(look: Record) -> str:
    """Who it was, without a name: the member, by SMS, the office or an employer, or a partner's machine."""
    if look.key in {"member", "sms"}:
        return look.key
    return look.channel if look.key.startswith("user:") else "partner"


def _cursor(more: str) -> str | None:
    # A mark has a `+` in its time, which an address would turn into a blank.
    return base64.urlsafe_b64encode(more.encode()).rstrip(b"=").decode() or None


def _mark(found: dict[str, str]) -> str:
    """The recorder's mark in `cursor`; what is none it refuses itself."""
    text = found.get("cursor", "")
    try:
        mark = base64.b64decode(text[:100] + "=" * (-len(text[:100]) % 4), altchars=b"-_", validate=True).decode(
            "ascii"
        )
    except ValueError:
        mark = ""
    if text and not mark:
        raise Refused("parameter-unreadable", name="cursor", expected="next")
    return mark


ME = {
    "name": "Budi Santoso",
    "email": "b***i@contoh.id",
    "phone": "08**-****-*890",
    "segment": "PU",
    "language": "id",
    "devices": [{"name": "HP Budi", "since": "2026-11-02T01:12:40Z", "used_at": "2026-11-21T02:51:03Z", "this": True}],
}
ACCESS_LOG = {
    "reads": [
        {
            "at": "2026-11-20T07:12:55.104233+00:00",
            "by": "office",
            "channel": "office",
            "why": "counter-visit",
            "what": "***0017",
        }
    ],
    "next": None,
}
