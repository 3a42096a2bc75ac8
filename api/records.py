"""Who read what, when, by which door and why: written before the answer leaves, or the answer does not leave.

One thread writes all records that wait in one transaction, so a thousand reads cost a few commits. A full queue or a
store that does not answer is `record-unavailable`; nothing is served unrecorded.
"""

from __future__ import annotations

import asyncio
import queue
import re
import threading
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from starlette.requests import Request

from api.access import Caller, schema_prefix
from api.ready import header
from ledger.database import Database
from ledger.errors import Refused, Unavailable

LONGEST_QUEUE = 10_000
LARGEST_BATCH = 1_000
WAIT_SECONDS = 5.0
PACE_SECONDS = 0.002
_REASON = re.compile(r"[a-z][a-z-]{0,39}")


class Record(NamedTuple):
    """One read. `what`: the KPJ, person id or list that was read; `position`: what was served, in log positions."""

    at: str
    key: str
    channel: str
    why: str
    route: str
    what: str
    position: int
    request: str


Batch = list[tuple[Record, "asyncio.Future[None]"]]


class Recorder:
    """Writes access records; start it inside the event loop that waits for them.

    One batch is under way at a time; what comes meanwhile is the next one. A lone record goes at once; under load
    commits keep PACE_SECONDS apart, because a fast disk would otherwise get a commit for every record.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._table = schema_prefix(database) + "records"
        self._waiting: Batch = []
        self._batches: queue.SimpleQueue[Batch | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop
        self._busy = self._stuck = self._stopping = False
        self._begun = float("-inf")
        self.written = 0

    def start(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._run, name="access-records", daemon=True)
        self._thread.start()

    async def stop(self) -> None:
        """Write what waits, then end."""
        self._stopping = True
        while self._busy and not self._stuck:
            await asyncio.sleep(PACE_SECONDS)
        self._batches.put(None)
        if self._thread is not None and not self._stuck:
            await asyncio.to_thread(self._thread.join)

    async def write(self, record: Record) -> None:
        """Return when the record is durable. Raises Unavailable(record-unavailable)."""
        if len(self._waiting) >= LONGEST_QUEUE or self._stuck or self._stopping:
            raise Unavailable("record-unavailable")
        future = self._loop.create_future()
        self._waiting.append((record, future))
        if not self._busy:
            self._busy = True
            self._schedule()
        await future

    def _schedule(self) -> None:
        late = self._begun + PACE_SECONDS - self._loop.time()
        if late > 0:
            self._loop.call_later(late, self._hand_over)
        else:
            self._loop.call_soon(self._hand_over)

    def _hand_over(self) -> None:
        self._begun = self._loop.time()
        batch, self._waiting = self._waiting[:LARGEST_BATCH], self._waiting[LARGEST_BATCH:]
        watch = self._loop.call_later(WAIT_SECONDS, self._give_up, batch)
        self._watch = watch
        self._batches.put(batch)

    def _give_up(self, batch: Batch) -> None:
        """The store does not answer: nobody who waits is served, and nobody waits any more until it does."""
        self._stuck = True
        _resolve(batch + self._waiting, Unavailable("record-unavailable"))

    def _done(self, batch: Batch, error: Unavailable | None) -> None:
        self._watch.cancel()
        self._stuck = False
        _resolve(batch, error)
        if self._waiting:
            self._schedule()
        else:
            self._busy = False

    def _run(self) -> None:
        while (batch := self._batches.get()) is not None:
            error = None
            try:
                self._insert([record for record, _ in batch])
            except Exception:
                error = Unavailable("record-unavailable")
            try:
                self._loop.call_soon_threadsafe(self._done, batch, error)
            except RuntimeError:  # the loop has closed: nobody waits any more
                return

    def _insert(self, records: Sequence[Record]) -> None:
        # One statement: every step of an executemany would hand the interpreter's lock over and back.
        rows = ", ".join([_MARKS] * len(records))
        with self._database.write() as tx:
            tx.run(
                f"insert into {self._table} ({', '.join(Record._fields)}) values {rows}",
                [value for record in records for value in record],
            )
        self.written += len(records)


_MARKS = "(" + ", ".join("?" * len(Record._fields)) + ")"


def _resolve(batch: Batch, error: Unavailable | None) -> None:
    for _, future in batch:
        if not future.done():
            if error is None:
                future.set_result(None)
            else:
                future.set_exception(error)


def reason_of(request: Request) -> str:
    """The X-Reason header, empty when there is none. Raises Refused(parameter-unreadable)."""
    reason = header(request, b"x-reason")
    if reason and not _REASON.fullmatch(reason):
        raise Refused("parameter-unreadable", name="X-Reason", expected="[a-z][a-z-]{0,39}")
    return reason


def record_of(request: Request, caller: Caller, what: str, position: int, now: datetime) -> Record:
    """The record of a read."""
    return Record(
        now.isoformat(),
        caller.id,
        caller.channel,
        reason_of(request),
        request.scope["route"].path,
        what,
        position,
        request.scope.get("request_id", ""),
    )
