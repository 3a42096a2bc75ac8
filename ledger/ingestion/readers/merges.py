"""Merged cells: a person sees one value over several lines or columns, and the file has it in the first cell only.

So a covered cell is never an empty one, and an amount that stands over several lines belongs to none of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from ledger.errors import Refused

_PIECE = 1 << 18
_LONGEST_TAG = 1 << 10
_MOST = 100_000
_MERGE = re.compile(
    rb"<(?:\w+:)?mergeCell\s[^>]*?\bref\s*=\s*[\"']\$?([A-Za-z]{1,3})\$?([0-9]{1,7}):\$?([A-Za-z]{1,3})\$?([0-9]{1,7})"
)


class Merge(NamedTuple):
    """A range of merged cells: rows as the sheet numbers them, columns from 0, the last ones inside."""

    top: int
    left: int
    bottom: int
    right: int


def merges(sheet: BinaryIO) -> list[Merge]:
    """The merged ranges of a sheet's XML, from the top; they stand behind its cells, so all of it is looked through.

    Raises Refused `file-too-large` beyond 100,000 ranges.
    """
    found = []
    for text in _whole_tags(sheet):
        if b"mergeCell" not in text:
            continue
        for first, top, last, bottom in _MERGE.findall(text):
            found.append(Merge(int(top), _place(first), int(bottom), _place(last)))
            if len(found) > _MOST:
                raise Refused("file-too-large", limit=f"{_MOST} merged cells")
    return sorted(found)


def _whole_tags(sheet: BinaryIO) -> Iterator[bytes]:
    rest = b""
    while piece := sheet.read(_PIECE):
        text = rest + piece
        cut = max(text.rfind(b"<"), len(text) - _LONGEST_TAG)
        yield text[:cut]
        rest = text[cut:]
    yield rest


def _place(letters: bytes) -> int:
    place = 0
    for letter in letters.upper():
        place = place * 26 + letter - 64
    return place - 1


class Covered:
    """The cells under merged ranges, asked row by row from the top."""

    def __init__(self, ranges: list[Merge], header: int) -> None:
        # A title over the table merges nothing in it.
        self._waiting = [one for one in reversed(ranges) if one.top > header]
        self._open: list[tuple[Merge, bool]] = []

    def places(self, row: int, filled: set[int], named: set[int], money: set[int]) -> set[int]:
        """The columns in which a row's cells do not say what a person sees there.

        `filled`: the columns in which the row holds something. `named`: those that have a name in the header; `money`:
        those of them with amounts, where even the first cell of a range that reaches further says nothing of its line.
        """
        while self._waiting and self._waiting[-1].top <= row:
            one = self._waiting.pop()
            # Merged blanks are blanks.
            self._open.append((one, one.top == row and one.left in filled))
        self._open = [(one, says) for one, says in self._open if one.bottom >= row]
        found = set()
        for one, says in self._open:
            reached = {place for place in named if one.left <= place <= one.right}
            covered = reached - {one.left} if one.top == row else reached
            if not says:
                covered &= filled
            elif one.top == row and (one.bottom > one.top or covered):
                covered |= reached & money
            found |= covered
        return found
