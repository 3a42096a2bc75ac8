"""Whether two tables hold the same rows, told quickly: by a hash where the store makes one, else by merging them."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from ledger.store.database import Transaction, failures_told
from ledger.store.dialect import Dialect

_TEXTS = "select attname from pg_attribute where attrelid = to_regclass(?) and atttypid = 'text'::regtype"
"""The columns of a table that hold text, on PostgreSQL: every other one is a number."""


def same_rows(
    seen: Sequence[Transaction], old: str, new: str, columns: Sequence[str], key: Sequence[str]
) -> int | None:
    """How many rows two tables have when they have the same, None when they do not.

    `seen`: snapshots of one moment, as many threads compare. `key`: no two rows of a table have the same.
    """
    way = _by_hash if seen[0].dialect is Dialect.POSTGRES else _by_merging
    return way(seen, old, new, columns, key)


def _by_hash(seen: Sequence[Transaction], old: str, new: str, columns: Sequence[str], key: Sequence[str]) -> int | None:
    """A chain of hashes costs half of hashing a record; a sum and not an exclusive or, which two equal rows leave alone."""
    del key
    texts = {name for (name,) in seen[0].rows(_TEXTS, [old])}
    row_hash = "0"
    for name in columns:
        row_hash = f"hash{'text' if name in texts else 'int8'}extended({name}, {row_hash})"
    digest = f"select count(*), coalesce(sum({row_hash}), 0) from "
    one, other = (seen[0].rows(f"{digest}{name}")[0] for name in (old, new))
    return int(one[0]) if one == other else None


def _by_merging(
    seen: Sequence[Transaction], old: str, new: str, columns: Sequence[str], key: Sequence[str]
) -> int | None:
    first = key[0]
    one, other = (seen[0].rows(f"select count(*) from {name}")[0][0] for name in (old, new))
    if one != other:
        return None
    # By rows and not by numbers: keys are given out in stretches, and half of the way may have all rows on one side.
    cuts = [
        seen[0].rows(f"select {first} from {old} order by {first} limit 1 offset {one * number // len(seen)}")
        for number in range(1, len(seen) if one else 0)
    ]
    edges = [cut[0][0] for cut in cuts]

    def equal(number: int) -> bool:
        # Ordered by the key of both tables, SQLite merges the two sides: neither is sorted, no row is looked up. As many
        # rows on both sides, no key twice, each row of the one side on the other: then they are the same.
        low, high = edges[number - 1 : number] if number else [], edges[number : number + 1]
        within = " and ".join([f"{first} >= ?"] * len(low) + [f"{first} < ?"] * len(high))
        where = f"where {within}" if within else ""
        sides = " except ".join(f"select {', '.join(columns)} from {name} {where}" for name in (old, new))
        with failures_told():
            return not seen[number].rows(f"{sides} order by {', '.join(key)} limit 1", [*low, *high] * 2)

    parts = range(len(edges) + 1 if one else 0)
    if len(seen) == 1:
        return int(one) if all(map(equal, parts)) else None
    with ThreadPoolExecutor(len(seen)) as pool:
        return int(one) if all(pool.map(equal, parts)) else None
