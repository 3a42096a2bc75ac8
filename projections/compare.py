"""Where two generations of a projection differ: counts over every row, and a sample with both rows.

Whether they differ at all is asked first, because nearly always they do not: on PostgreSQL by a sum of hashes of the rows
of each side, on SQLite by walking both sides in the order of the key until a row has no equal, two threads over half of
the keys. Only then are rows looked for.

Accounts that the served generation could not answer for, and events it could not apply, are expected to differ after a
repair; they are counted apart and stop nothing.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

from ledger.store.database import Database, SqliteDatabase, Transaction, failures_told
from projections import balances, entries, scheme, suspensions
from projections.generations import Generation, Store, position_in

SAMPLE = 20


class Difference(NamedTuple):
    """A row that is not the same on both sides; None where one side has none."""

    table: str
    key: tuple[Any, ...]
    live: tuple[Any, ...] | None
    rebuilt: tuple[Any, ...] | None


class Comparison(NamedTuple):
    """Rows on each side, rows that differ, rows that differ because an earlier failure was repaired, a sample."""

    live_rows: int
    rebuilt_rows: int
    differing: int
    repaired: int
    sample: list[Difference]


class _Table(NamedTuple):
    suffix: str
    key: tuple[str, ...]
    columns: tuple[str, ...]
    excused: str
    """SQL over `k`, a row with the key, and `{live}`: true when the row may differ after a repair."""


_CARD = "k.card in (select card from {live}_incomplete)"
_EVENT = "k.position in (select position from {live}_broken)"
_STREAM = "'{kind}:' || k.{column} in (select stream from {live}_broken)"

_TABLES: dict[str, tuple[_Table, ...]] = {
    "balances": (
        _Table("", balances.KEY, balances.COLUMNS, _CARD),
        _Table("_scheme", ("position",), scheme.COLUMNS, _EVENT),
    ),
    "entries": (
        _Table("", ("card", "month", "position", "line"), entries.COLUMNS, _CARD),
        _Table("_events", ("position",), (*entries.EVENT_COLUMNS, "reference"), _EVENT),
        _Table("_bases", ("card", "position", "year"), entries.BASE_COLUMNS, _CARD),
        _Table("_suspended", suspensions.KEY, suspensions.COLUMNS, _CARD),
        _Table("_ended", suspensions.ENDED_COLUMNS, suspensions.ENDED_COLUMNS, _CARD),
    ),
    "directory": (
        _Table(
            "_employers", ("npp",), ("npp", "name", "name_version", "registered_on"),
            _STREAM.replace("{kind}", "employer").replace("{column}", "npp"),
        ),
        _Table(
            "_persons", ("person",),
            ("person", "identity", "identity_version", "contact", "contact_version", "erased", "joined"),
            _STREAM.replace("{kind}", "person").replace("{column}", "person"),
        ),
        _Table("_cards", ("card",), ("card", "person", "segment", "opened_on", "legacy", "version"), _CARD),
        _Table(
            "_memberships", ("card", "version"),
            ("card", "version", "npp", "segment", "joined_on", "since", "left_on", "until", "why"), _CARD,
        ),
        _Table("_merges", ("card", "since"), ("card", "since", "into_card", "until"), _CARD),
    ),
}  # fmt: skip


def compare(seen: Sequence[Transaction], live: Generation, rebuilt: Generation) -> Comparison:
    """Compare two generations as `snapshots` see them."""
    found = [
        _equal(seen, table, live.table, rebuilt.table) or _compare(seen[0], table, live.table, rebuilt.table)
        for table in _TABLES[live.name]
    ]
    return Comparison(
        sum(one.live_rows for one in found),
        sum(one.rebuilt_rows for one in found),
        sum(one.differing for one in found),
        sum(one.repaired for one in found),
        [difference for one in found for difference in one.sample][:SAMPLE],
    )


def count(tx: Transaction, generation: Generation) -> int:
    """Rows of a generation in all its tables."""
    return sum(
        tx.rows(f"select count(*) from {generation.table}{table.suffix}")[0][0] for table in _TABLES[generation.name]
    )


@contextlib.contextmanager
def snapshots(store: Store, live: Generation, rebuilt: Generation) -> Iterator[list[Transaction]]:
    """Both generations as they are at the beginning of the block, whatever is written meanwhile; each of the snapshots
    is for one thread, and all show the same as long as nobody moves the generations while the block is entered.

    On SQLite one file is attached to a connection on the other; the first read fixes what a file shows.
    """
    with contextlib.ExitStack() as stack:
        seen: list[Transaction] = []
        for _ in range(1 if store.postgres else _THREADS):
            database: Database = store.pointers_database
            if not store.postgres:
                opened = SqliteDatabase(store.path(live), cache_mib=_CACHE_MIB)
                database = stack.enter_context(contextlib.closing(opened))
                with failures_told():
                    opened.connection().execute("attach ? as rebuilt", [str(store.path(rebuilt))])
                    opened.connection().execute(f"pragma rebuilt.cache_size = -{_CACHE_MIB * 1024}")
            tx = stack.enter_context(database.read())
            for generation in (live, rebuilt):
                position_in(tx, generation)
            seen.append(tx)
        yield seen


_TEXTS = "select attname from pg_attribute where attrelid = to_regclass(?) and atttypid = 'text'::regtype"
"""The columns of a table that hold text, on PostgreSQL: every other one is a number."""
_THREADS = 2
_CACHE_MIB = 8


def _equal(seen: Sequence[Transaction], table: _Table, live: str, rebuilt: str) -> Comparison | None:
    """The outcome when both sides hold the same rows, None when they do not."""
    old, new = f"{live}{table.suffix}", f"{rebuilt}{table.suffix}"
    if seen[0].dialect == "postgres":
        # A chain of hashes costs half of hashing a record; a sum and not an exclusive or, which two equal rows leave alone.
        texts = {name for (name,) in seen[0].rows(_TEXTS, [old])}
        row_hash = "0"
        for name in table.columns:
            row_hash = f"hash{'text' if name in texts else 'int8'}extended({name}, {row_hash})"
        digest = f"select count(*), coalesce(sum({row_hash}), 0) from "
        sides = [seen[0].rows(f"{digest}{name}")[0] for name in (old, new)]
        return Comparison(sides[0][0], sides[1][0], 0, 0, []) if sides[0] == sides[1] else None
    key = table.key[0]
    totals = [seen[0].rows(f"select count(*) from {name}")[0][0] for name in (old, new)]
    if totals[0] != totals[1]:
        return None
    # By rows and not by numbers: keys are given out in stretches, and half of the way may have all rows on one side.
    middle = seen[0].rows(f"select {key} from {old} order by {key} limit 1 offset {totals[0] // len(seen)}")

    def equal(number: int) -> bool:
        # Ordered by the key of both tables, SQLite merges the two sides: neither is sorted, no row is looked up. As many
        # rows on both sides, no key twice, each row of the one side on the other: then they are the same.
        half = f"where {key} {('<', '>=')[number]} ?"
        sides = " except ".join(f"select {', '.join(table.columns)} from {name} {half}" for name in (old, new))
        with failures_told():
            return not seen[number].rows(f"{sides} order by {', '.join(table.key)} limit 1", [*middle[0], *middle[0]])

    if middle:
        with ThreadPoolExecutor(len(seen)) as pool:
            if not all(pool.map(equal, range(len(seen)))):
                return None
    return Comparison(totals[0], totals[1], 0, 0, [])


def _compare(tx: Transaction, table: _Table, live: str, rebuilt: str) -> Comparison:
    old, new = f"{live}{table.suffix}", f"{rebuilt}{table.suffix}"
    same_key = " and ".join(f"a.{name} = b.{name}" for name in table.key)
    values = [name for name in table.columns if name not in table.key]
    differs = " or ".join(f"a.{name} <> b.{name}" for name in values) or "1 = 0"
    absent = f"b.{table.key[0]} is null"
    keys = ", ".join(f"a.{name}" for name in table.key)
    # Differing and gone rows from the old side, added ones from the new side.
    sides = (
        f"select {keys} from {old} a left join {new} b on {same_key} where {absent} or {differs}",
        f"select {keys} from {new} a left join {old} b on {same_key} where {absent}",
    )
    excused = table.excused.format(live=live)
    differing = repaired = 0
    keys_found: list[tuple[Any, ...]] = []
    for side in sides:
        for is_excused, total in tx.rows(
            f"select case when {excused} then 1 else 0 end, count(*) from ({side}) k group by 1"
        ):
            if is_excused:
                repaired += total
            else:
                differing += total
        keys_found += tx.rows(f"select * from ({side}) k where not ({excused}) limit {SAMPLE}")
    sample = [
        Difference(new.rpartition(".")[2], key, _row(tx, table, old, key), _row(tx, table, new, key))
        for key in keys_found[:SAMPLE]
    ]
    totals = [tx.rows(f"select count(*) from {name}")[0][0] for name in (old, new)]
    return Comparison(totals[0], totals[1], differing, repaired, sample)


def _row(tx: Transaction, table: _Table, name: str, key: tuple[Any, ...]) -> tuple[Any, ...] | None:
    where = " and ".join(f"{column} = ?" for column in table.key)
    rows = tx.rows(f"select {', '.join(table.columns)} from {name} where {where}", key)
    return rows[0] if rows else None
