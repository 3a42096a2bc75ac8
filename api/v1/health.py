"""`/livez`, `/readyz` (open, and saying nothing but codes) and `/metrics` (scope `metrics`)."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable

from fastapi import APIRouter
from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from starlette.requests import Request
from starlette.responses import Response

from api import schemas
from api.access.keys import guarded
from api.application import ApplicationState
from api.parameters import parameters
from api.problems import documented
from api.responses import ready
from api.route import Direct
from api.server import METRICS
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


def routes(application: ApplicationState, metrics: Metrics) -> tuple[APIRouter, APIRouter]:
    """(the open routes, the guarded one)."""
    free = APIRouter(route_class=Direct, tags=["health"])
    router = APIRouter(route_class=guarded(application.admit), tags=["health"])

    async def livez(request: Request) -> Response:
        """Whether the process answers at all."""
        parameters(request)
        return ready(schemas.Health("ok"))

    async def readyz(request: Request) -> Response:
        """Whether balances can be told truthfully here: the stores answer and the read side is fresh."""
        parameters(request)
        checks = {
            "log": await _check(application.log.head),
            "access": await _check(application.keys.list),
            "read-side": await _check(lambda: application.reader.check_fresh(application.now())),
        }
        good = all(said == "ok" for said in checks.values())
        return ready(
            schemas.Health("ok" if good else "unavailable", checks),
            200 if good else 503,
            None if good else {"Retry-After": "2"},
        )

    async def show(request: Request) -> Response:
        """The counters for Prometheus."""
        parameters(request)
        head = await asyncio.to_thread(application.log.head)
        seen = await application.ask(application.reader.freshness)
        age = None if seen.confirmed_at is None else (application.now() - seen.confirmed_at).total_seconds()
        text = await asyncio.to_thread(metrics.shown, head, seen.position, age)
        return Response(text, media_type=CONTENT_TYPE_LATEST)

    free.add_api_route(
        "/livez",
        livez,
        methods=["GET"],
        operation_id="livez",
        summary="Alive",
        responses=documented("parameter-unknown", "parameter-unreadable")
        | {200: schemas.returned("Health", "It answers", {"status": "ok", "checks": {}})},
    )
    free.add_api_route(
        "/readyz",
        readyz,
        methods=["GET"],
        operation_id="readyz",
        summary="Ready",
        responses=documented("parameter-unknown", "parameter-unreadable")
        | {
            200: schemas.returned(
                "Health",
                "It can answer truthfully",
                {"status": "ok", "checks": {"log": "ok", "access": "ok", "read-side": "ok"}},
            ),
            503: schemas.returned(
                "Health",
                "It cannot",
                {
                    "status": "unavailable",
                    "checks": {"log": "ok", "access": "ok", "read-side": "read-side-stale"},
                },
            ),
        },
    )
    router.add_api_route(
        "/metrics",
        show,
        methods=["GET"],
        operation_id="metrics",
        summary="Counters for Prometheus",
        responses=documented(
            "parameter-unknown",
            "parameter-unreadable",
            "key-missing",
            "key-wrong",
            "scope-missing",
            "store-failed",
        )
        | {200: {"description": "Prometheus text", "content": {"text/plain": {"schema": {"type": "string"}}}}},
        openapi_extra={"x-scope": "metrics"},
    )
    return free, router


async def _check(function: object) -> str:
    assert callable(function)
    try:
        async with asyncio.timeout(3):
            await asyncio.to_thread(function)
    except JhtError as error:
        return error.code
    except TimeoutError:
        return "store-failed"
    return "ok"
