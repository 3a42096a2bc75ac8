"""The rows of one sheet as they stand in its XML, one after the other: only filled cells, whatever lies between them.

What a cell is stays apart from what it shows: an error, a formula that nobody worked out, a row that nobody sees.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from ledger.errors import Refused
from ledger.ingestion.readers.archive import Archive
from ledger.ingestion.readers.markup import Attributes, is_true, local, parsed
from ledger.ingestion.readers.merges import Merge, merges
from ledger.ingestion.readers.workbook import SharedTexts, SheetPart, Workbook, unescaped

_DIGITS = "0123456789"
_COLUMNS = 16_384
_ROWS = 1_048_576
_LONGEST_CELL = 40_000
_NAMES = 100
_SHORT = 18
_ZERO = re.compile(r"0+(?:\.0*)?")


class Odd(NamedTuple):
    """A cell that is no text. `kind`: number, date (a number shown as one, or a text of ISO), error, formula, bool,
    merged (it does not say what a person sees there)."""

    kind: str
    text: str


Cell = str | Odd


class Row(NamedTuple):
    """A filled row: its number in the sheet, its cells by column from 0, whether a person sees it."""

    number: int
    cells: dict[int, Cell]
    hidden: bool


def column_letters(place: int) -> str:
    """0 -> `A`, 26 -> `AA`."""
    letters = ""
    place += 1
    while place:
        place, rest = divmod(place - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


class Sheet:
    """One sheet of a workbook."""

    def __init__(self, archive: Archive, workbook: Workbook, part: SheetPart) -> None:
        self.name = part.name
        self.hidden_columns: list[tuple[int, int]] = []
        """First and last column, from 0, of columns that nobody sees; known once the first row has come."""
        self._archive, self._workbook, self._part = archive, workbook, part

    def is_hidden(self, place: int) -> bool:
        """Whether nobody sees a column."""
        return any(first <= place <= last for first, last in self.hidden_columns)

    def merges(self) -> list[Merge]:
        """The ranges of merged cells."""
        with self._archive.open(self._part.path) as file:
            return merges(file)

    def rows(self) -> Iterator[Row]:
        """The filled rows from the first on. Raises Refused `file-unreadable`, and what `Archive` raises."""
        reading = _Reading(self._workbook, self.hidden_columns)
        self.hidden_columns.clear()
        with self._archive.open(self._part.path) as file:
            for _ in parsed(file, reading.start, reading.end, reading.text):
                yield from reading.ready
                reading.ready.clear()


class _Reading:
    """The state of a parser inside a sheet."""

    def __init__(self, workbook: Workbook, hidden_columns: list[tuple[int, int]]) -> None:
        self.ready: list[Row] = []
        self._texts: SharedTexts = workbook.texts
        self._dates, self._calculated = workbook.dates, workbook.calculated
        self._hidden_columns = hidden_columns
        self._names: dict[str, str] = {}
        self._places: dict[str, int] = {}
        self._row, self._column, self._hidden = 0, -1, False
        self._cells: dict[int, Cell] = {}
        self._type, self._style = "", ""
        self._formula = self._valued = self._taking = self._phonetic = False
        self._pieces: list[str] = []

    def start(self, tag: str, attributes: Attributes) -> None:
        # Nine in ten tags are these two, mostly without a prefix; this runs once a tag.
        if tag == "v":
            self._valued = self._taking = True
            return
        if tag == "c":
            name = tag
        elif (name := self._names.get(tag, "")) == "":
            name = local(tag)
            if len(self._names) < _NAMES:
                self._names[tag] = name
        if name == "c":
            place = attributes.get("r")
            self._column = self._column + 1 if place is None else self._place(place)
            self._type, self._style = attributes.get("t", "n"), attributes.get("s", "")
            self._formula = self._valued = False
            self._pieces = []
        elif name == "v":
            self._valued = self._taking = True
        elif name == "f":
            self._formula = True
        elif name == "t":
            self._taking = not self._phonetic and self._type == "inlineStr"
            self._valued = True
        elif name == "rPh":
            self._phonetic = True
        elif name == "row":
            self._start_row(attributes)
        elif name == "col" and (is_true(attributes.get("hidden")) or _is_nothing(attributes.get("width"))):
            self._hide_columns(attributes)

    def _start_row(self, attributes: Attributes) -> None:
        number = attributes.get("r")
        row = self._row + 1 if number is None else _number(number)
        if not self._row < row <= _ROWS:
            raise Refused("file-unreadable")
        self._row, self._column, self._cells = row, -1, {}
        self._hidden = is_true(attributes.get("hidden")) or _is_nothing(attributes.get("ht"))

    def _hide_columns(self, attributes: Attributes) -> None:
        if len(self._hidden_columns) < _COLUMNS:
            first, last = _number(attributes.get("min", "")), _number(attributes.get("max", ""))
            self._hidden_columns.append((first - 1, last - 1))

    def end(self, tag: str) -> None:
        if tag == "v":
            self._taking = False
            return
        name = tag if tag == "c" else self._names.get(tag) or local(tag)
        if name in ("v", "t"):
            self._taking = False
        elif name == "c":
            pieces = self._pieces
            self._end_cell(pieces[0] if len(pieces) == 1 else "".join(pieces))
        elif name == "rPh":
            self._phonetic = False
        elif name == "row" and self._cells:
            self.ready.append(Row(self._row, self._cells, self._hidden))
            self._cells = {}

    def text(self, found: str) -> None:
        if self._taking:
            self._pieces.append(found)

    def _end_cell(self, text: str) -> None:
        cell = self._cell(text)
        if isinstance(cell, str) and (not cell or cell.isspace()):
            return
        if self._column in self._cells or not 0 <= self._column < _COLUMNS or not self._row:
            raise Refused("file-unreadable")
        self._cells[self._column] = cell

    def _cell(self, text: str) -> Cell:
        kind = self._type
        if not self._formula and text.isdigit() and text.isascii() and len(text) < _SHORT:
            if kind == "n" and self._style not in self._dates:
                return Odd("number", text)
            if kind == "s":
                return self._shared(int(text))
        if kind == "e":
            return Odd("error", text.strip() or "#ERROR!")
        if self._formula and (not self._calculated or not (text.strip() or (kind == "str" and self._valued))):
            return Odd("formula", "")
        if len(text) > _LONGEST_CELL:
            raise Refused("file-unreadable")
        if kind == "s":
            return self._shared(_number(text.strip())) if text.strip() else ""
        if kind in ("inlineStr", "str"):
            return unescaped(text)
        text = text.strip()
        if not text:
            return ""
        if kind == "b":
            return Odd("bool", "TRUE" if is_true(text) else "FALSE")
        return Odd("date" if kind == "d" or self._style in self._dates else "number", text)

    def _shared(self, place: int) -> str:
        try:
            return self._texts[place]
        except IndexError:
            raise Refused("file-unreadable") from None

    def _place(self, reference: str) -> int:
        letters = reference.strip().rstrip(_DIGITS)
        place = self._places.get(letters)
        if place is None:
            place = 0
            for letter in letters.upper().replace("$", "")[:4]:
                place = place * 26 + ord(letter) - 64
            place -= 1
            if not 0 <= place < _COLUMNS:
                raise Refused("file-unreadable")
            self._places[letters] = place
        return place


def _is_nothing(size: str | None) -> bool:
    """Whether a height or width is zero, so that nobody sees what has it."""
    return size is not None and _ZERO.fullmatch(size) is not None


def _number(text: str) -> int:
    """Digits of an attribute. Raises Refused `file-unreadable` when they are none."""
    if not (text.isascii() and text.isdigit() and len(text) <= 10):
        raise Refused("file-unreadable")
    return int(text)
