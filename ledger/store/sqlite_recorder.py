"""The library's recorder for a SQLite file, over a connection for each thread."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from eventsourcing.persistence import IntegrityError, StoredEvent
from eventsourcing.sqlite import SQLiteApplicationRecorder, SQLiteCursor, SQLiteDatastore

from ledger.store.recording import PREFIX, Complete, Prepare, Recorded, insert, text_head
from ledger.store.sqlite import SqliteDatabase
from ledger.store.transaction import Transaction


class _OwnConnections(SQLiteDatastore):
    """The library's datastore over a connection for each thread; who writes begins IMMEDIATE."""

    def __init__(self, database: SqliteDatabase) -> None:
        self.database = database
        self.single_row_tracking = True
        self.originator_id_type = "text"

    @contextmanager
    def transaction(self, *, commit: bool) -> Iterator[SQLiteCursor]:
        with self.database.write() if commit else self.database.read() as tx:
            tx.cursor.row_factory = sqlite3.Row
            yield SQLiteCursor(tx.cursor)

    def close(self) -> None:
        """The connections are the database's."""


class SqliteRecorder(Recorded, SQLiteApplicationRecorder):
    """The library's recorder on a SQLite file. Its position column has to be named `rowid`."""

    key = "rowid"

    def __init__(self, database: SqliteDatabase) -> None:
        super().__init__(_OwnConnections(database))
        self.database = database
        self._head = text_head(self.events_table_name, self.key, f"substr(state, 1, {PREFIX})", "null")

    def insert_events(
        self,
        stored_events: Sequence[StoredEvent],
        *,
        prepare: Prepare | None = None,
        complete: Complete | None = None,
        **_: Any,
    ) -> list[int]:
        """Append in one transaction, durable when it returns; the positions.

        Raises IntegrityError when a version is taken, StoreFailed, and whatever the hooks raise.
        """
        try:
            with self.database.write() as tx:
                return insert(self, tx, stored_events, prepare, complete)
        except sqlite3.IntegrityError as error:
            raise IntegrityError(type(error).__name__) from error

    def lock(self, tx: Transaction) -> None:
        """A transaction that writes has the lock already."""

    def write_rows(self, tx: Transaction, columns: dict[str, Sequence[Any]]) -> None:
        """Insert whole columns."""
        tx.insert(self.events_table_name, {"rowid": columns.pop("position"), **columns}, "")
