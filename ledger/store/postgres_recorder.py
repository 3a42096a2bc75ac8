"""The library's recorder for PostgreSQL over the one pool; imported only where a ledger is there, for the driver is slow to
load."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, cast

import psycopg
from eventsourcing.persistence import IntegrityError, StoredEvent
from eventsourcing.postgres import PostgresApplicationRecorder, PostgresDatastore
from psycopg.rows import DictRow

from ledger.store.postgres import PostgresDatabase, postgres_failures_told
from ledger.store.recording import PREFIX, Complete, Prepare, Recorded, insert, text_head
from ledger.store.transaction import Transaction


class _OnePool(PostgresDatastore):
    """The library's datastore over the one pool, which was opened from JHT_DATABASE_URL as it stands."""

    def __init__(self, database: PostgresDatabase) -> None:
        self.database = database
        self.pool = cast(Any, database.pool)
        with database.read() as tx:
            self.schema = str(tx.rows("select current_schema()")[0][0] or "public")
        self.single_row_tracking = True
        self.originator_id_type = "text"
        self.enable_db_functions = False
        self.lock_timeout = 0
        self.db_type_names = set()
        self.psycopg_type_adapters, self.psycopg_python_types = {}, {}

    def register_type_adapters(self) -> None:
        """None: events travel as plain columns, not as a composite type."""

    @contextmanager
    def get_connection(self) -> Iterator[psycopg.Connection[DictRow]]:
        # A code of ours, not the library's error: that one would be tried again ten times.
        with postgres_failures_told(), self.pool.connection() as connection:
            yield connection

    def close(self) -> None:
        """The pool is the database's."""


class PostgresRecorder(Recorded, PostgresApplicationRecorder):
    """The library's recorder on PostgreSQL."""

    key = "notification_id"

    def __init__(self, database: PostgresDatabase) -> None:
        super().__init__(_OnePool(database), events_table_name="ledger_events")
        self.database = database
        clock = "(clock_timestamp() at time zone 'UTC')::text"
        self._head = text_head(self.events_table_name, self.key, f"substring(state from 1 for {PREFIX})", clock)

    def insert_events(
        self,
        stored_events: Sequence[StoredEvent],
        *,
        prepare: Prepare | None = None,
        complete: Complete | None = None,
        pipelined: bool = True,
        **_: Any,
    ) -> list[int]:
        """Append in one transaction, durable when it returns; the positions. `pipelined`: see `Database.read`.

        Raises IntegrityError when a version is taken, StoreFailed, and whatever the hooks raise.
        """
        try:
            with self.database.write(pipelined=pipelined) as tx:
                return insert(self, tx, stored_events, prepare, complete)
        except psycopg.IntegrityError as error:
            raise IntegrityError(type(error).__name__) from error

    def lock(self, tx: Transaction) -> None:
        """Take the append lock until the transaction ends; who reads is not held up."""
        tx.send(f"lock table {self.events_table_name} in exclusive mode")

    def write_rows(self, tx: Transaction, columns: dict[str, Sequence[Any]]) -> None:
        """Insert whole columns."""
        columns["notification_id"] = columns.pop("position")
        tx.insert(self.events_table_name, columns, "text bigint text bytea bigint")
