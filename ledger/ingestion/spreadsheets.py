"""XLSX: the first sheet of a workbook as rows of text, and the cells that lost digits on the way told apart.

A workbook is a zip file. Its members are unpacked into a plain copy, counted on the way, and only that copy is parsed:
what a zip declares of itself need not be true. A parser holds every cell between the first and the last, so the
furthest cell is looked for before it sees the sheet.
"""

from __future__ import annotations

import io
import re
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from typing import Any, BinaryIO

import numpy as np
import python_calamine

from ..errors import Refused
from .blocks import typed_block
from .cells import Bad
from .columns import Column, match_header
from .source import Limits, Stream
from .table import Gathering

MAGIC = b"PK\x03\x04"
_EXACT = 2**53
_CELL = re.compile(rb"""\sr\s*=\s*["']([A-Za-z]{1,3})([0-9]{1,7})["']""")
_OVERLAP = 64
_PIECE = 1 << 20
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
    for number, values in rows:
        for column, value in zip(columns, values, strict=True):
            text = _text(column, value)
            if isinstance(text, Bad):
                known[len(numbers), column.name] = text
                text = ""
            cells[column.name].append(text)
        numbers.append(number)
    limits.check_rows(len(numbers))
    gathering.add(typed_block(gathering, np.array(numbers, np.int64), dict(cells), known))


def sheet_rows(
    stream: Stream, layout: tuple[Column, ...], limits: Limits
) -> tuple[list[Column], Iterator[tuple[int, list[Any]]]]:
    """The columns of the first sheet's header, and (row number, values) of the rows behind it that are not blank."""
    data = stream.everything(min(limits.max_bytes, limits.max_array))
    try:
        with tempfile.TemporaryFile() as copy:
            _copy_plain(data, copy, limits)
            workbook = python_calamine.CalamineWorkbook.from_filelike(copy)
            values = workbook.get_sheet_by_index(0).to_python(skip_empty_area=False)
    except (python_calamine.CalamineError, OSError, IndexError, ValueError) as error:
        raise Refused("file-unreadable") from error
    for number, row in enumerate(values, 1):
        if any(value not in ("", None) for value in row):
            names = [str(value) for value in row]
            while names and not names[-1].strip():
                names.pop()
            columns = match_header(names, layout, number)
            return columns, _behind(values, number, len(columns))
    raise Refused("file-empty")


def _behind(values: list[list[Any]], header: int, width: int) -> Iterator[tuple[int, list[Any]]]:
    for number, row in enumerate(values[header:], header + 1):
        if any(value not in ("", None) for value in row):
            yield number, [*row[:width], *[""] * (width - len(row))]


def _copy_plain(data: bytes, copy: BinaryIO, limits: Limits) -> None:
    """The XML members of a workbook, not compressed. Raises Refused: `file-unreadable`, `file-expands-too-far`."""
    most = min(limits.max_bytes, max(limits.max_ratio * len(data), 16 << 20))
    total = 0
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive, zipfile.ZipFile(copy, "w") as plain:
            for member in archive.infolist():
                if not member.filename.lower().endswith((".xml", ".rels")):
                    continue
                height, width, tail = 0, 0, b""
                with archive.open(member) as file, plain.open(member.filename, "w") as written:
                    while piece := file.read(_PIECE):
                        total += len(piece)
                        if total > most:
                            raise Refused("file-expands-too-far", limit=f"{most} bytes")
                        written.write(piece)
                        for column, row in _CELL.findall(tail + piece):
                            height, width = max(height, int(row)), max(width, _place(column))
                        if height * width > limits.max_cells:
                            raise Refused("file-expands-too-far", limit=f"{limits.max_cells} cells")
                        tail = piece[-_OVERLAP:]
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, NotImplementedError) as error:
        raise Refused("file-unreadable") from error
    copy.seek(0)


def _place(letters: bytes) -> int:
    place = 0
    for letter in letters.upper():
        place = place * 26 + letter - 64
    return place


def plain_text(column: Column, value: Any) -> str:
    """A cell as it is written in CSV."""
    text = _text(column, value)
    return str(value) if isinstance(text, Bad) else text


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
    if value != int(value):
        return repr(value)
    digits = str(int(value))
    if abs(value) >= _EXACT or column.type in ("nik", "phone", "division"):
        return Bad("cell-lost-digits")
    if column.type in _WIDTHS and len(digits) != _WIDTHS[column.type]:
        return Bad("cell-lost-digits")
    return digits
