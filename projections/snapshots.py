"""What every query stands on: which generations are served and how far they are, and one snapshot of them.

On SQLite the generations' files are attached to a connection of the thread; on PostgreSQL they lie in one schema.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from ledger.errors import StoreFailed, Unavailable
from ledger.store.database import LOCK_SECONDS, SqliteDatabase, failures_told
from ledger.store.log import Log
from projections import scheme
from projections.condition import shape, why_not
from projections.generations import NAMES, Generation, Store, is_gone
from projections.results import (
    AHEAD,
    Freshness,
    moment_of,
)
from projections.scheme import Known

REFRESH_SECONDS = 0.1
MAX_WAIT = 5.0
"""Seconds that a question waits for a position that it must have reached."""
MOST_MARKS = 65_536
MOST_SCHEMES = 16
# One rebuild swaps every projection, one after the other: each may send a reader back once.
ATTEMPTS = 10
Questions = list[tuple[str, list[Any]]]


class Sources(NamedTuple):
    """What the pointers said last: the generations, and when this must be asked again (monotonic seconds)."""

    until: float
    stamp: int
    live: dict[str, Generation]
    freshness: Freshness


class Snapshots:
    """The live generations of a log, seen at one moment; safe to use from several threads."""

    def __init__(self, log: Log, store: Store) -> None:
        self.log, self.store = log, store
        self._fresh_for = timedelta(seconds=store.settings.max_staleness)
        self._marks: dict[int, str] = {}
        self._schemes: dict[tuple[int, int], Known] = {}
        self._checked: tuple[str, int, str] = ("", 0, "")
        self._sources: Sources | None = None
        self._local = threading.local()
        self._opened: list[sqlite3.Connection] = []
        self._lock = threading.Lock()

    def freshness(self) -> Freshness:
        """How far the read side is, at most 100 ms old. Raises Unavailable(read-side-empty, log-restored)."""
        return self._current().freshness

    def position(self) -> int:
        """The log position that every answer has reached."""
        return self._current().freshness.position

    def wait_for(self, position: int, timeout: float) -> None:
        """Return once every projection has reached `position`. Raises Unavailable(position-not-reached)."""
        end = time.monotonic() + timeout
        while self._look().freshness.position < position:
            if time.monotonic() >= end:
                raise Unavailable("position-not-reached")
            time.sleep(0.005)

    def has_reached(self, position: int) -> bool:
        """Whether every projection has reached `position`, asked of the store now when memory does not say yes."""
        return self._current().freshness.position >= position or self._look().freshness.position >= position

    def check_fresh(self, now: datetime) -> Freshness:
        """The freshness, or Unavailable(read-side-stale) when the head was not confirmed for `max_staleness`."""
        found = self._current().freshness
        confirmed = found.confirmed_at
        if confirmed is None or not -AHEAD <= now - confirmed <= self._fresh_for:
            at = confirmed.strftime("%Y-%m-%d %H:%M:%S UTC") if confirmed else "-"
            raise Unavailable("read-side-stale", confirmed_at=at)
        return found

    def _current(self) -> Sources:
        sources = self._sources
        if sources is None or time.monotonic() > sources.until:
            return self._look()
        return sources

    def _look(self) -> Sources:
        """Ask for pointers, positions and the follower's beat; once more when a generation went meanwhile.

        Raises Unavailable: read-side-empty, read-side-damaged, log-restored.
        """
        for attempt in range(2):
            try:
                return self._look_once()
            except StoreFailed as error:
                self._forget()
                if error.code == "store-failed" and not is_gone(error):
                    raise
                if attempt:
                    self._say_why(error)
        raise AssertionError

    def _say_why(self, error: StoreFailed) -> None:
        """Raise what is wrong with the generations, or the error when nothing is found."""
        raise why_not(self.log, self.store, self.store.pointers()) or error

    def _forget(self) -> None:
        self._sources = None
        self._marks.clear()
        self._schemes.clear()

    def _look_once(self) -> Sources:
        store = self.store
        with store.pointers_database.read() as tx:
            stamp, live, _ = store.pointers_in(tx)
            if any(name not in live for name in NAMES):
                raise Unavailable("read-side-empty")
            head_seen, confirmed_at = tx.rows(f"select head_seen, confirmed_at from {store.at}state")[0]
            columns = "position, projected_at, log_id, fingerprint, shape"
            if store.postgres:
                every = " union all ".join(f"select {columns} from {live[n].table}_position" for n in NAMES)
                positions = tx.rows(every)
        if not store.postgres:
            with self._attached(stamp, live) as connection:
                positions = [
                    connection.execute(f"select {columns} from {live[n].table}_position").fetchone() for n in NAMES
                ]
        self.log.head()
        dialect = store.pointers_database.dialect
        if any(row is None or row[4] != shape(name, dialect) for name, row in zip(NAMES, positions, strict=True)):
            self._forget()
            raise why_not(self.log, store, store.pointers()) or Unavailable("read-side-empty")
        self._compare_with_log({(row[2], row[0], row[3]) for row in positions})
        freshness = Freshness(
            self.log.log_id, min(row[0] for row in positions), head_seen, moment_of(confirmed_at),
            moment_of(max(row[1] for row in positions)),
        )  # fmt: skip
        self._sources = Sources(time.monotonic() + REFRESH_SECONDS, stamp, live, freshness)
        return self._sources

    def _compare_with_log(self, found: set[tuple[str, int, str]]) -> None:
        """The log holds the event that each (log id, position, fingerprint) was made from. Raises Unavailable(log-restored).

        What was found before is asked again: log and read models may have been put back together.
        """
        if self._checked[0] != self.log.log_id or self.log.fingerprint_at(self._checked[1]) != self._checked[2]:
            self._marks.clear()
            self._schemes.clear()
        for log_id, position, fingerprint in found:
            if log_id != self.log.log_id or self.log.fingerprint_at(position) != fingerprint:
                self._forget()
                raise Unavailable("log-restored")
        self._checked = max(found, key=lambda one: one[1])

    def mark(self, version: int) -> str:
        """The fingerprint of the event at a card's version; mostly known. Raises StoreFailed."""
        known = self._marks.get(version)
        if known is None:
            if len(self._marks) >= MOST_MARKS:
                self._marks.clear()
            known = self._marks[version] = self.log.fingerprint_at(version) or ""
        return known

    def _scheme(
        self, stamp: int, version: int, ask: Callable[[str, list[Any]], Sequence[Sequence[Any]]] | None = None
    ) -> Known:
        """The scheme at a version in the generations of a stamp; mostly known, else read by `ask`. Raises StoreFailed."""
        known = self._schemes.get((stamp, version))
        if known is None:
            query = scheme.upto(self._current().live["balances"])
            if ask is not None:
                rows = ask(query, [version])
            else:
                with self.store.pointers_database.read() as tx:
                    rows = tx.rows(query, [version])
            if len(self._schemes) >= MOST_SCHEMES:
                self._schemes.clear()
            known = self._schemes[stamp, version] = scheme.known_of(rows, self.log.fingerprint_at(version) or "")
        return known

    def _together(self, ask: Callable[[dict[str, Generation]], Questions]) -> list[list[tuple[Any, ...]]]:
        """Several statements in one snapshot; looked up once more when a generation has just gone."""
        for attempt in range(ATTEMPTS):
            sources = self._look() if attempt else self._current()
            asked = ask(sources.live)
            try:
                if self.store.postgres:
                    with self.store.pointers_database.read() as tx:
                        return [tx.rows(text, params) for text, params in asked]
                with self._attached(sources.stamp, sources.live) as connection:
                    shared = connection.in_transaction
                    if not shared:
                        connection.execute("begin")
                    try:
                        return [connection.execute(text, params).fetchall() for text, params in asked]
                    finally:
                        if not shared:
                            connection.execute("commit")
            except StoreFailed as error:
                self._must_be_gone(error)
        raise self._moving()

    def _must_be_gone(self, error: StoreFailed) -> None:
        """Raise an error that is more than a generation that was dropped meanwhile."""
        if error.code == "store-damaged":
            self._say_why(StoreFailed("read-side-damaged", name=", ".join(NAMES), why="damaged"))
        if not is_gone(error):
            raise error

    def _moving(self) -> Unavailable:
        """The generations went again and again: what is wrong with them, if anything is."""
        found = why_not(self.log, self.store, self.store.pointers())
        return found or StoreFailed("store-failed", what="GenerationsMoving")

    def _attached(self, stamp: int, live: dict[str, Generation]) -> Attached:
        """This thread's connection with the live generations attached."""
        held: tuple[int, sqlite3.Connection] | None = getattr(self._local, "held", None)
        if held is not None:
            if held[0] == stamp:
                return Attached(held[1])
            held[1].close()
            self._local.held = None
        with failures_told():
            assert isinstance(self.store.pointers_database, SqliteDatabase)
            path = self.store.pointers_database.path.absolute()
            connection = sqlite3.connect(
                f"{path.as_uri()}?mode=rw", uri=True, isolation_level=None, check_same_thread=False,
                timeout=LOCK_SECONDS, cached_statements=64,
            )  # fmt: skip
            for name, generation in live.items():
                file = self.store.path(generation).absolute()
                # Not created when it is gone: that is an answer too.
                connection.execute(f"attach ? as {name}", [f"{file.as_uri()}?mode=rw"])
            connection.execute("pragma query_only = on")
        self._local.held = (stamp, connection)
        with self._lock:
            self._opened.append(connection)
        return Attached(connection)

    def close(self) -> None:
        with self._lock:
            for connection in self._opened:
                connection.close()
            self._opened.clear()
        self._local = threading.local()


class Attached:
    """`with` around a connection that turns the driver's errors into StoreFailed, without a generator's cost."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection

    def __enter__(self) -> sqlite3.Connection:
        return self.connection

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, sqlite3.Error):
            with failures_told():
                raise error
