"""CSV: blocks of whole lines to typed columns, plain blocks by column, the others line by line with the same outcome.

A line is a row: a line break inside quotes is refused, because every line number behind it would be wrong.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

import numpy as np
import polars as pl

from ledger.errors import Refused
from ledger.fields import Bad
from ledger.ingestion.readers.lines import LineReader, Lines, check_line, ends_when_sound, in_order
from ledger.ingestion.readers.source import Limits
from ledger.ingestion.readers.table import Block, Gathering, Ints
from ledger.ingestion.readers.typed import FAST_FROM, Cells, typed_block
from ledger.layouts import Column, match_header

_SEPARATORS = (",", ";", "\t")
_BLANK = " \t\r,;"
# What str.strip takes away.
_BLANK_CELL = r"^[\s\x1c-\x1f]*$"


class Head(NamedTuple):
    """A file's header: its columns in file order and what separates its cells."""

    columns: list[Column]
    separator: str


def read_head(lines: LineReader, layout: tuple[Column, ...], limits: Limits) -> Head:
    """The header line, the first that is not blank. Raises Refused: `file-empty`, and what `match_header` raises."""
    while (first := lines.one()) is not None:
        text = check_line(first.text, first.first, limits.max_line).removeprefix("\ufeff")
        if text.strip(_BLANK):
            separator = max(_SEPARATORS, key=text.count)
            return Head(match_header(_split(text, separator, first.first), layout, first.first), separator)
    raise Refused("file-empty")


def read_csv(lines: LineReader, gathering: Gathering, limits: Limits) -> None:
    """Everything behind the header into the gathering."""
    head = read_head(lines, gathering.columns, limits)
    work = partial(_block, gathering, head, limits)
    for block in in_order(lines.blocks(), work):
        gathering.add(block)
        limits.check_rows(gathering.rows)


def csv_rows(lines: LineReader, head: Head, limits: Limits) -> Iterator[tuple[int, list[str]]]:
    """(line number, cells) of every line that is not blank; at least as many cells as there are columns."""
    width = len(head.columns)
    for block in lines.blocks():
        for number, cells in _rows(block, head.separator, limits):
            yield number, cells + [""] * (width - len(cells))


def _block(gathering: Gathering, head: Head, limits: Limits, block: Lines) -> Block:
    return _by_column(gathering, head, limits, block) or _by_line(gathering, head, limits, block)


def _by_column(gathering: Gathering, head: Head, limits: Limits, block: Lines) -> Block | None:
    """A block without blank lines, only whole plain cells quoted, every line with all its cells; else None."""
    text = block.text.replace(b"\r\n", b"\n") if b"\r" in block.text else block.text
    if b"\r" in text:
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
    numbers: Ints = np.arange(block.first, block.first + len(ends))
    series: dict[str, Cells] = {name: frame[name] for name in names}
    typed = typed_block(gathering, numbers, series)
    # Every layout has a column that must be filled, so a row of blank cells has been found here.
    if any(one.bad.code == "cell-empty" for one in typed.found):
        blank = frame.select(pl.all_horizontal(pl.all().str.contains(_BLANK_CELL))).to_series()
        if blank.any():
            return None
    return typed


def _quotes_are_plain(data: Ints, cuts: Ints, separator: int) -> bool:
    """True when every quote opens or closes a whole cell and no separator or line feed (`cuts`) stands inside."""
    quotes = np.flatnonzero(data == ord('"'))
    if len(quotes) % 2 or (np.searchsorted(quotes, cuts) % 2).any():
        return False
    before, after = data[quotes[::2] - 1], data[quotes[1::2] + 1]
    starts = (before == separator) | (before == 10) | (quotes[::2] == 0)
    return bool(starts.all() and ((after == separator) | (after == 10)).all())


def _by_line(gathering: Gathering, head: Head, limits: Limits, block: Lines) -> Block:
    width = len(head.columns)
    numbers: list[int] = []
    rows: list[list[str]] = []
    broken: dict[int, Bad] = {}
    for number, cells in _rows(block, head.separator, limits):
        if len(cells) != width:
            broken[len(rows)] = Bad("cells-too-many", {"cells": len(cells), "columns": width})
            cells = (cells + [""] * width)[:width]  # noqa: PLW2901
        numbers.append(number)
        rows.append(cells)
    by_name: dict[str, Cells] = {column.name: [row[place] for row in rows] for place, column in enumerate(head.columns)}
    return typed_block(gathering, np.array(numbers, np.int64), by_name, broken=broken)


def _rows(block: Lines, separator: str, limits: Limits) -> Iterator[tuple[int, list[str]]]:
    for number, line in enumerate(block.text.split(b"\n")[:-1], block.first):
        text = check_line(line, number, limits.max_line)
        if text and not text.isspace():
            cells = _split(text, separator, number)
            if any(map(str.strip, cells)):
                yield number, cells


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
