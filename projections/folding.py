"""The fold of a whole log into new generations, with several processes.

Every process takes ranges of positions from a shared counter, because events differ in size by a thousand times and fixed
halves would leave one process idle. Balances are summed in each process and merged at the end. Entries go straight into
the table on PostgreSQL, and to the one writer on SQLite. The directory needs log order: its rows come to this process,
which puts them in order. Children are spawned, not forked, and send an exception back as text.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import pickle
import queue
import threading
import traceback
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from multiprocessing.sharedctypes import Synchronized
from typing import Any, NamedTuple

from ledger.errors import JhtError, StoreFailed
from ledger.settings import Settings
from ledger.store.codec import StoredRow, recorded_at_of
from ledger.store.log import Log
from projections import balances, entries
from projections.event_batch import Broken, read_batch
from projections.generations import Generation

RANGE = 128
_PAGE = 64
_WAITING = 4
# A child takes most of a second to start: below this many ranges it never pays.
_RANGES_A_CHILD = 8


class Task(NamedTuple):
    """What is folded: the log up to a position, into which new generations, in ranges of `span` positions."""

    database_url: str
    upto: int
    generations: dict[str, Generation]
    span: int = RANGE

    @property
    def ranges(self) -> int:
        return -(-self.upto // self.span)


class Counted(NamedTuple):
    """How much was folded; position and moment of the newest event in it."""

    events: int
    lines: int
    last: int
    recorded_at: str


class _Range(NamedTuple):
    """What the writing process needs of a part of a range."""

    number: int
    counted: Counted
    entries: entries.Prepared | None
    people: list[StoredRow]
    broken: list[Broken]


class _Fold:
    """One process's share of the work. `send` takes a _Range for every page, and its number when a range is done."""

    def __init__(self, log: Log, task: Task, send: Callable[[_Range | int], None]) -> None:
        self.log, self.task, self.send = log, task, send
        self.people = "directory" in task.generations
        self.build = balances.Build() if "balances" in task.generations else None
        self._entries = "entries" in task.generations
        self._stack = contextlib.ExitStack()
        self._copy: entries.Build | None = None
        if self._entries and log.postgres:
            tx = self._stack.enter_context(log.database.write())
            self._copy = entries.Build(tx, task.generations["entries"])

    def fold(self, number: int) -> None:
        """Fold the range of that number (from 0)."""
        after, upto = number * self.task.span, min((number + 1) * self.task.span, self.task.upto)
        money = self._entries or self.build is not None
        while after < upto and (rows := self.log.read(after, _PAGE, upto)):
            after = rows[-1].position
            page = read_batch(rows, money=money, people=self.people)
            prepared = entries.prepare(page.lines) if self._entries else None
            if self.build is not None:
                self.build.add(balances.fold(page.lines))
            if self._copy is not None and prepared is not None:
                self._copy.add(prepared)
                prepared = None
            counted = Counted(len(rows), len(page.lines.card), after, recorded_at_of(rows[-1].state))
            self.send(_Range(number, counted, prepared, page.people, page.broken))
        self.send(number)

    def finish(self) -> None:
        """Commit what this process wrote itself."""
        if self._copy is not None:
            self._copy.flush()
        self._stack.close()

    def abandon(self) -> None:
        """Roll back what this process wrote itself."""
        with contextlib.suppress(_Abandoned, JhtError), self._stack:
            raise _Abandoned


class _Abandoned(Exception):
    """Leaves a transaction without committing it."""


class Folded(NamedTuple):
    """What a fold found: totals, the last event, and what could not be applied."""

    counted: Counted
    broken: list[Broken]


class Writers(NamedTuple):
    """Where the writing process puts rows: each is None when its projection is not folded (or writes itself)."""

    entries: entries.Build | None
    people: Callable[[Sequence[StoredRow]], list[Broken]]


def fold_log(
    log: Log, task: Task, processes: int, writers: Writers, progress: Callable[[Counted], None]
) -> tuple[Folded, balances.Build | None]:
    """Fold the log up to `task.upto`; entries and people are written, balances come back to be written.

    Raises StoreFailed when a child failed; its traceback is a note on the error.
    """
    total = task.ranges
    # The directory alone is written in order by this process: a child could only hand rows over.
    helpers = 0 if set(task.generations) == {"directory"} else min(processes - 1, total // _RANGES_A_CHILD)
    with _Children(task, helpers) as children:
        gathered = _Gathered(writers, progress)
        fold = _Fold(log, task, gathered.take)
        try:
            more = True
            while more or children.running:
                message = children.receive(wait=not more)
                if message is None:
                    if more:
                        number = children.next_range()
                        more = number < total
                        fold.fold(number) if more else fold.finish()
                elif isinstance(message, dict):
                    assert fold.build is not None
                    fold.build.add(message)
                else:
                    gathered.take(message)
        except BaseException:
            fold.abandon()
            raise
    gathered.flush()
    if writers.entries is not None:
        writers.entries.flush()
    return Folded(gathered.counted, sorted(gathered.broken)), fold.build


class _Gathered:
    """Puts ranges that end in any order back into log order for the directory, and counts."""

    def __init__(self, writers: Writers, progress: Callable[[Counted], None]) -> None:
        self.writers, self.progress = writers, progress
        self.counted = Counted(0, 0, 0, "")
        self.broken: list[Broken] = []
        self._people: dict[int, list[StoredRow]] = {}
        self._ended: set[int] = set()
        self._next = 0
        self._ready: list[StoredRow] = []

    def take(self, message: _Range | int) -> None:
        if isinstance(message, int):
            self._ended.add(message)
            self._in_order()
            return
        counted, so_far = message.counted, self.counted
        newest = max(so_far, counted, key=lambda one: one.last)
        self.counted = Counted(
            so_far.events + counted.events, so_far.lines + counted.lines, newest.last, newest.recorded_at
        )
        self.broken += message.broken
        if message.people:
            self._people.setdefault(message.number, []).extend(message.people)
        if message.entries is not None and self.writers.entries is not None:
            self.writers.entries.add(message.entries)
        self.progress(self.counted)

    def _in_order(self) -> None:
        while self._next in self._ended:
            self._ended.remove(self._next)
            self._ready += self._people.pop(self._next, [])
            self._next += 1
        if len(self._ready) >= _PEOPLE_ROWS:
            self.flush()

    def flush(self) -> None:
        """Write the people that are in order now."""
        ready, self._ready = self._ready, []
        if ready:
            self.broken += self.writers.people(ready)


class _Children:
    """Spawned processes that fold ranges, what they send, and the counter they share with this process."""

    def __init__(self, task: Task, count: int) -> None:
        context = multiprocessing.get_context("spawn")
        self._counter = context.Value("q", 0)
        self._inbox: queue.Queue[Any] = queue.Queue(_WAITING)
        self._closing = False
        self._processes = []
        self._threads = []
        self.running = count
        for _ in range(count):
            ours, theirs = context.Pipe(duplex=False)
            process = context.Process(target=_child, args=(theirs, self._counter, task), daemon=True)
            process.start()
            theirs.close()
            thread = threading.Thread(target=self._listen, args=(ours,), daemon=True)
            thread.start()
            self._processes.append(process)
            self._threads.append(thread)

    def __enter__(self) -> _Children:
        return self

    def __exit__(self, *_: object) -> None:
        self._closing = True
        for process in self._processes:
            if self.running:
                process.terminate()
            process.join()
        for thread in self._threads:
            while thread.is_alive():
                with contextlib.suppress(queue.Empty):
                    self._inbox.get_nowait()
                thread.join(0.01)

    def next_range(self) -> int:
        return _take(self._counter)

    def receive(self, *, wait: bool) -> Any:
        """The next message, or None when there is none. Raises StoreFailed for a child that failed."""
        try:
            kind, payload = self._inbox.get(block=wait)
        except queue.Empty:
            return None
        if kind == "message":
            return payload
        self.running -= 1
        if kind == "failed":
            error = StoreFailed("store-failed", what="a process of the rebuild failed")
            error.add_note(payload)
            raise error
        return None

    def _listen(self, connection: Connection) -> None:
        try:
            while True:
                message = pickle.loads(connection.recv_bytes())  # noqa: S301 - from our own child
                self._inbox.put(message)
                if message[0] != "message":
                    return
        except (EOFError, OSError):
            self._inbox.put(("failed", "the process ended without a word"))
        finally:
            connection.close()


_PEOPLE_ROWS = 20_000


def _take(counter: Synchronized[int]) -> int:
    with counter.get_lock():
        counter.value += 1
        return counter.value - 1


def _child(connection: Connection, counter: Synchronized[int], task: Task) -> None:
    """A child's whole life."""

    def send(kind: str, payload: object) -> None:
        connection.send_bytes(pickle.dumps((kind, payload), 5))

    parent = multiprocessing.parent_process()
    try:
        log = Log.open(Settings(database_url=task.database_url))
        fold = _Fold(log, task, lambda message: send("message", message))
        try:
            while (number := _take(counter)) < task.ranges:
                if parent is not None and not parent.is_alive():
                    raise _Abandoned
                fold.fold(number)
            fold.finish()
        except BaseException:
            fold.abandon()
            raise
        for part in fold.build.parts() if fold.build is not None else ():
            send("message", part)
        log.close()
        send("done", None)
    except BaseException:
        # An exception's class and place, as text: it would not survive the pipe otherwise.
        with contextlib.suppress(OSError):
            send("failed", traceback.format_exc())
