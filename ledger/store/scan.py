"""A stretch of the log as it is stored, streamed: what a fold of the whole log reads.

Names that the fold has no use for are left out by the store, which costs a fraction of sending them here. The others are
not asked for by name: one that nobody knows comes along, so that it can be told.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from ledger.store.codec import StoredRow
from ledger.store.database import SqliteTransaction, on_postgres
from ledger.store.log import Log

SPAN = 100_000
"""Positions a query: a snapshot that lasted longer would keep the store from tidying up behind writers."""


def scan(log: Log, upto: int, leave_out: Collection[str] = ()) -> Iterator[StoredRow]:
    """The rows at positions 1 .. `upto`, in order, without those of the names left out. Raises StoreFailed."""
    for after in range(0, upto, SPAN):
        yield from _stretch(log, after, min(after + SPAN, upto), sorted(leave_out))


def _stretch(log: Log, after: int, upto: int, leave_out: list[str]) -> Iterator[StoredRow]:
    marks = ", ".join("?" * len(leave_out))
    query = (
        f"select {log.key}, originator_id, originator_version, topic, state from {log.table} where {log.key} > ? "
        f"and {log.key} <= ? {f'and topic not in ({marks})' if leave_out else ''} order by {log.key}"
    )
    given = [after, upto, *leave_out]
    with log.database.read() as tx:
        if isinstance(tx, SqliteTransaction):
            for row in tx.cursor.execute(query, given):
                yield StoredRow(*row)
            return
        assert on_postgres(tx)
        tx.look_up_by_index()
        statement = f"copy ({query.replace('?', '%s')}) to stdout (format binary)".encode()
        with tx.cursor.copy(statement, given) as copy:
            copy.set_types(["int8", "text", "int8", "text", "bytea"])
            for row in copy.rows():
                yield StoredRow(*row)
