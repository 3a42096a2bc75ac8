"""One way to talk SQL to both stores: which of them a URL or path means, and what is in it.

`transaction` says what both offer, `sqlite` and `postgres` how.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeGuard

from ledger.settings import Settings
from ledger.store.sqlite import SqliteDatabase, SqliteTransaction, tune_sqlite
from ledger.store.transaction import (
    LOCK_SECONDS,
    Column,
    Database,
    Row,
    Transaction,
    Write,
    failures_told,
    is_damaged,
    store_failed,
)

if TYPE_CHECKING:
    from ledger.store.postgres import PostgresDatabase, PostgresTransaction

__all__ = [
    "LOCK_SECONDS", "Column", "Database", "Row", "SqliteDatabase", "SqliteTransaction", "Transaction", "Write",
    "failures_told", "is_damaged", "make_schema", "make_tables", "on_postgres", "open_beside", "open_database",
    "store_failed", "table_exists", "tune_sqlite",
]  # fmt: skip


def open_database(url_or_path: str | Path, **options: Any) -> SqliteDatabase | PostgresDatabase:
    """The database behind a PostgreSQL URL, or a SQLite file."""
    text = str(url_or_path)
    if text.startswith(("postgresql://", "postgres://")):
        # A ledger in a file does not wait for the driver.
        from ledger.store.postgres import PostgresDatabase  # noqa: PLC0415

        return PostgresDatabase(text, **options)
    return SqliteDatabase(text.removeprefix("sqlite:///"), **options)


def open_beside(settings: Settings, name: str) -> Database:
    """The database for tables of one kind: a file of its own beside a SQLite log, else the log's own, where they have a
    schema of that name (`make_schema`)."""
    return open_database(settings.database_url if settings.sqlite_path is None else settings.beside(name))


def make_schema(tx: Transaction, name: str, lock: int) -> None:
    """Make the schema that tables of one kind stand in, where they have no file of their own.

    `lock`: a number of its own; several processes may start at once, and `if not exists` alone can collide.
    """
    if tx.dialect.has_schemas:
        tx.rows("select pg_advisory_xact_lock(?)", [lock])
        tx.script(f"create schema if not exists {name}")


def on_postgres(tx: Transaction) -> TypeGuard[PostgresTransaction]:
    """Whether a transaction is one on PostgreSQL."""
    return tx.dialect == "postgres"


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
