"""Whether the amounts of received lines are those of their rule: of lines that come, and of lines that waited. Pure."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ledger.rules import PmiRule, PuRule, Rule, rules

Ints = NDArray[np.int64]
AMOUNT_REASONS = ("", "wage-missing", "amounts-disagree")
"""Why the amounts keep a line waiting, '' where they do not."""


class JudgedAmounts(NamedTuple):
    """A column each, rupiah. `employer`, `worker`: the shares, by the rule where nobody told them; `due_employer`,
    `due_worker`: what the rule asks; `reason`: a place in AMOUNT_REASONS; `rounded`: a share is off within the tolerance."""

    employer: Ints
    worker: Ints
    due_employer: Ints
    due_worker: Ints
    reason: Ints
    rounded: NDArray[np.bool_]


def judge(rule: Rule, base: Ints, employer: Ints, worker: Ints) -> JudgedAmounts:
    """Judge lines of one rule by their wage and back pay together (`base`) and their shares (below 0: not told).

    A share may differ by the tolerance of the rules, an employer's only where the rule asks for one. What nobody told is
    filled in, unless it cannot be known: the amount that a migrant worker chose, the band of an income that is missing.
    """
    if isinstance(rule, PmiRule):
        worker = np.maximum(worker, 0)
        due_employer, due_worker, missing = np.zeros_like(worker), rule.nearest(worker), np.zeros(len(worker), np.bool_)
    else:
        (due_employer, due_worker), missing = rule.shares(base), base == 0
        worker = np.where(worker < 0, np.where(missing, 0, due_worker), worker)
    employer = np.where(employer < 0, due_employer, employer)
    employer_off, worker_off = np.abs(employer - due_employer), np.abs(worker - due_worker)
    tolerance = rules().tolerance
    wrong = (employer_off > (tolerance if isinstance(rule, PuRule) else 0)) | (worker_off > tolerance)
    rounded = ((employer_off > 0) | (worker_off > 0)) & ~wrong & ~missing
    reason = np.where(missing, 1, np.where(wrong, 2, 0))
    return JudgedAmounts(employer, worker, due_employer, due_worker, reason, rounded)


class JudgedLine(NamedTuple):
    """The same of one line; `reason` is the suspense code, or ''."""

    employer: int
    worker: int
    due_employer: int
    due_worker: int
    reason: str


@lru_cache(4096)
def judge_line(rule: Rule, base: int, employer: int, worker: int) -> JudgedLine:
    """`judge` for one line. Those who pay for themselves pay one of few amounts, so most are known already."""
    employers, workers, due_employer, due_worker, reason, _ = judge(rule, *np.array([[base], [employer], [worker]]))
    return JudgedLine(
        int(employers[0]), int(workers[0]), int(due_employer[0]), int(due_worker[0]), AMOUNT_REASONS[int(reason[0])]
    )
