"""The typed table that every reader fills, and the blocks it is gathered from."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..errors import Problem
from .cells import EMPTY, Bad, Value, read_cell
from .columns import LAYOUTS, Column

Ints = NDArray[Any]

PROBLEMS_KEPT = 10_000
STORED: dict[str, Any] = {
    "rupiah": np.int64,
    "count": np.int64,
    "kpj": np.int64,
    "npp": np.int64,
    "month": np.int64,
    "birth": np.int64,
    "date": np.int64,
    "kind": np.int8,
    "segment": np.int8,
    "sex": np.int8,
}
NARROW: dict[str, Any] = {"npp": np.int32, "month": np.int32, "birth": np.int32, "date": np.int32}
CODED = ("division", "reference")
_REPEATED = {*CODED, "npp", "month", "birth", "date", "kind", "segment", "sex"}
_CACHED_TEXTS = 100_000


class Coded(NamedTuple):
    """A column of few distinct texts: `texts[codes[row]]`; the code is -1 where the cell cannot be read."""

    codes: Ints
    texts: list[str]


@dataclass
class Table:
    """A whole input, read. All columns of the layout are there; one the input lacks is empty in every row.

    `lines`: int64, the file line of each row (header = 1; in a JSON array the element's number from 1). `columns`:
    int64 for money (-1 = empty), card numbers, npp (0 = empty), month numbers and days; int8 for kind, segment, sex
    (places in KINDS, SEGMENTS, SEXES); `Coded` for division and reference; a list of str for the rest. A number that
    cannot be read is -1, a text is ''; `bad` is then True for its row. `problems` holds the first 10,000 by line,
    `counts` says how many there are of each code.
    """

    layout: str
    lines: Ints
    columns: dict[str, Any]
    problems: list[Problem]
    bad: NDArray[np.bool_]
    counts: dict[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.lines)


class Memory:
    """What one column's texts mean, kept for a whole file: most files repeat few months, dates and references."""

    def __init__(self, column: Column) -> None:
        self.column = column
        self.texts: list[str] = []
        self._codes: dict[str, int] = {}
        self._known: dict[str, Value | Bad] = {}
        self._lock = Lock()
        self._room = _CACHED_TEXTS if column.type in _REPEATED else 0
        if column.type in CODED:
            self.code(str(EMPTY[column.type]))

    def code(self, text: str) -> int:
        """The code of a clean text; two threads asking for a new one get the same."""
        code = self._codes.get(text)
        if code is None:
            with self._lock:
                code = self._codes.setdefault(text, len(self.texts))
                if code == len(self.texts):
                    self.texts.append(text)
        return code

    def read(self, raw: str) -> Value | Bad:
        """`read_cell`, with a clean text's code in place of the text for coded columns."""
        value = self._known.get(raw)
        if value is None:
            value = read_cell(self.column, raw)
            if isinstance(value, str) and self.column.type in CODED:
                value = self.code(value)
            if len(self._known) < self._room:
                self._known[raw] = value
        return value


class Found(NamedTuple):
    """A problem inside a block: `row` from 0, `place` = the column's place in the layout (-1 = the whole row)."""

    row: int
    place: int
    bad: Bad


@dataclass
class Block:
    """Some rows, typed and narrow. `values`: per column an array, codes or a list of str."""

    lines: Ints
    values: dict[str, Any]
    found: list[Found]


class Gathering:
    """Blocks in file order -> one table."""

    def __init__(self, layout: str) -> None:
        self.layout = layout
        self.columns = LAYOUTS[layout]
        self.memories = {column.name: Memory(column) for column in self.columns}
        self.rows = 0
        self._blocks: list[Block] = []
        self._problems: list[Problem] = []
        self._bad_rows: list[Ints] = []
        self._counts: Counter[str] = Counter()

    def add(self, block: Block) -> None:
        """Take the next block of the input."""
        if block.found:
            self._take_problems(block)
        self.rows += len(block.lines)
        block.found = []
        self._blocks.append(block)

    def _take_problems(self, block: Block) -> None:
        found = sorted(block.found, key=lambda one: (one.row, one.place))
        self._counts.update(one.bad.code for one in found)
        self._bad_rows.append(np.array([one.row for one in found], np.int64) + self.rows)
        for one in found[: PROBLEMS_KEPT - len(self._problems)]:
            name = self.columns[one.place].name if one.place >= 0 else ""
            self._problems.append(Problem(one.bad.code, int(block.lines[one.row]), name, one.bad.details))

    def table(self) -> Table:
        """Everything gathered; the blocks are given up column by column, so memory is not held twice."""
        blocks, self._blocks = self._blocks, []
        bad = np.zeros(self.rows, np.bool_)
        for rows in self._bad_rows:
            bad[rows] = True
        lines = _joined([block.lines for block in blocks], np.int64)
        for block in blocks:
            block.lines = np.empty(0, np.int32)
        columns = {column.name: self._column(column, blocks) for column in self.columns}
        return Table(self.layout, lines, columns, self._problems, bad, dict(self._counts))

    def _column(self, column: Column, blocks: list[Block]) -> Any:
        name, kind = column.name, column.type
        here = [block.values.pop(name) for block in blocks if name in block.values]
        if kind in CODED:
            codes = _joined(here, np.int32) if here else np.zeros(self.rows, np.int32)
            return Coded(codes, self.memories[name].texts)
        if kind in STORED:
            return _joined(here, STORED[kind]) if here else np.full(self.rows, EMPTY[kind], STORED[kind])
        return [text for part in here for text in part] if here else [""] * self.rows


def _joined(parts: list[Ints], dtype: Any) -> Ints:
    """One array of the parts, which are emptied on the way."""
    if len(parts) == 1:
        return parts[0].astype(dtype, copy=False)
    whole, at = np.empty(sum(map(len, parts)), dtype), 0
    for place, part in enumerate(parts):
        whole[at : at + len(part)] = part
        at += len(part)
        parts[place] = part[:0]
    return whole
