"""The counters that `/metrics` shows and the middleware keeps."""

from __future__ import annotations

import os
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from typing import NamedTuple

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.exposition import generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector

from api.server import METRICS
from ledger.clock import JAKARTA

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0)


class Known(NamedTuple):
    """What is known of the stores, which are the same whichever process is asked.

    `parts`: the log and the read side, each `ok` or the code of why it does not answer. `head` and `read`: their positions.
    `age`: seconds since the read side confirmed the head. `complete`: the day until which payments are complete. None:
    nobody can say so now, or has said so yet.
    """

    parts: dict[str, str]
    head: int | None
    read: int | None
    age: float | None
    complete: date | None


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

    def shown(self, known: Known) -> bytes:
        """Prometheus text: the counters, and what is known of the stores. Blocking."""
        registry = self.registry
        if METRICS in os.environ:
            registry = CollectorRegistry()
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        return generate_latest(registry) + generate_latest(_Stores(known))


class _Stores:
    """What is no counter, as a collector."""

    def __init__(self, known: Known) -> None:
        end = None
        if known.complete is not None:
            end = datetime.combine(known.complete + timedelta(days=1), time(), JAKARTA).timestamp()
        self._parts = known.parts
        self._told: list[tuple[str, str, float | None]] = [
            ("jht_log_position", "Last position of the log", known.head),
            ("jht_read_position", "Position of the read side", known.read),
            ("jht_read_confirmed_age_seconds", "Since the read side last confirmed the head", known.age),
            ("jht_payments_complete_until_seconds", "All payments before this moment are in", end),
        ]

    def collect(self) -> Iterable[Metric]:
        answers = GaugeMetricFamily("jht_part_answers", "1, or 0 for the reason in code", labels=["part", "code"])
        for part, code in self._parts.items():
            answers.add_metric([part, code], float(code == "ok"))
        told = [GaugeMetricFamily(name, about, value=value) for name, about, value in self._told if value is not None]
        return [answers, *told]
