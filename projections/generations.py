"""Where read models live: generations, and the pointer that says which generation is served.

A generation is one projection built from zero once and followed from then on. Its number stands in every table and index
name (`balances_g3`). On SQLite each generation is a file of its own beside the log (`jht.db.balances.3`), so that building
one blocks nobody, and the pointers stand in `jht.db.read`; on PostgreSQL everything stands in the schema `projections`.

Each generation holds its own position, and rows and position change in one transaction with compare-and-set: two
followers can never both apply an event. It also holds the events it could not apply (`broken`) and the accounts it cannot
answer for (`incomplete`), so a rebuild that succeeds clears them.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import threading
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import psycopg

from ledger.errors import Refused, StoreFailed, Unavailable
from ledger.settings import Settings
from ledger.store.database import LOCK_SECONDS, Database, PostgresDatabase, SqliteDatabase, Transaction, failures_told

NAMES = ("directory", "entries", "balances")
"""All projections, in the order in which the follower brings them up to date: a card is known before its money."""

_POINTERS = """
create table if not exists {at}live (
    name text primary key, generation bigint not null, previous bigint not null);
create table if not exists {at}state (
    one smallint primary key, stamp bigint not null, head_seen bigint not null, confirmed_at text not null,
    beat_at text not null, error text not null)
"""
_SHARED = """
create table {table}_position (
    one smallint primary key, position bigint not null, recorded_at text not null, projected_at text not null,
    log_id text not null, error text not null);
create table {table}_incomplete (card bigint primary key, since bigint not null);
create table {table}_broken (position bigint primary key, stream text not null, what text not null)
"""


class Overtaken(StoreFailed):
    """Somebody else moved this generation's position: nothing was written, read the position again."""

    def __init__(self) -> None:
        super().__init__("store-failed", what="Overtaken")


class Generation(NamedTuple):
    """One build of one projection. `table` is the stem of its table names, with the schema on PostgreSQL."""

    name: str
    number: int
    table: str


class Pointers(NamedTuple):
    """Which generation of each projection is served and which one can be gone back to; `stamp` changes at each swap."""

    stamp: int
    live: dict[str, Generation]
    previous: dict[str, Generation]


class Position(NamedTuple):
    """How far a generation is. Times are ISO texts in UTC, empty before the first event; `error` is the last one."""

    position: int
    recorded_at: str
    projected_at: str
    log_id: str
    error: str


class Heartbeat(NamedTuple):
    """The follower's sign of life. `confirmed_at`: when the head that was reached since then was seen ('' never)."""

    head_seen: int
    confirmed_at: str
    beat_at: str
    error: str


class Store:
    """The read side's storage beside one log."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.postgres = settings.sqlite_path is None
        self.at = "projections." if self.postgres else ""
        self._files: dict[str, SqliteDatabase] = {}
        self._lock = threading.Lock()
        self.pointers_database: Database = (
            PostgresDatabase(settings.database_url) if self.postgres else SqliteDatabase(settings.beside("read"))
        )

    @classmethod
    def open(cls, settings: Settings) -> Store:
        """The store, its pointer tables made when they are not there. Raises StoreFailed."""
        store = cls(settings)
        with store.pointers_database.write() as tx:
            if store.postgres:
                # Several processes may start at once; `if not exists` alone can collide.
                tx.rows("select pg_advisory_xact_lock(7430812)")
                tx.script("create schema if not exists projections")
            tx.script(_POINTERS.format(at=store.at))
            tx.run(f"insert into {store.at}state values (1, 0, 0, '', '', '') on conflict do nothing")
        return store

    def generation(self, name: str, number: int) -> Generation:
        return Generation(name, number, f"{self.at}{name}_g{number}")

    def path(self, generation: Generation) -> Path:
        """The generation's SQLite file."""
        return self.settings.beside(f"{generation.name}.{generation.number}")

    def database(self, generation: Generation) -> Database:
        """The database a generation's tables are in. Raises Unavailable(read-side-empty) when its file is gone."""
        if self.postgres:
            return self.pointers_database
        path = self.path(generation)
        with self._lock:
            known = self._files.get(str(path))
            if known is None:
                if not path.exists():
                    raise Unavailable("read-side-empty")
                known = self._files[str(path)] = SqliteDatabase(path)
            return known

    def pointers(self) -> Pointers:
        """The pointers as they are now."""
        with self.pointers_database.read() as tx:
            return self.pointers_in(tx)

    def pointers_in(self, tx: Transaction) -> Pointers:
        stamp = tx.rows(f"select stamp from {self.at}state")[0][0]
        rows = tx.rows(f"select name, generation, previous from {self.at}live")
        return Pointers(
            stamp,
            {name: self.generation(name, live) for name, live, _ in rows},
            {name: self.generation(name, previous) for name, _, previous in rows if previous},
        )

    def swap(self, generation: Generation, previous: int) -> None:
        """Serve `generation` from now on and keep `previous` (0: none) to go back to: one transaction."""
        with self.pointers_database.write() as tx:
            tx.run(
                f"insert into {self.at}live values (?, ?, ?) on conflict (name) do update "
                "set generation = excluded.generation, previous = excluded.previous",
                [generation.name, generation.number, previous],
            )
            tx.run(f"update {self.at}state set stamp = stamp + 1")

    def generations(self, name: str) -> list[Generation]:
        """All generations of a projection that exist in any form, also leftovers of a killed rebuild."""
        if self.postgres:
            with self.pointers_database.read() as tx:
                rows = tx.rows("select tablename from pg_tables where schemaname = 'projections'")
            stems = {table.split("_")[1][1:] for (table,) in rows if table.startswith(f"{name}_g")}
        else:
            first = self.settings.beside(f"{name}.")
            stems = {
                found.name.removeprefix(first.name).partition("-")[0] for found in first.parent.glob(f"{first.name}*")
            }
        return [self.generation(name, number) for number in sorted(int(s) for s in stems if s.isdigit())]

    def create(self, generation: Generation, log_id: str, tables: str, *, database: Database | None = None) -> None:
        """Make a generation's tables, at position 0 of the given log."""
        if database is None:
            if not self.postgres:
                self.path(generation).touch(mode=0o600)
            database = self.database(generation)
        with database.write() as tx:
            tx.script(_SHARED.format(table=generation.table))
            tx.script(tables)
            tx.run(f"insert into {generation.table}_position values (1, 0, '', '', ?, '')", [log_id])

    def drop(self, generation: Generation) -> None:
        """Remove a generation that is not served. Who still reads it, finishes or looks again."""
        if self.postgres:
            with self.pointers_database.write() as tx:
                tables = self.tables(tx, generation)
                if tables:
                    tx.script(f"drop table {', '.join(tables)}")
            return
        path = self.path(generation)
        with self._lock:
            opened = self._files.pop(str(path), None)
        if opened is not None:
            opened.close()
        # The database itself last: a leftover without it would look like a generation for ever.
        for suffix in ("-journal", "-wal", "-shm", ""):
            path.with_name(path.name + suffix).unlink(missing_ok=True)

    def tables(self, tx: Transaction, generation: Generation) -> list[str]:
        """The tables of a generation on PostgreSQL."""
        stem = generation.table.removeprefix(self.at)
        return [
            f"{self.at}{table}"
            for (table,) in tx.rows("select tablename from pg_tables where schemaname = 'projections' order by 1")
            if table == stem or table.startswith(f"{stem}_")
        ]

    def position(self, generation: Generation) -> Position:
        """How far a generation is."""
        with self.database(generation).read() as tx:
            return position_in(tx, generation)

    def heartbeat(self) -> Heartbeat:
        """The follower's last sign of life."""
        with self.pointers_database.read() as tx:
            return Heartbeat(*tx.rows(f"select head_seen, confirmed_at, beat_at, error from {self.at}state")[0])

    def record_beat(self, heartbeat: Heartbeat) -> None:
        with self.pointers_database.write() as tx:
            tx.run(f"update {self.at}state set head_seen = ?, confirmed_at = ?, beat_at = ?, error = ?", heartbeat)

    @contextlib.contextmanager
    def lease(self, what: str, code: str) -> Iterator[None]:
        """Be the only one that does `what` (a word) on this ledger, for the length of the block.

        Raises Refused(code) when somebody else, in this process or another, is doing it. It ends with the process.
        """
        if self.postgres:
            with failures_told(), psycopg.connect(self.settings.database_url, autocommit=True) as connection:
                key = zlib.crc32(what.encode())
                taken = connection.execute("select pg_try_advisory_lock(743, %s::bigint::int)", [key - 2**31])
                if not (taken.fetchone() or (False,))[0]:
                    raise Refused(code)
                try:
                    yield
                finally:
                    # The end of a connection frees its locks only some time after it was closed here.
                    connection.execute("select pg_advisory_unlock(743, %s::bigint::int)", [key - 2**31])
            return
        file = os.open(self.settings.beside(f"{what}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise Refused(code) from None
            yield
        finally:
            os.close(file)

    def close(self) -> None:
        self.pointers_database.close()
        with self._lock:
            for file in self._files.values():
                file.close()
            self._files.clear()


def position_in(tx: Transaction, generation: Generation, *, lock: bool = False) -> Position:
    """A generation's position inside a transaction; with `lock` nobody else moves it until the transaction ends."""
    locked = " for update" if lock and tx.dialect == "postgres" else ""
    rows = tx.rows(
        f"select position, recorded_at, projected_at, log_id, error from {generation.table}_position{locked}"
    )
    return Position(*rows[0])


def advance(tx: Transaction, generation: Generation, was: int, now: Position) -> None:
    """Move a generation from position `was` in the transaction that wrote the rows. Raises Overtaken."""
    moved = tx.run(
        f"update {generation.table}_position set position = ?, recorded_at = ?, projected_at = ?, "
        "log_id = ?, error = ? where position = ?",
        [*now, was],
    )
    if moved != 1:
        raise Overtaken


__all__ = ["LOCK_SECONDS", "NAMES", "Generation", "Heartbeat", "Overtaken", "Pointers", "Position", "Store"]
