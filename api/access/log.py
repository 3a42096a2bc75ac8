"""Who read what, when, by which door and why: written before the answer leaves, or the answer does not leave.

One thread writes all records that wait in one transaction, so a thousand reads cost a few commits. A full queue or a
store that does not answer is `record-unavailable`; nothing is served unrecorded. Only a member's own read does not wait:
its record is noted and written within a second, and while notes cannot be written there are no more of them.
"""

from __future__ import annotations

import asyncio
import queue
import re
import threading
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import structlog
from starlette.requests import Request

from api.access.keys import Caller, schema_prefix
from ledger.errors import Refused, Unavailable
from ledger.store.database import Database

LONGEST_QUEUE = 10_000
LARGEST_BATCH = 1_000
WAIT_SECONDS = 5.0
PACE_SECONDS = 0.002
NOTE_SECONDS = 0.25
"""How long notes gather; also the pause after a write that failed."""
OWN, OTHERS = "own", "others"
WHOSE = (OWN, OTHERS)
"""The reads of the person and those of everybody else; an SMS is answered to the phone that the person bound."""
_CURSOR = re.compile(r"[0-9T:.+-]{20,40}~[0-9]{1,6}")


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


class Looks(NamedTuple):
    """A page of records, newest first; `more` asks for the next one, "" when there is none."""

    records: list[Record]
    more: str


Batch = list[tuple[Record, "asyncio.Future[None] | None"]]


class Recorder:
    """Writes access records; start it inside the event loop that waits for them.

    One batch is under way at a time; what comes meanwhile is the next one. A lone record goes at once; under load
    commits keep PACE_SECONDS apart, because a fast disk would otherwise get a commit for every record.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._table = schema_prefix(database) + "records"
        self._waiting: Batch = []
        self._noted: list[Record] = []
        self._alarm: asyncio.TimerHandle | None = None
        self._batches: queue.SimpleQueue[Batch | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop
        self._busy = self._stuck = self._failing = self._stopping = False
        self._begun = float("-inf")
        self.written = 0
        self.counted: Callable[[int], None] = _uncounted

    def start(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._run, name="access-records", daemon=True)
        self._thread.start()

    async def stop(self) -> None:
        """Write what waits, then end."""
        self._stopping = True
        if self._noted:
            self._begin()
        while self._busy and not self._stuck:
            await asyncio.sleep(PACE_SECONDS)
        self._batches.put(None)
        if self._thread is not None and not self._stuck:
            await asyncio.to_thread(self._thread.join)
        if self._noted:
            structlog.get_logger().error("records-lost", count=len(self._noted))

    async def write(self, record: Record) -> None:
        """Return when the record is durable. Raises Unavailable(record-unavailable)."""
        if len(self._waiting) >= LONGEST_QUEUE or self._stuck or self._stopping:
            raise Unavailable("record-unavailable")
        future = self._loop.create_future()
        self._waiting.append((record, future))
        self._begin()
        await future

    async def note(self, record: Record) -> None:
        """Take the record of a member's own read; it is durable within a second.

        Raises Unavailable(record-unavailable): too many wait, or they cannot be written.
        """
        if len(self._noted) >= LONGEST_QUEUE or self._stuck or self._failing or self._stopping:
            raise Unavailable("record-unavailable")
        self._noted.append(record)
        if len(self._noted) >= LARGEST_BATCH:
            self._begin()
        else:
            self._set_alarm()

    def _set_alarm(self) -> None:
        if self._alarm is None and not self._busy:
            self._alarm = self._loop.call_later(NOTE_SECONDS, self._begin)

    def _begin(self) -> None:
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        if not self._busy:
            self._busy = True
            self._schedule()

    def _schedule(self) -> None:
        late = self._begun + PACE_SECONDS - self._loop.time()
        if late > 0:
            self._loop.call_later(late, self._hand_over)
        else:
            self._loop.call_soon(self._hand_over)

    def _hand_over(self) -> None:
        self._begun = self._loop.time()
        batch, self._waiting = self._waiting[:LARGEST_BATCH], self._waiting[LARGEST_BATCH:]
        room = LARGEST_BATCH - len(batch)
        if self._noted and room:
            batch += [(record, None) for record in self._noted[:room]]
            del self._noted[:room]
        watch = self._loop.call_later(WAIT_SECONDS, self._give_up, batch)
        self._watch = watch
        self._batches.put(batch)

    def _give_up(self, batch: Batch) -> None:
        """The store does not answer: nobody who waits is served, and nobody waits any more until it does."""
        self._stuck = True
        _resolve(batch + self._waiting, Unavailable("record-unavailable"))

    def _done(self, batch: Batch, error: Unavailable | None) -> None:
        self._watch.cancel()
        self._stuck, self._failing = False, error is not None
        _resolve(batch, error)
        if error is not None:
            # What was noted was served already: it waits until the store is there again.
            self._noted[:0] = [record for record, future in batch if future is None]
        at_once = error is None and (self._stopping or len(self._noted) >= LARGEST_BATCH)
        if self._waiting or (self._noted and at_once):
            self._schedule()
            return
        self._busy = False
        if self._noted and not self._stopping:
            self._set_alarm()

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
        columns: dict[str, Sequence[Any]] = dict(zip(Record._fields, zip(*records, strict=True), strict=True))
        with self._database.turn(), self._database.write() as tx:
            tx.insert(self._table, columns, _TYPES)
        self.written += len(records)
        self.counted(len(records))

    def seen(self, what: Sequence[str], after: str, limit: int, whose: str = "") -> Looks:
        """Who read any of these (KPJ, person ids), newest first, `limit` a page; `whose`: only the reads of one of WHOSE.
        Blocking.

        `after`: "" or the `more` of the page before; it says a time and how many records of that time were shown, so
        nothing personal stands in an address. Raises Refused(parameter-unreadable).
        """
        with self._database.read() as tx:
            bytewise = tx.dialect.bytewise
            until, shown, params = "", 0, list[object]()
            if after:
                moment, _, count = after.partition("~")
                if not _CURSOR.fullmatch(after):
                    raise Refused("parameter-unreadable", name="after", expected="the next page's mark")
                until, shown, params = f"and at{bytewise} <= ?", int(count), [moment]
            rows = tx.rows(
                f"select {', '.join(Record._fields)} from {self._table} where what in ({', '.join('?' * len(what))}) "
                f"{until} {_whose(whose)} order by at{bytewise} desc, request desc, what desc limit ? offset ?",
                [*what, *params, limit + 1, shown],
            )
        page = [Record(*row) for row in rows[:limit]]
        if len(rows) <= limit:
            return Looks(page, "")
        last = page[-1].at
        same = sum(record.at == last for record in page)
        return Looks(page, f"{last}~{same + (shown if after.startswith(last + '~') else 0)}")

    def count(self, what: Sequence[str], whose: str) -> int:
        """How often any of these was read by one of WHOSE. Blocking."""
        marks = ", ".join("?" * len(what))
        with self._database.read() as tx:
            ((found,),) = tx.rows(
                f"select count(*) from {self._table} where what in ({marks}) {_whose(whose)}", list(what)
            )
        return int(found)


def _whose(whose: str) -> str:
    return f"and key {'not ' if whose == OTHERS else ''}in ('member', 'sms')" if whose else ""


_TYPES = " ".join("bigint" if name == "position" else "text" for name in Record._fields)


def _uncounted(records: int) -> None:
    """Nobody counts."""


def _resolve(batch: Batch, error: Unavailable | None) -> None:
    for _, future in batch:
        if future is not None and not future.done():
            if error is None:
                future.set_result(None)
            else:
                future.set_exception(error)


def record_of(request: Request, caller: Caller, why: str, what: str, position: int, now: datetime) -> Record:
    """The record of a read; `why`: a reason code or ""."""
    return Record(
        now.isoformat(),
        caller.id,
        caller.channel,
        why,
        request.scope["route"].path,
        what,
        position,
        request.scope.get("request_id", ""),
    )
