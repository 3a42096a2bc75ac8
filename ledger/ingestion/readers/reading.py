"""Any input to a typed table: CSV, NDJSON, a JSON array or XLSX, also gzipped or alone in a zip; what it is, its first
bytes tell."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import NamedTuple

from ledger.errors import Refused
from ledger.fields import harmless
from ledger.ingestion.readers import csv, file_kind, json, xlsx
from ledger.ingestion.readers.altered import refuse_cut_niks, refuse_unclear_dates
from ledger.ingestion.readers.archive import Archive
from ledger.ingestion.readers.lines import LineReader
from ledger.ingestion.readers.payers import refuse_empty_payers
from ledger.ingestion.readers.source import Limits, Source, Stream
from ledger.ingestion.readers.table import Gathering, Table
from ledger.layouts import READABLE

__all__ = ["REFUSALS", "Limits", "Source", "Table", "read", "rows_again"]


REFUSALS = (
    "file-unreadable", "file-kind-wrong", "file-protected", "file-zip-of-many", "file-empty", "file-encoding",
    "file-too-large", "file-expands-too-far", "line-too-long", "line-ends-mixed", "quote-newline", "header-not-first",
    "header-again", "columns-missing", "column-unknown", "column-twice", "json-unreadable", "json-over-lines",
    "sheets-several", "sheet-unread", "sheet-hidden", "rows-hidden", "columns-hidden", "file-mostly-unreadable",
)  # fmt: skip
"""What spoils an input as a whole."""


def read(source: Source, layout: str, limits: Limits | None = None) -> Table:
    """The whole input as a table of the layout.

    What is wrong with single rows stands in the table. Raises Refused: one of REFUSALS.
    """
    limits = limits or Limits()
    gathering = Gathering(layout)
    if source.decoded is not None:
        json.add_rows(source.decoded, gathering, limits)
        return _checked(gathering, typed=True)
    with _opened(source, limits) as (kind, stream, archive):
        if archive is not None:
            xlsx.read_sheet(archive, gathering, limits)
        elif kind == "array":
            json.read_array(stream, gathering, limits)
        elif kind == "lines":
            json.read_lines(LineReader(stream, limits), gathering, limits)
        else:
            csv.read_csv(LineReader(stream, limits), gathering, limits)
    if not gathering.rows:
        raise Refused("file-empty")
    return _checked(gathering, typed=kind in ("array", "lines"))


def _checked(gathering: Gathering, *, typed: bool) -> Table:
    """What only the whole table tells. `typed`: texts were written as texts, so no spreadsheet cut them."""
    table = gathering.table()
    refuse_unclear_dates(table, gathering.day_first)
    refuse_empty_payers(table)
    if not typed:
        refuse_cut_niks(table)
    return table


class _Opened(NamedTuple):
    """`archive` is a workbook's; a stream is at its start."""

    kind: str
    stream: Stream
    archive: Archive | None


@contextmanager
def _opened(source: Source, limits: Limits) -> Iterator[_Opened]:
    """An input, unpacked from a zip where it is alone in it."""
    with ExitStack() as stack:
        stream = stack.enter_context(source.open(limits))
        for _ in range(2):
            kind = file_kind.kind_of(stream.peek(file_kind.LOOKED_AT))
            if kind != "zip":
                yield _Opened(kind, stream, None)
                return
            archive = stack.enter_context(Archive(stream, limits))
            if file_kind.is_workbook(archive):
                yield _Opened("sheet", stream, archive)
                return
            stream = stack.enter_context(Stream(archive.open(archive.one_table), limits))
        raise Refused("file-zip-of-many", files=1)


def rows_again(
    source: Source, layout: str, lines: set[int], limits: Limits | None = None
) -> tuple[list[str], Iterator[tuple[int, list[str]]]]:
    """The column names of an input and (line, cells) of the asked lines: what the file of rejects is made from.

    A cell that a spreadsheet would run as a formula is written with an apostrophe before it.
    """
    limits = limits or Limits()
    columns = READABLE[layout]
    names = [column.name for column in columns]
    if source.decoded is not None:
        rows = enumerate(source.decoded, 1)
        return names, _wanted(((line, json.cells_of(row, columns)) for line, row in rows), lines)
    with _opened(source, limits) as (kind, stream, archive):
        if archive is not None:
            names = [column.name for column in xlsx.found_sheet(archive, columns).head.columns]
        elif kind == "csv":
            names = [column.name for column in csv.read_head(LineReader(stream, limits), columns, limits).columns]
    return names, _wanted(_all_again(source, layout, limits), lines)


def _all_again(source: Source, layout: str, limits: Limits) -> Iterator[tuple[int, list[str]]]:
    columns = READABLE[layout]
    with _opened(source, limits) as (kind, stream, archive):
        if archive is not None:
            yield from xlsx.rows_as_texts(xlsx.found_sheet(archive, columns))
        elif kind == "csv":
            reader = LineReader(stream, limits)
            yield from csv.csv_rows(reader, csv.read_head(reader, columns, limits), limits)
        else:
            given = (
                json.array_elements(stream, limits)
                if kind == "array"
                else json.ndjson_rows(LineReader(stream, limits), limits)
            )
            for line, row in given:
                yield line, json.cells_of(row, columns)


def _wanted(rows: Iterator[tuple[int, list[str]]], lines: set[int]) -> Iterator[tuple[int, list[str]]]:
    for line, cells in rows:
        if line in lines:
            yield line, [harmless(cell) for cell in cells]
