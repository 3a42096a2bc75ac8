"""Where read models live: generations, and the pointer that says which generation is served.

A generation is one projection built from zero once and followed from then on. Its number stands in every table and index
name (`balances_g3`). On SQLite each generation is a file of its own beside the log (`jht.db.balances.3`), so that building
one blocks nobody, and the pointers stand in `jht.db.read`; on PostgreSQL everything stands in the schema `projections`.

Each generation holds its own position, and rows and position change in one transaction with compare-and-set: two
followers can never both apply an event. Beside the position stands the fingerprint of the event there: a number alone
would not show that an older log was put back and has filled the same numbers with other events. A generation also holds
the events it could not apply (`broken`) and the accounts it cannot answer for (`incomplete`), so a rebuild that succeeds
clears them.
"""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import NamedTuple

from ledger.errors import StoreFailed
from ledger.settings import Settings
from ledger.store.database import Database, Transaction, make_schema, open_beside
from projections.leases import Lease
from projections.places import FilePlace, Generation, Place, SchemaPlace, path_of

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
    one smallint primary key, position bigint not null, fingerprint text not null, recorded_at text not null,
    projected_at text not null, log_id text not null, error text not null, shape text not null);
create table {table}_incomplete (card bigint primary key, since bigint not null);
create table {table}_broken (position bigint primary key, stream text not null, what text not null)
"""


_LOCK = 7430812


class Overtaken(StoreFailed):
    """Somebody else moved this generation's position: nothing was written, read the position again."""

    def __init__(self) -> None:
        super().__init__("store-failed", what="Overtaken")


class Pointers(NamedTuple):
    """Which generation of each projection is served and which one can be gone back to; `stamp` changes at each swap."""

    stamp: int
    live: dict[str, Generation]
    previous: dict[str, Generation]


class Position(NamedTuple):
    """How far a generation is. Times are ISO texts in UTC, empty before the first event; `error` is the last one.

    `fingerprint`: of the event at `position`, "" at 0 (`ledger.store.log.fingerprint_of`).
    """

    position: int
    fingerprint: str
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
        self.pointers_database: Database = open_beside(settings, "read")
        self.dialect = self.pointers_database.dialect
        self.at = self.dialect.prefix("projections")
        self.postgres = self.dialect.has_schemas
        self.place: Place = (
            SchemaPlace(self.pointers_database) if self.postgres else FilePlace(settings, self.pointers_database)
        )

    @classmethod
    def open(cls, settings: Settings) -> Store:
        """The store. Its pointers are made when they are not there, and made anew when they cannot be read: then nothing
        is served until somebody follows or rebuilds. Raises StoreFailed."""
        store = cls(settings)
        try:
            if not store._has_pointers():
                store._make_pointers()
        except BaseException:
            store.close()
            raise
        return store

    def _has_pointers(self) -> bool:
        try:
            with self.pointers_database.read() as tx:
                self.pointers_in(tx)
                found = tx.rows(f"select {', '.join(Heartbeat._fields)} from {self.at}state")
                self.place.has_leases(tx)
                return bool(found)
        except StoreFailed as error:
            if self.place.mends(error) or is_gone(error) or "no such column" in str(error.__cause__):
                return False
            raise
        except IndexError:
            return False

    def _make_pointers(self) -> None:
        with self.pointers_database.write() as tx:
            make_schema(tx, "projections", _LOCK)
            self.place.make_leases(tx)
            tx.script(_POINTERS.format(at=self.at))
            tx.run(f"insert into {self.at}state values (1, 0, 0, '', '', '') on conflict do nothing")

    def generation(self, name: str, number: int) -> Generation:
        return Generation(name, number, f"{self.at}{name}_g{number}")

    def path(self, generation: Generation) -> Path:
        """The generation's SQLite file."""
        return path_of(self.settings, generation)

    def database(self, generation: Generation) -> Database:
        """The database a generation's tables are in; its use raises StoreFailed when it is gone."""
        return self.place.database(generation)

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

    def swap(self, generation: Generation, previous: int, *, unconfirmed: bool = False) -> None:
        """Serve `generation` from now on and keep `previous` (0: none) to go back to: one transaction.

        `unconfirmed`: it still has to be followed to the head, and no balance is told before.
        """
        with self.pointers_database.write() as tx:
            tx.run(
                f"insert into {self.at}live values (?, ?, ?) on conflict (name) do update "
                "set generation = excluded.generation, previous = excluded.previous",
                [generation.name, generation.number, previous],
            )
            confirmed = ", confirmed_at = ''" if unconfirmed else ""
            tx.run(f"update {self.at}state set stamp = stamp + 1{confirmed}")

    def generations(self, name: str) -> list[Generation]:
        """All generations of a projection that exist in any form, also leftovers of a killed rebuild."""
        return [self.generation(name, number) for number in sorted(self.place.numbers(name))]

    def create(
        self, generation: Generation, log_id: str, tables: str, shape: str, *, database: Database | None = None
    ) -> None:
        """Make a generation's tables, at position 0 of the given log. `shape`: the fingerprint of all its tables."""
        if database is None:
            self.place.prepare(generation)
            database = self.database(generation)
        with database.write() as tx:
            tx.script(_SHARED.format(table=generation.table))
            tx.script(tables)
            tx.run(f"insert into {generation.table}_position values (1, 0, '', '', '', ?, '', ?)", [log_id, shape])

    def drop(self, generation: Generation) -> None:
        """Remove a generation that is not served. Who still reads it, finishes or looks again."""
        self.place.drop(generation)

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

    def lease(self, what: str, code: str) -> contextlib.AbstractContextManager[Lease]:
        """Be the only one that does `what` (a word) on this ledger, for the length of the block.

        Raises Refused(code) when somebody else, in this process or another, is doing it. It ends with the process.
        """
        return self.place.lease(what, code)

    def is_held(self, what: str) -> bool:
        """Whether somebody does `what` now; only asks."""
        return self.place.is_held(what)

    def close(self) -> None:
        self.pointers_database.close()
        self.place.close()


def position_in(tx: Transaction, generation: Generation, *, lock: bool = False) -> Position:
    """A generation's position inside a transaction; with `lock` nobody else moves it until the transaction ends."""
    locked = tx.row_lock() if lock else ""
    rows = tx.rows(f"select {', '.join(Position._fields)} from {generation.table}_position{locked}")
    return Position(*rows[0])


def advance(tx: Transaction, generation: Generation, was: int, now: Position) -> None:
    """Move a generation from position `was` in the transaction that wrote the rows. Raises Overtaken."""
    moved = tx.run(
        f"update {generation.table}_position set {', '.join(f'{name} = ?' for name in Position._fields)} "
        "where position = ?",
        [*now, was],
    )
    if moved != 1:
        raise Overtaken


def is_gone(error: BaseException) -> bool:
    """Whether a StoreFailed means that a table or a file is not there (any more)."""
    text = str(error.__cause__).lower()
    return "no such table" in text or "does not exist" in text or "unable to open" in text


__all__ = ["NAMES", "Generation", "Heartbeat", "Overtaken", "Pointers", "Position", "Store"]
