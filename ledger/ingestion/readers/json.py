"""JSON: an array of objects, or one object a line. Money must be a JSON integer, everything else a text.

An array is read an element at a time, so that it is never held whole. A key that stands twice in an object is refused
however it is spelled: the last one would win silently. An object without any value is skipped, as a blank line is.
"""

from __future__ import annotations

import codecs
import json
import math
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
_SMALL = 256 << 10
"""Bytes of an array that are decoded at once, which is several times quicker and takes little memory."""
_PIECE = 256 << 10
_NUMBERS = ("rupiah", "count")
_EXACT = 2**53
_SPACE = " \t\r\n"
_GOING_ON = '",:}]'
"""How a line begins that goes on with the object of the line before."""
_LOOKED_AT = 3
"""Lines of which one begins so, or ends with a comma, where an object stands on several: `{"lines": [`, `{..}`, `]`."""


class _KeyTwice(ValueError):
    """An object has a key twice."""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise _KeyTwice(", ".join(name for name, times in Counter(name for name, _ in pairs).items() if times > 1))
    return found


def _no_constant(_: str) -> Any:
    raise ValueError("NaN, Infinity and numbers beyond any float are no JSON")


def _finite(text: str) -> float:
    number = float(text)
    return _no_constant(text) if math.isinf(number) else number


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_no_constant, parse_float=_finite)


def read_array(stream: Stream, gathering: Gathering, limits: Limits) -> None:
    """A JSON array. Raises Refused: `json-unreadable`, `file-encoding`, `column-unknown`, `column-twice`."""
    _read(array_elements(stream, limits), gathering, limits)


def array_elements(stream: Stream, limits: Limits) -> Iterator[tuple[int, Any]]:
    """(number from 1, element) of a JSON array; a single element may have as many characters as a line."""
    if (
        len(head := stream.peek(_SMALL)) < _SMALL
        and (rows := _small_array(head.removeprefix(b"\xef\xbb\xbf"))) is not None
    ):
        return enumerate(rows, 1)
    return _elements(stream, limits)


def _small_array(body: bytes) -> list[Any] | None:
    """The elements, None where they cannot be read: one by one they tell which of them it is."""
    try:
        rows: list[Any] = msgspec.json.decode(body, type=list[Any])
        if body.count(b":") != sum(len(row) for row in rows if isinstance(row, dict)):
            for number, row in enumerate(json.loads(body, object_pairs_hook=list), 1):
                _refuse_twice(row, number)
    except UnicodeDecodeError:
        raise Refused("file-encoding") from None
    except (msgspec.DecodeError, RecursionError):
        return None
    return rows


def _refuse_twice(row: Any, number: int) -> None:
    """Raise Refused `column-twice` for an object, given as its pairs, with a key twice."""
    if isinstance(row, list) and row and all(isinstance(pair, tuple) for pair in row):
        try:
            _object(row)
        except _KeyTwice as twice:
            raise _column_twice(twice, number) from None


def _column_twice(twice: _KeyTwice, number: int) -> Refused:
    # A key may be anything, so only one that could be a column's name is repeated.
    return Refused("column-twice", line=number, columns=str(twice) if str(twice).isidentifier() else "?")


def _elements(stream: Stream, limits: Limits) -> Iterator[tuple[int, Any]]:
    text = _Text(stream, limits)
    if text.next_sign() != "[":
        raise Refused("json-unreadable")
    text.at += 1
    number = 0
    if text.next_sign() == "]":
        text.at += 1
    else:
        while True:
            number += 1
            yield number, text.element(number)
            sign = text.next_sign()
            text.at += 1
            if sign == "]":
                break
            if sign != ",":
                raise Refused("json-unreadable", line=number)
    if text.next_sign():
        raise Refused("json-unreadable", line=number)


class _Text:
    """The part of a JSON text that is at hand, and how far it is read."""

    def __init__(self, stream: Stream, limits: Limits) -> None:
        self._stream, self._most = stream, limits.max_line
        self._decode = codecs.getincrementaldecoder("utf-8-sig")().decode
        self._text = ""
        self._ended = False
        self.at = 0

    def _more(self) -> bool:
        piece = self._stream.read(_PIECE)
        self._ended = not piece
        try:
            self._text = self._text[self.at :] + self._decode(piece, final=self._ended)
        except UnicodeDecodeError:
            raise Refused("file-encoding") from None
        self.at = 0
        return not self._ended

    def next_sign(self) -> str:
        """The next character that is no blank, "" at the end."""
        while True:
            while self.at < len(self._text) and self._text[self.at] in _SPACE:
                self.at += 1
            if self.at < len(self._text):
                return self._text[self.at]
            if self._ended or not self._more():
                return self._text[self.at : self.at + 1]

    def element(self, number: int) -> Any:
        """The next element. Raises Refused: `json-unreadable`, `line-too-long`, `column-twice`."""
        self.next_sign()
        while True:
            try:
                value, end = _DECODER.raw_decode(self._text, self.at)
            except _KeyTwice as twice:
                raise _column_twice(twice, number) from None
            except (ValueError, RecursionError):
                end = -1
            # A number at the very end may go on in the next piece.
            if 0 <= end < len(self._text) or (end >= 0 and self._ended):
                break
            if len(self._text) - self.at > self._most:
                raise Refused("json-unreadable", line=number)
            if self._ended or not self._more():
                if end >= 0:
                    continue
                raise Refused("json-unreadable", line=number)
        if "\\u" in (raw := self._text[self.at : end]):
            _must_be_sound(raw, number)
        self.at = end
        return value


def _must_be_sound(raw: str, number: int) -> None:
    """Half a pair of surrogates is no character. Raises Refused `json-unreadable`."""
    try:
        msgspec.json.decode(raw)
    except (msgspec.DecodeError, RecursionError):
        raise Refused("json-unreadable", line=number) from None


def add_rows(rows: Sequence[Any], gathering: Gathering, limits: Limits) -> None:
    """Decoded rows, numbered from 1. Raises Refused: `file-empty`, `column-unknown`."""
    _read(enumerate(rows, 1), gathering, limits)
    if not gathering.rows:
        raise Refused("file-empty")


def read_lines(lines: LineReader, gathering: Gathering, limits: Limits) -> None:
    """NDJSON: an object a line. Raises Refused: `file-encoding`, `line-too-long`, `column-unknown`, `column-twice`."""
    _read(ndjson_rows(lines, limits), gathering, limits)


def _read(given: Iterable[tuple[int, Any]], gathering: Gathering, limits: Limits) -> None:
    numbers: list[int] = []
    rows: list[Any] = []
    skipped = 0
    for number, row in given:
        if isinstance(row, dict) and not any(value is not None and value != "" for value in row.values()):
            refuse_unknown(sorted(row), tuple(gathering.columns), number)
            skipped += 1
            if skipped % _BLOCK_ROWS == 0:
                gathering.refuse_mostly_unreadable(skipped)
            continue
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
    """(line number, what the line holds) of every line that is not blank; a Bad where it is no JSON.

    Raises Refused `json-over-lines` where the first object goes on in the lines behind: no line alone tells anything then.
    """
    decode = msgspec.json.Decoder().decode
    seen = opened = 0
    for block in lines.blocks():
        for number, line in enumerate(block.text.split(b"\n")[:-1], block.first):
            text = check_line(line, number, limits.max_line).removeprefix("\ufeff")
            if not text or text.isspace() or text == "\x1a":
                continue
            seen += 1
            if opened and seen <= _LOOKED_AT and (text.lstrip()[0] in _GOING_ON or text.rstrip()[-1] == ","):
                raise Refused("json-over-lines", line=opened)
            try:
                row = decode(text)
                if isinstance(row, dict) and text.count(":") != len(row):
                    _DECODER.decode(text)
            except _KeyTwice as twice:
                raise _column_twice(twice, number) from None
            except (ValueError, RecursionError):
                row = Bad("json-unreadable")
                opened = opened or (number if seen == 1 else 0)
            yield number, row


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
    named = set[str]().union(*objects)
    for column in columns:
        if column.name not in named and not column.required:
            continue
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
    if set(map(type, given)) == {int} and min(given) >= 0 and max(given) <= column.limit:
        return np.array(given, np.int64)
    values = []
    for place, value in enumerate(given):
        bad: Bad | None = None
        if isinstance(value, float) and value.is_integer() and abs(value) < _EXACT:
            # 5000000.0 is what some programs make of 5000000, and nothing else.
            value = int(value)  # noqa: PLW2901
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
    if set(map(type, given)) == {str}:
        return given
    texts = []
    for place, value in enumerate(given):
        if column.type == "year" and isinstance(value, int) and not isinstance(value, bool):
            # A year is written as a number as often as in quotes.
            value = str(value)  # noqa: PLW2901
        if value is not None and not isinstance(value, str):
            known[place, column.name] = Bad("wrong-type", {"expected": "text"})
        texts.append(value if isinstance(value, str) else "")
    return texts
