"""XLSX: the sheet a person sees as typed columns, and the cells that cannot be read or lost digits told apart.

One sheet is read. Where several could be meant, or lines would stay unread on another sheet or in hidden rows, nothing
is read and the sheets or rows are named: money never vanishes with a sheet, and a hidden draft is never booked.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import date, timedelta
from typing import NamedTuple

from ledger.errors import Refused
from ledger.fields import READERS, Bad, bare, read_cell, whole_number
from ledger.ingestion.readers.archive import Archive
from ledger.ingestion.readers.heading import Head, found_header, iso_days, rows_block
from ledger.ingestion.readers.merges import Covered
from ledger.ingestion.readers.sheet import Cell, Odd, Row, Sheet, column_letters
from ledger.ingestion.readers.source import Limits
from ledger.ingestion.readers.table import Gathering
from ledger.ingestion.readers.workbook import SheetPart, Workbook
from ledger.layouts import BLANK, Column, is_header

_BLOCK_ROWS = 20_000
_SHOWN = 8
_LOOKED_AT = 30
_LAST_DAY = 2_958_465
_KEPT = 10**15
"""Whole numbers from here on have more digits than a spreadsheet keeps."""
# Here a number has lost leading zeros that belong to it, and a date is something else that a spreadsheet guessed.
_WRITTEN = ("kpj", "npp", "nik", "phone", "division", "reference")
_DATES = ("date", "birth", "month")
_MONEY = ("rupiah", "count")


def read_sheet(archive: Archive, gathering: Gathering, limits: Limits) -> None:
    """The sheet of the layout into the gathering.

    Raises Refused: `file-unreadable`, `file-expands-too-far`, `file-empty`, `sheets-several`, `sheet-unread`,
    `sheet-hidden`, `rows-hidden`, `columns-hidden`, and what `found_header` raises.
    """
    found = found_sheet(archive, gathering.columns)
    gathering.day_first = {column.name for column in found.head.columns if column.type in ("date", "birth")}
    numbers: list[int] = []
    rows: list[list[str]] = []
    known: dict[tuple[int, str], Bad] = {}

    def add() -> None:
        gathering.add(rows_block(gathering, found.head, numbers, rows, known))
        limits.check_rows(gathering.rows)
        for held in (numbers, rows, known):
            held.clear()

    for number, cells in found.rows:
        texts = []
        for place, cell in enumerate(cells):
            column = found.head.columns[place] if place < len(found.head.columns) else None
            if isinstance(cell, str):
                texts.append(cell)
                if column is not None and cell.startswith(("#", "=")) and column.type not in (BLANK, "ignored"):
                    # A formula may give an error or a formula as a text.
                    value = read_cell(column, cell)
                    if isinstance(value, Bad):
                        known[len(rows), column.name] = found.located(value, number, place)
                continue
            text = _text(column, cell, found.from_1904)
            if isinstance(text, Bad):
                if column is not None and column.type not in (BLANK, "ignored"):
                    known[len(rows), column.name] = found.located(text, number, place)
                # What a merged cell holds is told once; its row is looked at as the sheet has it.
                text = cell.text if cell.kind == "merged" else plain_text(column, cell, found.from_1904)
            texts.append(text)
        numbers.append(number)
        rows.append(texts)
        if len(rows) == _BLOCK_ROWS:
            add()
    if rows:
        add()


class FoundSheet(NamedTuple):
    """The sheet that is read: its header, and (number, cells from the first column of the header on) of its rows."""

    name: str
    head: Head
    rows: Iterator[tuple[int, list[Cell]]]
    left: int
    from_1904: bool

    def located(self, bad: Bad, row: int, place: int) -> Bad:
        """A cell's problem with the cell's name as spreadsheets write it: `Oktober!E2`."""
        if "where" not in bad.details:
            return bad
        return Bad(bad.code, bad.details | {"where": f" {self.name}!{column_letters(place + self.left)}{row}"})


def found_sheet(archive: Archive, layout: tuple[Column, ...]) -> FoundSheet:
    """The one sheet that holds a table of the layout, as a person sees it."""
    workbook = Workbook(archive)
    part = _chosen(archive, workbook, layout)
    sheet = Sheet(archive, workbook, part)
    rows = sheet.rows()
    first: list[Row] = []

    def texts() -> Iterator[tuple[int, list[str]]]:
        for row in rows:
            first.append(row)
            yield row.number, _shown(row)

    columns = found_header(texts(), layout)
    _refuse_hidden_columns(sheet, columns)
    # The header may begin further to the right; what stands before it has no name.
    left = next(place for place, column in enumerate(columns) if column.type != BLANK)
    head = Head(columns[left:])
    return FoundSheet(sheet.name, head, _under(sheet, head, left, first[0].number, rows), left, workbook.from_1904)


def _under(sheet: Sheet, head: Head, left: int, header: int, rows: Iterator[Row]) -> Iterator[tuple[int, list[Cell]]]:
    """The rows under the header. Raises Refused `rows-hidden` when filled ones are hidden."""
    hidden: list[int] = []
    width = len(head.columns)
    covered = Covered(sheet.merges(), header)
    named = {left + place for place, column in enumerate(head.columns) if column.type not in (BLANK, "ignored")}
    money = {place for place in named if head.columns[place - left].type in _MONEY}
    for row in rows:
        if row.hidden:
            hidden.append(row.number)
            if len(hidden) > _SHOWN:
                break
        if hidden:
            continue
        cells = row.cells
        for place in covered.places(row.number, set(cells), named, money):
            # Only its text, so that a totals row with merged cells is still seen as one.
            cells[place] = Odd("merged", _as_text(cells.get(place, "")))
        end = max(width, max(cells) + 1 - left)
        line: list[Cell] = [cells.get(place, "") for place in range(left, left + end)]
        if left and any(place < left for place in cells):
            # Something stands left of the header: one cell more than the row may have.
            line.append("?")
        yield row.number, line
    if hidden:
        more = ", ..." if len(hidden) > _SHOWN else ""
        raise Refused("rows-hidden", line=hidden[0], sheet=sheet.name, rows=", ".join(map(str, hidden[:_SHOWN])) + more)


def _refuse_hidden_columns(sheet: Sheet, columns: list[Column]) -> None:
    hidden = [column.name for place, column in enumerate(columns) if column.type != BLANK and sheet.is_hidden(place)]
    if hidden:
        raise Refused("columns-hidden", sheet=sheet.name, columns=", ".join(hidden))


class _Glance(NamedTuple):
    """What a sheet seems to be: `filled`; `table`: it has a header of the layout; `lines`: it has cards or NIKs."""

    part: SheetPart
    filled: bool
    table: bool
    lines: bool


def _chosen(archive: Archive, workbook: Workbook, layout: tuple[Column, ...]) -> SheetPart:
    seen = [part for part in workbook.sheets if part.visible]
    if len(seen) == 1 and len(workbook.sheets) == 1:
        return seen[0]
    glances = [_glance(archive, workbook, part, layout) for part in seen]
    tables = [one for one in glances if one.table]
    if len(tables) > 1:
        raise Refused("sheets-several", sheets=_named([one.part for one in tables]))
    unread = [one.part for one in glances if one.lines and one not in tables]
    if tables:
        if unread:
            raise Refused("sheet-unread", sheets=_named(unread), sheet=tables[0].part.name)
        return tables[0].part
    hidden = [part for part in workbook.sheets if not part.visible]
    drafts = [part for part in hidden if _glance(archive, workbook, part, layout).table]
    if drafts:
        raise Refused("sheet-hidden", sheets=_named(drafts))
    filled = [one.part for one in glances if one.filled]
    if not filled:
        raise Refused("file-empty")
    # None is a table: what the fullest sheet lacks is told of the first with lines, else of the first.
    return (unread or filled)[0]


def _glance(archive: Archive, workbook: Workbook, part: SheetPart, layout: tuple[Column, ...]) -> _Glance:
    filled = lines = False
    for at, row in enumerate(Sheet(archive, workbook, part).rows()):
        filled = True
        texts = _shown(row)
        if at < _LOOKED_AT and is_header(texts, layout):
            return _Glance(part, filled=True, table=True, lines=True)
        if any(_is_number_of_somebody(text) for text in texts):
            lines = True
            if at >= _LOOKED_AT:
                break
    return _Glance(part, filled, table=False, lines=lines)


def _is_number_of_somebody(text: str) -> bool:
    digits = bare(text).removeprefix("'")
    return len(digits) in (11, 16) and digits.isdigit()


def _named(parts: list[SheetPart]) -> str:
    return ", ".join(part.name for part in parts[:_SHOWN])


def _shown(row: Row) -> list[str]:
    cells = row.cells
    found = [cells.get(place, "") for place in range(max(cells) + 1)]
    return [_as_text(cell) for cell in found]


def _as_text(cell: Cell) -> str:
    return cell if isinstance(cell, str) else cell.text


def plain_text(column: Column | None, cell: Cell, from_1904: bool = False) -> str:
    """A cell as it is written in CSV; what cannot be read stays what cannot be read."""
    if isinstance(cell, str):
        return cell
    if cell.kind in ("formula", "merged"):
        return "=?"
    text = _text(column, cell, from_1904)
    if not isinstance(text, Bad):
        return text
    # Lost digits must not read as another number when the file of rejects is sent again.
    return f"?{cell.text}" if text.code == "cell-lost-digits" else cell.text


def _text(column: Column | None, cell: Odd, from_1904: bool) -> str | Bad:
    """A cell's text, or what is wrong with it: numbers keep 15 digits and no leading zeros in a spreadsheet."""
    kind, text = cell
    if kind == "error":
        return Bad("cell-error", {"error": text[:20] if text[:1] == "#" else "#", "where": ""})
    if kind == "formula":
        return Bad("cell-not-calculated", {"where": ""})
    if kind == "merged":
        return Bad("cell-merged")
    if column is None:
        return text
    if kind == "bool":
        return Bad("wrong-type", {"expected": "text"}) if column.type in ("text", "reference") else text
    if kind == "date":
        return _date_text(column, text, from_1904)
    return _number_text(column, text)


def _date_text(column: Column, text: str, from_1904: bool) -> str | Bad:
    if column.type in (*_WRITTEN, "text"):
        return Bad("cell-lost-digits", {"where": ""})
    try:
        # Of a moment inside a day only the day counts; the calendar of 1900 has a 29th of February.
        serial = math.floor(float(text))
        if not 0 <= serial <= _LAST_DAY:
            return text
        start = date(1904, 1, 1) if from_1904 else date(1899, 12, 30) if serial > 59 else date(1899, 12, 31)
        day = start + timedelta(serial)
    except (ValueError, OverflowError):
        return text
    # A spreadsheet turns 2026-10 into the first of October; any other day was never meant as a month.
    return f"{day:%Y-%m}" if column.type == "month" and day.day == 1 else day.isoformat()


def _number_text(column: Column, text: str) -> str | Bad:
    number = whole_number(text)
    if number is None:
        if column.type in _MONEY:
            read = READERS["rupiah"](text, column.limit)
            finite = isinstance(read, Bad) and read.code == "number-fraction"
            return Bad("number-fraction", {"where": ""}) if finite else Bad("number-unreadable")
        return Bad("cell-lost-digits", {"where": ""}) if column.type in _WRITTEN else text
    digits = str(number)
    if column.type == "nik" or (column.type in _WRITTEN and (abs(number) >= _KEPT or not digits.isdigit())):
        return Bad("cell-lost-digits", {"where": ""})
    return digits


def rows_as_texts(found: FoundSheet) -> Iterator[tuple[int, list[str]]]:
    """(row number, cells as they are written in CSV) of the rows under the header."""
    columns = found.head.columns
    for number, cells in found.rows:
        named = [columns[place] if place < len(columns) else None for place in range(len(cells))]
        texts = [plain_text(column, cell, found.from_1904) for column, cell in zip(named, cells, strict=True)]
        yield number, iso_days(columns, texts)
