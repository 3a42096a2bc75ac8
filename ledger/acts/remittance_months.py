"""An employer's months as the log has them now, for who looks at them; what they come to is decided purely
(`decisions.remittance_months`)."""

from __future__ import annotations

from collections.abc import Iterable

from ledger.decisions.remittance_months import MonthLine, lines_of
from ledger.store.log import Log

Streams = dict[str, int]
"""Remittance stream -> its last version."""


def months_of(log: Log, npp: str) -> dict[str, Streams]:
    """The months in which an employer remitted anything, newest first, with their streams."""
    found: dict[str, Streams] = {}
    for stream, version in log.versions_under(f"remittance-e:{npp}:").items():
        found.setdefault(stream.rpartition(":")[2], {})[stream] = version
    return dict(sorted(found.items(), reverse=True))


def read_lines(log: Log, streams: Iterable[str]) -> list[MonthLine]:
    """The lines of a month's streams, in the log's order."""
    return lines_of(log.streams(list(streams)).whole())
