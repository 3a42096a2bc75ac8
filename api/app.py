"""The HTTP API: a thin shell around the log and the read side.

    uvicorn api.app:create --factory --loop asyncio --http httptools --no-access-log

One file per audience in `v1` and `mobile`; `docs` describes them. `application` is what the process holds open,
`access` says who may and who did.
"""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from api import docs, problems
from api.application import ApplicationState
from api.log_lines import start_logging
from api.metrics import Metrics
from api.middleware import Watch
from api.mobile.routes import ROUTES as MOBILE
from api.parameters import SingleParameters
from api.sms import doors as sms
from api.v1 import (
    accounts,
    answers,
    health,
    months,
    persons,
    reversals,
    simulation,
    statement,
    suspense,
    totals,
    uploads,
)  # fmt: skip
from api.web import employer, office, pages, site
from ledger import __version__
from ledger import settings as all_settings
from ledger.clock import read_now
from ledger.errors import JhtError
from ledger.settings import Settings

MACHINES = ("/docs/", "/v1/", "/channels/", "/livez", "/readyz", "/metrics", "/openapi.json")
"""Addresses that programs ask: what is wrong there is problem+json, everywhere else a page."""


class Layered(FastAPI):
    """FastAPI under one layer of the project's own, `Watch`: what the usual ones do, it or the route classes do."""

    def build_middleware_stack(self) -> ASGIApp:
        (watch,) = self.user_middleware
        inner = ExceptionMiddleware(SingleParameters(self.router), handlers=self.exception_handlers)
        return watch.cls(inner, *watch.args, **watch.kwargs)

    def openapi(self) -> dict[str, Any]:
        """The description of all routes for programs."""
        self.openapi_schema = self.openapi_schema or docs.describe(self)
        return self.openapi_schema

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.middleware_stack is None:
            self.middleware_stack = self.build_middleware_stack()
        scope["app"] = self
        await self.middleware_stack(scope, receive, send)


async def wrong_address(request: Request, error: Exception) -> Response:
    """Answer what the router refuses, in the caller's form."""
    if request.scope["path"].startswith(MACHINES):
        return await problems.wrong_address(request, error)
    return pages.page_of(error, request)


def create_app(
    settings: Settings, *, now: Callable[[], datetime] = read_now, application: ApplicationState | None = None
) -> FastAPI:
    """The application for some settings; nothing is opened before it starts.

    `application` replaces what the process holds open (a benchmark measures with and without the records).
    """
    held = application or ApplicationState(settings, now)
    metrics = Metrics()

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await held.start()
        held.recorder.counted = metrics.records.inc
        # What was loaded until now stays for good: without it a full garbage collection stops all reads for 70 ms.
        gc.collect()
        gc.freeze()
        try:
            yield
        finally:
            gc.unfreeze()
            await held.stop()

    app = Layered(
        title="JHT ledger",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        lifespan=lifespan,
        exception_handlers={
            JhtError: problems.refused,
            RequestValidationError: problems.invalid,
            HTTPException: wrong_address,
        },
        redirect_slashes=False,
    )
    # Taken over as they are: including a router would make each request walk one more level. What is asked most stands
    # first, because a request is matched against one route after the other.
    for routes in (
        accounts.router.routes, MOBILE, months.router.routes, statement.router.routes, uploads.router.routes,
        persons.router.routes, suspense.router.routes, accounts.plain.routes, answers.router.routes,
        simulation.router.routes, totals.router.routes, reversals.router.routes, site.routes(held), sms.routes(held),
        office.routes(held), employer.routes(held), health.router.routes, docs.ROUTES,
    ):  # fmt: skip
        app.router.routes.extend(routes)
    app.add_middleware(Watch, metrics=metrics, https=settings.is_https, subdomains=settings.hsts_subdomains)
    app.state.application, app.state.metrics = held, metrics
    return app


def create() -> FastAPI:
    """The application for the settings of the environment."""
    settings = all_settings.load()
    start_logging(settings.log_level)
    return create_app(settings)


def __getattr__(name: str) -> Any:
    # `uvicorn api.app:app` works too, and importing this module still opens nothing.
    if name == "app":
        return create()
    raise AttributeError(name)
