"""The routes of SMS: one a gateway."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response

from api.application import ApplicationState
from api.route import PlainRoute
from api.sms.answering import Answering
from api.sms.gateway import Gateway
from api.sms.kannel import Kannel


def routes(application: ApplicationState) -> list[PlainRoute]:
    """A route for every gateway there is an adapter for; one that is not set up answers like an unknown address."""
    answering = Answering(application)
    gateways: list[Gateway] = [Kannel(application.settings.sms_gateway_password)]
    return [PlainRoute(gateway.path, _endpoint(gateway, answering), methods=["POST"]) for gateway in gateways]


def _endpoint(gateway: Gateway, answering: Answering) -> Callable[[Request], Awaitable[Response]]:
    async def take(request: Request) -> Response:
        message = await gateway.read(request)
        return gateway.answer(await answering.answer(message, gateway.path, request.scope.get("request_id", "")))

    return take
