"""The problems of a remittance's lines, in the order of the lines, until they may be told: it may have a million lines."""

from __future__ import annotations

from array import array
from collections.abc import Hashable, Iterator

from ledger.errors import Problem
from ledger.receipt import REMEMBERED, Header, Verdict


class LineProblems:
    """Problems with their verdicts. Lines mostly share one cause: what they share is kept once, and of each its number.

    Where nobody takes a file of rejects home, the details of more than a receipt remembers are left out.
    """

    def __init__(self, header: Header) -> None:
        self._keeps_all = header.wants_rejects
        self._shared: list[tuple[Problem, Verdict]] = []
        self._places: dict[Hashable, int] = {}
        self._lines, self._which = array("q"), array("i")

    def add(self, problem: Problem, verdict: Verdict) -> None:
        """One more problem of a line."""
        details = problem.details if self._keeps_all or len(self._lines) < REMEMBERED else {}
        key = (verdict, problem.code, problem.column, *details.items())
        place = self._places.setdefault(key, len(self._shared))
        if place == len(self._shared):
            self._shared.append((Problem(problem.code, 0, problem.column, details), verdict))
        self._lines.append(problem.line)
        self._which.append(place)

    def __len__(self) -> int:
        return len(self._lines)

    def __iter__(self) -> Iterator[tuple[Problem, Verdict]]:
        for line, place in zip(self._lines, self._which, strict=True):
            shared, verdict = self._shared[place]
            yield Problem(shared.code, line, shared.column, shared.details), verdict
