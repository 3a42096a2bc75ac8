"""One payer's contributions for one month: what the stream holds, and what a new upload adds to it. Pure.

The stream decides "one contribution per payer, worker, month and kind": a line that is there already with the same
content is `already`, with other content a conflict that names both. Nothing is ever overwritten; a reversal takes a
line back by name and repeats its shares.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import NamedTuple, TypeVar

import msgspec
from msgspec import Struct

from ledger.errors import Problem
from ledger.events import (
    LINES_AN_EVENT,
    ContributionsPosted,
    ContributionsReversed,
    Event,
    Fact,
    Line,
    LinesSuspended,
    ReleasedLine,
    ReversedLine,
    RuleIds,
    SuspendedLine,
    SuspenseReleased,
)
from ledger.money import rupiah

CORRECTION_REASONS = (
    "wrong-amount", "wrong-person", "wrong-month", "paid-twice", "payment-returned", "legal-order",
)  # fmt: skip
"""Why money may be corrected or taken back: a closed list, because free text could hold personal data."""

SUSPENSE_REASONS = (
    "account-unknown", "no-membership", "card-closed", "before-opening-balance", "nik-differs", "name-differs",
    "wage-missing", "amounts-disagree",
)  # fmt: skip
"""Why received money waits."""

K = TypeVar("K", bound=tuple[object, ...])
L = TypeVar("L", bound=Line)


class Content(NamedTuple):
    """What makes two uploads of a line the same line."""

    wage: int
    back_pay: int
    employer: int
    worker: int
    paid_on: str
    reference: str

    def __str__(self) -> str:
        shares = f"{rupiah(self.employer)} + {rupiah(self.worker)}"
        return f"{shares} ({rupiah(self.wage)}, {self.paid_on}, {self.reference or '-'})"


class LiveLine(Struct, frozen=True):
    """A live line of the stream: posted, or waiting in suspense (`reason`), at line `index` of event `version`."""

    version: int
    index: int
    line: Line
    kind: str
    month: str
    paid_on: str
    reference: str
    rules: RuleIds | None = None
    reason: str = ""
    request: str = ""

    @property
    def content(self) -> Content:
        line = self.line
        return Content(line.wage, line.back_pay, line.employer, line.worker, self.paid_on, self.reference)


class Remittance:
    """The state of a remittance stream. `live`: (kind, kpj) -> the line that counts now."""

    def __init__(self, stream: str) -> None:
        self.stream = stream
        self.version = 0
        self.live: dict[tuple[str, str], LiveLine] = {}

    @classmethod
    def of(cls, stream: str, events: Iterable[Event]) -> Remittance:
        """The state after the stream's events."""
        state = cls(stream)
        for event in events:
            state.evolve(event)
        return state

    def evolve(self, event: Event) -> None:
        """Take one more event of the stream."""
        self.version = event.version
        fact = event.fact
        if isinstance(fact, ContributionsPosted | SuspenseReleased | LinesSuspended):
            rules = None if isinstance(fact, LinesSuspended) else fact.rules
            for index, line in enumerate(fact.lines):
                before = self.live.get((fact.kind, line.kpj))
                # A released line still belongs to the upload that brought its money.
                request = before.request if before and isinstance(fact, SuspenseReleased) else event.request
                self.live[fact.kind, line.kpj] = LiveLine(
                    event.version, index, line, fact.kind, fact.month, fact.paid_on, fact.reference, rules,
                    line.reason if isinstance(line, SuspendedLine) else "", request,
                )  # fmt: skip
        elif isinstance(fact, ContributionsReversed):
            for line in fact.lines:
                self.live.pop((fact.kind, line.kpj), None)

    def is_paid(self, kpj: str, leaving_out: LiveLine | None = None) -> bool:
        """Whether the month counts for the worker already: some posted line of his carries money."""
        return any(
            held.line.employer + held.line.worker > 0
            for (_, worker), held in self.live.items()
            if worker == kpj and not held.reason and held is not leaving_out
        )

    def waiting(self) -> list[LiveLine]:
        """The lines in suspense, in the order they came."""
        return sorted((h for h in self.live.values() if h.reason), key=lambda h: (h.version, h.index))


class Candidate(NamedTuple):
    """A line of an upload, its amounts settled, ready for the stream's decision. `reason`: a suspense code or ''."""

    file_line: int
    kind: str
    kpj: str
    content: Content
    reason: str
    epoch: int = 0


class Decision(Struct):
    """What an upload does to one stream: facts to append, counts of lines, problems to tell.

    `taken`: file lines that are posted or suspended by it, not there already.
    """

    facts: list[Fact]
    posted: int = 0
    already: int = 0
    suspended: int = 0
    refused: int = 0
    conflicts: list[Problem] = []
    taken: set[int] = set()


def decide(state: Remittance, month: str, rules: RuleIds, candidates: Sequence[Candidate]) -> Decision:
    """Post, suspend or recognise the lines of one upload; at most one candidate per (kind, kpj)."""
    decision = Decision([])
    posts: list[tuple[tuple[str, str, str], Line]] = []
    suspends: list[tuple[tuple[str, str, str], SuspendedLine]] = []
    paid: set[str] = set()
    for one in candidates:
        held = state.live.get((one.kind, one.kpj))
        if held is not None:
            if held.content == one.content:
                decision.already += 1
            else:
                decision.refused += 1
                details: dict[str, str | int] = {"held": str(held.content), "sent": str(one.content)}
                decision.conflicts.append(Problem("line-conflict", one.file_line, "", details))
            continue
        decision.taken.add(one.file_line)
        wage, back_pay, employer, worker, paid_on, reference = one.content
        under = (one.kind, paid_on, reference)
        if one.reason:
            suspends.append(
                (
                    under,
                    SuspendedLine(one.kpj, wage, back_pay, employer, worker, one.epoch, reason=one.reason),
                )
            )
            continue
        first = one.kpj not in paid and not (state.live and state.is_paid(one.kpj))
        paid.add(one.kpj)
        posts.append((under, Line(one.kpj, wage, back_pay, employer, worker, one.epoch, months=int(first))))
    for (kind, paid_on, reference), lines in _events(posts):
        decision.facts.append(ContributionsPosted(month, paid_on, rules, lines, kind, reference))
    for (kind, paid_on, reference), held_lines in _events(suspends):
        decision.facts.append(LinesSuspended(month, paid_on, held_lines, kind, reference))
    decision.posted, decision.suspended = len(posts), len(suspends)
    return decision


def post_all(
    month: str, kind: str, paid_on: str, reference: str, rules: RuleIds, batches: Iterable[list[Line]]
) -> list[Fact]:
    """The facts of lines that all post into an empty stream under one kind, date and reference: the common case.

    `batches`: at most LINES_AN_EVENT lines each.
    """
    return [ContributionsPosted(month, paid_on, rules, lines, kind, reference) for lines in batches]


def holds_all(history: Sequence[Event], kind: str, paid_on: str, reference: str, lines: Sequence[Line]) -> bool:
    """Whether a stream that was only ever posted to holds all of these lines: the quick answer to the same file again.

    False may also mean "not known this way": then each line is looked at.
    """
    held: set[Line] = set()
    for event in history:
        fact = event.fact
        if not isinstance(fact, ContributionsPosted):
            return False
        if (fact.kind, fact.paid_on, fact.reference) == (kind, paid_on, reference):
            held.update(fact.lines)
    return held.issuperset(lines)


def release(state: Remittance, candidates: Sequence[tuple[LiveLine, str, RuleIds, int]]) -> list[Fact]:
    """The facts that post waiting lines: (held line, its kpj, rules, epoch), with their own paid dates."""
    posts: list[tuple[tuple[str, str, str, RuleIds], ReleasedLine]] = []
    paid: set[str] = set()
    for held, kpj, rules, epoch in candidates:
        line = held.line
        first = kpj not in paid and not state.is_paid(kpj) and line.employer + line.worker > 0
        paid.add(kpj)
        posts.append(
            (
                (held.kind, held.paid_on, held.reference, rules),
                ReleasedLine(
                    kpj, line.wage, line.back_pay, line.employer, line.worker, epoch, line.tambahan, int(first),
                    held.version, held.index,
                ),
            )
        )  # fmt: skip
    month = candidates[0][0].month if candidates else ""
    return [
        SuspenseReleased(month, paid_on, rules, lines, kind, reference)
        for (kind, paid_on, reference, rules), lines in _events(posts)
    ]


def reverse(state: Remittance, taken: Sequence[LiveLine]) -> list[Fact]:
    """The facts that neutralise live lines of the stream, posted or waiting."""
    backs: list[tuple[tuple[str, str, str], ReversedLine]] = []
    left = dict(state.live)
    for held in taken:
        kpj, line = held.line.kpj, held.line
        left.pop((held.kind, kpj), None)
        still_paid = any(h.line.employer + h.line.worker > 0 for (_, k), h in left.items() if k == kpj and not h.reason)
        carried = not held.reason and line.employer + line.worker > 0
        backs.append(
            (
                (held.kind, held.paid_on, held.reference),
                ReversedLine(
                    kpj, line.wage, line.back_pay, line.employer, line.worker, line.epoch, line.tambahan,
                    -1 if carried and not still_paid else 0, held.version, held.index, bool(held.reason),
                ),
            )
        )  # fmt: skip
    month = taken[0].month if taken else ""
    return [
        ContributionsReversed(month, paid_on, lines, kind, reference)
        for (kind, paid_on, reference), lines in _events(backs)
    ]


def events(
    state_version: int, stream: str, facts: Sequence[Fact], by: str, channel: str, request: str, reason: str
) -> list[Event]:
    """The facts as the stream's next events."""
    return [
        Event(
            stream=stream, version=state_version + number, fact=fact, by=by, channel=channel,
            reason=reason, request=request,
        )
        for number, fact in enumerate(facts, 1)
    ]  # fmt: skip


def _events(lines: list[tuple[K, L]]) -> Iterable[tuple[K, list[L]]]:
    """Lines gathered under their common (kind, paid date, reference), at most LINES_AN_EVENT together."""
    if len({key for key, _ in lines}) > 1:
        lines = sorted(lines, key=lambda pair: msgspec.json.encode(pair[0]))
    for key, group in groupby(lines, key=lambda pair: pair[0]):
        together = [line for _, line in group]
        for start in range(0, len(together), LINES_AN_EVENT):
            yield key, together[start : start + LINES_AN_EVENT]
