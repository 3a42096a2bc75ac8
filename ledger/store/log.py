"""The log: events in one total order, appended in one transaction with the register and the vault.

The library gives the schema, the recorders, the (stream, version) key that decides every race, and the order: on
PostgreSQL a bigserial under a table lock (commit order = position order, so a reader that tails the log misses nothing),
on SQLite an explicit AUTOINCREMENT key, because an implicit rowid may be renumbered. This module adds bulk appends, the
register's check under the same lock, and `recorded_at`, which never runs backwards.

A position is a number inside and `<log id>-<n>` outside; positions can have gaps.
"""

from __future__ import annotations

import secrets
import sqlite3
import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

import psycopg
from eventsourcing.application import Application
from eventsourcing.persistence import ApplicationRecorder, IntegrityError, Mapper
from eventsourcing.postgres import PostgresApplicationRecorder
from eventsourcing.sqlite import SQLiteApplicationRecorder, SQLiteConnection, SQLiteConnectionPool

from ledger.errors import Refused
from ledger.events import Event
from ledger.settings import Settings
from ledger.store import account_index
from ledger.store.codec import JhtMapper, StoredRow, decode, encode, recorded_at_of, stamp_all
from ledger.store.database import Database, Transaction, failures_told, open_database, table_exists, tune_sqlite
from ledger.store.place import check_place

SCHEMA_VERSION = "1"
_WRITER_PRAGMAS = (
    # Registrations write at random places of the hashes' indexes; what has no room in memory is written twice.
    "cache_size=-262144",
    # What an erasure deletes is overwritten, and so is what a page leaves behind when its rows move to others.
    "secure_delete=ON",
)
_META = "create table if not exists log_meta (name text primary key, value text not null)"


class VersionTaken(Exception):
    """Another writer was first with a stream's version (or a person's NIK): read again and decide again."""


class AccountIndexChanged(Exception):
    """A card changed after it was looked up: read the register again and decide again."""


class Appended(NamedTuple):
    """Where and when events were recorded, in the order they were given."""

    positions: list[int]
    recorded_at: str


class _TunedPool(SQLiteConnectionPool):
    """Pragmas hold per connection and the library opens several."""

    def _create_connection(self) -> SQLiteConnection:
        connection = super()._create_connection()
        tune_sqlite(connection._sqlite_conn)
        return connection


class SqliteRecorder(SQLiteApplicationRecorder):
    """The library's recorder on a table whose positions can never be renumbered."""

    def __init__(self, datastore: Any, events_table_name: str = "stored_events") -> None:
        datastore.pool.__class__ = _TunedPool
        super().__init__(datastore, events_table_name)
        columns = "(originator_id, originator_version, topic, state)"
        self.insert_events_statement = f"INSERT INTO {self.events_table_name} {columns} VALUES (?,?,?,?)"

    def construct_create_table_statements(self) -> list[str]:
        return [
            f"CREATE TABLE IF NOT EXISTS {self.events_table_name} ("
            "rowid INTEGER PRIMARY KEY AUTOINCREMENT, originator_id TEXT NOT NULL, "
            "originator_version INTEGER NOT NULL, topic TEXT NOT NULL, state BLOB NOT NULL, "
            "UNIQUE (originator_id, originator_version))"
        ]


class PostgresRecorder(PostgresApplicationRecorder):
    """The library's recorder as it is; appends go through `Log.append`, under the same lock and NOTIFY."""


class Ledger(Application[str]):
    """The library's application over the project's mapper and recorders."""

    def construct_mapper(self) -> Mapper[str]:
        return JhtMapper(self.construct_transcoder())


def _environment(settings: Settings, create: bool) -> dict[str, str]:
    shared = {"ORIGINATOR_ID_TYPE": "text", "CREATE_TABLE": "yes" if create else "no"}
    if settings.sqlite_path is not None:
        return shared | {
            "PERSISTENCE_MODULE": "eventsourcing.sqlite",
            "SQLITE_DBNAME": str(settings.sqlite_path),
            "APPLICATION_RECORDER_TOPIC": "ledger.store.log:SqliteRecorder",
        }
    info = psycopg.conninfo.conninfo_to_dict(settings.database_url)
    return shared | {
        "PERSISTENCE_MODULE": "eventsourcing.postgres",
        "POSTGRES_DBNAME": str(info.get("dbname") or ""),
        "POSTGRES_HOST": str(info.get("host") or "127.0.0.1"),
        "POSTGRES_PORT": str(info.get("port") or "5432"),
        "POSTGRES_USER": str(info.get("user") or "postgres"),
        "POSTGRES_PASSWORD": str(info.get("password") or ""),
        "POSTGRES_ENABLE_DB_FUNCTIONS": "no",
        "APPLICATION_RECORDER_TOPIC": "ledger.store.log:PostgresRecorder",
    }


class Log:
    """The event log with its register. `log_id` changes when a log is restored from a backup."""

    def __init__(self, settings: Settings, database: Database, application: Ledger) -> None:
        self.settings = settings
        self.database = database
        self.application = application
        self.recorder: ApplicationRecorder = application.recorder
        self.postgres = database.dialect == "postgres"
        self.table = "ledger_events" if self.postgres else "stored_events"
        self.key = "notification_id" if self.postgres else "rowid"
        self.log_id = self._meta("log_id")
        self._append_lock = threading.Lock()

    @classmethod
    def open(cls, settings: Settings, *, create: bool = False) -> Log:
        """Open the log that the settings name; with `create`, make it when it is not there.

        Raises Refused(ledger-missing) when it is not there, as `check_place` when it cannot be, StoreFailed when the
        store does not answer.
        """
        check_place(settings, create=create)
        path = settings.sqlite_path
        where = str(path) if path else "PostgreSQL"
        if path is not None:
            database: Database = open_database(path, writer_pragmas=_WRITER_PRAGMAS)
        else:
            database = open_database(settings.database_url)
        try:
            if create:
                cls._create(settings, database)
            elif not _exists(database):
                raise Refused("ledger-missing", where=where)
            return cls(settings, database, Ledger(_environment(settings, create=False)))
        except BaseException:
            database.close()
            raise

    @staticmethod
    def _create(settings: Settings, database: Database) -> None:
        with database.write() as tx:
            if tx.dialect == "postgres":
                # Several processes may start at once; `create table if not exists` alone can collide.
                tx.rows("select pg_advisory_xact_lock(7430811)")
            if not _exists_in(tx):
                if tx.dialect == "sqlite" and tx.rows("select 1 from sqlite_master limit 1"):
                    raise Refused("ledger-foreign", where=str(settings.sqlite_path))
                tx.script(account_index.schema(tx.dialect))
                tx.script(_META)
                tx.insert(
                    "log_meta",
                    {"name": ["log_id", "schema"], "value": [secrets.token_hex(8), SCHEMA_VERSION]},
                    "text text",
                    "on conflict do nothing",
                )
        with failures_told():
            Ledger(_environment(settings, create=True)).close()
        if database.dialect == "postgres":
            with database.write() as tx:
                _sort_streams_by_bytes(tx)

    def _meta(self, name: str) -> str:
        with self.database.read() as tx:
            return str(tx.rows("select value from log_meta where name = ?", [name])[0][0])

    def renew_log_id(self) -> str:
        """Give the log a new id after a restore, so that positions handed out before it are refused."""
        with self.database.write() as tx:
            tx.run("update log_meta set value = ? where name = 'log_id'", [secrets.token_hex(8)])
        self.log_id = self._meta("log_id")
        return self.log_id

    def head(self) -> int:
        """The last position, 0 in an empty log."""
        with self.database.read() as tx:
            return self.head_in(tx)

    def head_in(self, tx: Transaction) -> int:
        """The last position as a transaction sees it."""
        return tx.rows(f"select coalesce(max({self.key}), 0) from {self.table}")[0][0]  # type: ignore[no-any-return]

    def read(self, after: int, limit: int, upto: int | None = None) -> list[StoredRow]:
        """Stored rows with `after` < position <= `upto`, in order, at most `limit`."""
        with self.database.read() as tx:
            return self.read_in(tx, after, limit, upto)

    def read_in(self, tx: Transaction, after: int, limit: int, upto: int | None = None) -> list[StoredRow]:
        """`read` inside a transaction."""
        upper = f"and {self.key} <= ?" if upto is not None else ""
        rows = tx.rows(
            f"select {self.key}, originator_id, originator_version, topic, state from {self.table} "
            f"where {self.key} > ? {upper} order by {self.key} limit ?",
            [after, *([upto] if upto is not None else []), limit],
        )
        return [StoredRow(*row) for row in rows]

    def events(self, stream: str) -> list[Event]:
        """The events of one stream, oldest first."""
        return self.streams([stream]).get(stream, [])

    def streams(self, names: Sequence[str]) -> dict[str, list[Event]]:
        """The events of many streams in one query; a stream without events has no key."""
        with self.database.read() as tx:
            return self.streams_in(tx, names)

    def streams_in(self, tx: Transaction, names: Sequence[str]) -> dict[str, list[Event]]:
        """`streams` inside a transaction. Sorted names: the index is read once, in order."""
        given, params = tx.relation(name=("text", sorted(set(names))))
        rows = tx.rows(
            f"select e.{self.key}, e.originator_id, e.originator_version, e.topic, e.state from {given} q "
            f"join {self.table} e on e.originator_id = q.name order by e.originator_id, e.originator_version",
            params,
        )
        found: dict[str, list[Event]] = {}
        for row in rows:
            found.setdefault(row[1], []).append(decode(StoredRow(*row)))
        return found

    def rows_under(
        self, tx: Transaction, prefixes: Sequence[str], names: Sequence[str], after: int = 0
    ) -> list[StoredRow]:
        """Rows of these event names after a position, in streams under prefixes that end in `:`; in order."""
        given, params = tx.relation(
            low=("text", list(prefixes)), high=("text", [prefix[:-1] + chr(ord(":") + 1) for prefix in prefixes])
        )
        kinds, more = tx.relation(name=("text", list(names)))
        # `cross join`: SQLite keeps this order, so each prefix is one stretch of the index.
        rows = tx.rows(
            f"select e.{self.key}, e.originator_id, e.originator_version, e.topic, e.state from {given} q "
            f"cross join {self.table} e where e.originator_id >= q.low and e.originator_id < q.high "
            f"and e.topic in (select name from {kinds} k) and e.{self.key} > ? order by e.{self.key}",
            [*params, *more, after],
        )
        return [StoredRow(*row) for row in rows]

    def append(
        self,
        events: Sequence[Event],
        now: datetime,
        *,
        changed_since: int | None = None,
        cards: Sequence[int] = (),
        writes: Sequence[Callable[[Transaction], None]] = (),
        states: Sequence[bytes] | None = None,
    ) -> Appended:
        """Append events in one transaction; durable when it returns.

        `changed_since` with `cards`: the position at which the cards were looked up. `writes`: more to do in the same
        transaction (the vault). `states`: the events' states when they were encoded before.
        Raises VersionTaken, RegisterChanged (decide again), StoreFailed (nothing was done, or it can be looked up).
        """
        if states is None:
            states = [encode(event) for event in events]
        try:
            # SQLite lets writers wait by sleeping; in one process a lock is fairer and quicker.
            with self._append_lock, self.database.write(pipelined=not writes) as tx:
                return self._append(tx, events, states, now, changed_since, cards, writes)
        except (sqlite3.IntegrityError, psycopg.IntegrityError, IntegrityError) as error:
            raise VersionTaken(str(type(error).__name__)) from error

    def _append(
        self,
        tx: Transaction,
        events: Sequence[Event],
        states: Sequence[bytes],
        now: datetime,
        since: int | None,
        cards: Sequence[int],
        writes: Sequence[Callable[[Transaction], None]],
    ) -> Appended:
        if self.postgres:
            tx.send(f"lock table {self.table} in exclusive mode")
        prefix = "substring(state from 1 for 60)" if self.postgres else "substr(state, 1, 60)"
        (last, changed_at), = tx.rows(
            f"select (select {prefix} from {self.table} order by {self.key} desc limit 1), "
            "(select max(changed_at) from register_cards)"
        )  # fmt: skip
        if since is not None and (changed_at or 0) > since and account_index.changed_since(tx, cards, since):
            raise AccountIndexChanged
        clock = now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        recorded_at = max(clock, recorded_at_of(last)) if last else clock
        positions = self._insert(tx, events, stamp_all(states, recorded_at))
        account_index.record(tx, events, positions, [recorded_at] * len(events))
        for write in writes:
            write(tx)
        if self.postgres:
            tx.send(f"notify {self.table}")
        return Appended(positions, recorded_at)

    def _insert(self, tx: Transaction, events: Sequence[Event], states: Sequence[bytes]) -> list[int]:
        columns: dict[str, Sequence[Any]] = {
            "originator_id": [event.stream for event in events],
            "originator_version": [event.version for event in events],
            "topic": [event.fact.NAME for event in events],
            "state": states,
        }
        if self.postgres:
            # `unnest` keeps the order of its arrays, and the serial is drawn in that order.
            kinds = ("text", "bigint", "text", "bytea")
            given, params = tx.relation(**dict(zip(columns, zip(kinds, columns.values(), strict=True), strict=True)))
            rows = tx.rows(
                f"insert into {self.table} ({', '.join(columns)}) select * from {given} q returning notification_id",
                params,
            )
            return [row[0] for row in rows]
        last = tx.rows("select seq from sqlite_sequence where name = ?", [self.table])
        first = (last[0][0] if last else 0) + 1
        positions = list(range(first, first + len(events)))
        tx.insert(self.table, {"rowid": positions} | columns, "")
        return positions

    def rebuild_account_index(self) -> int:
        """Make the register again from the log, while appends wait; the number of rows that were wrong or missing."""
        with self._append_lock, self.database.write() as tx:
            if self.postgres:
                tx.run(f"lock table {self.table} in exclusive mode")
            account_index.begin_again(tx)
            after = 0
            while rows := self.read_in(tx, after, 500):
                after = rows[-1].position
                events = [decode(row) for row in rows]
                times = [event.recorded_at for event in events]
                account_index.record(tx, events, [row.position for row in rows], times)
            return account_index.differences(tx)

    def close(self) -> None:
        self.application.close()
        self.database.close()


def _exists(database: Database) -> bool:
    with database.read() as tx:
        return _exists_in(tx)


def _exists_in(tx: Transaction) -> bool:
    return table_exists(tx, "log_meta")


def _sort_streams_by_bytes(tx: Transaction) -> None:
    """Give PostgreSQL's stream names SQLite's order, whatever the database's language, so that prefixes are ranges."""
    tx.rows("select pg_advisory_xact_lock(7430811)")
    collation = tx.rows(
        "select c.collname from pg_attribute a join pg_collation c on c.oid = a.attcollation "
        "where a.attrelid = to_regclass('ledger_events') and a.attname = 'originator_id'"
    )
    if collation and collation[0][0] != "C":
        tx.script('alter table ledger_events alter column originator_id type text collate "C"')


def position_text(log_id: str, position: int) -> str:
    """The opaque position that leaves the service."""
    return f"{log_id}-{position}"


def parse_position(text: str, log_id: str, head: int) -> int:
    """The number in an outside position.

    Raises Refused: position-unreadable, position-foreign (another log id), position-ahead (beyond `head`).
    """
    found_id, dash, number = text.partition("-")
    if not dash or not number.isascii() or not number.isdigit() or len(number) > 18:
        raise Refused("position-unreadable")
    if found_id != log_id:
        raise Refused("position-foreign")
    if int(number) > head:
        raise Refused("position-ahead")
    return int(number)
