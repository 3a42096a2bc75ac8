"""A PostgreSQL database behind a small pool that libpq opens from JHT_DATABASE_URL as it stands.

Connections are in auto-commit mode and answer in binary: a bytea as text would be hex, twice as long and slow to read.
Rows are dictionaries where the library reads them, tuples in our own transactions. Nothing is kept in a session, so a
pooler in between may give every transaction another one; only prepared statements must be off then, and are.
"""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import numpy as np
import psycopg
import psycopg_pool
from psycopg.adapt import Dumper
from psycopg.rows import DictRow, dict_row, tuple_row

from ledger.store.dialect import Dialect
from ledger.store.transaction import LOCK_SECONDS, Column, Row, failures_told, statements


def postgres_failures_told() -> contextlib.AbstractContextManager[None]:
    """Turn the driver's errors into StoreFailed; integrity errors pass."""
    return failures_told((psycopg.Error, psycopg_pool.PoolTimeout), (psycopg.IntegrityError,))


class PostgresTransaction:
    """A transaction on PostgreSQL."""

    dialect = Dialect.POSTGRES

    def __init__(self, cursor: psycopg.Cursor[Row]) -> None:
        self.cursor = cursor

    def rows(self, sql: str, params: Sequence[Any] = ()) -> list[Row]:
        return self.cursor.execute(_dollar(sql), params).fetchall()

    def run(self, sql: str, params: Sequence[Any] = ()) -> int:
        return self.cursor.execute(_dollar(sql), params).rowcount

    def look_up_by_index(self) -> None:
        for way in ("seqscan", "hashjoin", "mergejoin"):
            self.send(f"set local enable_{way} = off")

    def row_lock(self, of: str = "") -> str:
        return f" for update of {of}" if of else " for update"

    def send(self, sql: str, params: Sequence[Any] = ()) -> None:
        self.cursor.execute(_dollar(sql), params)

    def script(self, sql: str) -> None:
        for statement in statements(sql):
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


_GENTLY = "skip_locked, truncate false"
"""It waits for no lock, and takes none that readers would wait for."""
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


class BinaryCursor(psycopg.Cursor[Any]):
    """A cursor that asks for binary results, whoever opens it."""

    def __init__(self, connection: psycopg.Connection[Any], **given: Any) -> None:
        super().__init__(connection, **given)
        self.format = psycopg.pq.Format.BINARY


def is_pooled(told: int, asked: int) -> bool:
    """Whether a pooler stands between: it names another process (`told`) than the one that answers (`asked`)."""
    return told != asked


def _configure(connection: psycopg.Connection[Any]) -> None:
    """A pooler may hand the next statement to a session that does not know what was prepared in this one."""
    with connection.cursor(row_factory=tuple_row) as cursor:
        (asked,) = cursor.execute("select pg_backend_pid()").fetchone() or (0,)
    if is_pooled(connection.info.backend_pid, asked):
        connection.prepare_threshold = None


class PostgresDatabase:
    """A PostgreSQL database behind a small pool."""

    dialect = Dialect.POSTGRES

    def __init__(self, url: str, *, pool_size: int = 4) -> None:
        self.url = url
        self.pool: psycopg_pool.ConnectionPool[psycopg.Connection[DictRow]] = psycopg_pool.ConnectionPool(
            url,
            kwargs={"autocommit": True, "row_factory": dict_row, "cursor_factory": BinaryCursor},
            configure=_configure,
            min_size=0,
            max_size=pool_size,
            open=True,
            timeout=LOCK_SECONDS,
            name="jht",
        )

    @contextmanager
    def _transaction(self, begin: bytes, pipelined: bool) -> Iterator[PostgresTransaction]:
        with (
            postgres_failures_told(),
            self.pool.connection() as connection,
            connection.pipeline() if pipelined else contextlib.nullcontext(),
            connection.transaction(),
        ):
            cursor = connection.cursor(row_factory=tuple_row)
            if begin:
                cursor.execute(begin)
            yield PostgresTransaction(cursor)

    def read(self, *, pipelined: bool = False) -> contextlib.AbstractContextManager[PostgresTransaction]:
        return self._transaction(b"set transaction isolation level repeatable read, read only", pipelined)

    def write(self, *, pipelined: bool = False) -> contextlib.AbstractContextManager[PostgresTransaction]:
        return self._transaction(b"", pipelined)

    def turn(self) -> contextlib.AbstractContextManager[None]:
        """They write side by side."""
        return contextlib.nullcontext()

    def vacuum(self, tables: Sequence[str], seconds: float) -> bool:
        """Give the space of deleted rows back, so that no old snapshot's query finds them. False when it took too long.

        The freed bytes stay in the pages, and in the write-ahead log, until the server writes over them.
        """
        with failures_told(), self.pool.connection() as connection:
            connection.execute(f"set statement_timeout = {int(seconds * 1000)}".encode())
            try:
                connection.execute(f"vacuum ({_GENTLY}) {', '.join(tables)}".encode())
            except psycopg.errors.QueryCanceled:
                return False
            finally:
                connection.execute(b"reset statement_timeout")
        return True

    def close(self) -> None:
        self.pool.close()
