"""`balances`: one additive row per card, epoch, sub-account and year of the paid date.

    employer, worker     contributed rupiah; a reversal subtracts
    credited             yield that an opening balance brought in
    weighted             sum of amount * (12 - paid month): what a year's yield is computed from
    paid_out             rupiah paid out
    months               months contributed
    last                 newest contribution, packed by `pack_last`; 0 for none
    reversals            reversed lines: above 0 `last` may be gone, and is read from `entries`
    version              newest log position that touched the row

Every column is a sum or a maximum, so pages fold in any order and cut, and across processes. Sub-account 0 is utama,
1 tambahan. A line's `tambahan` is the part of its total that belongs to sub-account 1, taken from the worker's share
first, then from the employer's. Folds look at nothing but the events.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from ledger.store.database import Transaction
from projections import bulk
from projections.event_batch import OPENING, REVERSED, EventBatch, Lines
from projections.generations import Generation

Ints = NDArray[np.int64]
Columns = dict[str, Ints]

KEY = ("card", "epoch", "sub", "year")
SUMS = ("employer", "worker", "credited", "weighted", "paid_out", "months", "reversals")
MAXIMA = ("last", "version")
COLUMNS = (*KEY, "employer", "worker", "credited", "weighted", "paid_out", "months", "last", "reversals", "version")
TYPES = "bigint int smallint smallint bigint bigint bigint bigint bigint int bigint int bigint"
_COMPACT_FROM = 1_000_000
_SLICE = 200_000
_NPP_BITS, _DAY_BITS = 27, 16
# A canonical card has 37 bits; the other three parts of the key fit into what is left of a positive 64-bit number.
_CANONICAL, _EPOCHS, _EPOCH_BITS, _YEAR_BITS = 1 << 37, 1 << 11, 11, 14


def schema(generation: Generation) -> str:
    """The table, still without its key on PostgreSQL: rows are loaded first."""
    fields = ", ".join(f"{name} {kind} not null" for name, kind in zip(COLUMNS, TYPES.split(), strict=True))
    return f"create table {generation.table} ({fields}"


def tables(generation: Generation, dialect: str) -> str:
    key = f"primary key ({', '.join(KEY)})"
    return schema(generation) + (f", {key}) without rowid" if dialect == "sqlite" else ")")


def indexes(generation: Generation, dialect: str) -> str:
    """What is added after the rows were loaded."""
    if dialect == "sqlite":
        return ""
    return f"alter table {generation.table} add primary key ({', '.join(KEY)})"


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
    event = lines.event
    paid_month = lines.paid_month[event]
    type_ = lines.type[event]
    opening = type_ >= OPENING
    total = lines.employer + lines.worker
    sign = np.where(total < 0, -1, 1)
    tambahan = np.minimum(np.abs(lines.tambahan), np.abs(total))
    from_worker = np.minimum(tambahan, np.abs(lines.worker)) * sign
    from_employer = tambahan * sign - from_worker
    weight = np.where(opening, 0, 12 - (paid_month % 12 + 1))
    positive = ~opening & (total > 0)
    packed = pack_last(lines.month, lines.paid_on, lines.npp)[event]
    columns = {
        "card": lines.card,
        "epoch": lines.epoch.astype(np.int32),
        "sub": np.zeros(len(total), np.int16),
        "year": (paid_month // 12).astype(np.int16),
        "employer": lines.employer - from_employer,
        "worker": lines.worker - from_worker,
        "credited": np.where(opening, lines.credited[event], 0) if opening.any() else _zeros(total),
        "weighted": (total - from_worker - from_employer) * weight,
        "paid_out": _zeros(total),
        "months": lines.months.astype(np.int32),
        "last": np.where(positive, packed, 0),
        "reversals": (type_ == REVERSED).astype(np.int32),
        "version": lines.position[event],
    }
    second = np.flatnonzero(tambahan)
    if len(second):
        none = _zeros(second)
        other = {name: values[second] for name, values in columns.items()} | {
            "sub": np.ones(len(second), np.int16),
            "employer": from_employer[second],
            "worker": from_worker[second],
            "weighted": (from_worker + from_employer)[second] * weight[second],
            "credited": none,
            "months": none.astype(np.int32),
            "last": none,
            "reversals": none.astype(np.int32),
        }
        columns = {name: np.concatenate([values, other[name]]) for name, values in columns.items()}
    return columns


def _zeros(like: Ints) -> Ints:
    """As many zeros, in no memory: most columns of most logs hold nothing else."""
    return np.broadcast_to(np.int64(0), len(like))


def merge(parts: Sequence[Columns]) -> Columns:
    """Rows with equal keys summed, sorted by the key. Any order and cut of the parts gives the same."""
    return _merge([dict(part) for part in parts])


def _merge(parts: list[Columns]) -> Columns:
    """`merge`, taking the columns out of the parts one by one, so that they are never all there twice."""
    keys = {name: np.concatenate([part.pop(name) for part in parts]) for name in KEY}
    if not len(keys["card"]):
        return keys | {name: np.concatenate([part[name] for part in parts]) for name in COLUMNS[len(KEY) :]}
    order, starts = _groups(keys)
    merged = {name: values[order[starts]] for name, values in keys.items()}
    del keys
    for name in COLUMNS[len(KEY) :]:
        values = np.concatenate([part.pop(name) for part in parts])
        if not values.any():
            merged[name] = _zeros(starts)
        elif name in MAXIMA:
            merged[name] = np.maximum.reduceat(values[order], starts)
        else:
            merged[name] = np.add.reduceat(values[order], starts)
    return merged


def _groups(columns: Columns) -> tuple[Ints, Ints]:
    """An order that sorts by the key, and where in it each new key starts."""
    card, epoch, sub, year = (columns[name].astype(np.int64, copy=False) for name in KEY)
    rest = (((epoch << 1) | sub) << _YEAR_BITS) | year
    if card.max() < _CANONICAL and epoch.max() < _EPOCHS:
        key = (card << (_EPOCH_BITS + 1 + _YEAR_BITS)) | rest
        order = np.argsort(key)
        key = key[order]
        return order, np.flatnonzero(np.concatenate([[True], key[1:] != key[:-1]]))
    order = np.lexsort((rest, card))
    card, rest = card[order], rest[order]
    return order, np.flatnonzero(np.concatenate([[True], (card[1:] != card[:-1]) | (rest[1:] != rest[:-1])]))


def apply(tx: Transaction, generation: Generation, page: EventBatch) -> None:
    """Add a page to a generation's rows."""
    if not len(page.lines.card):
        return
    table, best = generation.table, "max" if tx.dialect == "sqlite" else "greatest"
    own = table.rpartition(".")[2]
    changes = [f"{name} = {own}.{name} + excluded.{name}" for name in SUMS]
    changes += [f"{name} = {best}({own}.{name}, excluded.{name})" for name in MAXIMA]
    bulk.upsert(
        tx, table, merge([fold(page.lines)]), f"on conflict ({', '.join(KEY)}) do update set {', '.join(changes)}"
    )


class Build:
    """The fold of a whole log in memory: as many rows as there are keys, plus a buffer."""

    def __init__(self) -> None:
        self._merged: list[Columns] = []
        self._buffer: list[Columns] = []
        self._buffered = 0

    def add(self, columns: Columns) -> None:
        """Take the changes of `fold`, or rows that were merged elsewhere."""
        if not len(columns["card"]):
            return
        # A dictionary of our own: merging takes it apart.
        self._buffer.append(dict(columns))
        self._buffered += len(columns["card"])
        if self._buffered >= _COMPACT_FROM:
            self._compact()

    def _compact(self) -> None:
        parts = self._merged + self._buffer
        self._merged, self._buffer, self._buffered = [], [], 0
        self._merged = [_merge(parts)]

    def parts(self) -> Iterator[Columns]:
        """Everything, merged and sorted, in slices; the build is empty afterwards."""
        if self._buffer:
            self._compact()
        merged, self._merged = self._merged, []
        for columns in merged:
            for start in range(0, len(columns["card"]), _SLICE):
                yield {name: values[start : start + _SLICE] for name, values in columns.items()}

    def write(self, tx: Transaction, generation: Generation) -> None:
        """Load everything, sorted."""
        for part in self.parts():
            bulk.load(tx, generation.table, part, TYPES)
