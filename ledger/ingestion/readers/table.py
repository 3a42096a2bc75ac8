"""The typed table that every reader fills, and the blocks it is gathered from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ledger.errors import Problem, Refused
from ledger.fields import EMPTY, Bad, Value, read_cell
from ledger.layouts import READABLE, Column
from ledger.receipt import Receipt

Ints = NDArray[Any]

PROBLEMS_KEPT = 10_000
UNREADABLE_MOST = 100_000
"""Rows that cannot be read, or hold nothing, before a file is given up of which they are more than half."""
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
    "yes": np.int8,
    "year": np.int16,
}
NARROW: dict[str, Any] = {"npp": np.int32, "month": np.int32, "birth": np.int32, "date": np.int32}
CODED = ("division", "reference")
_REPEATED = {*CODED, "npp", "month", "birth", "date", "kind", "segment", "sex", "yes", "year", "leaving"}
_CACHED_TEXTS = 100_000
_CACHED_LENGTH = 64


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
    `counts` says how many cells have each code and `line_counts` how many lines, `columns_of` in which columns.
    `reason` has one entry a bad row, in their order: the place in `reasons` of the first thing that is wrong with it.
    """

    layout: str
    lines: Ints
    columns: dict[str, Any]
    problems: list[Problem]
    bad: NDArray[np.bool_]
    counts: dict[str, int] = field(default_factory=dict)
    reasons: list[Problem] = field(default_factory=list)
    reason: Ints = field(default_factory=lambda: np.empty(0, np.int32))
    line_counts: dict[str, int] = field(default_factory=dict)
    columns_of: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.lines)

    def bad_lines(self) -> Iterator[Problem]:
        """One problem for every row that cannot be read, the first of it, in file order; none is left out."""
        for line, place in zip(self.lines[self.bad].tolist(), self.reason.tolist()):
            reason = self.reasons[place]
            yield Problem(reason.code, line, reason.column, reason.details)

    def tell_unreadable(self, receipt: Receipt) -> None:
        """Tell everything that could not be read: what the list of problems leaves out is counted all the same."""
        for problem in self.problems:
            receipt.problem(problem, "refused")
        for code, cells in self.counts.items():
            lines = self.line_counts.get(code, cells)
            receipt.count_refused(code, cells, lines, filter(None, self.columns_of.get(code, ())))
        for problem in self.bad_lines():
            receipt.reject(problem)

    def refuse(self, rows: NDArray[np.bool_], problem: Problem) -> None:
        """Some more rows cannot be used; `problem` without a line."""
        number = int(rows.sum())
        if not number:
            return
        code, column = problem.code, problem.column
        places = np.full(len(self), -1, np.int32)
        places[self.bad] = self.reason
        places[rows & (places < 0)] = len(self.reasons)
        self.reasons.append(problem)
        self.bad = self.bad | rows
        self.reason = places[self.bad]
        told = (Problem(code, line, column, problem.details) for line in self.lines[rows][:PROBLEMS_KEPT].tolist())
        self.problems = sorted([*self.problems, *told], key=lambda one: one.line)[:PROBLEMS_KEPT]
        for counts in (self.counts, self.line_counts):
            counts[code] = counts.get(code, 0) + number
        self.columns_of[code] = tuple(dict.fromkeys((*self.columns_of.get(code, ()), column)))


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
            if len(self._known) < self._room and len(raw) <= _CACHED_LENGTH:
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
        self.columns = READABLE[layout]
        self.memories = {column.name: Memory(column) for column in self.columns}
        self.rows = 0
        self.day_first: set[str] = set()
        """Columns whose dates may have been written, or altered by a spreadsheet, in another order than yyyy-mm-dd."""
        self._values = {column.name: _growing(column) for column in self.columns}
        self._lines = _Numbers(np.int64)
        self._problems: list[Problem] = []
        self._bad_rows: list[Ints] = []
        self._reasons: dict[Hashable, int] = {}
        self._why: list[Problem] = []
        self._reason: list[Ints] = []
        self._counts: Counter[str] = Counter()
        self._line_counts: Counter[str] = Counter()
        self._columns_of: dict[str, set[int]] = {}

    def add(self, block: Block) -> None:
        """Take the next block of the input."""
        if block.found:
            self._take_problems(block)
        self._lines.take(block.lines, len(block.lines))
        for column in self.columns:
            values: Any = block.values.get(column.name)
            if values is None:
                # A column that no row of this block names; another block may.
                empty = EMPTY[column.type] if column.type not in CODED else 0
                values = empty if column.type in (*STORED, *CODED) else [empty] * len(block.lines)
            self._values[column.name].take(values, len(block.lines))
        self.rows += len(block.lines)
        self.refuse_mostly_unreadable(0)

    def refuse_mostly_unreadable(self, skipped: int) -> None:
        """Raise Refused `file-mostly-unreadable` when more than half is of no use, `skipped` empty rows too."""
        useless = skipped + sum(map(len, self._bad_rows))
        if useless > UNREADABLE_MOST and 2 * useless > self.rows + skipped:
            first = self._problems[0] if self._problems else Problem("file-empty")
            raise Refused("file-mostly-unreadable", line=first.line, column=first.column, first=first.code)

    def _take_problems(self, block: Block) -> None:
        found = sorted(block.found, key=lambda one: (one.row, one.place))
        self._counts.update(one.bad.code for one in found)
        self._line_counts.update(code for _, code in {(one.row, one.bad.code) for one in found})
        for code, place in {(one.bad.code, one.place) for one in found}:
            self._columns_of.setdefault(code, set()).add(place)
        first = [one for one, before in zip(found, [None, *found]) if before is None or before.row != one.row]
        self._bad_rows.append(np.array([one.row for one in first], np.int64) + self.rows)
        self._reason.append(np.array([self._place_of(one) for one in first], np.int32))
        for one in found[: PROBLEMS_KEPT - len(self._problems)]:
            line = int(block.lines[one.row])
            self._problems.append(Problem(one.bad.code, line, self._name(one), one.bad.details))

    def _name(self, one: Found) -> str:
        return self.columns[one.place].name if one.place >= 0 else ""

    def _place_of(self, one: Found) -> int:
        details = one.bad.details
        if "where" in details and len(self._why) >= PROBLEMS_KEPT:
            # Every cell has another name, and nobody reads as many of them.
            details = details | {"where": ""}
        key = (one.place, one.bad.code, *details.values())
        place = self._reasons.setdefault(key, len(self._why))
        if place == len(self._why):
            self._why.append(Problem(one.bad.code, 0, self._name(one), details))
        return place

    def table(self) -> Table:
        """Everything gathered; nothing can be added after."""
        bad = np.zeros(self.rows, np.bool_)
        for rows in self._bad_rows:
            bad[rows] = True
        columns: dict[str, Any] = {name: values.whole() for name, values in self._values.items()}
        for column in self.columns:
            if column.type in CODED:
                columns[column.name] = _by_appearance(columns[column.name], self.memories[column.name].texts)
        reason = np.concatenate([np.empty(0, np.int32), *self._reason])
        names = {
            code: tuple(self.columns[place].name for place in sorted(places) if place >= 0)
            for code, places in self._columns_of.items()
        }
        return Table(
            self.layout, self._lines.whole(), columns, self._problems, bad, dict(self._counts), self._why, reason,
            dict(self._line_counts), names,
        )  # fmt: skip


class _Numbers:
    """An array that grows in place: whole files would otherwise be held twice while their blocks are joined."""

    def __init__(self, dtype: Any) -> None:
        self._room = np.empty(0, dtype)
        self._size = 0

    def take(self, values: Any, size: int) -> None:
        """Add `size` values, or one value as often."""
        end = self._size + size
        if end > len(self._room):
            # Nobody else has seen the array yet, so it may move.
            self._room.resize(max(end, len(self._room) * 9 // 8), refcheck=False)
        self._room[self._size : end] = values
        self._size = end

    def whole(self) -> Ints:
        """What was added."""
        self._room.resize(self._size, refcheck=False)
        return self._room


class _Texts:
    def __init__(self) -> None:
        self._texts: list[str] = []

    def take(self, values: list[str], _: int) -> None:
        self._texts += values

    def whole(self) -> list[str]:
        return self._texts


def _growing(column: Column) -> _Numbers | _Texts:
    if column.type in CODED:
        return _Numbers(np.int32)
    return _Numbers(STORED[column.type]) if column.type in STORED else _Texts()


def _by_appearance(codes: Ints, texts: list[str]) -> Coded:
    """The codes in the order in which the input shows their texts, whichever thread was first; 0 stays what it is."""
    if len(texts) <= 2:
        return Coded(codes, texts)
    highest = np.maximum.accumulate(np.concatenate((np.zeros(1, np.int32), codes)))[:-1]
    if (codes <= highest + 1).all():
        return Coded(codes, texts)
    seen, at = np.unique(codes, return_index=True)
    shown = seen[np.argsort(at)]
    shown = shown[shown > 0]
    # The last entry is what -1 points at.
    places = np.full(len(texts) + 1, -1, np.int32)
    places[0] = 0
    places[shown] = np.arange(1, len(shown) + 1)
    return Coded(places[codes], [texts[0], *[texts[code] for code in shown.tolist()]])
