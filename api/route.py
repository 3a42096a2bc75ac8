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
            response.headers.setdefault("cache-control", "no-store")
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
    parts = [(part.name, part.call, _solver(part)) for part in dependant.dependencies]
    assert all(iscoroutinefunction(call) or iscoroutinefunction(type(call).__call__) for _, call, _ in parts)
    scopes = SecurityScopes([*(dependant.parent_oauth_scopes or ()), *(dependant.own_oauth_scopes or ())])
    query = _query_model(dependant.query_params)
    headers = [(field, field.alias.lower().encode()) for field in dependant.header_params]

    async def solve(request: Request, errors: Errors) -> Values:
        values: Values = {}
        for name, call, solve_part in parts:
            wrong: Errors = []
            found = await solve_part(request, wrong)
            if wrong:
                errors += wrong
            elif call is not None and name is not None:
                values[name] = await call(**found)
        for field in dependant.path_params:
            _take(field, request.path_params[field.alias], "path", values, errors)
        if query is not None:
            field, absent = query
            if request.scope["query_string"]:
                _take(field, dict(request.query_params), "query", values, errors)
            else:
                values[field.name] = absent
        for field, alias in headers:
            if alias in request.scope["given"]:
                _take(field, header(request, alias), "header", values, errors)
            else:
                values[field.name] = field.default
        if dependant.request_param_name:
            values[dependant.request_param_name] = request
        if dependant.security_scopes_param_name:
            values[dependant.security_scopes_param_name] = scopes
        return values

    return solve


def _query_model(fields: list[ModelField]) -> tuple[ModelField, BaseModel] | None:
    """The field of a query model, and what it is without a query string."""
    if not fields:
        return None
    (field,) = fields
    return field, cast(type[BaseModel], field.field_info.annotation)()


def _take(field: ModelField, given: Any, place: str, values: Values, errors: Errors) -> None:
    where = (place,) if place == "query" else (place, field.alias)
    value, wrong = field.validate(given, {}, loc=where)
    if wrong:
        errors += wrong
    else:
        values[field.name] = value
