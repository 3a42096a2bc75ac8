"""What a waiting line says that the account index does not keep: read from its event."""

from __future__ import annotations

from collections.abc import Iterable

from ledger.events import LinesSuspended
from ledger.store.log import Log
from ledger.store.suspense import Case


def bases(log: Log, cases: Iterable[Case]) -> dict[Case, int]:
    """Wage + back pay in rupiah of each waiting line. Raises BrokenLog where its record cannot be read."""
    asked = tuple(cases)
    found: dict[Case, int] = {}
    streams = log.streams(sorted({case.stream for case in asked}))
    for case in asked:
        fact = streams.of(case.stream)[case.version - 1].fact
        assert isinstance(fact, LinesSuspended)
        line = fact.lines[case.line]
        found[case] = line.wage + line.back_pay
    return found
