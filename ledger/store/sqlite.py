"""A SQLite file: WAL, `synchronous=FULL`, so that a commit that returned is durable, a connection for each thread.

A writer begins with BEGIN IMMEDIATE, because a deferred transaction that reads before it writes can fail at once.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import sqlite3
import threading
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Any

from ledger.store.dialect import Dialect
from ledger.store.transaction import LOCK_SECONDS, Column, Row, failures_told, statements

_VARIABLES = 32_766
_SIZES = (4096, 512, 64, 8, 1)


def make_own(path: Path) -> None:
    """Make a file that only its owner can read, whatever the umask; one that is there stays as it is.

    SQLite gives its write-ahead log and shared memory the rights of the file itself.
    """
    with contextlib.suppress(FileExistsError), failures_told():
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))


class SqliteTransaction:
    """A transaction on a SQLite file."""

    dialect = Dialect.SQLITE

    def __init__(self, cursor: sqlite3.Cursor) -> None:
        self.cursor = cursor
        cursor.row_factory = None

    def rows(self, sql: str, params: Sequence[Any] = ()) -> list[Row]:
        return self.cursor.execute(sql, params).fetchall()

    def run(self, sql: str, params: Sequence[Any] = ()) -> int:
        return self.cursor.execute(sql, params).rowcount

    def look_up_by_index(self) -> None:
        """SQLite does so anyway."""

    def row_lock(self, of: str = "") -> str:
        """Who writes is alone anyway."""
        del of
        return ""

    def send(self, sql: str, params: Sequence[Any] = ()) -> None:
        self.cursor.execute(sql, params)

    def script(self, sql: str) -> None:
        # Not executescript: it would commit the transaction that is open.
        for statement in statements(sql):
            self.cursor.execute(statement)

    def insert(self, table: str, columns: dict[str, Sequence[Any]], types: str, conflict: str = "") -> None:
        del types
        rows, marks = list(zip(*columns.values(), strict=True)), f"({','.join('?' * len(columns))})"
        at, size = 0, _VARIABLES // len(columns)
        while at < len(rows):
            # Many rows a statement: the interpreter's lock is given back once for all of them, not once for each, so
            # a thread that computes meanwhile does not hold every row up. Few sizes: each is prepared only once.
            size = next(power for power in _SIZES if power <= min(size, len(rows) - at))
            sql = f"insert into {table} ({','.join(columns)}) values {','.join([marks] * size)} {conflict}"
            self.cursor.execute(sql, list(chain.from_iterable(rows[at : at + size])))
            at += size

    def relation(self, **columns: tuple[str, Column]) -> tuple[str, list[Any]]:
        if len(columns) == 1:
            ((name, (_, values)),) = columns.items()
            return f"(select value as {name} from json_each(?))", [json.dumps(list(values))]
        rows = list(zip(*(values for _, values in columns.values()), strict=True))
        fields = ", ".join(f"json_extract(value, '$[{i}]') as {name}" for i, name in enumerate(columns))
        return f"(select {fields} from json_each(?))", [json.dumps(rows)]


def tune_sqlite(connection: sqlite3.Connection, *, synchronous: str = "FULL", cache_mib: int = 64) -> None:
    """The pragmas every connection of this project has; they hold per connection, so each new one gets them."""
    for pragma in (
        "journal_mode=WAL",
        f"synchronous={synchronous}",
        f"busy_timeout={LOCK_SECONDS * 1000}",
        f"cache_size=-{cache_mib * 1024}",
        "temp_store=MEMORY",
        "foreign_keys=ON",
    ):
        connection.execute(f"PRAGMA {pragma}").fetchall()


FileId = tuple[int, int]
"""Device and number of a file, which a name may lose to another one."""
NO_FILE: FileId = (0, 0)


def _file_of(path: Path) -> FileId:
    """Which file has a name now."""
    try:
        found = os.stat(path)
    except FileNotFoundError:
        return NO_FILE
    return (found.st_dev, found.st_ino)


class _Held:
    """The connection of a thread, closed when the thread has ended, and what its files were when it was opened: a large
    upload has threads of its own, and each connection keeps its pages and the parameters of its last statements.
    """

    def __init__(self, connection: sqlite3.Connection, file: FileId, wal: FileId) -> None:
        self.connection, self.file, self.wal = connection, file, wal
        self.close = weakref.finalize(self, connection.close)


class SqliteDatabase:
    """A SQLite file; each thread has a connection of its own."""

    dialect = Dialect.SQLITE

    def __init__(
        self,
        path: Path | str,
        *,
        synchronous: str = "FULL",
        cache_mib: int = 64,
        writer_pragmas: Sequence[str] = (),
        create: bool = True,
    ) -> None:
        """`writer_pragmas`: what connections that write have in addition. `create`: make the file when it is absent."""
        self.path, self._creates = Path(path), create
        self._uri = f"{self.path.absolute().as_uri()}?mode={'rwc' if create else 'rw'}"
        self._writer_pragmas = writer_pragmas
        self._synchronous, self._cache_mib = synchronous, cache_mib
        self._local = threading.local()
        self._all: weakref.WeakSet[_Held] = weakref.WeakSet()
        self._lock = threading.Lock()

    def connection(self) -> sqlite3.Connection:
        """This thread's connection in auto-commit mode; another one when another file was put in the place of the first.

        Without that a server would go on writing into a file that is no longer there.
        """
        held: _Held | None = getattr(self._local, "held", None)
        if held is not None:
            if held.file == _file_of(self.path):
                return held.connection
            held.close()
            self._drop_wal(held.wal)
            self._local.held, self._local.writes = None, False
        if self._creates:
            make_own(self.path)
        with failures_told():
            connection = sqlite3.connect(
                self._uri, uri=True, isolation_level=None, check_same_thread=False, timeout=LOCK_SECONDS
            )
            try:
                tune_sqlite(connection, synchronous=self._synchronous, cache_mib=self._cache_mib)
                # From the first look on there is a write-ahead log, which the connection then keeps.
                connection.execute("PRAGMA schema_version").fetchall()
            except BaseException:
                connection.close()
                raise
        held = self._local.held = _Held(connection, _file_of(self.path), _file_of(self._wal))
        with self._lock:
            self._all.add(held)
        return connection

    @property
    def _wal(self) -> Path:
        return self.path.with_name(f"{self.path.name}-wal")

    def _drop_wal(self, mine: FileId) -> None:
        """Remove the write-ahead log of a file that was replaced, if it is still there: SQLite would apply it to the new
        file, where its pages are of another database."""
        with self._lock:
            if mine != NO_FILE and _file_of(self._wal) == mine:
                for end in ("-wal", "-shm"):
                    self.path.with_name(self.path.name + end).unlink(missing_ok=True)

    @contextmanager
    def _transaction(self, begin: str) -> Iterator[SqliteTransaction]:
        connection = self.connection()
        with failures_told():
            connection.execute(begin)
            cursor = connection.cursor()
            try:
                yield SqliteTransaction(cursor)
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
            finally:
                # An exception's frames keep the cursor until the garbage collector comes, in any thread; freeing an
                # open one there waits for this connection, which may be waiting for that thread's transaction.
                cursor.close()

    def read(self, *, pipelined: bool = False) -> contextlib.AbstractContextManager[SqliteTransaction]:
        del pipelined
        return self._transaction("BEGIN")

    def write(self, *, pipelined: bool = False) -> contextlib.AbstractContextManager[SqliteTransaction]:
        del pipelined
        if not getattr(self._local, "writes", False):
            with failures_told():
                for pragma in self._writer_pragmas:
                    self.connection().execute(f"PRAGMA {pragma}").fetchall()
            self._local.writes = True
        return self._transaction("BEGIN IMMEDIATE")

    @contextmanager
    def turn(self) -> Iterator[None]:
        """SQLite lets a writer wait by sleeping, up to 100 ms a time; a lock of the kernel wakes it at once."""
        with self.path.with_name(f"{self.path.name}.turn").open("ab") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def close(self) -> None:
        with self._lock:
            for held in list(self._all):
                held.close()
            self._all.clear()
        self._local = threading.local()
