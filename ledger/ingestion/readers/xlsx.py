"""XLSX: the rows of a sheet as typed columns, and the cells that lost digits on the way told apart."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from datetime import date, datetime, time, timedelta
from typing import Any

import numpy as np

from ledger.errors import Refused
from ledger.fields import Bad
from ledger.ingestion.readers.source import Limits, Stream
from ledger.ingestion.readers.table import Gathering
from ledger.ingestion.readers.typed import typed_block
from ledger.ingestion.readers.workbook import first_sheet
from ledger.layouts import Column, match_header

MAGIC = b"PK\x03\x04"
_EXACT = 2**53
# Here a number has lost leading zeros that belong to it, and a date is something else that a spreadsheet guessed.
_WRITTEN = ("kpj", "npp", "nik", "phone", "division")
_WIDTHS = {"kpj": 11, "npp": 8}
Known = dict[tuple[int, str], Bad]


def read_sheet(stream: Stream, gathering: Gathering, limits: Limits) -> None:
    """The first sheet into the gathering. Raises Refused: `file-unreadable`, `file-expands-too-far`, `file-empty`, ..."""
    columns, rows = sheet_rows(stream, gathering.columns, limits)
    known: Known = {}
    numbers: list[int] = []
    cells: dict[str, list[str]] = {column.name: [] for column in columns}
    broken: dict[int, Bad] = {}
    for number, values in rows:
        if len(values) > len(columns):
            broken[len(numbers)] = Bad("cells-too-many", {"cells": len(values), "columns": len(columns)})
        for column, value in zip(columns, values):
            text = _text(column, value)
            if isinstance(text, Bad):
                known[len(numbers), column.name] = text
                text = ""
            cells[column.name].append(text)
        numbers.append(number)
    limits.check_rows(len(numbers))
    gathering.add(typed_block(gathering, np.array(numbers, np.int64), dict(cells), known, broken))


def sheet_rows(
    stream: Stream, layout: tuple[Column, ...], limits: Limits
) -> tuple[list[Column], Iterator[tuple[int, list[Any]]]]:
    """The columns of the first sheet's header, and (row number, values) of the rows behind it that are not blank.

    A row has at least as many values as there are columns, and more when something stands beyond them.
    """
    rows = _filled(first_sheet(stream.everything(min(limits.max_bytes, limits.max_array)), limits))
    for number, row in rows:
        columns = match_header([str(value) for value in row], layout, number)
        return columns, ((at, [*values, *[""] * (len(columns) - len(values))]) for at, values in rows)
    raise Refused("file-empty")


def _filled(rows: Iterable[list[Any]]) -> Iterator[tuple[int, list[Any]]]:
    """(row number, values up to the last that is not blank) of the rows that are not blank."""
    for number, row in enumerate(rows, 1):
        while row and (row[-1] is None or (isinstance(row[-1], str) and not row[-1].strip())):
            row.pop()
        if row:
            yield number, row


def plain_text(column: Column, value: Any) -> str:
    """A cell as it is written in CSV."""
    text = _text(column, value)
    if not isinstance(text, Bad):
        return text
    # Lost digits must not read as another number when the file of rejects is sent again.
    return f"?{value:.0f}" if isinstance(value, float | int) else f"?{value}"


def _text(column: Column, value: Any) -> str | Bad:
    """A cell's text, or what is wrong with it: numbers keep 15 digits and no leading zeros in a spreadsheet."""
    if value is None or isinstance(value, str):
        return value or ""
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, date | time | timedelta) and column.type in _WRITTEN:
        return Bad("cell-lost-digits")
    if isinstance(value, datetime | date):
        day = value.date() if isinstance(value, datetime) else value
        # A spreadsheet turns 2026-10 into the first of October; any other day was never meant as a month.
        return f"{day:%Y-%m}" if column.type == "month" and day.day == 1 else day.isoformat()
    if isinstance(value, time | timedelta):
        return str(value)
    if not math.isfinite(value) or value != int(value):
        return repr(value)
    digits = str(int(value))
    if abs(value) >= _EXACT or column.type in ("nik", "phone", "division"):
        return Bad("cell-lost-digits")
    if column.type in _WIDTHS and len(digits) != _WIDTHS[column.type]:
        return Bad("cell-lost-digits")
    return digits
