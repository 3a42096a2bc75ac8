"""A cell that cannot be read is never an empty cell: each kind of it in each column of each layout, in each format."""

from __future__ import annotations

import json

import pytest

from ledger.fields import EMPTY, Bad, read_cell
from ledger.ingestion.readers.reading import Source, Table, read, rows_again
from ledger.ingestion.readers.table import CODED
from ledger.layouts import LAYOUTS, READABLE, Column, indonesian_template
from tests.ledger.ingestion.readers.books import FORMULAS, Page, Raw, book, error, letters

VALUES: dict[str, object] = {
    "npp": "12345678", "name": "Sari Lestari", "registered_on": "2026-01-02", "kpj": "12345678901",
    "nik": "3171011708450001", "birth_date": "1945-08-17", "sex": "P", "segment": "PU", "email": "sari@contoh.id",
    "phone": "081234567890", "left_on": "2026-02-03", "old_card": "ya", "month": "2026-10", "wage": 5_000_000,
    "back_pay": 5_000, "employer": 185_000, "worker": 100_000, "paid_on": "2026-11-14", "reference": "TRX-1",
    "division": "001", "kind": "regular", "as_of": "2025-12-31", "credited_yield": 7, "months": 12,
    "member_since": "2020-01-02", "source": "BA-1", "left_why": "resigned", "tambahan": 5, "tambahan_yield": 1,
    "yield_through": "2024", "bases": "2025:17000000:2400000", "payouts": "2022-05-10:1000000:partial-10",
}  # fmt: skip
ERRORS = (
    "#N/A",
    "#REF!",
    "#VALUE!",
    "#DIV/0!",
    "#NAME?",
    "#NUM!",
    "#NULL!",
    "#SPILL!",
    "#CALC!",
    "#GETTING_DATA",
    "#####",
)
PLACES = [(layout, column) for layout, columns in READABLE.items() for column in columns]
each_column = pytest.mark.parametrize(
    ("layout", "column"), PLACES, ids=[f"{layout}-{column.name}" for layout, column in PLACES]
)


def row_of(layout: str) -> dict[str, object]:
    return {column.name: VALUES[column.name] for column in READABLE[layout]}


def refused(table: Table, column: Column, *codes: str) -> None:
    """The one row cannot be used, and for this cell; nothing stands in the cell's place that could be taken."""
    assert table.bad.tolist() == [True]
    assert {(one.code, one.line) for one in table.problems if one.column == column.name} <= {
        (code, 1 if code == "wrong-type" else table.problems[0].line) for code in codes
    }
    assert [one.column for one in table.problems] == [column.name]
    value = table.columns[column.name]
    if column.type in CODED:
        assert value.codes.tolist() == [-1]
    elif column.type == "npp":
        assert value.tolist() == [-1]


@each_column
def test_of_a_sheet(layout: str, column: Column) -> None:
    names = list(row_of(layout))
    place = names.index(column.name)
    cells = [*(error(sign) for sign in ERRORS[:-1]), *FORMULAS, Raw('t="e"', ""), Raw('t="e"', "<v>#FUTURE!</v>")]
    for cell in cells:
        row = [cell if name == column.name else value for name, value in row_of(layout).items()]
        table = read(Source.of(book(Page([list(names), row], name="Oktober"))), layout)
        refused(table, column, "cell-error", "cell-not-calculated")
        (problem,) = table.problems
        assert problem.code == ("cell-not-calculated" if cell in FORMULAS else "cell-error")
        assert f"Oktober!{letters(place + 1)}2" in problem.say("en")
        assert f"Oktober!{letters(place + 1)}2" in problem.say("id")


@each_column
def test_of_a_program_that_left_its_formulas_to_be_worked_out(layout: str, column: Column) -> None:
    row = [Raw("", "<f>A9</f><v>0</v>") if name == column.name else v for name, v in row_of(layout).items()]
    page = Page([list(row_of(layout)), row])
    refused(read(Source.of(book(page, calculated=False)), layout), column, "cell-not-calculated")


def _texts(column: Column) -> list[str]:
    found = [*ERRORS, "=VLOOKUP(A1;B:B;2;0)", "=A2&B2", "NaN", "<NA>", "null"]
    if column.type not in ("text", "kind", "segment", "sex", "email", "yes"):
        found += ["1e+15", "2.6E+10", "3,17101E+15"]
    return [*found, "a\u200bb", "1\u00a02\u202e3"]


@each_column
def test_of_a_text_file(layout: str, column: Column) -> None:
    for text in _texts(column):
        row = [text if name == column.name else str(value) for name, value in row_of(layout).items()]
        body = ";".join(row_of(layout)) + "\n" + ";".join(f'"{cell}"' for cell in row)
        table = read(Source.of(body.encode()), layout)
        assert table.bad.tolist() == [True], text
        assert [one.column for one in table.problems] == [column.name], text


@each_column
def test_of_json(layout: str, column: Column) -> None:
    if column.type in ("rupiah", "count"):
        cells: list[object] = ["#N/A", "", "5000000", 5.5, True, [], {}, -1]
    else:
        cells = [*ERRORS, "=A1", "NaN", 5, 1.5, False, ["x"]]
    for cell in cells:
        body = json.dumps([row_of(layout) | {column.name: cell}]).encode()
        for given in (body, body[1:-1]):
            table = read(Source.of(given), layout)
            assert table.bad.tolist() == [True], cell
            assert [one.column for one in table.problems] == [column.name], cell


@each_column
def test_that_is_written_back_stays_unreadable(layout: str, column: Column) -> None:
    row = row_of(layout)
    for cell in (error("#N/A"), FORMULAS[0]):
        page = Page([list(row), [cell if name == column.name else value for name, value in row.items()]])
        names, rows = rows_again(Source.of(book(page)), layout, {2})
        ((_, texts),) = rows
        again = read(Source.of(f"{';'.join(names)}\n{';'.join(texts)}\n".encode()), layout)
        assert [one.column for one in again.problems] == [column.name]


@pytest.mark.parametrize("column", [column for _, column in PLACES], ids=lambda column: column.name)
def test_an_unreadable_text_never_reads_as_nothing(column: Column) -> None:
    for text in (*ERRORS, "=1+1", "?", "-?", "\u0001", "\ue000"):
        value = read_cell(column, text)
        assert isinstance(value, Bad) or value != EMPTY[column.type], text


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_indonesian_template_is_read(layout: str) -> None:
    names = indonesian_template(READABLE[layout]).split(", ")
    days = {"date", "birth"}
    cells = [
        "-".join(reversed(str(value).split("-"))) if column.type in days else str(value)
        for column, value in zip(READABLE[layout], row_of(layout).values(), strict=True)
    ]
    table = read(Source.of(f"{';'.join(names)}\n{';'.join(cells)}\n".encode()), layout)
    plain = read(
        Source.of(f"{';'.join(row_of(layout))}\n{';'.join(map(str, row_of(layout).values()))}\n".encode()), layout
    )
    assert not table.problems
    for column in READABLE[layout]:
        assert str(table.columns[column.name]) == str(plain.columns[column.name])
