"""The receipt: what became of every line of an upload, counted exactly and explained by code, line and column.

Counts are of lines. Lists are bounded (`LISTED`), counts are not. A receipt never holds a refused value.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, Literal, cast

from msgspec import Struct

from ledger.errors import JhtError, Problem
from ledger.events import OUTCOMES_KEPT, PROBLEMS_KEPT, KeptCode, KeptOutcome, KeptProblem, RequestFinished

LISTED = 10_000
REMEMBERED = 50_000
"""Refused and suspended lines of which a receipt keeps the problem, where nobody takes a file of them home."""
TOTALS = ("posted", "already", "suspended", "refused", "warnings")
Verdict = Literal["refused", "suspended", "warning"]


class Header(Struct, frozen=True):
    """Who writes by which door; `request` names the upload (its receipt), `reason` a person's decision; `wants_rejects`:
    whether somebody may take home every line that was not taken, so that each one's problem is kept in memory.
    """

    by: str
    channel: str
    request: str = ""
    reason: str = ""
    wants_rejects: bool = True


class Outcome(Struct):
    """What became of one remittance, registration or other unit: counts of its lines, and a code when refused whole."""

    name: str
    first_line: int
    posted: int = 0
    already: int = 0
    suspended: int = 0
    refused: int = 0
    code: str = ""


class Told(Struct, frozen=True):
    """A problem as the receipt lists it."""

    verdict: Verdict
    problem: Problem


class Receipt:
    """Collects outcomes while an upload is decided. `last_position` is 0 when nothing was written."""

    def __init__(self, layout: str, request: str, *, dry_run: bool = False, wants_rejects: bool = True) -> None:
        self._remembered = sys.maxsize if wants_rejects else REMEMBERED
        self.layout = layout
        self.request = request
        self.dry_run = dry_run
        self.outcomes: list[Outcome] = []
        self.outcomes_total = 0
        self.problems: list[Told] = []
        self.codes: Counter[tuple[str, str]] = Counter()
        """(verdict, code) -> lines."""
        self.cells: Counter[tuple[str, str]] = Counter()
        """(verdict, code) -> cells, or lines where a problem concerns no cell."""
        self.columns: dict[tuple[str, str], dict[str, None]] = {}
        self._last_line: dict[tuple[str, str], int] = {}
        self.totals: Counter[str] = Counter()
        self.rejected_lines: dict[int, Problem] = {}
        self.first_position = 0
        self.last_position = 0

    def count(self, *, posted: int = 0, already: int = 0, suspended: int = 0, refused: int = 0) -> None:
        """Add lines to the totals."""
        self.totals.update(posted=posted, already=already, suspended=suspended, refused=refused)

    def problem(self, problem: Problem, verdict: Verdict) -> None:
        """Tell a problem; a refused or suspended line is remembered for the file of rejects."""
        key = verdict, problem.code
        # A line's cells with one code come one behind the other.
        if not problem.line or self._last_line.get(key) != problem.line:
            self.codes[key] += 1
        self._last_line[key] = problem.line
        self.cells[key] += 1
        if problem.column:
            self.columns.setdefault(key, {})[problem.column] = None
        if verdict == "warning":
            self.totals["warnings"] += 1
        elif problem.line:
            self.reject(problem)
        if len(self.problems) < LISTED:
            self.problems.append(Told(verdict, problem))

    def reject(self, problem: Problem) -> None:
        """Remember the first problem of a line, unless there are too many to remember."""
        if len(self.rejected_lines) < self._remembered:
            self.rejected_lines.setdefault(problem.line, problem)

    def count_refused(self, code: str, cells: int, lines: int, columns: Iterable[str]) -> None:
        """So many cells and lines are refused with a code at least, in these columns: a list of problems is bounded."""
        key: tuple[Verdict, str] = "refused", code
        self.cells[key] = max(cells, self.cells[key])
        self.codes[key] = max(lines, self.codes[key])
        self.columns.setdefault(key, {}).update(dict.fromkeys(columns))

    def unreadable_stream(self, stream: str, error: JhtError) -> None:
        """Tell a stream that cannot be read, and of which nothing was taken: one refusal, how many lines it has is not
        known."""
        self.problem(error.problem, "refused")
        self.outcome(Outcome(stream, 0, refused=1, code=error.code))

    def outcome(self, outcome: Outcome) -> None:
        """Add a unit's outcome; its counts go into the totals."""
        self.count(
            posted=outcome.posted,
            already=outcome.already,
            suspended=outcome.suspended,
            refused=outcome.refused,
        )
        self.outcomes_total += 1
        if len(self.outcomes) < LISTED:
            self.outcomes.append(outcome)

    def appended(self, positions: Sequence[int]) -> None:
        """Remember which positions the upload wrote."""
        if positions:
            self.first_position = min(self.first_position or positions[0], positions[0])
            self.last_position = max(self.last_position, positions[-1])

    @property
    def changed(self) -> bool:
        """Whether anything was (or, in a dry run, would be) written."""
        return bool(self.totals["posted"] or self.totals["suspended"])

    def kept(self, hash_: str, status: int) -> RequestFinished:
        """What the log keeps of the receipt, so that the same request can be answered again: no sentence, no position."""
        return RequestFinished(
            hash=hash_, status=status, layout=self.layout, receipt=self.request,
            totals={name: self.totals[name] for name in TOTALS if self.totals[name]},
            codes=tuple(
                KeptCode(key[0], key[1], lines, max(self.cells[key], lines), tuple(self.columns.get(key, ())))
                for key, lines in sorted(self.codes.items())
            ),
            problems=tuple(kept_problem(told.problem, told.verdict) for told in self.problems[:PROBLEMS_KEPT]),
            outcomes_total=self.outcomes_total,
            outcomes=tuple(
                KeptOutcome(o.name, o.first_line, o.posted, o.already, o.suspended, o.refused, o.code)
                for o in self.outcomes[:OUTCOMES_KEPT]
            ),
        )  # fmt: skip

    @classmethod
    def again(cls, answer: RequestFinished, last_position: int) -> Receipt:
        """The receipt of an answer that was kept; `last_position`: where its request stands in the log as it is now."""
        receipt = cls(answer.layout, answer.receipt)
        receipt.totals.update(answer.totals)
        for code in answer.codes:
            key = cast(Verdict, code.verdict), code.code
            receipt.codes[key], receipt.cells[key] = code.lines, code.cells
            receipt.columns[key] = dict.fromkeys(code.columns)
        receipt.problems = [
            Told(cast(Verdict, one.verdict), Problem(one.code, one.line, one.column, one.details))
            for one in answer.problems
        ]
        receipt.outcomes_total = answer.outcomes_total
        receipt.outcomes = [
            Outcome(o.name, o.first_line, o.posted, o.already, o.suspended, o.refused, o.code) for o in answer.outcomes
        ]
        receipt.last_position = last_position
        return receipt

    def as_json(self, log_id: str) -> dict[str, Any]:
        """The receipt for a machine, both languages in every problem."""
        return {
            "receipt": self.request,
            "layout": self.layout,
            "dry_run": self.dry_run,
            "totals": {name: self.totals[name] for name in TOTALS},
            "codes": [
                {
                    "verdict": verdict,
                    "code": code,
                    "lines": lines,
                    "cells": max(self.cells[verdict, code], lines),
                    "columns": list(self.columns.get((verdict, code), ())),
                }
                for (verdict, code), lines in sorted(self.codes.items())
            ],
            "outcomes_total": self.outcomes_total,
            "outcomes": self.outcomes,
            "problems": [
                {
                    "verdict": told.verdict,
                    "code": told.problem.code,
                    "line": told.problem.line,
                    "column": told.problem.column,
                    "details": told.problem.details,
                    "id": told.problem.say("id"),
                    "en": told.problem.say("en"),
                }
                for told in self.problems
            ],
            "position": f"{log_id}-{self.last_position}" if self.last_position else None,
        }


def kept_problem(problem: Problem, verdict: Verdict = "refused") -> KeptProblem:
    """A problem as the log keeps it."""
    return KeptProblem(problem.code, verdict, problem.line, problem.column, problem.details)
