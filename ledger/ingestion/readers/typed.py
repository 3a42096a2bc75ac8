"""A block of cells -> typed columns: well-formed cells a column at a time, every other cell through `fields.py`.

The fast way only takes what `fields.py` would read the same; the tests hold both against each other.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from ledger.contacts import PLAIN_EMAIL, PLAIN_PHONE
from ledger.fields import EMPTY, Bad
from ledger.ingestion.readers.table import CODED, NARROW, STORED, Block, Found, Gathering, Ints, Memory
from ledger.layouts import Column

# Below this many rows, setting up column expressions costs more than reading cell by cell.
FAST_FROM = 400

Cells = Any  # list[str] | pl.Series of str | int64 array of values already read
_WIDTHS = {"kpj": 11, "npp": 8}
_PLAIN = {
    # A last digit 0 may be a spreadsheet's, and short words and signs may say that there is no value.
    "nik": r"^[0-9]{15}[1-9]$",
    "text": r"^[A-Za-z](?:[ -9;-~]{3,98}[!-9;-~])$",
    "email": PLAIN_EMAIL,
    "phone": PLAIN_PHONE,
}


def typed_block(
    gathering: Gathering,
    lines: Ints,
    cells: dict[str, Cells],
    known: dict[tuple[int, str], Bad] | None = None,
    broken: dict[int, Bad] | None = None,
) -> Block:
    """Rows of cells -> a block. Safe to call from several threads.

    `known`: what a reader knows to be wrong with a (row, column), told instead of what its text would say. `broken`:
    rows whose cells cannot be trusted to stand in their columns; only that is told of them.
    """
    known, broken = known or {}, broken or {}
    found = [Found(row, -1, bad) for row, bad in broken.items()]
    values = {}
    for place, column in enumerate(gathering.columns):
        given = cells.get(column.name)
        if given is None:
            continue
        values[column.name], wrong = _typed(column, given, gathering.memories[column.name])
        found.extend(
            Found(row, place, bad) for row, bad in wrong if row not in broken and (row, column.name) not in known
        )
    places = {column.name: place for place, column in enumerate(gathering.columns)}
    found.extend(Found(row, places[name], bad) for (row, name), bad in known.items() if row not in broken)
    return Block(lines.astype(np.int32, copy=False), values, found)


def _typed(column: Column, cells: Cells, memory: Memory) -> tuple[Any, list[tuple[int, Bad]]]:
    if isinstance(cells, np.ndarray):
        return cells, []
    if isinstance(cells, list):
        if len(cells) < FAST_FROM:
            return _one_by_one(column, cells, memory)
        cells = pl.Series(cells, dtype=pl.String)
    if column.type in _WIDTHS or column.type in ("rupiah", "count"):
        return _numbers(column, cells, memory)
    if column.type in STORED or column.type in CODED:
        return _repeated(column, cells, memory)
    return _texts(column, cells, memory)


def _dtype(column: Column) -> Any:
    return np.int32 if column.type in CODED else NARROW.get(column.type, STORED.get(column.type))


def _one_by_one(column: Column, cells: list[str], memory: Memory) -> tuple[Any, list[tuple[int, Bad]]]:
    width = _WIDTHS.get(column.type)
    if width and all(len(text) == width and text.isascii() and text.isdigit() for text in cells):
        numbers = np.array(list(map(int, cells)), _dtype(column))
        if numbers.all():
            return numbers, []
    values = list(map(memory.read, cells))
    wrong = [(row, value) for row, value in enumerate(values) if isinstance(value, Bad)]
    dtype = _dtype(column)
    for row, _ in wrong:
        values[row] = -1 if dtype else ""
    return (np.array(values, dtype) if dtype else values), wrong


def _numbers(column: Column, cells: pl.Series, memory: Memory) -> tuple[Ints, list[tuple[int, Bad]]]:
    """Money, counts, cards and employers: plain digits at once."""
    numbers = cells.cast(pl.Int64, strict=False)
    if not column.filled and numbers.null_count() == len(cells) and (cells == "").all():
        return np.full(len(cells), EMPTY[column.type], _dtype(column)), []
    # Signs sort before digits, and the cast would take them.
    plain = numbers.is_not_null() & (cells >= "0")
    width = _WIDTHS.get(column.type)
    if width:
        plain &= cells.str.len_bytes() == width
        plain &= numbers > 0
    else:
        plain &= numbers <= column.limit
    values = numbers.fill_null(-1).to_numpy()
    if plain.all():
        return values.astype(_dtype(column), copy=False), []
    values = np.array(values)
    others = ~plain.fill_null(value=False).to_numpy()
    if not column.filled:
        empty = (cells == "").to_numpy()
        values[empty] = EMPTY[column.type]
        others &= ~empty
    wrong: list[tuple[int, Bad]] = []
    rows = np.flatnonzero(others)
    for row, text in zip(rows.tolist(), cells.gather(rows).to_list(), strict=True):
        value = memory.read(text)
        if isinstance(value, Bad):
            wrong.append((row, value))
            value = -1
        values[row] = value
    return values.astype(_dtype(column), copy=False), wrong


def _repeated(column: Column, cells: pl.Series, memory: Memory) -> tuple[Ints, list[tuple[int, Bad]]]:
    """Months, dates and other columns of few distinct texts: each distinct text once."""
    codes = cells.cast(pl.Categorical(pl.Categories.random()))
    distinct = codes.unique()
    places, texts = distinct.to_physical().to_list(), distinct.cast(pl.String).to_list()
    meanings = list(map(memory.read, texts))
    table = np.full(max(places, default=0) + 1, -1, _dtype(column))
    bad: dict[int, Bad] = {}
    for place, meaning in zip(places, meanings, strict=True):
        if isinstance(meaning, Bad):
            bad[place] = meaning
        else:
            table[place] = meaning
    physical = codes.to_physical().to_numpy()
    if not bad:
        return table[physical], []
    rows = np.flatnonzero(np.isin(physical, list(bad)))
    return table[physical], [(row, bad[physical[row]]) for row in rows.tolist()]


def _texts(column: Column, cells: pl.Series, memory: Memory) -> tuple[list[str], list[tuple[int, Bad]]]:
    if column.type == "phone":
        # As most people write a number: the same as what the library makes of it.
        cells = cells.str.replace(r"^0(8[0-9]{8,10})$", "+62${1}")
    texts: list[str] = cells.to_list()
    pattern = _PLAIN.get(column.type)
    plain = cells.str.contains(pattern).to_numpy() if pattern else np.zeros(len(texts), np.bool_)
    if not column.filled:
        plain = plain | (cells == "").to_numpy()
    wrong: list[tuple[int, Bad]] = []
    for row in np.flatnonzero(~plain).tolist():
        value = memory.read(texts[row])
        if isinstance(value, Bad):
            wrong.append((row, value))
            value = ""
        texts[row] = str(value)
    return texts, wrong
