"""The library's application recorders: the one that a store has."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from ledger.store.sqlite import SqliteDatabase
from ledger.store.sqlite_recorder import SqliteRecorder

if TYPE_CHECKING:
    from ledger.store.postgres import PostgresDatabase
    from ledger.store.postgres_recorder import PostgresRecorder

Recorder: TypeAlias = "SqliteRecorder | PostgresRecorder"


def recorder_of(database: SqliteDatabase | PostgresDatabase) -> Recorder:
    """The recorder of a store. Raises StoreFailed."""
    if isinstance(database, SqliteDatabase):
        return SqliteRecorder(database)
    from ledger.store.postgres_recorder import PostgresRecorder  # noqa: PLC0415  # a ledger in a file needs no driver

    return PostgresRecorder(database)
