"""Months that follow one another, told by the first and the last of them: the one way to list months in a sentence. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class Span(NamedTuple):
    """The months (numbers) from one to another, both of them in it."""

    first: int
    last: int

    @property
    def length(self) -> int:
        return self.last - self.first + 1


def spans(months: Iterable[int], least: int) -> list[Span]:
    """Months in any order as spans, oldest first, every month once. Fewer than `least` that follow one another are told one
    by one."""
    found: list[Span] = []
    for month in sorted(set(months)):
        if found and found[-1].last == month - 1:
            found[-1] = Span(found[-1].first, month)
        else:
            found.append(Span(month, month))
    return [
        part
        for span in found
        for part in (
            [span] if span.length >= least else [Span(month, month) for month in range(span.first, span.last + 1)]
        )
    ]
