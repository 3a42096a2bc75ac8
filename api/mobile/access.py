"""Who may ask: members whose device is logged in, and the route class that lets nobody else in."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from starlette.requests import Request

from api.access.log import Record
from api.application import ApplicationState
from api.responses import header
from api.route import Direct
from ledger.errors import NotAllowed, NotFound

AUTHS = ("member", "open")
"""What a route may say it wants: a member's access token, or nothing because one is asked for there."""


class Member(NamedTuple):
    """The member behind a token: the person's id, the device, and the cards by handle."""

    person: str
    device: str
    cards: Mapping[str, int]

    def card(self, handle: str) -> int:
        """The card behind a handle. Raises NotFound(card-unknown), the same for another member's."""
        card = self.cards.get(handle)
        if card is None:
            raise NotFound("card-unknown")
        return card


def guarded(application: ApplicationState) -> type[Direct]:
    """The route class of the mobile routes: `openapi_extra["x-auth"]` is obligatory and checked first.

    The member stands in `request.scope["member"]`.
    """

    class Guarded(Direct):
        def __init__(self, *given: Any, **named: Any) -> None:
            super().__init__(*given, **named)
            self.auth: str = (self.openapi_extra or {})["x-auth"]
            assert self.auth in AUTHS, self.auth

        async def admit(self, request: Request) -> None:
            if self.auth != "open":
                request.scope["member"] = await admit(application, request)

    return Guarded


async def admit(application: ApplicationState, request: Request) -> Member:
    """The member behind a request's access token. Raises NotAllowed: login-missing, login-over."""
    kind, _, token = header(request, b"authorization").partition(" ")
    if kind.lower() != "bearer" or not token:
        raise NotAllowed("login-missing")
    now, tokens = application.now(), application.identity.tokens
    claims = tokens.claims(token, now)
    cards = tokens.remembered(claims)
    if cards is None:
        cards = await application.ask(tokens.cards, claims, now)
    return Member(claims.person, claims.device, cards)


def member_of(request: Request) -> Member:
    """The member that the route class let in."""
    member: Any = request.scope["member"]
    assert isinstance(member, Member)
    return member


def own_read(request: Request, what: str, position: int, now: datetime) -> Record:
    """The record of a member's read of the own data; `what`: the KPJ or the person id."""
    return Record(
        now.isoformat(), "member", "mobile", "", request.scope["route"].path, what, position,
        request.scope.get("request_id", ""),
    )  # fmt: skip
