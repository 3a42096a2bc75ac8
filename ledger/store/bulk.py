"""Whole numpy columns of integers into a table, on both stores.

PostgreSQL gets COPY's binary format, or arrays in their binary form, made by numpy without a Python object per value;
SQLite gets many rows a statement, whose values numpy lists at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray

from ledger.store.database import SqliteTransaction, Transaction, on_postgres

Ints = NDArray[np.int64]
Columns = dict[str, Ints]
_WIDTH = {"smallint": 2, "int": 4, "bigint": 8}
_COPY_ROWS = 50_000
_STATEMENT_ROWS = 64
"""Fewer cost more calls, more cost a longer search for the parameters: 256 are slower again."""
_SLICE = _STATEMENT_ROWS * 300


@contextmanager
def loading(tx: Transaction, table: str, names: tuple[str, ...], types: str) -> Iterator[Callable[[Columns], None]]:
    """Fill a table that nobody reads yet: call what the block gets with columns of one length, in the key's order.

    On PostgreSQL the table is emptied first, in the same transaction: its rows are then written as everybody's at once.
    Nothing else can be done in the transaction until the block ends. `types`: smallint, int, bigint, in order.
    """
    if isinstance(tx, SqliteTransaction):
        yield lambda columns: _insert(tx, table, {name: columns[name] for name in names}, "")
        return
    assert on_postgres(tx)
    tx.run(f"truncate {table}")
    widths = [_WIDTH[kind] for kind in types.split()]
    fields: list[tuple[str, str]] = [("fields", ">i2")]
    for name, width in zip(names, widths, strict=True):
        fields += [(f"{name}_length", ">i4"), (name, f">i{width}")]
    packed = np.empty(_COPY_ROWS, fields)
    packed["fields"] = len(names)
    for name, width in zip(names, widths, strict=True):
        packed[f"{name}_length"] = width
    with tx.cursor.copy(f"copy {table} ({', '.join(names)}) from stdin (format binary, freeze)".encode()) as copy:
        copy.write(b"PGCOPY\n\xff\r\n\0" + bytes(8))

        def write(columns: Columns) -> None:
            total = len(columns[names[0]])
            for start in range(0, total, _COPY_ROWS):
                part = slice(start, min(start + _COPY_ROWS, total))
                rows = packed[: part.stop - start]
                for name in names:
                    rows[name] = columns[name][part]
                copy.write(rows.tobytes())

        yield write
        copy.write(b"\xff\xff")


def upsert(tx: Transaction, table: str, columns: Columns, conflict: str = "") -> None:
    """Insert rows, or do what `conflict` says (`on conflict (...) do update set ...`)."""
    if not len(next(iter(columns.values()))):
        return
    if isinstance(tx, SqliteTransaction):
        _insert(tx, table, columns, conflict)
        return
    given, params = tx.relation(**{name: ("bigint", values) for name, values in columns.items()})
    names = ", ".join(columns)
    tx.run(f"insert into {table} ({names}) select {names} from {given} q {conflict}", params)


def _insert(tx: SqliteTransaction, table: str, columns: Columns, conflict: str) -> None:
    """Rows in slices: a list of Python integers is four times as big as its columns.

    In bulk a column of one value stands in the statement itself: most columns of most logs hold only zeros.
    """
    total = len(next(iter(columns.values())))
    given = dict.fromkeys(columns, "?")
    if total >= _SLICE:
        given |= {name: str(int(values[0])) for name, values in columns.items() if (values == values[0]).all()}
    values = [columns[name] for name, mark in given.items() if mark == "?"]
    names, row = ", ".join(columns), f"({', '.join(given.values())})"
    for start in range(0, total, _SLICE):
        block = np.stack([column[start : start + _SLICE] for column in values], axis=1)
        whole = len(block) // _STATEMENT_ROWS * _STATEMENT_ROWS
        for rows, part in ((_STATEMENT_ROWS, block[:whole]), (1, block[whole:])):
            if len(part):
                sql = f"insert into {table} ({names}) values {', '.join([row] * rows)} {conflict}"
                tx.cursor.executemany(sql, part.reshape(-1, rows * len(values)).tolist())
