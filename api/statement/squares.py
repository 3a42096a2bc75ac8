"""Squares for a camera, many of one kind: each made from what differs from another one.

A QR code of one length, version, level and mask is linear: its bits are placed and mixed by nothing but exclusive or. So the
square of a text is that of another text of the same length, with what each bit that differs changes in it. segno makes the
first one, and once for each bit of each sign what it changes; adding those takes a tenth of the time of a new square.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import segno
from numpy.typing import NDArray

MASK = 0
"""Which of the eight masks is best takes longer than all the rest of a paper; a code's signs have no pattern to break."""
BORDER = 4
Square = NDArray[np.uint8]


def square(text: str) -> segno.QRCode:
    """The square of a text, as segno makes it."""
    return segno.make(text, error="m", mask=MASK, micro=False)


class Squares:
    """The squares of texts that begin with `start` and are of one length. `start` has a small letter: texts of capitals and
    digits alone are packed by pairs of signs, and that is not linear."""

    def __init__(self, start: str, size: int) -> None:
        assert start != start.upper()
        self._start, self._first = start, "0" * (size - len(start))
        self._side = len(square(start + self._first).matrix)
        self._bits = self._bits_of(self._first)
        self._changes: dict[tuple[int, int], int] = {}

    def _bits_of(self, end: str) -> int:
        """The modules row by row as the bits of one number, 1 for a dark one."""
        rows = square(self._start + end).matrix
        return int("".join("1" if module else "0" for row in rows for module in row), 2)

    def _change(self, place: int, bit: int) -> int:
        """What changes with one bit of the sign at a place after the start."""
        found = self._changes.get((place, bit))
        if found is None:
            first = self._first
            other = first[:place] + chr(ord(first[place]) ^ bit) + first[place + 1 :]
            found = self._changes[place, bit] = self._bits_of(other) ^ self._bits
        return found

    def svg(self, end: str) -> str:
        """The square of the start and `end` as an SVG picture, with its quiet margin."""
        found = self._bits
        for place, (one, other) in enumerate(zip(end, self._first, strict=True)):
            bits = ord(one) ^ ord(other)
            while bits:
                bit = bits & -bits
                found ^= self._change(place, bit)
                bits ^= bit
        count = self._side**2
        packed = np.frombuffer(found.to_bytes(-(-count // 8), "big"), np.uint8)
        return svg(np.unpackbits(packed)[-count:].reshape(self._side, self._side))


@lru_cache(8)
def squares(start: str, size: int) -> Squares:
    """The squares of a start and a length, with what is known of them."""
    return Squares(start, size)


def svg(modules: Square) -> str:
    """A picture of dark modules, the same as segno's: one stroke along each run of them."""
    size = len(modules)
    edges = np.diff(np.pad(modules.astype(np.int8), ((0, 0), (1, 1))), axis=1)
    rows, starts = np.nonzero(edges == 1)
    ends = np.nonzero(edges == -1)[1]
    path: list[str] = []
    x = y = 0
    for row, start, end in zip(rows.tolist(), starts.tolist(), ends.tolist(), strict=True):
        moved = f"m{start - x} {row - y}" if path else f"M{start + BORDER} {row + BORDER}.5"
        path.append(f"{moved}h{end - start}")
        x, y = end, row
    box = size + 2 * BORDER
    return (
        f'<svg viewBox="0 0 {box} {box}" class="segno"><path class="qrline" stroke="#000" d="{"".join(path)}"/></svg>'
    )  # fmt: skip
