"""The fold of a whole log into new generations: the folds that the follower uses, over all events at once.

One process, one pass over the log. Of the log only what some of the folds reads is read. Money lines go into sorted runs
and come back by card, so that every table is written in the order of its key, and no memory grows with the log; what the
lines of an event have in common and the directory are written as they come. A second process gained 6 % and cost as much
memory again.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple

from ledger.events.upcasters import passed_over
from ledger.store import bulk
from ledger.store.codec import StoredRow
from ledger.store.database import Transaction, failures_told
from ledger.store.log import Log
from ledger.store.scan import scan
from projections import balances, directory, entries, scheme
from projections.condition import indexes
from projections.event_batch import Broken, Lines, batches, read_batch
from projections.generations import Generation
from projections.runs import Runs, disk_told

_BATCH_BYTES = 2**20
_PEOPLE_ROWS = 20_000
_LATER_ROWS = 100_000
"""Changes of the directory that wait for its keys, in memory; with more of them the keys come first."""
_TELL_SECONDS = 0.2
_READS = {"balances": balances.READS, "entries": entries.READS}


class Task(NamedTuple):
    """What is folded: the log up to a position, into new generations, each in a transaction of its own."""

    upto: int
    generations: Mapping[str, Generation]
    transactions: Mapping[str, Transaction]


class Folded(NamedTuple):
    """How much was folded, and what could not be applied. `position`: how far along the log."""

    position: int
    events: int
    lines: int
    broken: list[Broken]


def fold_log(log: Log, task: Task, progress: Callable[[Folded], None]) -> Folded:
    """Fold the log into the task's generations; their rows and indexes are made when it returns, not committed.

    Raises StoreFailed, with `disk-full` also when there is no space for the sorted runs: beside a SQLite log, in the
    system's folder for temporary files (TMPDIR) with PostgreSQL.
    """
    money = [name for name in ("balances", "entries") if name in task.generations]
    runs = Runs({column for name in money for column in _READS[name]}, log.settings.scratch)
    people = _People(task) if "directory" in task.generations else None
    with contextlib.closing(runs), disk_told():
        folded = _read(log, task, runs, people, progress)
        if money:
            _write(task, money, runs.partitions())
    with ThreadPoolExecutor(len(_READS)) as pool:
        list(pool.map(lambda name: _add_indexes(task, name), money))
    if people is not None:
        folded = folded._replace(broken=folded.broken + people.finish())
    return folded._replace(broken=sorted(folded.broken))


def _read(log: Log, task: Task, runs: Runs, people: _People | None, progress: Callable[[Folded], None]) -> Folded:
    """Read the log once: lines into runs, everything else into its tables."""
    folded, told = Folded(0, 0, 0, []), time.monotonic()
    unused = frozenset.intersection(*(passed_over(name) for name in task.generations))
    money = not task.generations.keys().isdisjoint(_READS)
    for rows in batches(scan(log, task.upto, unused), _BATCH_BYTES):
        batch = read_batch(rows, money=money, people=people is not None)
        runs.add(batch.lines)
        broken = folded.broken + batch.broken
        if "entries" in task.generations:
            broken += entries.write_events(task.transactions["entries"], task.generations["entries"], batch)
        if "balances" in task.generations:
            scheme.write(task.transactions["balances"], task.generations["balances"], batch.scheme)
        if people is not None:
            broken += people.add(batch.people)
        folded = Folded(rows[-1].position, folded.events + len(rows), runs.lines, broken)
        if (now := time.monotonic()) - told >= _TELL_SECONDS:
            told = now
            progress(folded)
    folded = folded._replace(position=task.upto)
    progress(folded)
    return folded


class _People:
    """The directory as it is filled: without keys as long as nearly all rows are new."""

    def __init__(self, task: Task) -> None:
        self.task = task
        self.tx, self.generation = task.transactions["directory"], task.generations["directory"]
        self._gathered: list[StoredRow] = []
        self._later: list[StoredRow] = []
        self._keyed = False

    def add(self, rows: list[StoredRow]) -> list[Broken]:
        """Take rows in log order; what of those before could not be read comes back."""
        self._gathered += rows
        return self._flush() if len(self._gathered) >= _PEOPLE_ROWS else []

    def finish(self) -> list[Broken]:
        """Write everything that is left, indexes included."""
        return self._flush() + ([] if self._keyed else self._add_keys())

    def _flush(self) -> list[Broken]:
        rows, self._gathered = self._gathered, []
        if self._keyed:
            return directory.write(self.tx, self.generation, rows)
        later, broken = directory.load(self.tx, self.generation, rows)
        self._later += later
        return broken + self._add_keys() if len(self._later) > _LATER_ROWS else broken

    def _add_keys(self) -> list[Broken]:
        _add_indexes(self.task, "directory")
        self._keyed = True
        rows, self._later = self._later, []
        return directory.write(self.tx, self.generation, rows)


def _add_indexes(task: Task, name: str) -> None:
    tx = task.transactions[name]
    with failures_told():
        tx.script(indexes(task.generations[name], tx.dialect))


def _write(task: Task, names: list[str], partitions: Iterator[Lines]) -> None:
    """Write the money tables side by side, a thread each, while the next partition is read."""
    with contextlib.ExitStack() as stack:
        writes: list[Callable[[Lines], None]] = []
        for name in names:
            tx, table = task.transactions[name], task.generations[name].table
            if name == "balances":
                load = stack.enter_context(bulk.loading(tx, table, balances.COLUMNS, balances.TYPES))
                writes.append(lambda lines, load=load: load(balances.merge([balances.fold(lines)])))  # type: ignore[misc]
            else:
                load = stack.enter_context(bulk.loading(tx, table, entries.COLUMNS, entries.TYPES))
                writes.append(lambda lines, load=load: load(entries.fold(lines)))  # type: ignore[misc]
        pool = stack.enter_context(ThreadPoolExecutor(len(writes)))
        under_way: list[Future[None]] = []
        for lines in partitions:
            for one in under_way:
                one.result()
            under_way = [pool.submit(write, lines) for write in writes]
            del lines
        for one in under_way:
            one.result()
