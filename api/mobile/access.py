"""Who may ask: members whose device is logged in."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from datetime import datetime
from typing import Annotated, NamedTuple, TypeVar

from fastapi import Security
from fastapi.openapi.models import HTTPBearer
from fastapi.security.base import SecurityBase
from starlette.requests import Request

from api.access.log import Record
from api.access.tokens import ACCESS
from api.application import ApplicationState, application_of
from api.responses import header
from ledger.errors import NotAllowed, NotFound, Unavailable

T = TypeVar("T")
MEMBER_PROBLEMS = ("login-missing", "login-over", "store-failed", "internal")


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


class AccessToken(SecurityBase):
    """The dependency of every route for members: the member, or nobody."""

    model = HTTPBearer(
        bearerFormat="JWT",
        description=f"An access token of a member's device, good for {int(ACCESS.total_seconds())} seconds",
    )
    scheme_name = "member"

    async def __call__(self, request: Request) -> Member:
        """Raises NotAllowed: login-missing, login-over."""
        return await admit(application_of(request), request)


CurrentMember = Annotated[Member, Security(AccessToken())]


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


async def there(asked: Awaitable[T]) -> T:
    """What was asked about a member's card. The register, which links cards, may know one that the read side does not know
    yet: raises Unavailable(position-not-reached) then."""
    try:
        return await asked
    except NotFound as error:
        if error.code != "account-not-found":
            raise
        raise Unavailable("position-not-reached") from None


def own_read(request: Request, what: str, position: int, now: datetime) -> Record:
    """The record of a member's read of their own data; `what`: the KPJ or the person id."""
    return Record(
        now.isoformat(), "member", "mobile", "", request.scope["route"].path, what, position,
        request.scope.get("request_id", ""),
    )  # fmt: skip
