"""Whole numpy columns of integers into a table, on both stores.

PostgreSQL gets COPY's binary format, or arrays in its binary form, made by numpy without a Python object per value;
SQLite gets tuples.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from psycopg.adapt import Dumper
from psycopg.pq import Format

from ledger.store.database import PostgresTransaction, SqliteTransaction, Transaction

Ints = NDArray[np.int64]
_WIDTH = {"smallint": 2, "int": 4, "bigint": 8}
_COPY_ROWS = 100_000
_TUPLES = 20_000


class _BigintArray(Dumper):
    """A one-dimensional integer array as PostgreSQL's bigint[] in binary."""

    format = Format.BINARY
    oid = 1016

    def dump(self, obj: Ints) -> bytes:
        head = np.array([1, 0, 20, len(obj), 1], ">i4").tobytes()
        body = np.empty(len(obj), [("length", ">i4"), ("value", ">i8")])
        body["length"], body["value"] = 8, obj
        return head + body.tobytes()


def load(tx: Transaction, table: str, columns: dict[str, Ints], types: str) -> None:
    """Append rows in bulk: equal-length columns, `types` (smallint, int, bigint) in the columns' order."""
    if isinstance(tx, SqliteTransaction):
        upsert(tx, table, columns)
        return
    assert isinstance(tx, PostgresTransaction)
    fields: list[tuple[str, str]] = [("fields", ">i2")]
    widths = [_WIDTH[kind] for kind in types.split()]
    for name, width in zip(columns, widths, strict=True):
        fields += [(f"{name}_length", ">i4"), (name, f">i{width}")]
    total = len(next(iter(columns.values())))
    with tx.cursor.copy(f"copy {table} ({', '.join(columns)}) from stdin (format binary)".encode()) as copy:
        copy.write(b"PGCOPY\n\xff\r\n\0" + bytes(8))
        for start in range(0, total, _COPY_ROWS):
            part = slice(start, min(start + _COPY_ROWS, total))
            packed = np.empty(part.stop - start, fields)
            packed["fields"] = len(columns)
            for (name, values), width in zip(columns.items(), widths, strict=True):
                packed[f"{name}_length"], packed[name] = width, values[part]
            copy.write(packed.tobytes())
        copy.write(b"\xff\xff")


def upsert(tx: Transaction, table: str, columns: dict[str, Ints], conflict: str = "") -> None:
    """Insert rows, or do what `conflict` says (`on conflict (...) do update set ...`)."""
    if not len(next(iter(columns.values()))):
        return
    names = ", ".join(columns)
    if isinstance(tx, SqliteTransaction):
        marks = ", ".join("?" * len(columns))
        sql = f"insert into {table} ({names}) values ({marks}) {conflict}"
        # In slices: a list of Python integers is four times as big as its column.
        total = len(next(iter(columns.values())))
        for start in range(0, total, _TUPLES):
            part = slice(start, start + _TUPLES)
            tx.cursor.executemany(sql, zip(*(values[part].tolist() for values in columns.values()), strict=True))
        return
    assert isinstance(tx, PostgresTransaction)
    tx.cursor.adapters.register_dumper(np.ndarray, _BigintArray)
    arrays = ", ".join(["%s::bigint[]"] * len(columns))
    tx.cursor.execute(
        f"insert into {table} ({names}) select * from unnest({arrays}) {conflict}".encode(),
        list(columns.values()),
    )
