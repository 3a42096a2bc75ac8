"""Any input to a typed table: CSV, NDJSON, a JSON array or XLSX, also gzipped; what it is, its first bytes tell."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from ledger.errors import Refused
from ledger.ingestion.readers import csv, json, xlsx
from ledger.ingestion.readers.lines import LineReader
from ledger.ingestion.readers.source import Limits, Source, Stream
from ledger.ingestion.readers.table import Gathering, Table
from ledger.layouts import READABLE

__all__ = ["Limits", "Source", "Table", "read", "rows_again"]

_GUARDED = ("=", "+", "-", "@")


def read(source: Source, layout: str, limits: Limits | None = None) -> Table:
    """The whole input as a table of the layout.

    What is wrong with single rows stands in the table; Refused is raised for what spoils the whole: file-unreadable,
    file-empty, file-encoding, file-too-large, file-expands-too-far, line-too-long, quote-newline, columns-missing,
    column-unknown, column-twice, json-unreadable.
    """
    limits = limits or Limits()
    gathering = Gathering(layout)
    if source.decoded is not None:
        json.add_rows(source.decoded, gathering, limits)
        return gathering.table()
    with source.open(limits) as stream:
        kind = _kind(stream)
        if kind == "sheet":
            xlsx.read_sheet(stream, gathering, limits)
        elif kind == "array":
            json.read_array(stream, gathering, limits)
        elif kind == "lines":
            json.read_lines(LineReader(stream, limits), gathering, limits)
        else:
            csv.read_csv(LineReader(stream, limits), gathering, limits)
    if not gathering.rows:
        raise Refused("file-empty")
    return gathering.table()


def _kind(stream: Stream) -> str:
    head = stream.peek(4096)
    if not head:
        raise Refused("file-empty")
    if head.startswith(xlsx.MAGIC):
        return "sheet"
    first = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
    return {b"[": "array", b"{": "lines"}.get(first, "csv")


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
    with source.open(limits) as stream:
        kind = _kind(stream)
        if kind == "sheet":
            found, sheet = xlsx.sheet_rows(stream, columns, limits)
            texts = ((line, [xlsx.plain_text(c, v) for c, v in zip(found, row)]) for line, row in sheet)
            return [column.name for column in found], _wanted(texts, lines)
        if kind == "array":
            elements = enumerate(json.decoded_array(stream, limits), 1)
            return names, _wanted(((line, json.cells_of(row, columns)) for line, row in elements), lines)
    if kind == "lines":
        return names, _wanted(_opened_ndjson(source, layout, limits), lines)
    with _line_reader(source, limits) as reader:
        head = csv.read_head(reader, columns, limits)
    return [column.name for column in head.columns], _wanted(_opened_csv(source, layout, limits), lines)


@contextmanager
def _line_reader(source: Source, limits: Limits) -> Iterator[LineReader]:
    with source.open(limits) as stream:
        yield LineReader(stream, limits)


def _opened_ndjson(source: Source, layout: str, limits: Limits) -> Iterator[tuple[int, list[str]]]:
    with _line_reader(source, limits) as reader:
        for line, row in json.ndjson_rows(reader, limits):
            yield line, json.cells_of(row, READABLE[layout])


def _opened_csv(source: Source, layout: str, limits: Limits) -> Iterator[tuple[int, list[str]]]:
    with _line_reader(source, limits) as reader:
        head = csv.read_head(reader, READABLE[layout], limits)
        yield from csv.csv_rows(reader, head, limits)


def _wanted(rows: Iterator[tuple[int, list[str]]], lines: set[int]) -> Iterator[tuple[int, list[str]]]:
    for line, cells in rows:
        if line in lines:
            yield line, ["'" + cell if cell.startswith(_GUARDED) else cell for cell in map(str.strip, cells)]
