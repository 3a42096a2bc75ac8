"""CSV: blocks of whole lines to typed columns, plain blocks by column, the others line by line with the same outcome.

A line is a row: a line break inside quotes is refused, because every line number behind it would be wrong.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from functools import partial

import numpy as np
import polars as pl

from ledger.errors import Refused
from ledger.fields import bare
from ledger.ingestion.readers.heading import Head, found_header, is_footer, iso_days, refuse_another_header, rows_block
from ledger.ingestion.readers.lines import LineReader, Lines, check_line, ends_when_sound, in_order, sign_inside
from ledger.ingestion.readers.source import Limits
from ledger.ingestion.readers.table import Block, Gathering, Ints
from ledger.ingestion.readers.typed import FAST_FROM, Cells, typed_block
from ledger.layouts import BLANK, Column

_SEPARATORS = (",", ";", "\t", "|")
_SEPARATOR_LINE = re.compile(r'"?sep=([,;\t|])"?[,;\t|]*\s*', re.IGNORECASE)
_BLANK = " \t\r,;|"
_FOOTERS_LOOKED_FOR = 200
"""Unreadable rows of a block that are looked at one by one; more of them are no totals under a table."""
# What str.strip takes away.
_BLANK_CELL = r"^[\s\x1c-\x1f]*$"


def read_head(lines: LineReader, layout: tuple[Column, ...], limits: Limits) -> Head:
    """The header line, the first that is not blank; a line `sep=;` before it says what separates the cells.

    Raises Refused: `line-ends-mixed`, and what `found_header` raises.
    """
    separators: list[str] = []

    def rows() -> Iterator[tuple[int, list[str]]]:
        said = ""
        while (one := lines.one()) is not None:
            text = check_line(one.text, one.first, limits.max_line).removeprefix("\ufeff")
            if not bare(text.strip(_BLANK)):
                continue
            if not separators and not said and (match := _SEPARATOR_LINE.fullmatch(text)):
                said = match[1]
                continue
            if '"' not in text:
                _refuse_two_ends(text, one.first)
            separators.append(said or max(_SEPARATORS, key=text.count))
            yield one.first, _split(text, separators[-1], one.first)

    columns = found_header(rows(), layout)
    return Head(columns, separators[0])


def read_csv(lines: LineReader, gathering: Gathering, limits: Limits) -> None:
    """Everything behind the header into the gathering."""
    head = read_head(lines, gathering.columns, limits)
    gathering.day_first = {column.name for column in head.columns if column.day_first}
    work = partial(_block, gathering, head, limits)
    for block in in_order(lines.blocks(), work):
        gathering.add(block)
        limits.check_rows(gathering.rows)


def csv_rows(lines: LineReader, head: Head, limits: Limits) -> Iterator[tuple[int, list[str]]]:
    """(line number, cells) of every line that is not blank; at least as many cells as there are columns."""
    width = len(head.columns)
    for block in lines.blocks():
        for number, cells in _rows(block, head.separator, limits):
            yield number, iso_days(head.columns, cells + [""] * (width - len(cells)))


def _block(gathering: Gathering, head: Head, limits: Limits, block: Lines) -> Block:
    return _by_column(gathering, head, limits, block) or _by_line(gathering, head, limits, block)


def _by_column(gathering: Gathering, head: Head, limits: Limits, block: Lines) -> Block | None:
    """A block without blank lines, only whole plain cells quoted, every line with all its cells; else None."""
    text = block.text.replace(b"\r\n", b"\n") if b"\r" in block.text else block.text
    if b"\r" in text or b"\x1a" in text:
        return None
    ends = ends_when_sound(text, limits.max_line)
    if ends is None or len(ends) < FAST_FROM or np.diff(ends, prepend=-1).min() < 2:
        return None
    data = np.frombuffer(text, np.uint8)
    separators = np.flatnonzero(data == ord(head.separator))
    cells = np.diff(np.searchsorted(separators, ends), prepend=0)
    if (cells != len(head.columns) - 1).any() or len(head.columns) < 2:
        return None
    quoted = b'"' in text
    if quoted and not _quotes_are_plain(data, np.concatenate((separators, ends)), ord(head.separator)):
        return None
    names = [column.name for column in head.columns]
    schema = dict.fromkeys(names, pl.String)
    frame = pl.read_csv(
        text,
        has_header=False,
        schema=schema,
        separator=head.separator,
        quote_char='"' if quoted else None,
        empty_string_is_null=False,
    )
    for column in head.columns:
        if column.type == BLANK and (frame[column.name] != "").any():
            return None
    numbers: Ints = np.arange(block.first, block.first + len(ends))
    series: dict[str, Cells] = {column.name: _series(column, frame[column.name]) for column in head.columns}
    typed = typed_block(gathering, numbers, series)
    # Every layout has a column that must be filled, so a row of blank cells or of totals has been found here.
    if any(one.bad.code == "cell-empty" for one in typed.found):
        blank = frame.select(pl.all_horizontal(pl.all().str.contains(_BLANK_CELL))).to_series()
        if blank.any():
            return None
    rows = sorted({one.row for one in typed.found})
    for row in rows:
        refuse_another_header(head, frame.row(row), gathering.columns, int(numbers[row]))
    if any(is_footer(head.columns, frame.row(row)) for row in (*rows[:_FOOTERS_LOOKED_FOR], *rows[-5:])):
        return None
    return typed


def _series(column: Column, cells: pl.Series) -> pl.Series:
    if not column.day_first:
        return cells
    return cells.str.replace(r"^\s*([0-9]{2})[-/]([0-9]{2})[-/]([0-9]{4})\s*$", "${3}-${2}-${1}")


def _quotes_are_plain(data: Ints, cuts: Ints, separator: int) -> bool:
    """True when every quote opens or closes a whole cell and no separator or line feed (`cuts`) stands inside."""
    quotes = np.flatnonzero(data == ord('"'))
    if len(quotes) % 2 or (np.searchsorted(quotes, cuts) % 2).any():
        return False
    before, after = data[quotes[::2] - 1], data[quotes[1::2] + 1]
    starts = (before == separator) | (before == 10) | (quotes[::2] == 0)
    return bool(starts.all() and ((after == separator) | (after == 10)).all())


def _by_line(gathering: Gathering, head: Head, limits: Limits, block: Lines) -> Block:
    numbers: list[int] = []
    rows: list[list[str]] = []
    for number, cells in _rows(block, head.separator, limits):
        if len(cells) > len(head.columns):
            # Two lines in one, unless the sign stands inside a cell of a line that is otherwise right.
            _refuse_two_ends(next((cell for cell in cells if sign_inside(cell)), ""), number)
        numbers.append(number)
        rows.append(cells)
    return rows_block(gathering, head, numbers, rows)


def _rows(block: Lines, separator: str, limits: Limits) -> Iterator[tuple[int, list[str]]]:
    for number, line in enumerate(block.text.split(b"\n")[:-1], block.first):
        text = check_line(line, number, limits.max_line)
        if text and not text.isspace():
            cells = _split(text, separator, number)
            if any(map(bare, cells)):
                yield number, cells


def _refuse_two_ends(text: str, number: int) -> None:
    """Raise Refused `line-ends-mixed` where a line holds what other programs end lines with."""
    if sign := sign_inside(text):
        raise Refused("line-ends-mixed", line=number, sign=sign)


def _split(text: str, separator: str, number: int) -> list[str]:
    """The cells of one line. Raises Refused `quote-newline` when a quote is not closed on it."""
    if '"' not in text:
        return text.split(separator)
    if text.count('"') % 2:
        raise Refused("quote-newline", line=number)
    try:
        return next(csv.reader([text], delimiter=separator, strict=True))
    except csv.Error:
        raise Refused("quote-newline", line=number) from None
