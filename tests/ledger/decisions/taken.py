"""An upload's lines decided one after the other, and what became of all of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from typing import NamedTuple

from ledger.decisions.remittance import Candidate, Decision, Remittance
from ledger.errors import Problem
from ledger.events import Fact


class Upload(NamedTuple):
    """`taken`: the file lines that are posted or suspended by it; `second`: those that wait as second payments."""

    facts: list[Fact]
    posted: int
    already: int
    suspended: int
    refused: int
    taken: set[int]
    second: list[int]
    conflicts: list[Problem]


def decide(
    state: Remittance, month: str, candidates: Sequence[Candidate], again: Collection[str] | None = None
) -> Upload:
    decision, counts = Decision(state, month, again), Counter[str]()
    found = Upload([], 0, 0, 0, 0, set(), [], [])
    for one in candidates:
        taken = decision.take(one)
        counts[taken.outcome] += 1
        found.taken.update([one.file_line] if taken.is_new else [])
        found.second.extend([one.file_line] if taken.second else [])
        found.conflicts.extend([taken.conflict] if taken.conflict else [])
    return found._replace(facts=list(decision.facts()), **counts)
