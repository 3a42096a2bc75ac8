"""What becomes of the contributions of a chunk: pure, from what the file says and what the store knew.

Lines that post as they stand, each the only one of its worker in the remittance, are decided a column at a time; all others
line by line. Both lead to the same live lines. A remittance that is new and has nothing but such lines, of one kind and
payment, takes the shortest way: where each is small, what is asked of each counts more than its lines.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import NamedTuple

import numpy as np

from ledger.decisions import remittance
from ledger.decisions.amounts import Ints
from ledger.decisions.remittance import Remittance
from ledger.errors import Problem
from ledger.events import Fact, RuleIds
from ledger.identifiers import KINDS, month_text
from ledger.ingestion.contributions.batch import NONE, RemittanceBatch
from ledger.ingestion.contributions.line import line_by_line
from ledger.ingestion.contributions.line_problems import LineProblems
from ledger.ingestion.contributions.lookup import LookedUp, Mask
from ledger.receipt import Outcome, Verdict
from ledger.rules import rules
from ledger.store.codec import NewEvent, encoded

BACKDATED = "backdate"
"""The reason of events of uploads that may bring old paid dates, where their sender gave none."""
LARGE = 50_000
"""Lines of a remittance from which on its facts are encoded one by one as they are made: as objects a line of them takes
200 bytes, encoded a tenth of it. Below that others are decided while these are encoded."""


class Decided(NamedTuple):
    """One remittance, decided: its events and what the receipt will say once they are durable."""

    batch: RemittanceBatch
    number: int
    events: Sequence[NewEvent]
    outcome: Outcome
    problems: Iterable[tuple[Problem, Verdict]]
    cards: Ints

    @property
    def lines(self) -> int:
        start, end = self.batch.spans[self.number]
        return end - start


def decide(batches: Sequence[RemittanceBatch], found: LookedUp) -> list[Decided]:
    """Decide every remittance of a chunk."""
    return [
        _decide(batch, number, odd, found)
        for batch, odd in zip(batches, found.odd, strict=True)
        for number in range(len(batch.spans))
    ]


def _decide(batch: RemittanceBatch, number: int, odd: Mask, found: LookedUp) -> Decided:
    stream, (first, end) = batch.streams[number], batch.spans[number]
    file_line, npp, month = batch.first[number]
    outcome, cards = Outcome(stream, file_line), batch.card[first:end]
    error = found.broken.get(stream)
    if error is not None:
        return _refused(batch, number, outcome, error.problem)
    state = found.streams.get(stream) or Remittance(stream)
    rule = rules().pu_in(month) if npp else None
    if (
        rule is not None
        and not state.version
        and batch.alike[number]
        and batch.groups[number] not in batch.upload.repeating
        and not odd[first:end].any()
    ):
        outcome.posted, lines = end - first, batch.columns_between(first, end)
        facts = remittance.post_all(month_text(month), batch.under_of(first), RuleIds(rule.id), lines)
        return Decided(batch, number, _events(batch, state, facts, end - first), outcome, (), cards)
    plain = np.zeros(0, np.int64)
    if rule is not None and batch.groups[number] not in batch.upload.repeating:
        plain = first + np.flatnonzero(batch.plain[first:end] & ~odd[first:end])
    facts = iter(())
    if rule is not None and len(plain):
        new, months = _first_of_kind(batch, plain, state)
        # The whole history is compared only where every line may be in it: the same file again.
        again = not len(new) and len(plain) == end - first
        if again and remittance.holds_all(state.posts, _posted(batch, plain, month, rule.id)):
            outcome.already = end - first
            return Decided(batch, number, [], outcome, (), cards)
        plain = new
        facts = _posted(batch, plain, month, rule.id, months)
    outcome.posted, problems = len(plain), LineProblems(batch.upload.header)
    if len(plain) < end - first:
        others = np.ones(end - first, np.bool_)
        others[plain - first] = False
        facts = chain(facts, line_by_line(batch, first + np.flatnonzero(others), odd, state, found, outcome, problems))
    return Decided(batch, number, _events(batch, state, facts, end - first), outcome, problems, cards)


def _events(batch: RemittanceBatch, state: Remittance, facts: Iterable[Fact], lines: int) -> Sequence[NewEvent]:
    h = batch.upload.header
    # Who may bring old paid dates brings history: it stands on the event, so that nobody is told of it as news.
    reason = h.reason or (BACKDATED if batch.upload.backdate else "")
    events = remittance.numbered(state.version, state.stream, facts, h.by, h.channel, h.request, reason)
    return list(map(encoded, events)) if lines > LARGE else list(events)


def _refused(batch: RemittanceBatch, number: int, outcome: Outcome, problem: Problem) -> Decided:
    """A remittance whose own history cannot be read takes nothing, and concerns nobody else."""
    first, end = batch.spans[number]
    problems = LineProblems(batch.upload.header)
    outcome.refused, outcome.code = end - first, problem.code
    for line in batch.upload.line[batch.at[first:end]].tolist():
        problems.add(Problem(problem.code, line, "", problem.details), "refused")
    return Decided(batch, number, [], outcome, problems, batch.card[first:end])


def _first_of_kind(batch: RemittanceBatch, rows: Ints, state: Remittance) -> tuple[Ints, dict[int, int]]:
    """Those rows whose worker has no line of their kind in the stream, so neither the same payment nor an earlier one; and
    of each whose month counts already, that it counts none (row -> 0)."""
    cards = batch.kpj_of(rows) if state.version else []
    named = [place for place, kpj in enumerate(cards) if kpj in state.cards]
    if not named:
        return rows, {}
    kinds = [KINDS[code] for code in batch.upload.kind[batch.at[rows[named]]].tolist()]
    there = [place for place, kind in zip(named, kinds, strict=True) if cards[place] in state.workers(kind)]
    counted = [place for place in named if state.counting(cards[place])]
    return np.delete(rows, there), dict.fromkeys(rows[counted].tolist(), 0)


def _posted(
    batch: RemittanceBatch, rows: Ints, month: int, rule: str, months: Mapping[int, int] = NONE
) -> Iterator[Fact]:
    for under, some in batch.gathered(rows) if len(rows) else ():
        yield from remittance.post_all(month_text(month), under, RuleIds(rule), batch.columns(some, months))
