"""The three kinds of routes, all known to the log and the counters by their path.

Route         FastAPI's own, for everything that is described in OpenAPI
ShortRoute    the same declaration for the reads that are asked most and for uploads, solved in a few steps
PlainRoute    Starlette's, for pages, gateways and files: not described
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack
from inspect import iscoroutinefunction
from typing import Any, cast

from fastapi._compat import ModelField
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from fastapi.security import SecurityScopes
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match
from starlette.routing import Route as StarletteRoute
from starlette.types import Receive, Scope, Send

from api.request_body import JsonRequest
from api.responses import header

Values = dict[str, Any]
Errors = list[Any]
Solve = Callable[[Request, Errors], Awaitable[Values]]
_NO_FILES = AsyncExitStack()


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

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Starlette's, with the stack for files of forms that FastAPI insists on: no form comes here, so it stays empty."""
        scope["fastapi_middleware_astack"] = _NO_FILES
        await StarletteRoute.handle(self, scope, receive, send)


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
    _check(dependant, "path_params", "query_params", "header_params", "dependencies")
    parts = [_part(part) for part in dependant.dependencies]
    headers = [(field, field.alias.lower().encode()) for field in dependant.header_params]
    absent: Values = {field.name: field.default for field, _ in headers}
    query = _query_model(dependant.query_params)
    path, request_name = dependant.path_params, dependant.request_param_name

    async def solve(request: Request, errors: Errors) -> Values:
        values = absent.copy()
        for name, call, named, constants in parts:
            values[name] = await call(**{named: request}, **constants)
        if request_name:
            values[request_name] = request
        scope = request.scope
        for field in path:
            _take(field, scope["path_params"][field.alias], ("path", field.alias), values, errors)
        if query is not None:
            if scope["query_string"]:
                _take(query[0], dict(request.query_params), ("query",), values, errors)
            else:
                values[query[0].name] = query[1]
        for field, alias in headers:
            if alias in scope["given"]:
                _take(field, header(request, alias), ("header", field.alias), values, errors)
        return values

    return solve


def _part(dependant: Dependant) -> tuple[str, Callable[..., Awaitable[Any]], str, Values]:
    """A dependency on the request alone: its name, what to call, the request's name, and its scopes by name."""
    _check(dependant)
    call, scopes = dependant.call, dependant.security_scopes_param_name
    # FastAPI would run a plain function in a thread.
    assert iscoroutinefunction(call) or iscoroutinefunction(type(call).__call__), call
    wanted = [*(dependant.parent_oauth_scopes or ()), *(dependant.own_oauth_scopes or ())]
    constants = {scopes: SecurityScopes(wanted)} if scopes else {}
    return (
        str(dependant.name), cast(Callable[..., Awaitable[Any]], call), str(dependant.request_param_name), constants,
    )  # fmt: skip


def _check(dependant: Dependant, *known: str) -> None:
    """Nothing that is declared may be left out silently."""
    for kind in ("path_params", "query_params", "header_params", "cookie_params", "body_params", "dependencies"):
        assert kind in known or not getattr(dependant, kind), (dependant.call, kind)
    assert not dependant.response_param_name, dependant.call


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
