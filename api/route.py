"""Routes on the short way: described by FastAPI, served by Starlette alone, and known to the log by their path."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route
from starlette.types import Receive, Scope, Send

Endpoint = Callable[[Request], Awaitable[Response]]


class Told(Route):
    """A plain route that says which one it is, for the records, the log and the counters."""

    def __init__(self, path: str, *given: Any, **named: Any) -> None:
        super().__init__(path, *given, **named)
        self.begins = path.partition("{")[0]

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Starlette's, with the route itself in the scope."""
        return _matches(self, self.begins, scope)


def _matches(route: Route, begins: str, scope: Scope) -> tuple[Match, Scope]:
    # A request meets dozens of routes before its own; most differ already in how their path begins.
    if not scope["path"].startswith(begins):
        return Match.NONE, {}
    match, found = Route.matches(route, scope)
    if match is not Match.NONE:
        found["route"] = route
    return match, found


class Direct(APIRoute):
    """A described route whose endpoint takes the request alone and returns ready bytes.

    FastAPI's own way keeps two exit stacks and catches errors once more, for dependencies that nobody has here, and
    looks for a router that includes the route: here routes are taken over as they are. `admit` lets anybody in; a
    subclass may refuse.
    """

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        endpoint: Endpoint = self.endpoint
        admit = self.admit

        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            request = Request(scope, receive, send)
            await admit(request)
            response = await endpoint(request)
            await response(scope, receive, send)

        self.app = answer
        self.begins = self.path.partition("{")[0]

    async def admit(self, request: Request) -> None:
        """Raises NotAllowed for a caller who may not come in."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Starlette's, with the route itself in the scope."""
        return _matches(self, self.begins, scope)

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Starlette's."""
        await Route.handle(self, scope, receive, send)
