"""Tables that people open in a spreadsheet: CSV as it wants it in Indonesian, and a workbook of one sheet.

In CSV the separator is a semicolon and a byte order mark stands first; in XLSX numbers of cards stay text. Texts
that somebody else wrote are given as `ledger.fields.harmless` makes them: none can run as a formula.
"""

from __future__ import annotations

import csv
import io
import tempfile
import weakref
from collections.abc import Collection
from typing import BinaryIO, cast

import xlsxwriter

IN_MEMORY = 1 << 20
CSV, XLSX = "text/csv; charset=utf-8", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_EXACT = 15
"""Digits that a spreadsheet keeps in a number."""


class Sheet:
    """Rows of texts, the first one their names, on disk without a name when they are many."""

    def __init__(self) -> None:
        self._file = cast(BinaryIO, tempfile.SpooledTemporaryFile(IN_MEMORY))  # noqa: SIM115
        self._text = io.TextIOWrapper(self._file, "utf-8-sig", newline="")
        self._writer = csv.writer(self._text, delimiter=";")
        self.rows = -1
        weakref.finalize(self, self._file.close)

    def add(self, cells: list[str]) -> None:
        """Write one more row."""
        self._writer.writerow(cells)
        self.rows += 1

    def as_csv(self) -> bytes:
        """The whole file."""
        self._text.flush()
        self._file.seek(0)
        return self._file.read()

    def close(self) -> None:
        self._file.close()


def as_xlsx(table: bytes, money: Collection[str]) -> bytes:
    """A sheet's CSV as a workbook of one sheet; the columns named in `money` become numbers."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    sheet = book.add_worksheet("JHT")
    sheet.set_column(0, 20, 18)
    rows = csv.reader(io.StringIO(table.decode("utf-8-sig"), newline=""), delimiter=";")
    names: list[str] = []
    for at, cells in enumerate(rows):
        names = names or cells
        for place, (name, cell) in enumerate(zip(names, cells, strict=True)):
            digits = cell.removeprefix("-")
            if at and name in money and digits.isascii() and digits.isdigit() and len(digits) <= _EXACT:
                sheet.write_number(at, place, int(cell))
            elif cell:
                sheet.write_string(at, place, cell)
    book.close()
    return out.getvalue()
