"""A small ledger with its read side: some registered workers, and what a test adds."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import pytest

from ledger.events import Line
from ledger.identifiers import card_number
from ledger.settings import Settings
from ledger.store.log import Log
from projections.generations import Store
from projections.projector import Projector
from projections.queries import Queries
from projections.results import BalanceRow
from tests.conftest import NOW, TODAY
from tests.projections.history import KPJS, NPPS, Writer, registered


class Ledger:
    """A log with its read side, followed by hand."""

    def __init__(self, log: Log, store: Store) -> None:
        self.log, self.store, self.writer = log, store, Writer()
        self.follower = Projector(log, store, now=lambda: NOW)
        self.reader = Queries(log, store)

    def add(self, *events: object) -> int:
        """Append events and let the read side see them; the last position."""
        last = self.log.append(list(events), NOW).positions[-1]  # type: ignore[arg-type]
        self.follower.run_once()
        self.reader.refresh()
        return last

    def pay(self, month: str, paid_on: str, *lines: Line, npp: str = NPPS[0]) -> int:
        return self.add(self.writer.post(npp, month, paid_on, list(lines)))

    def balance(self, i: int = 0, today: date = TODAY, as_of: date | None = None) -> BalanceRow:
        return self.reader.balance(card_number(KPJS[i]), today, NOW, as_of)


@pytest.fixture
def ledger(settings: Settings, log: Log) -> Iterator[Ledger]:
    store = Store.open(settings)
    made = Ledger(log, store)
    made.add(*registered())
    yield made
    made.reader.close()
    store.close()
