"""`/livez`, `/readyz` (open, and saying nothing but codes) and `/metrics` (scope `metrics`)."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterable
from typing import Annotated

from fastapi import APIRouter, Security
from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from api import schemas
from api.access.keys import KEY_PROBLEMS, Caller, api_key
from api.application import application_of
from api.parameters import NoParameters
from api.problems import RETRY_SECONDS, refusals
from api.responses import described
from api.route import Route
from api.server import METRICS
from api.v1.accounts import PARAMETER_PROBLEMS
from ledger.errors import JhtError

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0)


class Metrics:
    """The counters of one process; of all, where `jht serve` runs several.

    Then they stand in files that the processes share (`server.METRICS`), so any of them shows their
    sum. Labels are route templates and codes: never a number that names somebody.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "jht_http_requests", "Requests answered", ["method", "route", "status"], registry=self.registry
        )
        self.seconds = Histogram(
            "jht_http_request_seconds", "Time to answer", ["route"], buckets=_SECONDS, registry=self.registry
        )
        self.records = Counter("jht_access_records_written", "Access records written", registry=self.registry)
        self._counters: dict[tuple[str, str, int], Counter] = {}
        self._histograms: dict[str, Histogram] = {}

    def observe(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one answered request."""
        counter = self._counters.get((method, route, status))
        if counter is None:
            counter = self._counters[method, route, status] = self.requests.labels(method, route, str(status))
        counter.inc()
        histogram = self._histograms.get(route)
        if histogram is None:
            histogram = self._histograms[route] = self.seconds.labels(route)
        histogram.observe(seconds)

    def shown(self, head: int, read: int, age: float | None) -> bytes:
        """Prometheus text: the counters, and the log's position, the read side's, and the seconds since it confirmed
        the head (None: never). Those are the stores', the same whichever process is asked. Blocking."""
        registry = self.registry
        if METRICS in os.environ:
            registry = CollectorRegistry()
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return generate_latest(registry) + generate_latest(_Positions(head, read, age))


class _Positions:
    """What is no counter, as a collector."""

    def __init__(self, head: int, read: int, age: float | None) -> None:
        self._told: list[tuple[str, str, float]] = [
            ("jht_log_position", "Last position of the log", head),
            ("jht_read_position", "Position of the read side", read),
        ]
        if age is not None:
            self._told.append(("jht_read_confirmed_age_seconds", "Since the read side last confirmed the head", age))

    def collect(self) -> Iterable[Metric]:
        return [GaugeMetricFamily(name, about, value=value) for name, about, value in self._told]


router = APIRouter(route_class=Route, tags=["health"])


@router.get("/livez", operation_id="livez", summary="Alive", responses=refusals(*PARAMETER_PROBLEMS))
async def livez(query: NoParameters) -> schemas.Health:
    """Whether the process answers at all."""
    return schemas.Health(status="ok", checks={})


@router.get(
    "/readyz",
    operation_id="readyz",
    summary="Ready",
    responses=refusals(*PARAMETER_PROBLEMS)
    | {503: {"model": schemas.Health, "description": "It cannot", "headers": described("Retry-After")}},
)
async def readyz(request: Request, response: Response, query: NoParameters) -> schemas.Health:
    """Whether balances can be told truthfully here: the stores answer and the read side is fresh."""
    application = application_of(request)
    checks = {
        "log": await _check(application.log.head),
        "access": await _check(application.keys.list),
        "read-side": await _check(lambda: application.reader.check_fresh(application.now())),
    }
    if all(found == "ok" for found in checks.values()):
        return schemas.Health(status="ok", checks=checks)
    response.status_code = 503
    response.headers["Retry-After"] = str(RETRY_SECONDS)
    return schemas.Health(status="unavailable", checks=checks)


@router.get(
    "/metrics",
    operation_id="metrics",
    summary="Counters for Prometheus",
    response_class=PlainTextResponse,
    responses=refusals(*PARAMETER_PROBLEMS, *KEY_PROBLEMS, "store-failed", "internal"),
)
async def show_metrics(
    request: Request,
    caller: Annotated[Caller, Security(api_key, scopes=["metrics"])],
    query: NoParameters,
) -> Response:
    """The counters for Prometheus."""
    application = application_of(request)
    metrics: Metrics = request.app.state.metrics
    head = await asyncio.to_thread(application.log.head)
    seen = await application.ask(application.reader.freshness)
    age = None if seen.confirmed_at is None else (application.now() - seen.confirmed_at).total_seconds()
    text = await asyncio.to_thread(metrics.shown, head, seen.position, age)
    return Response(text, media_type=CONTENT_TYPE_LATEST)


async def _check(function: Callable[[], object]) -> str:
    try:
        async with asyncio.timeout(3):
            await asyncio.to_thread(function)
    except JhtError as error:
        return error.code
    except TimeoutError:
        return "store-failed"
    return "ok"
