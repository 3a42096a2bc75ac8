"""The counters that `/metrics` shows and the middleware keeps."""

from __future__ import annotations

import os
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.exposition import generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector

from api.server import METRICS
from ledger.clock import JAKARTA

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

    def shown(self, head: int, read: int, age: float | None, complete: date | None) -> bytes:
        """Prometheus text: the counters, and the log's position, the read side's, the seconds since it confirmed the head
        (None: never), and the end of the day until which payments are complete (None: nobody said so). Those are the
        stores', the same whichever process is asked. Blocking."""
        registry = self.registry
        if METRICS in os.environ:
            registry = CollectorRegistry()
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return generate_latest(registry) + generate_latest(_Positions(head, read, age, complete))


class _Positions:
    """What is no counter, as a collector."""

    def __init__(self, head: int, read: int, age: float | None, complete: date | None) -> None:
        self._told: list[tuple[str, str, float]] = [
            ("jht_log_position", "Last position of the log", head),
            ("jht_read_position", "Position of the read side", read),
        ]
        if age is not None:
            self._told.append(("jht_read_confirmed_age_seconds", "Since the read side last confirmed the head", age))

        if complete is not None:
            end = datetime.combine(complete + timedelta(days=1), time(), JAKARTA).timestamp()
            self._told.append(("jht_payments_complete_until_seconds", "All payments before this moment are in", end))

    def collect(self) -> Iterable[Metric]:
        return [GaugeMetricFamily(name, about, value=value) for name, about, value in self._told]
