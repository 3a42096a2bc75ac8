"""A cell that cannot be read, of every kind and in every column, is told at every door, and nothing of its line is taken.

The doors: a file from the command line (its engine), the body of a request, a month's file at the employers' site.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from api.request_body import XLSX
from ledger.ingestion.readers.reading import Source
from ledger.layouts import LAYOUTS, READABLE, Column
from ledger.receipt import Header
from ledger.settings import Settings
from tests.api.conftest import ALL
from tests.api.web.payroll import Payroll
from tests.ledger.ingestion.readers.books import FORMULAS, Page, Raw, book, error
from tests.ledger.ingestion.readers.test_unreadable_cells import ERRORS, VALUES
from tests.office import NPP

MONTH = "2026-11"
OWN = VALUES | {"npp": NPP, "month": MONTH}
OF_A_SHEET = (
    *(error(sign) for sign in ERRORS[:-1]),
    *FORMULAS,
    Raw('t="e"', ""),
    Raw('t="str"', "<f>A1</f><v>#N/A</v>"),
)
OF_A_TEXT = (*ERRORS, "=VLOOKUP(A1;B:B;2;0)", "NaN", "<NA>", "null", "5\u200b5")
OF_JSON: tuple[object, ...] = (True, ["x"], {"x": "y"}, "#N/A", 1.5)
Told = list[tuple[int, str]]


@pytest.fixture
def payroll(settings: Settings) -> Iterator[Payroll]:
    with Payroll(settings) as made:
        made.fill()
        yield made


def bodies(layout: str, column: Column) -> Iterator[tuple[str, bytes, range]]:
    """(what it is, a file of lines that each have one unreadable cell in the column, the numbers of its lines)."""
    row = {one.name: OWN[one.name] for one in READABLE[layout]}

    def lines(cells: tuple[object, ...]) -> list[dict[str, object]]:
        return [row | {column.name: cell} for cell in cells]

    yield (
        XLSX,
        book(Page([list(row), *(list(one.values()) for one in lines(OF_A_SHEET))])),
        range(2, len(OF_A_SHEET) + 2),
    )
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";")
    writer.writerows([list(row), *(list(one.values()) for one in lines(OF_A_TEXT))])
    yield "text/csv", out.getvalue().encode(), range(2, len(OF_A_TEXT) + 2)
    # A number is what JSON has for some columns.
    unfit = [cell for cell in OF_JSON if not (column.type == "year" and isinstance(cell, bool))]
    yield "application/json", json.dumps(lines(tuple(unfit))).encode(), range(1, len(unfit) + 1)


def of_the_engine(payroll: Payroll, layout: str, kind: str, body: bytes, place: Path) -> Told:
    place.write_bytes(body)
    receipt = payroll.office.door.ingest(layout, Source.at(place), Header("t", "cli", "r"))
    assert {name for name, lines in receipt.totals.items() if lines} == {"refused"}
    return [(told.problem.line, told.problem.column) for told in receipt.problems]


class Http:
    """The API with one key."""

    def __init__(self, payroll: Payroll) -> None:
        self._key = payroll.key(*ALL)

    def __call__(self, payroll: Payroll, layout: str, kind: str, body: bytes, place: Path) -> Told:
        answer = payroll.client.post(f"/v1/{layout}", headers=self._key | {"Content-Type": kind}, content=body)
        assert answer.status_code == 422
        receipt = answer.json()
        assert {name for name, lines in receipt["totals"].items() if lines} == {"refused"}
        return [(told["line"], told["column"]) for told in receipt["problems"]]


def of_the_employers_site(payroll: Payroll, layout: str, kind: str, body: bytes, place: Path) -> Told:
    clerk = payroll.clerk()
    address = clerk.check(body, MONTH)
    mended = clerk.get(f"{address}/perbaikan.csv").content.decode("utf-8-sig")
    names, *rows = csv.reader(io.StringIO(mended, newline=""), delimiter=";")
    assert "Diterima 0" in clerk.read(address)
    return [(int(row[names.index("line")]), "") for row in rows]


@pytest.mark.parametrize("settings", ["sqlite"], indirect=True)
def test_every_unreadable_cell_is_told_at_every_door(payroll: Payroll, tmp_path: Path) -> None:
    head = payroll.log.head()
    doors = {layout: (of_the_engine, Http(payroll)) for layout in LAYOUTS} | {"report": (of_the_employers_site,)}
    for layout, column in ((name, column) for name, columns in READABLE.items() for column in columns):
        for kind, body, lines in bodies(layout, column):
            for door in doors[layout]:
                told = door(payroll, layout, kind, body, tmp_path / "sent")
                name = "" if layout == "report" else column.name
                assert told == [(line, name) for line in lines], (layout, column.name, kind, door)
    assert payroll.log.head() == head
