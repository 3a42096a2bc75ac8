"""What an employer takes home from a check: the accepted rows ready to send, and the others with the reasons.

The cells are the file's own, read again; nothing in them can run as a formula. In CSV the separator is a semicolon and
a byte order mark stands first, as spreadsheets set to Indonesian want it; in XLSX numbers of cards stay text.
"""

from __future__ import annotations

import csv
import io
import tempfile
import weakref
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple, cast

import xlsxwriter

from ledger.errors import Problem
from ledger.identifiers import month_text
from ledger.ingestion.preview import Checked
from ledger.ingestion.readers.reading import Limits, Source, rows_again
from ledger.layouts import CONTRIBUTIONS, REJECTS

IN_MEMORY = 1 << 20
CSV, XLSX = "text/csv; charset=utf-8", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_ALWAYS = frozenset({"npp", "month", "kpj", "wage", "employer", "worker", "paid_on"})
_MONEY = frozenset({"wage", "back_pay", "employer", "worker"})
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


def as_xlsx(table: bytes) -> bytes:
    """A sheet's CSV as a workbook of one sheet."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False})
    sheet = book.add_worksheet("JHT")
    sheet.set_column(0, 20, 18)
    rows = csv.reader(io.StringIO(table.decode("utf-8-sig"), newline=""), delimiter=";")
    names: list[str] = []
    for at, cells in enumerate(rows):
        names = names or cells
        for place, (name, cell) in enumerate(zip(names, cells, strict=True)):
            if at and name in _MONEY and cell.isascii() and cell.isdigit() and len(cell) <= _EXACT:
                sheet.write_number(at, place, int(cell))
            elif cell:
                sheet.write_string(at, place, cell)
    book.close()
    return out.getvalue()


class Cells(NamedTuple):
    """A row of the file as it stands there: column name -> text."""

    line: int
    texts: dict[str, str]


def write(
    source: Source, checked: Checked, npp: int, month: int, limits: Limits, wanted: set[int]
) -> tuple[Sheet, Sheet, dict[int, dict[str, str]]]:
    """The accepted rows, the others, and the cells of the `wanted` lines."""
    rejected = checked.receipt.rejected_lines
    names, rows = rows_again(source, "report", checked.accepted.keys() | rejected.keys(), limits)
    taken = [column.name for column in CONTRIBUTIONS if column.name in _ALWAYS or column.name in names]
    accepted, others, found = Sheet(), Sheet(), dict[int, dict[str, str]]()
    accepted.add(taken)
    others.add([*taken, *(column.name for column in REJECTS)])
    known = {"npp": f"{npp:08d}", "month": month_text(month)}
    for line, texts in _named(names, rows):
        if line in wanted:
            found[line] = texts
        kept = checked.accepted.get(line)
        if kept is not None:
            settled = known | {"employer": str(kept.employer), "worker": str(kept.worker)}
            accepted.add([settled.get(name) or texts.get(name, "") for name in taken])
        else:
            others.add([*(texts.get(name, "") for name in taken), str(line), *_reason(rejected[line])])
    return accepted, others, found


def _named(names: list[str], rows: Iterator[tuple[int, list[str]]]) -> Iterator[Cells]:
    for line, cells in rows:
        yield Cells(line, dict(zip(names, cells)))


def _reason(problem: Problem) -> tuple[str, str]:
    return problem.code, f"{problem.say('id')} / {problem.say('en')}"
