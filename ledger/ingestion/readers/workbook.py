"""A workbook opened without trusting it: what its zip declares need not be true, and its cells may be far apart.

The members are unpacked into a plain copy, counted on the way, and only that copy is parsed. The parser holds every
cell between the first and the last, and ends the process when they do not fit into memory; so the furthest row and
column are looked for before it sees the sheet.
"""

from __future__ import annotations

import io
import re
import tempfile
import zipfile
from collections.abc import Iterator
from typing import Any, BinaryIO

import python_calamine

from ledger.errors import Refused
from ledger.ingestion.readers.source import Limits

_PIECE = 1 << 20
_LONGEST_TAG = 1 << 16
_PARTS = ("xl/", "_rels/", "[content_types]")
# A row or a cell and, when it says so, where it stands; without that it is the next one.
_PLACED = re.compile(rb"""<(?:[\w.-]+:)?(row|c)(?=[\s/>])(?:[^>]*?\sr\s*=\s*["']\s*([A-Za-z]*)([0-9]*))?""")


def first_sheet(data: bytes, limits: Limits) -> Iterator[list[Any]]:
    """The rows of the first sheet from its first row on. Raises Refused: `file-unreadable`, `file-expands-too-far`."""
    try:
        with tempfile.TemporaryFile() as copy:
            _copy_plain(data, copy, limits)
            sheet = python_calamine.CalamineWorkbook.from_filelike(copy).get_sheet_by_index(0)
    except Refused:
        raise
    except Exception as error:
        raise Refused("file-unreadable") from error
    except BaseException as error:
        if type(error).__name__ != "PanicException":
            raise
        raise Refused("file-unreadable") from None
    left = sheet.start[1] if sheet.start else 0
    return ([*[""] * left, *row] for row in sheet.iter_rows())


def _copy_plain(data: bytes, copy: BinaryIO, limits: Limits) -> None:
    """The XML members of a workbook, not compressed."""
    most = min(limits.max_bytes, max(limits.max_ratio * len(data), 16 << 20))
    total = 0
    names = set()
    with zipfile.ZipFile(io.BytesIO(data)) as archive, zipfile.ZipFile(copy, "w") as plain:
        for member in archive.infolist():
            name = member.filename
            if not (name.lower().startswith(_PARTS) and name.lower().endswith((".xml", ".rels"))):
                continue
            if name.lower() in names:
                raise Refused("file-unreadable")
            names.add(name.lower())
            extent = _Extent(limits.max_cells)
            with archive.open(member) as file, plain.open(name, "w") as written:
                while piece := file.read(_PIECE):
                    total += len(piece)
                    if total > most:
                        raise Refused("file-expands-too-far", limit=f"{most} bytes")
                    written.write(piece)
                    extent.take(piece)
    copy.seek(0)


class _Extent:
    """How far the rows and cells of a sheet reach, counted as its parser counts."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._rest = b""
        self._row = self._column = self._height = self._width = 0
        self._places: dict[bytes, int] = {}

    def take(self, piece: bytes) -> None:
        """Follow the next piece of the sheet. Raises Refused: `file-unreadable`, `file-expands-too-far`."""
        text = self._rest + piece
        end = text.rfind(b">") + 1
        self._rest = text[end:]
        if len(self._rest) > _LONGEST_TAG and b"<" in self._rest[:-_LONGEST_TAG]:
            raise Refused("file-unreadable")
        if len(self._rest) > _LONGEST_TAG:
            self._rest = self._rest[-_LONGEST_TAG:]
        for tag, letters, digits in _PLACED.findall(text, 0, end):
            if digits:
                self._row = int(digits[:10])
            if tag == b"row":
                if not digits:
                    self._row += 1
                self._column = 0
                self._height = max(self._height, self._row)
                continue
            self._column = self._place(letters) if letters else self._column + 1
            self._height, self._width = max(self._height, self._row), max(self._width, self._column)
        if (self._height + 1) * self._width > self._most:
            raise Refused("file-expands-too-far", limit=f"{self._most} cells")

    def _place(self, letters: bytes) -> int:
        place = self._places.get(letters)
        if place is None:
            place = 0
            for letter in letters.upper()[:8]:
                place = place * 26 + letter - 64
            if len(letters) <= 3:
                self._places[letters] = place
        return place
