"""Log in, refresh, log out: here or everywhere."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request

from api.access.guard import address_of
from api.access.sessions import MEMBER
from api.access.tokens import Pair
from api.application import application_of
from api.mobile.access import MEMBER_PROBLEMS, CurrentMember
from api.mobile.cards import BODY_PROBLEMS
from api.mobile.schemas import LONGEST_NAME, LogIn, Renew, Tokens
from api.parameters import NoParameters
from api.problems import asked_language, refusals
from api.route import Route
from api.v1.accounts import PARAMETER_PROBLEMS
from ledger.errors import Refused
from ledger.members import Acting

_ENTRANCE_PROBLEMS = (*PARAMETER_PROBLEMS, *BODY_PROBLEMS, "login-by-provider", "store-failed", "internal")
router = APIRouter(route_class=Route, tags=["mobile"])


@router.post(
    "/v1/mobile/login",
    operation_id="mobile_login",
    summary="Log a device in",
    responses=refusals(*_ENTRANCE_PROBLEMS, "login-wrong", "login-busy", "too-many-tries"),
)
async def login(request: Request, query: NoParameters, body: LogIn) -> Tokens:
    """Log a device in with e-mail, NIK or KPJ and the password."""
    application = application_of(request)
    language = asked_language(request)
    if application.settings.oidc_issuer is not None:
        raise Refused("login-by-provider")
    acting = Acting("member", "mobile", application.now(), language)
    identity = application.identity
    entered = await identity.login.member(body.identifier, body.password, address_of(request), acting)
    name = _plain(body.device)
    return _tokens(await application.work(lambda: identity.tokens.begin(entered.who, entered.epoch, name, acting.now)))


@router.post(
    "/v1/mobile/refresh",
    operation_id="mobile_refresh",
    summary="The next pair of tokens",
    responses=refusals(*_ENTRANCE_PROBLEMS, "refresh-over", "refresh-reused"),
)
async def refresh(request: Request, query: NoParameters, body: Renew) -> Tokens:
    """The next pair of tokens, for the refresh token of before, which is worth nothing then.

    When the answer was lost, the same request may be sent again at once. A refresh token that was used longer before
    logs the device out (`refresh-reused`).
    """
    application = application_of(request)
    if application.settings.oidc_issuer is not None:
        # A login from before the provider ends with its access token.
        raise Refused("login-by-provider")
    now = application.now()
    return _tokens(await application.work(lambda: application.identity.tokens.refresh(body.refresh_token, now)))


@router.post(
    "/v1/mobile/logout",
    operation_id="mobile_logout",
    summary="Log this device out",
    status_code=204,
    responses=refusals(*MEMBER_PROBLEMS, *PARAMETER_PROBLEMS),
)
async def logout(request: Request, member: CurrentMember, query: NoParameters) -> None:
    """Log this device out."""
    application = application_of(request)
    await application.work(lambda: application.identity.tokens.end(member.device))


@router.post(
    "/v1/mobile/logout-everywhere",
    operation_id="mobile_logout_everywhere",
    summary="Log out everywhere",
    status_code=204,
    responses=refusals(*MEMBER_PROBLEMS, *PARAMETER_PROBLEMS),
)
async def logout_everywhere(request: Request, member: CurrentMember, query: NoParameters) -> None:
    """Log out on every device and in every browser."""
    application = application_of(request)
    await application.work(lambda: application.members.end_sessions(member.person))
    application.identity.tokens.forget()
    application.identity.sessions.forget(MEMBER, member.person)


def _plain(name: str) -> str:
    """A device's name as one short line; what cannot be shown is left out."""
    return "".join(sign for sign in name if sign.isprintable()).strip()[:LONGEST_NAME]


def _tokens(pair: Pair) -> Tokens:
    return Tokens(
        access_token=pair.access_token,
        token_type="Bearer",  # noqa: S106
        expires_in=pair.expires_in,
        refresh_token=pair.refresh_token,
    )
