"""The log: events in one total order, appended in one transaction with the account index and the vault.

The library's recorders (`recorders`, `recording`) write and read it: the (stream, version) key decides every race, and
positions are 1, 2, 3 .. without gaps, given under the append lock, so commit order = position order and a reader that
tails the log misses nothing. This module adds what an append has to ask under that lock: whether this program knows the
schema, whether a card changed since it was looked up, and what time it is.

`recorded_at` never runs backwards. PostgreSQL's clock, read under the lock, says it; a process whose own clock differs by
more than five minutes, either way, may not write. On SQLite it is the process's clock. A log that is ahead of the clock by
more than that is not written to until an operator has said, once, that this is so (`accept_clock`): later events then
carry the log's last moment until the clock has come up to it.

A position is a number inside and `<log id>-<n>` outside. A number says nothing of what stands there: who keeps one keeps
the fingerprint of the event with it, and compares (`fingerprint_at`).
"""

from __future__ import annotations

import hmac
import secrets
import threading
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Literal, NamedTuple, cast

from eventsourcing.domain import DomainEventProtocol
from eventsourcing.persistence import IntegrityError, JSONTranscoder, StoredEvent

from ledger.clock import read_now
from ledger.errors import BrokenLog, Refused, Unavailable
from ledger.events import Event
from ledger.settings import Settings
from ledger.store import account_index, account_index_check, migrations
from ledger.store.account_index_check import AccountIndexCheck
from ledger.store.codec import JhtMapper, NewEvent, StoredRow, decode, recorded_at_of, stamp_all
from ledger.store.database import Database, Transaction, Write, open_database, table_exists
from ledger.store.place import check_place
from ledger.store.recorders import recorder_of
from ledger.store.recording import PREFIX, Head, select_rows, select_streams

CLOCKS_APART = timedelta(minutes=5)
"""How far the clocks of a process and its store, or of the log and the present, may be apart."""
_WRITER_PRAGMAS = (
    # Registrations write at random places of the hashes' indexes; what has no room in memory is written twice.
    "cache_size=-262144",
    # What an erasure deletes is overwritten, and so is what a page leaves behind when its rows move to others.
    "secure_delete=ON",
)


class VersionTaken(Exception):
    """Another writer was first with a stream's version (or a person's NIK): read again and decide again."""


class AccountIndexChanged(Exception):
    """A card changed after it was looked up: read the account index again and decide again."""


class Appended(NamedTuple):
    """Where and when events were recorded, in the order they were given."""

    positions: list[int]
    recorded_at: str


class Histories(NamedTuple):
    """The events of streams, oldest first; a stream without events has no key. `broken`: the streams that cannot be read,
    with the reason: one broken record concerns only whom it names, so nobody else is kept from being read."""

    events: dict[str, list[Event]]
    broken: dict[str, BrokenLog]

    def of(self, stream: str) -> list[Event]:
        """The events of one stream. Raises BrokenLog when it is one that cannot be read."""
        if stream in self.broken:
            raise self.broken[stream]
        return self.events.get(stream, [])

    def whole(self) -> dict[str, list[Event]]:
        """The events of all streams, where one without the other says nothing. Raises BrokenLog."""
        for error in self.broken.values():
            raise error
        return self.events


def fingerprint_of(row: StoredRow) -> str:
    """Sixteen hex digits of an event as it is stored: what tells two events at one position apart."""
    name = f"{row.stream}\n{row.version}\n{row.name}\n".encode()
    return sha256(name + row.state).hexdigest()[:16]


def iso(moment: datetime) -> str:
    """A moment as the log writes it: UTC, fixed width, so texts compare as moments do."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class Log:
    """The event log with its account index. `log_id` changes when a log is restored from a backup."""

    clock: Literal["store", "caller"] = "store"
    """Who says when something was recorded; `caller` (the `now` of an append) is for tests that stand in another time."""

    def __init__(self, settings: Settings, database: Database) -> None:
        self.settings = settings
        self.database = database
        self.recorder = recorder_of(database)  # type: ignore[arg-type]
        self.mapper = JhtMapper(JSONTranscoder())
        self.postgres = database.dialect == "postgres"
        self.table = self.recorder.events_table_name
        self.key = self.recorder.key
        self.secret: bytes | None = None
        self.log_id = ""
        self._highest = 0
        self._append_lock = threading.Lock()
        with database.read() as tx:
            self._seen(self.recorder.head_in(tx))

    @classmethod
    def open(cls, settings: Settings, *, create: bool = False) -> Log:
        """Open the log that the settings name; with `create`, make it when it is not there.

        Raises Refused: ledger-missing, upgrade-needed, program-too-old, and as `check_place`; StoreFailed when the
        store does not answer.
        """
        database = _database(settings, create)
        try:
            if create:
                _create(settings, database)
            with database.read() as tx:
                if not table_exists(tx, "log_meta"):
                    raise Refused("ledger-missing", where=_where(settings))
                migrations.check_version(migrations.version_in(tx))
            return cls(settings, database)
        except BaseException:
            database.close()
            raise

    @staticmethod
    def upgrade(settings: Settings, folders: Sequence[Path] = (migrations.FOLDER,)) -> tuple[int, int]:
        """Bring a ledger's schema up to this program's: (version before, version now); killed and run again it goes on.

        Raises Refused(ledger-missing, program-too-old), StoreFailed.
        """
        database = _database(settings, create=False)
        try:
            with database.read() as tx:
                if not table_exists(tx, "log_meta"):
                    raise Refused("ledger-missing", where=_where(settings))
            return migrations.upgrade(database, folders)
        finally:
            database.close()

    def _seen(self, head: Head) -> None:
        """What every look at the head tells. Raises Refused(program-too-old, upgrade-needed)."""
        migrations.check_version(head.schema)
        if head.log_id != self.log_id:
            self.log_id, self._highest = head.log_id, 0

    def renew_log_id(self, by: str = "") -> str:
        """Give the log a new id after a restore, so that positions handed out before it are refused."""
        made = secrets.token_hex(8)
        with self.database.write() as tx:
            tx.run("update log_meta set value = ? where name = 'log_id'", [made])
            _act(tx, "renew-log-id", by, f"{self.log_id} -> {made}")
            self.log_id, self._highest = made, 0
        return made

    def had_id(self, log_id: str) -> bool:
        """Whether the log had that id before it was given another."""
        with self.database.read() as tx:
            given = ["renew-log-id", f"{log_id} -> %"]
            return bool(tx.rows("select 1 from log_acts where act = ? and detail like ? limit 1", given))

    def accept_clock(self, by: str) -> str:
        """Record that the log's last moment stands although the clock has not come to it; that moment.

        Appends are taken again and carry it until the clock has passed it. Raises Refused(clock-not-behind).
        """
        with self.database.write() as tx:
            self.recorder.lock(tx)
            head = self.recorder.head_in(tx)
            if head.recorded_at <= iso((head.clock or read_now()) + CLOCKS_APART):
                raise Refused("clock-not-behind")
            tx.run(
                "insert into log_meta values ('clock_accepted', ?) on conflict (name) do update "
                "set value = excluded.value",
                [head.recorded_at],
            )
            _act(tx, "accept-clock", by, head.recorded_at)
        return head.recorded_at

    def hmac(self, purpose: str, data: bytes) -> str:
        """A keyed hash (64 hex digits) under the log's secret, which the vault opens: nobody else can try values.

        Raises Refused(master-key-missing) when the vault was not opened.
        """
        if self.secret is None:
            raise Refused("master-key-missing")
        return hmac.digest(self.secret, purpose.encode() + b"\0" + data, "sha256").hex()

    def head(self) -> int:
        """The last position, 0 in an empty log. Raises as `_seen` does: a follower asks here before every batch."""
        with self.database.read() as tx:
            return self.head_in(tx)

    def head_in(self, tx: Transaction) -> int:
        """The last position as a transaction sees it."""
        head = self.recorder.head_in(tx)
        self._seen(head)
        return head.position

    def fingerprint_at(self, position: int) -> str | None:
        """The fingerprint of the event at a position: "" for position 0, None when there is no such event."""
        if not position:
            return ""
        rows = self.read(position - 1, 1, position)
        return fingerprint_of(rows[0]) if rows else None

    def recorded_at(self, position: int) -> str:
        """When the event at a position was recorded. Raises KeyError when there is none."""
        with self.database.read() as tx:
            rows = tx.rows(f"select substr(state, 1, {PREFIX}) from {self.table} where {self.key} = ?", [position])
        if not rows:
            raise KeyError(position)
        return recorded_at_of(bytes(rows[0][0]))

    def read(self, after: int, limit: int, upto: int | None = None, topics: Sequence[str] = ()) -> list[StoredRow]:
        """Stored rows with `after` < position <= `upto`, in order, at most `limit`, optionally of some names only."""
        found = self.recorder.select_notifications(after, limit, upto, topics, inclusive_of_start=False)
        return cast(list[StoredRow], found)

    def read_in(self, tx: Transaction, after: int, limit: int, upto: int | None = None) -> list[StoredRow]:
        """`read` inside a transaction."""
        return select_rows(self.recorder, tx, after, limit, upto)

    def events(self, stream: str) -> list[Event]:
        """The events of one stream, oldest first. Raises BrokenLog."""
        return self.streams([stream]).of(stream)

    def streams(self, names: Sequence[str]) -> Histories:
        """The events of many streams in one query."""
        with self.database.read() as tx:
            return self.streams_in(tx, names)

    def streams_in(self, tx: Transaction, names: Sequence[str]) -> Histories:
        """`streams` inside a transaction."""
        found = Histories({}, {})
        for stream, rows in self.stored_in(tx, names).items():
            try:
                found.events[stream] = [decode(row) for row in rows]
            except BrokenLog as error:
                found.broken[stream] = error
        return found

    def stored_in(
        self, tx: Transaction, names: Sequence[str], since: Mapping[str, int] | None = None
    ) -> dict[str, list[StoredRow]]:
        """The stored events of many streams, not decoded: what cannot be read concerns only its own stream.

        `since`: for each stream the version to begin with.
        """
        found: dict[str, list[StoredRow]] = {}
        for row in select_streams(self.recorder, tx, names, since) if names else ():
            found.setdefault(row.stream, []).append(row)
        return found

    def rows_under(
        self, tx: Transaction, prefixes: Sequence[str], names: Sequence[str], after: int = 0
    ) -> list[StoredRow]:
        """Rows after a position in streams under prefixes that end in `:`, in order; of these event names only, if any."""
        given, params = tx.relation(
            low=("text", list(prefixes)), high=("text", [_above(prefix) for prefix in prefixes])
        )
        kinds, more = tx.relation(name=("text", list(names))) if names else ("", [])
        named = f"and e.topic in (select name from {kinds} k) " if names else ""
        # `cross join`: SQLite keeps this order, so each prefix is one stretch of the index.
        rows = tx.rows(
            f"select e.{self.key}, e.originator_id, e.originator_version, e.topic, e.state from {given} q "
            f"cross join {self.table} e where e.originator_id >= q.low and e.originator_id < q.high "
            f"{named}and e.{self.key} > ? order by e.{self.key}",
            [*params, *more, after],
        )
        return [StoredRow(*row) for row in rows]

    def versions_under(self, prefix: str) -> dict[str, int]:
        """Stream -> its last version, of the streams under a prefix that ends in `:`."""
        with self.database.read() as tx:
            rows = tx.rows(
                f"select originator_id, max(originator_version) from {self.table} "
                "where originator_id >= ? and originator_id < ? group by originator_id",
                [prefix, _above(prefix)],
            )
        return dict(rows)

    def append(
        self,
        events: Sequence[NewEvent],
        now: datetime,
        *,
        changed_since: int | None = None,
        cards: Sequence[int] | account_index.Ints = (),
        writes: Sequence[Write] = (),
        states: Sequence[bytes] | None = None,
    ) -> Appended:
        """Append events in one transaction; durable when it returns.

        `changed_since` with `cards`: the position at which the cards were looked up. `writes`: more to do in the same
        transaction (the vault). `states`: the events' states when they were encoded before. `now` counts where
        `clock` says so.
        Raises VersionTaken, AccountIndexChanged (decide again), Refused(clock-differs, log-ahead, program-too-old),
        Unavailable(log-restored), StoreFailed (nothing was done, or it can be looked up).
        """
        if states is None:
            stored = [self.mapper.to_stored_event(cast(DomainEventProtocol[str], event)) for event in events]
        else:
            stored = [
                cast(StoredEvent, StoredRow(0, event.stream, event.version, event.name, state))
                for event, state in zip(events, states, strict=True)
            ]
        recorded_at = ""

        def prepare(tx: Transaction, head: Head) -> list[bytes]:
            nonlocal recorded_at
            self._seen(head)
            if head.position < self._highest:
                # An older log was put in the place of the one that this process wrote to.
                raise Unavailable("log-restored")
            self._highest = head.position
            if (
                changed_since is not None
                and head.changed_at > changed_since
                and account_index.changed_since(tx, cards, changed_since)
            ):
                raise AccountIndexChanged
            recorded_at = self._moment(tx, head, now)
            return stamp_all([event.state for event in stored], recorded_at)

        def complete(tx: Transaction, positions: list[int]) -> None:
            account_index.record(tx, events, positions, [recorded_at] * len(events))
            for write in writes:
                write(tx)

        try:
            # SQLite lets writers wait by sleeping; in one process a lock is fairer and quicker.
            with self._append_lock:
                positions = self.recorder.insert_events(
                    stored, prepare=prepare, complete=complete, pipelined=not writes
                )
                self._highest = positions[-1] if positions else self._highest
        except IntegrityError as error:
            raise VersionTaken(str(error)) from error
        return Appended(positions, recorded_at)

    def _moment(self, tx: Transaction, head: Head, now: datetime) -> str:
        """When what is appended now is recorded: max(clock, last). Raises Refused(clock-differs, log-ahead)."""
        if self.clock == "caller":
            return max(iso(now), head.recorded_at)
        mine = read_now()
        clock = head.clock or mine
        if abs(clock - mine) > CLOCKS_APART:
            raise Refused("clock-differs", minutes=round(abs(clock - mine).total_seconds() / 60))
        if head.recorded_at > iso(clock + CLOCKS_APART):
            accepted = tx.rows("select value from log_meta where name = 'clock_accepted'")
            if not accepted or head.recorded_at > accepted[0][0]:
                raise Refused("log-ahead", recorded_at=head.recorded_at)
        return max(iso(clock), head.recorded_at)

    def check_account_index(self) -> AccountIndexCheck:
        """Hold the account index against the log and mend it; appends wait only for what was appended meanwhile.

        The log is folded into shadow tables of one connection; under the append lock follow the last events and the
        comparison. A record that cannot be read does not stop it: what it names is left as it is, and it is told.
        Raises StoreFailed.
        """
        return account_index_check.check(self.database, self.recorder, self.read_in)

    def close(self) -> None:
        self.database.close()


def _above(prefix: str) -> str:
    """The first text above all that begin with a prefix that ends in `:`."""
    return prefix[:-1] + chr(ord(":") + 1)


def _act(tx: Transaction, act: str, by: str, detail: str) -> None:
    tx.run("insert into log_acts values (?, ?, ?, ?)", [iso(read_now()), act, by, detail])


def _where(settings: Settings) -> str:
    return str(settings.sqlite_path or "PostgreSQL")


def _database(settings: Settings, create: bool) -> Database:
    check_place(settings, create=create)
    path = settings.sqlite_path
    if path is None:
        return open_database(settings.database_url)
    return open_database(path, writer_pragmas=_WRITER_PRAGMAS, create=create)


def _create(settings: Settings, database: Database) -> None:
    with database.read() as tx:
        foreign = tx.dialect == "sqlite" and not table_exists(tx, "log_meta") and tx.rows("select 1 from sqlite_master")
    if foreign:
        raise Refused("ledger-foreign", where=str(settings.sqlite_path))
    migrations.upgrade(database)
    with database.write() as tx:
        tx.run(
            "insert into log_meta values ('log_id', ?) on conflict (name) do nothing",
            [secrets.token_hex(8)],
        )


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
