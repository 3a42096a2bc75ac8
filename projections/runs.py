"""Money lines in the order of their cards, however many: sorted runs in a temporary file, read back in partitions.

A run holds a million lines, sorted by (card, month) and within that as the log has them. Each of its columns stands in as
few bytes as its values need; a column of one value takes none. Samples of all runs tell where to cut, so that a partition
has about a quarter of a million lines; it has all lines of its cards, and partitions come in order. What fits into one
run stays in memory. The file has no name: it is gone when the process is.
"""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ledger.errors import StoreFailed
from ledger.store.bulk import Ints
from projections.event_batch import Lines

RUN = 1_000_000
PARTITION = 250_000
_SAMPLE = 1_000
_WIDTHS = (np.int8, np.int16, np.int32)
# A card below this and a month below that make one sort key of 62 bits; every canonical card is.
_CARDS, _MONTH_BITS = 1 << 47, 15

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

Narrow = NDArray[np.signedinteger]


class _Column(NamedTuple):
    """A column of a run: in memory (or one value for all lines), or at a place in the file."""

    kind: np.dtype[np.signedinteger]
    values: Narrow | None
    place: int = 0


class _Run(NamedTuple):
    lines: int
    columns: dict[str, _Column]


class Runs:
    """Lines that are added in log order and come back in the order of their cards. `reads`: the columns that are kept,
    the others come back as zeros. `place`: the folder of the file, None for the system's.

    Raises OSError when there is no space.
    """

    def __init__(self, reads: Collection[str], place: Path | None, *, run: int = 0, partition: int = PARTITION) -> None:
        self.names = [name for name in Lines._fields if name in {"card", "month", *reads}]
        self.lines = 0
        self._place, self._run, self._partition = place, run or RUN, partition
        self._file: IO[bytes] | None = None
        self._runs: list[_Run] = []
        self._samples: list[Ints] = []
        self._buffer: list[dict[str, Narrow]] = []
        self._buffered = 0

    def add(self, lines: Lines) -> None:
        """Take lines, later in the log than those before."""
        count = len(lines.card)
        if not count:
            return
        self.lines += count
        self._buffer.append({name: _narrow(getattr(lines, name)) for name in self.names})
        self._buffered += count
        if self._buffered >= self._run:
            self._end_run(keep=False)

    def partitions(self) -> Iterator[Lines]:
        """All lines, in order; afterwards there are none."""
        self._end_run(keep=not self._runs)
        if not self._runs:
            return
        cuts = self._cuts()
        edges = []
        for run in self._runs:
            inner = np.searchsorted(_read(self._file, run, "card", 0, run.lines), cuts).tolist()
            edges.append([0, *inner, run.lines])
        for i in range(len(cuts) + 1):
            yield self._partition_of([(run, edge[i], edge[i + 1]) for run, edge in zip(self._runs, edges, strict=True)])

    def close(self) -> None:
        """Give the file's space back."""
        if self._file is not None:
            self._file.close()

    def _end_run(self, *, keep: bool) -> None:
        buffer, self._buffer, self._buffered = self._buffer, [], 0
        if not buffer:
            return
        # Column by column, so that the lines are never all there twice.
        card, month = (np.concatenate([part[name] for part in buffer]).astype(np.int64) for name in ("card", "month"))
        order = _order(card, month)
        self._samples.append(card[order][:: min(_SAMPLE, self._partition)])
        del card, month
        columns: dict[str, _Column] = {}
        for name in self.names:
            values = np.concatenate([part.pop(name) for part in buffer])
            columns[name] = self._stored(values if order is None else values[order], keep)
        self._runs.append(_Run(len(order), columns))

    def _stored(self, values: Narrow, keep: bool) -> _Column:
        if values.min() == values.max():
            return _Column(values.dtype, np.broadcast_to(values[0], len(values)))
        if keep:
            return _Column(values.dtype, values)
        if self._file is None:
            # Without a buffer: what could not be written must not be tried again when the file is closed.
            self._file = tempfile.TemporaryFile(dir=self._place, buffering=0)  # noqa: SIM115 - as long as the runs
        place = self._file.seek(0, os.SEEK_END)
        rest = np.ascontiguousarray(values).data.cast("B")
        while rest:
            rest = rest[self._file.write(rest) :]
        return _Column(values.dtype, None, place)

    def _cuts(self) -> Ints:
        """The first card of every partition but the first."""
        samples = np.sort(np.concatenate(self._samples))
        each = max(1, self._partition // min(_SAMPLE, self._partition))
        return np.unique(samples[each::each])

    def _partition_of(self, slices: list[tuple[_Run, int, int]]) -> Lines:
        found: dict[str, Ints] = {}
        order: Ints | None = None
        for name in ("card", "month", *(name for name in self.names if name not in ("card", "month"))):
            parts = [_read(self._file, run, name, low, high) for run, low, high in slices if low < high]
            values = np.concatenate(parts) if parts else np.zeros(0, np.int64)
            found[name] = (values if order is None else values[order]).astype(np.int64)
            if name == "month" and len(parts) > 1:
                order = _order(found["card"], found["month"])
                found = {name: values[order] for name, values in found.items()}
        none = np.broadcast_to(np.int64(0), len(found["card"]))
        return Lines(**{name: found.get(name, none) for name in Lines._fields})


@contextmanager
def disk_told() -> Iterator[None]:
    """A disk without space for a run raises StoreFailed(disk-full)."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise StoreFailed("disk-full") from error
        raise


def _order(card: Ints, month: Ints) -> Ints:
    """The order of (card, month) that leaves equal ones as they are."""
    if len(card) and card.max() < _CARDS:
        return np.argsort((card << _MONTH_BITS) | month, kind="stable")
    return np.lexsort((month, card))


def _narrow(values: Ints) -> Narrow:
    """The values in as few bytes as they need."""
    least, greatest = int(values.min()), int(values.max())
    for width in _WIDTHS:
        limits = np.iinfo(width)
        if limits.min <= least and greatest <= limits.max:
            return values.astype(width)
    return values


def _read(file: IO[bytes] | None, run: _Run, name: str, low: int, high: int) -> Narrow:
    """Some values of a column. Not a memory map: every page of it that was read would count as memory."""
    column = run.columns[name]
    if column.values is not None:
        return column.values[low:high]
    assert file is not None
    size = column.kind.itemsize
    return np.frombuffer(os.pread(file.fileno(), (high - low) * size, column.place + low * size), column.kind)
