"""`/livez`, `/readyz` (open, and saying nothing but codes) and `/metrics` (scope `metrics`)."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from starlette.requests import Request
from starlette.responses import Response

from api import schemas
from api.access.keys import guarded
from api.application import ApplicationState
from api.parameters import parameters
from api.problems import documented
from api.responses import ready
from api.route import Direct
from ledger.errors import JhtError

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0)


class Metrics:
    """The counters of one process. Labels are route templates and codes: never a number that names somebody."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "jht_http_requests", "Requests answered", ["method", "route", "status"], registry=self.registry
        )
        self.seconds = Histogram(
            "jht_http_request_seconds", "Time to answer", ["route"], buckets=_SECONDS, registry=self.registry
        )
        self.head = Gauge("jht_log_position", "Last position of the log", registry=self.registry)
        self.position = Gauge("jht_read_position", "Position of the read side", registry=self.registry)
        self.age = Gauge(
            "jht_read_confirmed_age_seconds",
            "Since the read side last confirmed the head",
            registry=self.registry,
        )
        self.records = Gauge("jht_access_records_written", "Access records written", registry=self.registry)
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
        metrics.head.set(await asyncio.to_thread(application.log.head))
        freshness = await application.ask(application.reader.freshness)
        metrics.position.set(freshness.position)
        if freshness.confirmed_at is not None:
            metrics.age.set((application.now() - freshness.confirmed_at).total_seconds())
        metrics.records.set(application.recorder.written)
        return Response(generate_latest(metrics.registry), media_type=CONTENT_TYPE_LATEST)

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
