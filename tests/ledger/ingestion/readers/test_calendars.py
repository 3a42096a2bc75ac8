"""Dates of workbooks that count from 1904, as Excel on a Mac did, are the days that a person sees."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable
from datetime import date, datetime, timedelta

import pytest
import python_calamine
import xlsxwriter

from ledger.days import day_number
from ledger.identifiers import month_number
from ledger.ingestion.readers.reading import Source, read, rows_again

HEAD = ["npp", "month", "kpj", "wage", "paid_on"]
DAYS = [date(1978, 1, 1), date(2000, 2, 28), date(2000, 2, 29), date(2000, 3, 1), date(2024, 2, 29)] + [
    date(2026, 10, 1) + timedelta(days) for days in (0, 30, 44)
]


def workbook(days: Iterable[date], *, from_1904: bool) -> bytes:
    """A line a day, paid on it; the month is written as the first of October, the time of day differs."""
    body = io.BytesIO()
    with xlsxwriter.Workbook(body, {"in_memory": True, "date_1904": from_1904}) as book:
        sheet, shown = book.add_worksheet(), book.add_format({"num_format": "dd/mm/yyyy"})
        sheet.write_row(0, 0, HEAD)
        for at, day in enumerate(days, 1):
            sheet.write_row(at, 0, ["12345678", "", "12345678901", 5_000_000])
            sheet.write_datetime(at, 1, date(2026, 10, 1), shown)
            sheet.write_datetime(at, 4, datetime(day.year, day.month, day.day, 23 * (at % 2), 59 * (at % 2)), shown)
    return body.getvalue()


@pytest.mark.parametrize("from_1904", [False, True])
def test_a_date_is_the_day_that_was_written_whatever_day_the_workbook_counts_from(from_1904: bool) -> None:
    body = workbook(DAYS, from_1904=from_1904)
    # Another reader of workbooks agrees that these are the days.
    rows = python_calamine.load_workbook(io.BytesIO(body)).get_sheet_by_index(0).to_python()[1:]
    assert [row[4].date() if isinstance(row[4], datetime) else row[4] for row in rows] == DAYS
    table = read(Source.of(body), "contributions")
    assert table.problems == []
    assert table.columns["paid_on"].tolist() == [day_number(day) for day in DAYS]
    assert set(table.columns["month"].tolist()) == {month_number("2026-10")}
    # And the file of rejects has them as they were.
    _, again = rows_again(Source.of(body), "contributions", set(range(2, 2 + len(DAYS))))
    assert [(cells[1], cells[4]) for _, cells in again] == [("2026-10", day.isoformat()) for day in DAYS]


def test_a_workbook_says_in_any_spelling_that_it_counts_from_1904() -> None:
    """`1` or `true`; without the word, or with a no, the same number is another day."""
    said = {}
    for spelling in ("1", "true", "0", "false", ""):
        said[spelling] = _paid_on(spelling)
    days = 4 * 365 + 2
    assert said["1"] == said["true"] == day_number(date(2026, 11, 14))
    assert said["0"] == said["false"] == said[""] == day_number(date(2026, 11, 14)) - days


def _paid_on(spelling: str) -> int:
    body, out = io.BytesIO(workbook([date(2026, 11, 14)], from_1904=True)), io.BytesIO()
    with zipfile.ZipFile(body) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            text = old.read(name)
            if name == "xl/workbook.xml":
                assert text.count(b'date1904="1"') == 1
                text = text.replace(b'date1904="1"', f'date1904="{spelling}"'.encode() if spelling else b"")
            if name.startswith("xl/worksheets/"):
                # Only the day is looked at: the month's cell is not the first of a month in the other calendar.
                text = text.replace(b'<c r="B2"', b'<c r="Z9"')
            new.writestr(name, text)
    return int(read(Source.of(out.getvalue()), "contributions").columns["paid_on"][0])
