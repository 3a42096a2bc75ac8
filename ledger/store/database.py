"""One way to talk SQL to both stores: `?` placeholders, whole columns in, tuples out.

SQLite is a file in WAL mode with `synchronous=FULL`, so that a commit that returned is durable; a writer begins with
BEGIN IMMEDIATE, because a deferred transaction that reads before it writes can fail at once. PostgreSQL is reached
through a psycopg pool at its default isolation.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
import struct
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from itertools import chain
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import psycopg
import psycopg_pool
from psycopg.adapt import Dumper

from ledger.errors import JhtError, StoreFailed

Row = tuple[Any, ...]
# A column of values, or of 64-bit integers as an array.
Column = Sequence[Any] | np.ndarray[Any, Any]
LOCK_SECONDS = 30
_VARIABLES = 32_766
_SIZES = (4096, 512, 64, 8, 1)


class Transaction(Protocol):
    """One transaction (or one snapshot) on either store."""

    dialect: str

    def rows(self, sql: str, params: Sequence[Any] = ()) -> list[Row]:
        """All rows of a query."""

    def run(self, sql: str, params: Sequence[Any] = ()) -> int:
        """Run one statement; the number of rows it touched."""

    def look_up_by_index(self) -> None:
        """In this transaction find the rows of given keys by their index, however many there are: without statistics
        PostgreSQL would rather read a whole table of millions."""

    def send(self, sql: str, params: Sequence[Any] = ()) -> None:
        """Run one statement whose outcome nobody reads; its failure may come with a later statement or the commit."""

    def script(self, sql: str) -> None:
        """Run statements separated by `;`."""

    def insert(self, table: str, columns: dict[str, Sequence[Any]], types: str, conflict: str = "") -> None:
        """Insert equal-length columns in bulk; `types` are PostgreSQL's, in the columns' order, blank-separated."""

    def relation(self, **columns: tuple[str, Column]) -> tuple[str, list[Any]]:
        """Equal-length columns as something to select FROM, with its parameters."""


class SqliteTransaction:
    """A transaction on a SQLite file."""

    dialect = "sqlite"

    def __init__(self, cursor: sqlite3.Cursor) -> None:
        self.cursor = cursor
        cursor.row_factory = None

    def rows(self, sql: str, params: Sequence[Any] = ()) -> list[Row]:
        return self.cursor.execute(sql, params).fetchall()

    def run(self, sql: str, params: Sequence[Any] = ()) -> int:
        return self.cursor.execute(sql, params).rowcount

    def look_up_by_index(self) -> None:
        """SQLite does so anyway."""

    def send(self, sql: str, params: Sequence[Any] = ()) -> None:
        self.cursor.execute(sql, params)

    def script(self, sql: str) -> None:
        # Not executescript: it would commit the transaction that is open.
        for statement in _statements(sql):
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


class PostgresTransaction:
    """A transaction on PostgreSQL."""

    dialect = "postgres"

    def __init__(self, cursor: psycopg.Cursor[Row]) -> None:
        self.cursor = cursor

    def rows(self, sql: str, params: Sequence[Any] = ()) -> list[Row]:
        return self.cursor.execute(_dollar(sql), params).fetchall()

    def run(self, sql: str, params: Sequence[Any] = ()) -> int:
        return self.cursor.execute(_dollar(sql), params).rowcount

    def look_up_by_index(self) -> None:
        for way in ("seqscan", "hashjoin", "mergejoin"):
            self.send(f"set local enable_{way} = off")

    def send(self, sql: str, params: Sequence[Any] = ()) -> None:
        self.cursor.execute(_dollar(sql), params)

    def script(self, sql: str) -> None:
        for statement in _statements(sql):
            self.cursor.execute(statement.encode())

    def insert(self, table: str, columns: dict[str, Sequence[Any]], types: str, conflict: str = "") -> None:
        arrays = ", ".join(f"%s::{kind}[]" for kind in types.split())
        sql = f"insert into {table} ({','.join(columns)}) select * from unnest({arrays}) {conflict}"
        given = [_array(kind, values) for kind, values in zip(types.split(), columns.values(), strict=True)]
        self.cursor.execute(sql.encode(), given)

    def relation(self, **columns: tuple[str, Column]) -> tuple[str, list[Any]]:
        arrays = ", ".join(f"?::{kind}[]" for kind, _ in columns.values())
        return (
            f"(select * from unnest({arrays}) as given({', '.join(columns)}))",
            [_array(kind, values) for kind, values in columns.values()],
        )


class _TextArray(bytes):
    """A text[] in PostgreSQL's binary form."""


class _ByteaArray(bytes):
    """A bytea[] in PostgreSQL's binary form."""


class _BigintArray(bytes):
    """A bigint[] in PostgreSQL's binary form."""


class _ArrayDumper(Dumper):
    format = psycopg.pq.Format.BINARY

    def dump(self, obj: Any) -> bytes:
        return bytes(obj)


class _TextArrayDumper(_ArrayDumper):
    oid = 1009


class _ByteaArrayDumper(_ArrayDumper):
    oid = 1001


class _BigintArrayDumper(_ArrayDumper):
    oid = 1016


psycopg.adapters.register_dumper(_BigintArray, _BigintArrayDumper)
psycopg.adapters.register_dumper(_TextArray, _TextArrayDumper)
psycopg.adapters.register_dumper(_ByteaArray, _ByteaArrayDumper)


_SIZED = np.dtype([("size", ">i4"), ("value", ">i8")])


def _array(kind: str, values: Column) -> Any:
    """A column as one parameter, packed here, which is several times quicker than the driver's way.

    Integers become an array literal; an array of them, texts and bytes PostgreSQL's binary form: a header, then length
    and bytes of each.
    """
    if isinstance(values, np.ndarray):
        pairs = np.empty(len(values), _SIZED)
        pairs["size"], pairs["value"] = 8, values
        return _BigintArray(struct.pack(">iiiii", 1, 0, 20, len(values), 1) + pairs.tobytes())
    if kind == "bigint":
        return "{" + ",".join(["null" if value is None else str(value) for value in values]) + "}"
    if kind == "text":
        return _TextArray(_packed(25, [None if value is None else value.encode() for value in values]))
    if kind == "bytea":
        return _ByteaArray(_packed(17, values))
    return list(values)


def _packed(element: int, values: Sequence[bytes | None]) -> bytes:
    if not values:
        return struct.pack(">iii", 0, 0, element)
    parts = [struct.pack(">iiiii", 1, int(None in values), element, len(values), 1)]
    for value in values:
        if value is None:
            parts.append(b"\xff\xff\xff\xff")
        else:
            parts += (_length(len(value)), value)
    return b"".join(parts)


@lru_cache(4096)
def _length(size: int) -> bytes:
    return struct.pack(">i", size)


@lru_cache(512)
def _dollar(sql: str) -> bytes:
    return sql.replace("?", "%s").encode()


def _statements(sql: str) -> Iterator[str]:
    return (part for part in (piece.strip() for piece in sql.split(";")) if part)


@contextmanager
def failures_told() -> Iterator[None]:
    """Turn the drivers' errors into StoreFailed; integrity errors pass, for they are decisions of the caller."""
    try:
        yield
    except JhtError:
        raise
    except (sqlite3.IntegrityError, psycopg.IntegrityError):
        raise
    except (sqlite3.Error, psycopg.Error, psycopg_pool.PoolTimeout) as error:
        raise store_failed(error) from error


def store_failed(error: BaseException) -> StoreFailed:
    """The StoreFailed for a driver's error: `disk-full` or `store-failed` with the error's class, never its values."""
    text = str(error).lower()
    if "disk is full" in text or "no space left" in text or isinstance(error, psycopg.errors.DiskFull):
        return StoreFailed("disk-full")
    return StoreFailed("store-failed", what=type(error).__name__)


class Database(Protocol):
    """A store: snapshots to read, transactions to write."""

    dialect: str

    def read(self, *, pipelined: bool = False) -> contextlib.AbstractContextManager[Transaction]:
        """A snapshot. `pipelined`: statements travel together until a result is read, which saves round trips to
        PostgreSQL; `run` then does not know how many rows it touched, and nothing can be copied."""

    def write(self, *, pipelined: bool = False) -> contextlib.AbstractContextManager[Transaction]:
        """A transaction, committed at the end of the block, rolled back by an exception."""

    def close(self) -> None: ...


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


class SqliteDatabase:
    """A SQLite file; each thread has a connection of its own."""

    dialect = "sqlite"

    def __init__(
        self,
        path: Path | str,
        *,
        synchronous: str = "FULL",
        cache_mib: int = 64,
        writer_pragmas: Sequence[str] = (),
    ) -> None:
        """`writer_pragmas`: what connections that write have in addition."""
        self.path = Path(path)
        self._writer_pragmas = writer_pragmas
        self._synchronous, self._cache_mib = synchronous, cache_mib
        self._local = threading.local()
        self._all: list[sqlite3.Connection] = []
        self._lock = threading.Lock()

    def connection(self) -> sqlite3.Connection:
        """This thread's connection in auto-commit mode."""
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            with failures_told():
                connection = sqlite3.connect(
                    self.path, isolation_level=None, check_same_thread=False, timeout=LOCK_SECONDS
                )
                tune_sqlite(connection, synchronous=self._synchronous, cache_mib=self._cache_mib)
            self._local.connection = connection
            with self._lock:
                self._all.append(connection)
        return connection

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

    def close(self) -> None:
        with self._lock:
            for connection in self._all:
                connection.close()
            self._all.clear()
        self._local = threading.local()


class PostgresDatabase:
    """A PostgreSQL database behind a small pool."""

    dialect = "postgres"

    def __init__(self, url: str, *, pool_size: int = 4) -> None:
        self.url = url
        self.pool = psycopg_pool.ConnectionPool(
            url, min_size=0, max_size=pool_size, open=True, timeout=LOCK_SECONDS, name="jht"
        )

    @contextmanager
    def _transaction(self, begin: bytes, pipelined: bool) -> Iterator[PostgresTransaction]:
        with (
            failures_told(),
            self.pool.connection() as connection,
            connection.pipeline() if pipelined else contextlib.nullcontext(),
            connection.transaction(),
        ):
            # Binary results: a bytea as text would be hex, twice as long and slow to read.
            cursor = connection.cursor(binary=True)
            if begin:
                cursor.execute(begin)
            yield PostgresTransaction(cursor)

    def read(self, *, pipelined: bool = False) -> contextlib.AbstractContextManager[PostgresTransaction]:
        return self._transaction(b"set transaction isolation level repeatable read, read only", pipelined)

    def write(self, *, pipelined: bool = False) -> contextlib.AbstractContextManager[PostgresTransaction]:
        return self._transaction(b"", pipelined)

    def close(self) -> None:
        self.pool.close()


def open_database(url_or_path: str | Path, **options: Any) -> SqliteDatabase | PostgresDatabase:
    """The database behind a PostgreSQL URL, or a SQLite file."""
    text = str(url_or_path)
    if text.startswith(("postgresql://", "postgres://")):
        return PostgresDatabase(text, **options)
    return SqliteDatabase(text.removeprefix("sqlite:///"), **options)


def table_exists(tx: Transaction, name: str) -> bool:
    """Whether the database has a table of that name."""
    if tx.dialect == "postgres":
        return tx.rows("select to_regclass(?)::text", [name])[0][0] is not None
    return bool(tx.rows("select 1 from sqlite_master where type = 'table' and name = ?", [name]))


def make_tables(database: Database, table: str, lock: int, *scripts: str) -> None:
    """Run scripts that make tables, unless `table`, one of them, is there: they are made in one transaction, or not at all.

    `lock`: a number of its own for these tables; on PostgreSQL several processes may start at once, and
    `create table if not exists` alone can collide.
    """
    with database.read() as tx:
        if table_exists(tx, table):
            return
    with database.write() as tx:
        if tx.dialect == "postgres":
            tx.rows("select pg_advisory_xact_lock(?)", [lock])
        for script in scripts:
            tx.script(script)
