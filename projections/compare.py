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
from typing import Any, NamedTuple

from ledger.store.database import Transaction
from ledger.store.same_rows import same_rows
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
    """
    with contextlib.ExitStack() as stack:
        seen: list[Transaction] = []
        for database in stack.enter_context(store.place.views(live, rebuilt)):
            tx = stack.enter_context(database.read())
            for generation in (live, rebuilt):
                position_in(tx, generation)
            seen.append(tx)
        yield seen


def _equal(seen: Sequence[Transaction], table: _Table, live: str, rebuilt: str) -> Comparison | None:
    """The outcome when both sides hold the same rows, None when they do not."""
    old, new = f"{live}{table.suffix}", f"{rebuilt}{table.suffix}"
    rows = same_rows(seen, old, new, table.columns, table.key)
    return None if rows is None else Comparison(rows, rows, 0, 0, [])


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
