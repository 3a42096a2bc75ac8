"""The header of a table of rows, and rows of texts under it -> a block.

Totals, signatures and places with dates under a table are no lines: such a row is told once and belongs to no
remittance. A second header of other columns spoils the file. A cell under a column without a name is never dropped silently.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from itertools import islice
from typing import NamedTuple

import numpy as np

from ledger.errors import Refused
from ledger.fields import Bad, bare
from ledger.ingestion.readers.table import Block, Gathering
from ledger.ingestion.readers.typed import Cells, typed_block
from ledger.layouts import BLANK, Column, is_header, match_header

_LOOKED_AT = 30
"""Rows in which a header is looked for."""
_KEYS = frozenset({"kpj", "npp", "nik", "month", "date", "birth"})
"""Types of which a line of data has some cell filled with digits."""
_TOTAL = re.compile(
    r"\W*(?:grand\s*|sub[\s-]*)?(?:totals?|jumlah|jml|rekap(?:itulasi)?|terbilang|sum|dibuat|disetujui|diperiksa|"
    r"mengetahui|diketahui|hormat kami|approved|prepared|checked)\b",
    re.IGNORECASE,
)
_WORD_FIRST = re.compile(r"[A-Za-z]+[.:]?\s")
"""How no number begins, but `NIP 198005172005011001` under a signature does."""
_DAY_FIRST = re.compile(r"\s*([0-9]{2})[-/]([0-9]{2})[-/]([0-9]{4})\s*")


class Head(NamedTuple):
    """A header: its columns in file order, and what separates the cells of a line of text."""

    columns: list[Column]
    separator: str = ""

    @property
    def unnamed(self) -> list[int]:
        """The places of columns without a name."""
        return [place for place, column in enumerate(self.columns) if column.type == BLANK]


def found_header(rows: Iterable[tuple[int, Sequence[str]]], layout: tuple[Column, ...]) -> list[Column]:
    """The columns of the header in the first of some rows that are not blank.

    Raises Refused: `file-empty`, `header-not-first` (it stands further down), and what `match_header` raises.
    """
    waiting = iter(rows)
    first = next(waiting, None)
    if first is None:
        raise Refused("file-empty")
    line, names = first
    try:
        return match_header(names, layout, line)
    except Refused:
        if is_header(names, layout):
            raise
        for below, cells in islice(waiting, _LOOKED_AT):
            if is_header(cells, layout):
                raise Refused("header-not-first", line=below, row=below) from None
        raise


def refuse_another_header(head: Head, cells: Sequence[str], layout: tuple[Column, ...], line: int) -> None:
    """Raise Refused `header-again` for a row that is a header and does not name the columns of the first one: what stands
    under it would be read as something else."""
    if not is_header(cells, layout):
        return
    with suppress(Refused):
        names = [column.name for column in match_header(cells, layout, line) if column.type != BLANK]
        if names == [column.name for column in head.columns if column.type != BLANK]:
            return
    raise Refused("header-again", line=line, row=line)


def rows_block(
    gathering: Gathering,
    head: Head,
    numbers: Sequence[int],
    rows: Sequence[list[str]],
    known: dict[tuple[int, str], Bad] | None = None,
) -> Block:
    """Rows of cells, each as they stand in its line, typed. `known`: what is wrong with a (row, column)."""
    width, unnamed = len(head.columns), head.unnamed
    broken: dict[int, Bad] = {}
    for place, cells in enumerate(rows):
        if is_footer(head.columns, cells):
            refuse_another_header(head, cells, gathering.columns, numbers[place])
        if len(cells) != width:
            given = len(cells)
            while given > width and not bare(cells[given - 1]):
                given -= 1
            if given != width and not is_footer(head.columns, cells):
                broken[place] = Bad("cells-too-many", {"cells": len(cells), "columns": width})
            cells[width:] = []
            cells.extend([""] * (width - len(cells)))
        if unnamed and place not in broken and any(bare(cells[at]) for at in unnamed):
            broken[place] = Bad("cell-without-header")
        if is_footer(head.columns, cells):
            broken[place] = Bad("row-not-a-line")
            cells[:] = [""] * width
    by_name: dict[str, Cells] = {}
    for place, column in enumerate(head.columns):
        texts = [row[place] for row in rows]
        by_name[column.name] = [day_first(text) for text in texts] if column.day_first else texts
    return typed_block(gathering, np.array(numbers, np.int64), by_name, known, broken)


def day_first(text: str) -> str:
    """`14-11-2026` -> `2026-11-14`; any other text as it is."""
    match = _DAY_FIRST.fullmatch(text)
    return f"{match[3]}-{match[2]}-{match[1]}" if match else text


def iso_days(columns: Sequence[Column], cells: list[str]) -> list[str]:
    """The cells of a row with its dates as yyyy-mm-dd, where its columns let them begin with the day."""
    for place, column in enumerate(columns):
        if column.day_first and place < len(cells):
            cells[place] = day_first(cells[place])
    return cells


def is_footer(columns: Sequence[Column], cells: Sequence[str]) -> bool:
    """Whether a row is no line of data: a total, a signature, a place and date.

    No number, month or date stands where a line has them; or a word for totals stands somewhere and no card does.
    """
    at = next((place for place, column in enumerate(columns) if column.type == "kpj"), -1)
    if at < 0:
        at = next((place for place, column in enumerate(columns) if column.type == "npp"), -1)
    if 0 <= at < len(cells) and len(cells[at]) >= 8 and cells[at].isdigit():
        return False
    keyed = word = carded = filled = False
    for column, cell in zip(columns, cells):
        if not cell or column.type == BLANK:
            continue
        text = bare(cell)
        if not text:
            continue
        filled = True
        if column.type in _KEYS:
            if _is_key(text):
                keyed = True
                carded = carded or column.type in ("kpj", "nik")
            elif _TOTAL.match(text):
                word = True
        elif column.type in ("text", "ignored") and _TOTAL.match(text):
            word = True
    return filled and (not keyed or (word and not carded))


def _is_key(text: str) -> bool:
    """Whether a text could be a number or date, or something in the place of one (an error, a formula)."""
    if text[0] in "#='?":
        return True
    if _WORD_FIRST.match(text):
        return False
    digits = sum(character.isdigit() for character in text)
    return text[0].isalnum() and (text[0].isdigit() or digits > 2) and 2 * digits > len(text)
