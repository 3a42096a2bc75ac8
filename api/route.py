"""The three kinds of routes, all known to the log and the counters by their path.

Route         FastAPI's own, for everything that is described in OpenAPI
ShortRoute    the same declaration for the three reads that are asked most, solved in a few steps
PlainRoute    Starlette's, for pages, gateways and files: not described
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from inspect import iscoroutinefunction
from typing import Any, cast

from fastapi._compat import ModelField
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError
from fastapi.middleware.asyncexitstack import AsyncExitStackMiddleware
from fastapi.routing import APIRoute
from fastapi.security import SecurityScopes
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match
from starlette.routing import Route as StarletteRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from api.request_body import JsonRequest
from api.responses import header

Values = dict[str, Any]
Errors = list[Any]
Solve = Callable[[Request, Errors], Awaitable[Values]]


class PlainRoute(StarletteRoute):
    """A plain route that says which one it is, for the records, the log and the counters."""

    def __init__(self, path: str, *args: Any, **named: Any) -> None:
        super().__init__(path, *args, **named)
        self.begins = path.partition("{")[0]

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Starlette's, with the route itself in the scope."""
        return _matches(self, self.begins, scope)


def _matches(route: StarletteRoute, begins: str, scope: Scope) -> tuple[Match, Scope]:
    # A request meets dozens of routes before its own; most differ already in how their path begins.
    if not scope["path"].startswith(begins):
        return Match.NONE, {}
    match, found = StarletteRoute.matches(route, scope)
    if match is not Match.NONE:
        found["route"] = route
    return match, found


class Route(APIRoute):
    """FastAPI's route. Its JSON body is limited and read once; nothing that leaves may be kept unless it says so."""

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self.begins = self.path.partition("{")[0]
        # Here and not around the whole application: pages and the short routes have no need of it.
        self.app: ASGIApp = AsyncExitStackMiddleware(self.app)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """FastAPI's."""
        handle = super().get_route_handler()
        takes_json = self.body_field is not None

        async def answer(request: Request) -> Response:
            response = await handle(JsonRequest(request.scope, request.receive) if takes_json else request)
            if not any(name == b"cache-control" for name, _ in response.raw_headers):
                response.raw_headers.append((b"cache-control", b"no-store"))
            return response

        return answer

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Starlette's, with the route itself in the scope; here routes stand in the application without a router."""
        return _matches(self, self.begins, scope)


class ShortRoute(Route):
    """An ordinary declaration without FastAPI's exit stacks, cache and walk over the parameters.

    It costs a third of `Route` and takes what its endpoints have: path parameters, one query model, headers, and
    dependencies of these. `tests/api/mobile/test_short_route.py` holds it equal to `Route`, answer by answer.
    """

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        solve, endpoint = _solver(self.dependant), self.endpoint

        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            request = Request(scope, receive, send)
            errors: Errors = []
            values = await solve(request, errors)
            if errors:
                raise RequestValidationError(errors)
            response = await endpoint(**values)
            await response(scope, receive, send)

        self.app = answer


def _solver(dependant: Dependant) -> Solve:
    """What finds the values of a dependant's parameters, in the order in which FastAPI finds them."""
    for others in (dependant.cookie_params, dependant.body_params, dependant.response_param_name):
        assert not others, dependant.path
    parts = [(str(part.name), _called(part.call), _solver(part)) for part in dependant.dependencies]
    fixed: Values = {}
    if dependant.security_scopes_param_name:
        scopes = [*(dependant.parent_oauth_scopes or ()), *(dependant.own_oauth_scopes or ())]
        fixed[dependant.security_scopes_param_name] = SecurityScopes(scopes)
    headers = [(field, field.alias.lower().encode()) for field in dependant.header_params]
    fixed |= {field.name: field.default for field, _ in headers}
    query = _query_model(dependant.query_params)
    path, request_name = dependant.path_params, dependant.request_param_name

    async def solve(request: Request, errors: Errors) -> Values:
        values = fixed.copy()
        if request_name:
            values[request_name] = request
        for name, call, solve_part in parts:
            before = len(errors)
            found = await solve_part(request, errors)
            if len(errors) == before:
                values[name] = await call(**found)
        for field in path:
            _take(field, request.scope["path_params"][field.alias], ("path", field.alias), values, errors)
        if query is not None:
            field, absent = query
            if request.scope["query_string"]:
                _take(field, dict(request.query_params), ("query",), values, errors)
            else:
                values[field.name] = absent
        for field, alias in headers:
            if alias in request.scope["given"]:
                _take(field, header(request, alias), ("header", field.alias), values, errors)
        return values

    return solve


def _called(call: Callable[..., Any] | None) -> Callable[..., Awaitable[Any]]:
    """A dependency that this way can call: FastAPI would run others in a thread."""
    assert iscoroutinefunction(call) or iscoroutinefunction(type(call).__call__), call
    return cast(Callable[..., Awaitable[Any]], call)


def _query_model(fields: list[ModelField]) -> tuple[ModelField, BaseModel] | None:
    """The field of a query model, and what it is without a query string."""
    if not fields:
        return None
    (field,) = fields
    return field, cast(type[BaseModel], field.field_info.annotation)()


def _take(field: ModelField, given: Any, where: tuple[str, ...], values: Values, errors: Errors) -> None:
    value, wrong = field.validate(given, {}, loc=where)
    if wrong:
        errors += wrong
    else:
        values[field.name] = value
