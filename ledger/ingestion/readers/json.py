"""JSON: an array of objects, or one object a line. Money must be a JSON integer, everything else a text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec
import numpy as np

from ledger.errors import Refused
from ledger.fields import Bad
from ledger.ingestion.readers.lines import LineReader, check_line
from ledger.ingestion.readers.source import Limits, Stream
from ledger.ingestion.readers.table import Gathering
from ledger.ingestion.readers.typed import Cells, typed_block
from ledger.layouts import Column, clean_name, refuse_unknown

_BLOCK_ROWS = 20_000
_NUMBERS = ("rupiah", "count")


def read_array(stream: Stream, gathering: Gathering, limits: Limits) -> None:
    """A JSON array, held whole. Raises Refused: `json-unreadable`, `file-too-large`, `column-unknown`."""
    add_rows(decoded_array(stream, limits), gathering, limits)


def decoded_array(stream: Stream, limits: Limits) -> list[Any]:
    """The elements of a JSON array."""
    try:
        body = stream.everything(limits.max_array).removeprefix(b"\xef\xbb\xbf")
        return msgspec.json.decode(body, type=list[Any])
    except UnicodeDecodeError:
        raise Refused("file-encoding") from None
    except (msgspec.DecodeError, RecursionError):
        raise Refused("json-unreadable") from None


def add_rows(rows: Sequence[Any], gathering: Gathering, limits: Limits) -> None:
    """Decoded rows, numbered from 1. Raises Refused: `file-empty`, `column-unknown`."""
    if not rows:
        raise Refused("file-empty")
    limits.check_rows(len(rows))
    _add(gathering, list(range(1, len(rows) + 1)), rows)


def read_lines(lines: LineReader, gathering: Gathering, limits: Limits) -> None:
    """NDJSON: an object a line. Raises Refused: `file-encoding`, `line-too-long`, `column-unknown`."""
    numbers: list[int] = []
    rows: list[Any] = []
    for number, row in ndjson_rows(lines, limits):
        numbers.append(number)
        rows.append(row)
        if len(rows) == _BLOCK_ROWS:
            _add(gathering, numbers, rows)
            limits.check_rows(gathering.rows)
            numbers, rows = [], []
    if rows:
        _add(gathering, numbers, rows)
        limits.check_rows(gathering.rows)


def ndjson_rows(lines: LineReader, limits: Limits) -> Iterator[tuple[int, Any]]:
    """(line number, what the line holds) of every line that is not blank; a Bad where it is no JSON."""
    decode = msgspec.json.Decoder().decode
    for block in lines.blocks():
        for number, line in enumerate(block.text.split(b"\n")[:-1], block.first):
            text = check_line(line, number, limits.max_line).removeprefix("\ufeff")
            if not text or text.isspace():
                continue
            try:
                yield number, decode(text)
            except (msgspec.DecodeError, RecursionError):
                yield number, Bad("json-unreadable")


def cells_of(row: Any, columns: Iterable[Column]) -> list[str]:
    """A row's values as they are written in CSV."""
    values = {clean_name(name): value for name, value in row.items()} if isinstance(row, dict) else {}
    return ["" if values.get(c.name) is None else str(values[c.name]) for c in columns]


def _add(gathering: Gathering, numbers: list[int], rows: Sequence[Any]) -> None:
    columns = gathering.columns
    names = {column.name for column in columns}
    broken: dict[int, Bad] = {}
    objects: list[dict[str, Any]] = []
    for place, row in enumerate(rows):
        if not isinstance(row, dict):
            broken[place] = row if isinstance(row, Bad) else Bad("wrong-type", {"expected": "object"})
            objects.append({})
            continue
        if not row.keys() <= names:
            row = _clean(row, columns, numbers[place])  # noqa: PLW2901
        objects.append(row)
    known: dict[tuple[int, str], Bad] = {}
    cells: dict[str, Cells] = {}
    for column in columns:
        given = [row.get(column.name) for row in objects]
        if not column.required and all(value is None for value in given):
            continue
        cells[column.name] = _numbers(column, given, known) if column.type in _NUMBERS else _texts(column, given, known)
    gathering.add(typed_block(gathering, np.array(numbers, np.int64), cells, known, broken))


def _clean(row: dict[str, Any], columns: Sequence[Column], line: int) -> dict[str, Any]:
    """The row with its keys as columns are called: a key in capitals must not be left out silently."""
    refuse_unknown(sorted(row), tuple(columns), line)
    cleaned = {clean_name(name): value for name, value in row.items()}
    if len(cleaned) < len(row):
        times = Counter(clean_name(name) for name in row)
        twice = sorted(name for name in times if times[name] > 1)
        raise Refused("column-twice", line=line, columns=", ".join(twice))
    return cleaned


def _numbers(column: Column, given: list[Any], known: dict[tuple[int, str], Bad]) -> Cells:
    values = []
    for place, value in enumerate(given):
        bad: Bad | None = None
        if value is None:
            bad = Bad("cell-empty") if column.filled else None
        elif isinstance(value, bool) or not isinstance(value, int):
            bad = Bad("wrong-type", {"expected": "integer"})
        elif value < 0:
            bad = Bad("number-negative")
        elif value > column.limit:
            bad = Bad("amount-absurd", {"limit": column.limit})
        else:
            values.append(value)
            continue
        if bad is not None:
            known[place, column.name] = bad
        values.append(-1)
    return np.array(values, np.int64)


def _texts(column: Column, given: list[Any], known: dict[tuple[int, str], Bad]) -> Cells:
    texts = []
    for place, value in enumerate(given):
        if value is not None and not isinstance(value, str):
            known[place, column.name] = Bad("wrong-type", {"expected": "text"})
        texts.append(value if isinstance(value, str) else "")
    return texts
