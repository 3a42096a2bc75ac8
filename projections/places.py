"""Where generations lie: each in a SQLite file of its own beside the log, or all in the schema `projections` of PostgreSQL.

Everything that a store of the read side does in two ways stands here, side by side.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple, Protocol

from ledger.errors import StoreFailed
from ledger.settings import Settings
from ledger.store.database import Database, SqliteDatabase, Transaction, failures_told
from projections import leases
from projections.leases import Lease

_LOADING_MIB, _COMPARING_MIB = 48, 8
"""What SQLite may keep of a file in memory."""
_SCHEMA_TABLES = "select tablename from pg_tables where schemaname = 'projections' order by 1"


class Generation(NamedTuple):
    """One build of one projection. `table` is the stem of its table names, with the schema on PostgreSQL."""

    name: str
    number: int
    table: str


def path_of(settings: Settings, generation: Generation) -> Path:
    """A generation's SQLite file."""
    return settings.beside(f"{generation.name}.{generation.number}")


class Place(Protocol):
    """Where the generations of one log lie, and who may work at them."""

    def database(self, generation: Generation) -> Database:
        """The database a generation's tables are in; its use raises StoreFailed when it is gone."""

    def loading(self, generation: Generation) -> contextlib.AbstractContextManager[Database]:
        """The database to make and fill a generation in that nobody reads yet; `settle` makes it durable."""

    def hasten(self, tx: Transaction) -> None:
        """Let the transaction that fills a generation sort its indexes with more memory, where that is to be said."""

    def settle(self, generation: Generation) -> None:
        """Make a generation that was filled durable and ready to be followed and compared."""

    def views(self, live: Generation, rebuilt: Generation) -> contextlib.AbstractContextManager[Sequence[Database]]:
        """Databases in which the tables of both generations are seen: as many as threads help to compare them."""

    def numbers(self, name: str) -> set[int]:
        """The generations of a projection that exist in any form, also leftovers of a killed rebuild."""

    def prepare(self, generation: Generation) -> None:
        """Make room for a generation."""

    def drop(self, generation: Generation) -> None:
        """Remove a generation that is not served. Who still reads it, finishes or looks again."""

    def has_leases(self, tx: Transaction) -> None:
        """Ask for the leases beside the pointers. Raises StoreFailed when there is no room for them yet."""

    def make_leases(self, tx: Transaction) -> None:
        """Make the room."""

    def mends(self, error: StoreFailed) -> bool:
        """Whether what makes the pointers unreadable was taken away, so that they can be made anew."""

    def lease(self, what: str, code: str) -> contextlib.AbstractContextManager[Lease]:
        """See `Store.lease`."""

    def is_held(self, what: str) -> bool:
        """Whether somebody does `what` now."""

    def close(self) -> None: ...


class FilePlace:
    """A SQLite file a generation, `<log>.<name>.<number>`: building one blocks nobody."""

    _THREADS = 2

    def __init__(self, settings: Settings, pointers: Database) -> None:
        self._settings, self._pointers = settings, pointers
        self._files: dict[str, SqliteDatabase] = {}
        self._lock = threading.Lock()

    def _path(self, generation: Generation) -> Path:
        return path_of(self._settings, generation)

    def database(self, generation: Generation) -> Database:
        path = self._path(generation)
        with self._lock:
            known = self._files.get(str(path))
            if known is None:
                known = self._files[str(path)] = SqliteDatabase(path, create=False)
            return known

    @contextmanager
    def loading(self, generation: Generation) -> Iterator[Database]:
        """A file that nobody reads yet needs neither journal nor flushes; indexes are sorted in a file, not in memory."""
        with contextlib.closing(
            SqliteDatabase(self._path(generation), synchronous="OFF", cache_mib=_LOADING_MIB)
        ) as database:
            with failures_told():
                for pragma in ("journal_mode = off", "temp_store = file"):
                    database.connection().execute(f"pragma {pragma}").fetchall()
            yield database

    def hasten(self, tx: Transaction) -> None: ...

    def settle(self, generation: Generation) -> None:
        path = self._path(generation)
        for target in (path, path.parent):
            handle = os.open(target, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)
        with contextlib.closing(SqliteDatabase(path, create=False)) as database:
            # Its first connection gives it a write-ahead log.
            database.connection()

    @contextmanager
    def views(self, live: Generation, rebuilt: Generation) -> Iterator[Sequence[Database]]:
        """One file attached to connections on the other; the first read fixes what a file shows."""
        with contextlib.ExitStack() as stack:
            found = []
            for _ in range(self._THREADS):
                opened = SqliteDatabase(self._path(live), cache_mib=_COMPARING_MIB)
                found.append(stack.enter_context(contextlib.closing(opened)))
                with failures_told():
                    opened.connection().execute("attach ? as rebuilt", [str(self._path(rebuilt))])
                    opened.connection().execute(f"pragma rebuilt.cache_size = -{_COMPARING_MIB * 1024}")
            yield found

    def numbers(self, name: str) -> set[int]:
        first = self._settings.beside(f"{name}.")
        ends = (found.name.removeprefix(first.name).partition("-")[0] for found in first.parent.glob(f"{first.name}*"))
        return {int(end) for end in ends if end.isdigit()}

    def prepare(self, generation: Generation) -> None:
        self._path(generation).touch(mode=0o600)

    def drop(self, generation: Generation) -> None:
        path = self._path(generation)
        with self._lock:
            opened = self._files.pop(str(path), None)
        if opened is not None:
            opened.close()
        _remove(path)

    def has_leases(self, tx: Transaction) -> None:
        """They are locks of files."""

    def make_leases(self, tx: Transaction) -> None: ...

    def mends(self, error: StoreFailed) -> bool:
        if error.code != "store-damaged":
            return False
        self._pointers.close()
        _remove(self._settings.beside("read"))
        return True

    def lease(self, what: str, code: str) -> contextlib.AbstractContextManager[Lease]:
        return leases.closing(leases.FileLease(self._settings.beside(f"{what}.lock"), code))

    def is_held(self, what: str) -> bool:
        return leases.is_file_held(self._settings.beside(f"{what}.lock"))

    def close(self) -> None:
        with self._lock:
            for file in self._files.values():
                file.close()
            self._files.clear()


class SchemaPlace:
    """All generations in one schema; the number stands in every name."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._at = database.dialect.prefix("projections")

    def database(self, generation: Generation) -> Database:
        del generation
        return self._database

    def loading(self, generation: Generation) -> contextlib.AbstractContextManager[Database]:
        del generation
        return contextlib.nullcontext(self._database)

    def hasten(self, tx: Transaction) -> None:
        tx.run("set local maintenance_work_mem = '256MB'")

    def settle(self, generation: Generation) -> None:
        with self._database.write() as tx:
            # All that a plan needs to know is how big the tables are: every query comes with a key.
            tx.run("set local default_statistics_target = 10")
            for table in self.tables(tx, generation):
                tx.run(f"analyze {table}")

    def views(self, live: Generation, rebuilt: Generation) -> contextlib.AbstractContextManager[Sequence[Database]]:
        del live, rebuilt
        return contextlib.nullcontext([self._database])

    def numbers(self, name: str) -> set[int]:
        with self._database.read() as tx:
            rows = tx.rows(_SCHEMA_TABLES)
        ends = (table.split("_")[1][1:] for (table,) in rows if table.startswith(f"{name}_g"))
        return {int(end) for end in ends if end.isdigit()}

    def tables(self, tx: Transaction, generation: Generation) -> list[str]:
        """The tables of a generation."""
        stem = generation.table.removeprefix(self._at)
        return [
            f"{self._at}{table}"
            for (table,) in tx.rows(_SCHEMA_TABLES)
            if table == stem or table.startswith(f"{stem}_")
        ]

    def prepare(self, generation: Generation) -> None:
        """There is room."""

    def drop(self, generation: Generation) -> None:
        with self._database.write() as tx:
            tables = self.tables(tx, generation)
            if tables:
                tx.script(f"drop table {', '.join(tables)}")

    def has_leases(self, tx: Transaction) -> None:
        tx.rows(f"select what, holder, until from {self._at}leases limit 1")

    def make_leases(self, tx: Transaction) -> None:
        tx.script(leases.SCHEMA.format(table=f"{self._at}leases"))

    def mends(self, error: StoreFailed) -> bool:
        del error
        return False

    def lease(self, what: str, code: str) -> contextlib.AbstractContextManager[Lease]:
        return leases.closing(leases.RowLease(self._database, f"{self._at}leases", what, code))

    def is_held(self, what: str) -> bool:
        return leases.is_row_held(self._database, f"{self._at}leases", what)

    def close(self) -> None: ...


def _remove(path: Path) -> None:
    """Remove a SQLite database. The file itself last: what it leaves would look like a generation for ever."""
    for suffix in ("-journal", "-wal", "-shm", ""):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
