"""What every card earned in the declared years, worked out from the log alone: for whoever reads it from end to end.

The lines go into sorted runs and come back card by card, so that no memory grows with them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import itemgetter

from ledger.errors import BrokenLog
from ledger.store.codec import StoredRow
from ledger.store.log import Log
from ledger.yields import Terms, earned_by_year
from projections import balances, card_lines
from projections.event_batch import MONEY, Lines, batches, read_batch
from projections.runs import Runs, disk_told


class Earnings:
    """Rows of the log are added in its order; afterwards each card comes with what it earned by `terms`."""

    def __init__(self, log: Log, terms: Terms) -> None:
        self._runs = Runs(balances.READS, log.settings.scratch)
        self._terms = terms

    def add(self, rows: Sequence[StoredRow]) -> None:
        """Take rows that are later than those before. Raises BrokenLog, StoreFailed(disk-full)."""
        for light in batches(row for row in rows if row.name in MONEY):
            batch = read_batch(light, people=False)
            for broken in batch.broken:
                raise BrokenLog("log-broken", position=broken.position, what=broken.what)
            with disk_told():
                self._runs.add(batch.lines)

    def by_card(self) -> Iterator[tuple[int, dict[int, int]]]:
        """Card number and declared year -> rupiah, in the order of cards."""
        partitions = self._runs.partitions()
        while (lines := self._next(partitions)) is not None:
            rows = balances.merge([balances.fold(lines)])
            years = zip(rows["card"].tolist(), card_lines.years(rows), strict=True)
            for card, found in groupby(years, itemgetter(0)):
                yield card, earned_by_year((row for _, row in found), self._terms)

    @staticmethod
    def _next(partitions: Iterator[Lines]) -> Lines | None:
        with disk_told():
            return next(partitions, None)

    def close(self) -> None:
        """Give the space of the runs back."""
        self._runs.close()
