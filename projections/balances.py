"""`balances`: one additive row per card, epoch, sub-account and year of the paid date.

    employer, worker     contributed rupiah; a reversal subtracts
    credited             yield that an opening balance brought in
    weighted             sum of amount * (12 - paid month), and the bases of an opening balance in their years: what a
                         year's yield is computed from (`ledger/yields.py`)
    paid_out             rupiah paid out
    months               months contributed
    last                 newest contribution, packed by `pack_last`; 0 for none
    reversals            reversed lines: above 0 `last` may be gone, and is read from `entries`
    version              newest log position that touched the row

`<balances>_scheme` has what was declared for everybody (`scheme.py`): a year's yield is in no row, it is worked out when a
balance is asked for. Every column here is a sum or a maximum, so batches fold in any order and cut. Sub-account 0 is utama,
1 tambahan. A line's `tambahan` is the part of its total that belongs to sub-account 1, taken from the worker's share first,
then from the employer's. Folds look at nothing but the events.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ledger.store import bulk
from ledger.store.bulk import Columns, Ints
from ledger.store.database import Transaction
from ledger.store.dialect import Dialect
from projections import scheme
from projections.event_batch import BASE, OPENING, REVERSED, EventBatch, Lines
from projections.generations import Generation

KEY = ("card", "epoch", "sub", "year")
SUMS = ("employer", "worker", "credited", "weighted", "paid_out", "months", "reversals")
MAXIMA = ("last", "version")
COLUMNS = (*KEY, "employer", "worker", "credited", "weighted", "paid_out", "months", "last", "reversals", "version")
TYPES = "bigint int smallint smallint bigint bigint bigint bigint bigint int bigint int bigint"
READS = (
    "card", "employer", "worker", "tambahan", "epoch", "months", "position", "type", "month", "paid_on", "paid_month",
    "npp", "credited", "credited_tambahan",
)  # fmt: skip
"""The columns of lines that `fold` reads."""
_NPP_BITS, _DAY_BITS = 27, 16
# A canonical card has 37 bits; the other three parts of the key fit into what is left of a positive 64-bit number.
_CANONICAL, _EPOCHS, _EPOCH_BITS, _YEAR_BITS = 1 << 37, 1 << 11, 11, 14


def schema(generation: Generation) -> str:
    """The table, still without its end: where rows have no order it gets its key after they were loaded."""
    fields = ", ".join(f"{name} {kind} not null" for name, kind in zip(COLUMNS, TYPES.split(), strict=True))
    return f"create table {generation.table} ({fields}"


def tables(generation: Generation, dialect: Dialect) -> str:
    return f"{schema(generation)}{dialect.key_at_once(', '.join(KEY))};{scheme.table(generation)}"


def indexes(generation: Generation, dialect: Dialect) -> str:
    """What is added after the rows were loaded."""
    return dialect.key_later(generation.table, ", ".join(KEY))


def pack_last(month: Ints, paid_on: Ints, npp: Ints) -> Ints:
    """(month, paid day, npp) as one number that sorts as they do, so that the newest is a plain maximum."""
    days = np.clip(paid_on, 0, (1 << _DAY_BITS) - 1)
    return (month << (_NPP_BITS + _DAY_BITS)) | (days << _NPP_BITS) | npp


def unpack_last(packed: int) -> tuple[int, int, int]:
    """(month number, paid day number, npp) of a packed `last`."""
    return (
        packed >> (_NPP_BITS + _DAY_BITS),
        (packed >> _NPP_BITS) & ((1 << _DAY_BITS) - 1),
        packed & ((1 << _NPP_BITS) - 1),
    )


def fold(lines: Lines) -> Columns:
    """The changes some lines make: one row per line and sub-account, not summed yet."""
    opening = lines.type >= OPENING
    total = lines.employer + lines.worker
    weight = np.where(opening, 0, 12 - (lines.paid_month % 12 + 1))
    packed = pack_last(lines.month, lines.paid_on, lines.npp)
    columns = {
        "card": lines.card,
        "epoch": lines.epoch,
        "sub": _zeros(total),
        "year": lines.paid_month // 12,
        "employer": lines.employer,
        "worker": lines.worker,
        "credited": lines.credited,
        "weighted": total * weight,
        "paid_out": _zeros(total),
        "months": lines.months,
        "last": np.where(~opening & (total > 0), packed, 0),
        "reversals": (lines.type == REVERSED).astype(np.int64),
        "version": lines.position,
    }
    base = lines.type == BASE
    brought_second = lines.credited_tambahan
    if base.any():
        # A base weighs in its year, and is no money.
        columns["weighted"] = np.where(base, lines.credited, columns["weighted"])
        columns["credited"] = np.where(base, 0, lines.credited)
        brought_second = np.where(base, 0, brought_second)
    second = np.flatnonzero(((lines.tambahan != 0) & (total != 0)) | (lines.credited_tambahan != 0))
    if not len(second):
        return columns
    both, worker = total[second], lines.worker[second]
    sign = np.where(both < 0, -1, 1)
    tambahan = np.minimum(np.abs(lines.tambahan[second]), np.abs(both))
    from_worker = np.minimum(tambahan, np.abs(worker)) * sign
    from_employer = tambahan * sign - from_worker
    none = _zeros(second)
    moved = {
        "employer": from_employer,
        "worker": from_worker,
        "credited": brought_second[second],
        "weighted": np.where(base[second], lines.credited_tambahan[second], tambahan * sign * weight[second]),
    }
    other = {name: values[second] for name, values in columns.items()} | moved
    other |= {"sub": np.ones(len(second), np.int64), "months": none, "last": none, "reversals": none}
    for name, values in moved.items():
        columns[name] = columns[name].copy()
        columns[name][second] -= values
    return {name: np.concatenate([values, other[name]]) for name, values in columns.items()}


def _zeros(like: Ints) -> Ints:
    """As many zeros, in no memory: most columns of most logs hold nothing else."""
    return np.broadcast_to(np.int64(0), len(like))


def merge(parts: Sequence[Columns]) -> Columns:
    """Rows with equal keys summed, sorted by the key. Any order and cut of the parts gives the same."""
    given = {name: np.concatenate([part[name] for part in parts]) if parts[1:] else parts[0][name] for name in COLUMNS}
    if not len(given["card"]):
        return given
    order, starts = _groups(given)
    merged: Columns = {}
    for name, unordered in given.items():
        values = unordered if order is None else unordered[order]
        if name in KEY:
            merged[name] = values[starts]
        elif not values.any():
            merged[name] = _zeros(starts)
        else:
            merged[name] = (np.maximum if name in MAXIMA else np.add).reduceat(values, starts)
    return merged


def _groups(columns: Columns) -> tuple[Ints | None, Ints]:
    """An order that sorts by the key (None: it is sorted already), and where in it each new key starts."""
    card, epoch, sub, year = (columns[name] for name in KEY)
    rest = (((epoch << 1) | sub) << _YEAR_BITS) | year
    order: Ints | None = None
    if card.max() < _CANONICAL and epoch.max() < _EPOCHS:
        key = (card << (_EPOCH_BITS + 1 + _YEAR_BITS)) | rest
        if (key[1:] < key[:-1]).any():
            order = np.argsort(key)
            key = key[order]
        return order, np.flatnonzero(np.concatenate([[True], key[1:] != key[:-1]]))
    order = np.lexsort((rest, card))
    card, rest = card[order], rest[order]
    return order, np.flatnonzero(np.concatenate([[True], (card[1:] != card[:-1]) | (rest[1:] != rest[:-1])]))


def apply(tx: Transaction, generation: Generation, page: EventBatch) -> None:
    """Add a page to a generation's rows."""
    scheme.write(tx, generation, page.scheme)
    if not len(page.lines.card):
        return
    table = generation.table
    own = table.rpartition(".")[2]
    changes = [f"{name} = {own}.{name} + excluded.{name}" for name in SUMS]
    changes += [f"{name} = {tx.dialect.greatest}({own}.{name}, excluded.{name})" for name in MAXIMA]
    bulk.upsert(
        tx, table, merge([fold(page.lines)]), f"on conflict ({', '.join(KEY)}) do update set {', '.join(changes)}"
    )
