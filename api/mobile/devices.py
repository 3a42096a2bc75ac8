"""Log in, refresh, log out: here or everywhere."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from api import schemas
from api.access.guard import address_of
from api.access.sessions import MEMBER
from api.access.tokens import Pair
from api.application import ApplicationState
from api.mobile import bodies
from api.mobile.access import guarded, member_of
from api.mobile.bodies import LANGUAGE, OWN_PROBLEMS, SENT_PROBLEMS
from api.parameters import parameters
from api.problems import asked_language, documented
from api.responses import ready
from ledger.errors import Refused
from ledger.members import Acting

LONGEST_NAME = 60


def routes(application: ApplicationState) -> APIRouter:
    """The routes over what the process holds open."""
    router = APIRouter(route_class=guarded(application), tags=["mobile"])

    async def login(request: Request) -> Response:
        """Log a device in with e-mail, NIK or KPJ and the password."""
        parameters(request)
        if application.settings.oidc_issuer is not None:
            raise Refused("login-by-provider")
        body = await bodies.read(request, bodies.LogIn)
        acting = Acting("member", "mobile", application.now(), asked_language(request))
        identity = application.identity
        entered = await identity.login.member(body.identifier, body.password, address_of(request), acting)
        name = _plain(body.device)
        return _told(
            await application.work(lambda: identity.tokens.begin(entered.who, entered.epoch, name, acting.now))
        )  # fmt: skip

    async def refresh(request: Request) -> Response:
        """The next pair of tokens, for the refresh token of before, which is worth nothing then.

        When the answer was lost, the same request may be sent again within 30 seconds. A refresh token that was
        used before logs the device out (`refresh-reused`).
        """
        parameters(request)
        if application.settings.oidc_issuer is not None:
            # A login from before the provider ends with its access token.
            raise Refused("login-by-provider")
        body = await bodies.read(request, bodies.Renew)
        now = application.now()
        return _told(await application.work(lambda: application.identity.tokens.refresh(body.refresh_token, now)))

    async def logout(request: Request) -> Response:
        """Log this device out."""
        parameters(request)
        member = member_of(request)
        await application.work(lambda: application.identity.tokens.end(member.device))
        return _nothing()

    async def logout_everywhere(request: Request) -> Response:
        """Log out on every device and in every browser."""
        parameters(request)
        member = member_of(request)
        await application.work(lambda: application.members.end_sessions(member.person))
        application.identity.tokens.forget()
        application.identity.sessions.forget(MEMBER, member.person)
        return _nothing()

    router.add_api_route(
        "/v1/mobile/login",
        login,
        methods=["POST"],
        operation_id="mobile_login",
        summary="Log a device in",
        responses=documented(
            *SENT_PROBLEMS, "parameter-unknown", "login-wrong", "login-by-provider", "login-busy", "too-many-tries",
            "store-failed", "internal",
        )
        | {200: schemas.returned("MobileTokens", "The device is logged in", TOKENS)},
        openapi_extra={
            "x-auth": "open", "parameters": [LANGUAGE], "requestBody": bodies.sent(bodies.LogIn, LOGIN),
        },
    )  # fmt: skip
    router.add_api_route(
        "/v1/mobile/refresh",
        refresh,
        methods=["POST"],
        operation_id="mobile_refresh",
        summary="The next pair of tokens",
        responses=documented(
            *SENT_PROBLEMS,
            "parameter-unknown",
            "login-by-provider",
            "refresh-over",
            "refresh-reused",
            "store-failed",
            "internal",
        )
        | {200: schemas.returned("MobileTokens", "The next pair", TOKENS)},
        openapi_extra={
            "x-auth": "open",
            "parameters": [LANGUAGE],
            "requestBody": bodies.sent(bodies.Renew, {"refresh_token": TOKENS["refresh_token"]}),
        },
    )
    for path, endpoint, summary in (
        ("logout", logout, "Log this device out"),
        ("logout-everywhere", logout_everywhere, "Log out everywhere"),
    ):
        router.add_api_route(
            f"/v1/mobile/{path}",
            endpoint,
            methods=["POST"],
            operation_id=f"mobile_{path.replace('-', '_')}",
            summary=summary,
            status_code=204,
            responses=documented(*OWN_PROBLEMS, "parameter-unknown") | {204: {"description": "Done"}},
            openapi_extra={"x-auth": "member", "parameters": [LANGUAGE]},
        )
    return router


def _plain(name: str) -> str:
    """A device's name as one short line; what cannot be shown is left out."""
    return "".join(sign for sign in name if sign.isprintable()).strip()[:LONGEST_NAME]


def _told(pair: Pair) -> Response:
    return ready(bodies.MobileTokens(pair.access_token, "Bearer", pair.expires_in, pair.refresh_token))


def _nothing() -> Response:
    return Response(None, 204, {"Cache-Control": "no-store"})


LOGIN = {"identifier": "budi@contoh.id", "password": "kuda-lumping-1990", "device": "HP Budi"}
TOKENS = {
    "access_token": "eyJ0eXAiOiJhdCtqd3QiLCJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqaHQtbGVkZ2VyIn0.c2lnbmF0dXJl",
    "token_type": "Bearer",
    "expires_in": 600,
    "refresh_token": "jhtr_q0sVn3kYt7h1xWb5Zc9d2A.0123456789abcdefghijklmnopqrstuvwxyzABCDEFG",
}
