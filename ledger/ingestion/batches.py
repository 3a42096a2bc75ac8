"""What employers, registrations and opening balances share: a table taken in batches of rows that stand alone.

Each row is decided by itself, so a batch that met another writer is looked up and decided again, and in the end row by
row. The next batch is looked up, decided and encoded while the one before it is being committed, unless both touch the
same keys.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from typing import Generic, TypeVar

from msgspec import Struct

from ledger.errors import Problem
from ledger.events import Event, Fact
from ledger.ingestion.readers.table import Table
from ledger.receipt import Header, Outcome, Receipt, Verdict
from ledger.store.codec import encode
from ledger.store.database import Write
from ledger.store.handle import handle
from ledger.store.log import Appended, Log

ROWS = 20_000
_TRIES_AGAIN = 2
_TRIES_ALONE = 50
R = TypeVar("R")
Progress = Callable[[int], None]


class Decided(Struct, Generic[R]):
    """What a batch of rows comes to. `keys`: what the next batch must not touch before this one is committed."""

    rows: Sequence[R]
    events: list[Event] = []
    writes: list[Write] = []
    problems: list[tuple[Problem, Verdict]] = []
    posted: int = 0
    already: int = 0
    refused: int = 0
    states: list[bytes] = []

    def refuse(self, problem: Problem, line: int = 0) -> None:
        """A row is refused alone; `line` when the problem does not know it yet."""
        self.refused += 1
        told = Problem(problem.code, line, problem.column, problem.details) if line else problem
        self.problems.append((told, "refused"))

    def post(self, header: Header, stream: str, version: int, fact: Fact) -> None:
        """A row becomes an event."""
        self.posted += 1
        self.events.append(
            Event(
                stream=stream, version=version, fact=fact, by=header.by, channel=header.channel, reason=header.reason,
                request=header.request,
            )
        )  # fmt: skip


def begin(table: Table, header: Header, dry_run: bool) -> Receipt:
    """A receipt that tells the rows which could not be read; each of them is refused alone."""
    receipt = Receipt(table.layout, header.request, dry_run=dry_run, wants_rejects=header.wants_rejects)
    table.tell_unreadable(receipt)
    return receipt


def finish(table: Table, receipt: Receipt, counts: Sequence[int]) -> Receipt:
    """The receipt with its one outcome; problems in file order. `counts`: posted, already, refused."""
    posted, already, refused = counts
    refused += int(table.bad.sum())
    first = int(table.lines[0]) if len(table.lines) else 0
    receipt.outcome(Outcome(table.layout, first, posted=posted, already=already, refused=refused))
    receipt.problems.sort(key=lambda told: told.problem.line)
    return receipt


class Writer(Generic[R]):
    """Decides and appends batches of rows, one behind the other.

    `decide`: rows -> what they come to, looked up afresh at each call. `keys`: what a row reads and writes.
    """

    def __init__(
        self,
        log: Log,
        receipt: Receipt,
        now: datetime,
        decide: Callable[[Sequence[R]], Decided[R]],
        keys: Callable[[R], tuple[object, ...]],
    ) -> None:
        self.log, self.receipt, self.now, self.decide, self.keys = log, receipt, now, decide, keys
        self.counts = [0, 0, 0]

    def run(self, batches: Iterator[Sequence[R]], on_progress: Progress | None) -> None:
        """Take all batches. Raises StoreFailed; what was committed before stays."""
        pending: tuple[Decided[R], Future[Appended | None], set[object]] | None = None
        with ThreadPoolExecutor(1, thread_name_prefix="append") as pool:
            for rows in batches:
                touched = {key for row in rows for key in self.keys(row)}
                if pending and not touched.isdisjoint(pending[2]):
                    self._settle(pending, on_progress)
                    pending = None
                decided = self._encoded(rows)
                if pending:
                    self._settle(pending, on_progress)
                pending = decided, pool.submit(self._append, decided), touched
            if pending:
                self._settle(pending, on_progress)

    def _encoded(self, rows: Sequence[R]) -> Decided[R]:
        decided = self.decide(rows)
        if not self.receipt.dry_run:
            decided.states = [encode(event) for event in decided.events]
        return decided

    def _append(self, decided: Decided[R]) -> Appended | None:
        if self.receipt.dry_run or not decided.events:
            return None
        return self.log.append(decided.events, self.now, writes=decided.writes, states=decided.states)

    def _settle(
        self, pending: tuple[Decided[R], Future[Appended | None], set[object]], on_progress: Progress | None
    ) -> None:
        decided, future, _ = pending

        def settle() -> None:
            self._tell(decided, future.result())

        handle(settle, tries=1, otherwise=lambda: self._again(decided.rows))
        if on_progress:
            on_progress(len(decided.rows))

    def _again(self, rows: Sequence[R]) -> None:
        handle(lambda: self._write(rows), tries=_TRIES_AGAIN, otherwise=lambda: self._one_by_one(rows))

    def _one_by_one(self, rows: Sequence[R]) -> None:
        for row in rows:
            handle(lambda row=row: self._write([row]), tries=_TRIES_ALONE)  # type: ignore[misc]

    def _write(self, rows: Sequence[R]) -> None:
        decided = self._encoded(rows)
        self._tell(decided, self._append(decided))

    def _tell(self, decided: Decided[R], appended: Appended | None) -> None:
        if appended is not None:
            self.receipt.appended(appended.positions)
        for problem, verdict in decided.problems:
            self.receipt.problem(problem, verdict)
        for place, count in enumerate((decided.posted, decided.already, decided.refused)):
            self.counts[place] += count
