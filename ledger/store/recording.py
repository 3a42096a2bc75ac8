"""What the recorders of both stores have beyond the library's: bulk and sets, under the append lock.

`select_events` and the names of tables and columns are the library's. Its `insert_events` and `select_notifications` are
replaced: many rows a statement, positions without gaps that are given under the append lock, and hooks for what belongs
into the same transaction. `select_streams` is added: the events of many streams in one read. Nothing is tried again: an
append whose answer was lost would come back as a conflict.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple, cast

from eventsourcing.persistence import Notification, StoredEvent

from ledger.store.codec import StoredRow, recorded_at_of
from ledger.store.database import Database
from ledger.store.transaction import Column, Transaction

PREFIX = 60
"""Bytes of a state in which its `recorded_at` stands."""


_FIELDS = "e.{key}, e.originator_id, e.originator_version, e.topic, e.state"


class Head(NamedTuple):
    """The log as an append finds it, under the lock. `recorded_at` is "" in an empty log; `changed_at`: the newest
    position that changed a card; `clock`: the store's own, None where it has none."""

    position: int
    recorded_at: str
    changed_at: int
    log_id: str
    schema: int
    clock: datetime | None


Prepare = Callable[[Transaction, Head], Sequence[bytes]]
"""Called under the lock before anything is written: the states as they shall be stored, one for each event."""
Complete = Callable[[Transaction, list[int]], None]
"""Called with the positions of the events, in the transaction that wrote them."""


def text_head(table: str, key: str, prefix: str, clock: str) -> str:
    """The query of a Head; `prefix` and `clock` in the store's own SQL."""
    return (
        f"select coalesce((select max({key}) from {table}), 0), "
        f"(select {prefix} from {table} order by {key} desc limit 1), "
        "(select max(changed_at) from account_index_cards), "
        "(select value from log_meta where name = 'log_id'), "
        f"(select value from log_meta where name = 'schema_version'), {clock}"
    )


def _head_of(row: Sequence[Any]) -> Head:
    position, prefix, changed_at, log_id, schema, clock = row
    moment = datetime.fromisoformat(clock).replace(tzinfo=UTC) if clock else None
    return Head(position, recorded_at_of(bytes(prefix)) if prefix else "", changed_at or 0, log_id, int(schema), moment)


def _columns(
    stored_events: Sequence[StoredEvent], states: Sequence[bytes], positions: Sequence[int]
) -> dict[str, Sequence[Any]]:
    return {
        "originator_id": [event.originator_id for event in stored_events],
        "originator_version": [event.originator_version for event in stored_events],
        "topic": [event.topic for event in stored_events],
        "state": states,
        "position": positions,
    }


class Recorded:
    """What reads the log the same way on both stores; stands before the library's recorder among the bases."""

    database: Database
    key: str
    events_table_name: str
    _head: str

    def lock(self, tx: Transaction) -> None:
        """Take the append lock until the transaction ends."""
        raise NotImplementedError

    def write_rows(self, tx: Transaction, columns: dict[str, Sequence[Any]]) -> None:
        """Insert whole columns."""
        raise NotImplementedError

    def head_in(self, tx: Transaction) -> Head:
        """The head as a transaction sees it."""
        return _head_of(tx.rows(self._head)[0])

    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> list[Notification]:
        """The library's, on tuples: StoredRow has what a Notification has, and rows by name cost more than their page."""
        first = None if start is None else start - inclusive_of_start
        with self.database.read() as tx:
            return cast(list[Notification], select_rows(self, tx, first, limit, stop, topics))


def insert(
    recorder: Recorded,
    tx: Transaction,
    stored_events: Sequence[StoredEvent],
    prepare: Prepare | None,
    complete: Complete | None,
) -> list[int]:
    """Append in a transaction that writes; the positions."""
    recorder.lock(tx)
    head = recorder.head_in(tx)
    states = [event.state for event in stored_events] if prepare is None else prepare(tx, head)
    positions = list(range(head.position + 1, head.position + 1 + len(stored_events)))
    recorder.write_rows(tx, _columns(stored_events, states, positions))
    if complete is not None:
        complete(tx, positions)
    return positions


def select_rows(
    recorder: Recorded, tx: Transaction, after: int | None, limit: int, stop: int | None, topics: Sequence[str] = ()
) -> list[StoredRow]:
    """Stored rows with `after` < position <= `stop`, in order, at most `limit`, of some topics or all."""
    where, params = [f"{recorder.key} > ?"], list[Any]([after or 0])
    if stop is not None:
        where, params = [*where, f"{recorder.key} <= ?"], [*params, stop]
    if topics:
        given, more = tx.relation(name=("text", list(topics)))
        where, params = [*where, f"topic in (select name from {given} t)"], [*params, *more]
    rows = tx.rows(
        f"select {_FIELDS.format(key=recorder.key)} from {recorder.events_table_name} e "
        f"where {' and '.join(where)} order by {recorder.key} limit ?",
        [*params, limit],
    )
    return [StoredRow(*row) for row in rows]


def select_streams(
    recorder: Recorded, tx: Transaction, names: Sequence[str], since: Mapping[str, int] | None = None
) -> list[StoredRow]:
    """The events of many streams in one read, ordered by stream and version; `since`: from a version on of each."""
    # Sorted names: the index is read once, in order.
    wanted = sorted(set(names))
    columns: dict[str, tuple[str, Column]] = {"name": ("text", wanted)}
    if since is not None:
        columns["since"] = ("bigint", [since[name] for name in wanted])
    given, params = tx.relation(**columns)
    rows = tx.rows(
        f"select {_FIELDS.format(key=recorder.key)} from {given} q "
        f"join {recorder.events_table_name} e on e.originator_id = q.name "
        f"{'and e.originator_version >= q.since ' if since is not None else ''}"
        "order by e.originator_id, e.originator_version",
        params,
    )
    return [StoredRow(*row) for row in rows]
