"""The HTTP API: a thin shell around the log and the read side.

    uvicorn api.app:create --factory --loop uvloop --http httptools --no-access-log

One file per audience: `accounts`, `persons`, `suspense` ask; `writing` sends in; `health` and `docs` are about the
service itself. `opened` is what the process holds open, `access` says who may, `records` who did.
"""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from api import accounts, docs, health, persons, problems, suspense, writing
from api.health import Metrics
from api.opened import Opened
from api.watch import Watch, start_logging
from ledger import settings as all_settings
from ledger.clock import read_now
from ledger.errors import JhtError
from ledger.settings import Settings

OPEN = frozenset({"/livez", "/readyz", "/docs", "/docs/{name}", "/openapi.json"})
"""The routes that answer a caller without a key. A test walks all others."""


def create_app(settings: Settings, *, now: Callable[[], datetime] = read_now, opened: Opened | None = None) -> FastAPI:
    """The application for some settings; nothing is opened before it starts.

    `opened` replaces what the process holds open (a benchmark measures with and without the records).
    """
    held = opened or Opened(settings, now)
    metrics = Metrics()

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await held.start()
        # What was loaded until now stays for good: without it a full garbage collection stops all reads for 70 ms.
        gc.collect()
        gc.freeze()
        try:
            yield
        finally:
            gc.unfreeze()
            await held.stop()

    app = FastAPI(
        title="JHT ledger",
        version=_version(),
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        lifespan=lifespan,
        exception_handlers={
            JhtError: problems.refused,
            HTTPException: problems.wrong_address,
        },
        redirect_slashes=False,
    )
    free, counters = health.routes(held, metrics)
    for router in (
        accounts.routes(held), persons.routes(held), suspense.routes(held), writing.routes(held), free, counters,
    ):  # fmt: skip
        # Taken over as they are: including a router would make each request walk one more level.
        app.router.routes.extend(router.routes)
    app.router.routes.extend(docs.ROUTES)
    app.add_middleware(Watch, metrics=metrics)
    app.state.opened = held
    return app


def guarded_paths(app: FastAPI) -> list[tuple[str, str]]:
    """(method, path) of every route that needs a key."""
    return [
        (method, route.path)
        for route in app.routes
        if isinstance(route, APIRoute) and route.path not in OPEN
        for method in sorted(route.methods or ())
    ]


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


def _version() -> str:
    try:
        return version("jht-ledger")
    except PackageNotFoundError:
        return "0.1.0"
