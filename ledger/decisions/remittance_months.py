"""What one employer remitted, month by month, all its divisions together. Pure.

A line counts as the streams say now: posted, or held in suspense with its reason; a line that was taken back stays in
sight as reversed. The order of a month is the log's, so a page that was left off at a line goes on behind it for ever.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from ledger.decisions.remittance import Remittance, Under
from ledger.events import ContributionsReversed, Event

POSTED, HELD, REVERSED = "posted", "held", "reversed"


class Place(NamedTuple):
    """Where a line stands in a month: the event of its stream, and its number in it from 0."""

    version: int
    number: int


class MonthLine(NamedTuple):
    """One line of a month. Amounts in rupiah; `state` is POSTED, HELD (`reason`: a suspense code) or REVERSED."""

    place: Place
    division: str
    kpj: str
    kind: str
    state: str
    reason: str
    wage: int
    back_pay: int
    employer: int
    worker: int
    paid_on: str
    reference: str


class MonthTotals(NamedTuple):
    """A month in numbers, amounts in rupiah. `workers`: different cards with posted money; `paid_days`: ISO dates on
    which money that counts or is held was paid, oldest first."""

    month: str
    workers: int
    wage: int
    employer: int
    worker: int
    held_lines: int
    held: int
    reversed_lines: int
    reversed: int
    paid_days: tuple[str, ...]

    @property
    def total(self) -> int:
        """What was posted."""
        return self.employer + self.worker


def lines_of(streams: Mapping[str, Sequence[Event]]) -> list[MonthLine]:
    """The lines that a month's streams hold: pure."""
    found = []
    for stream, events in streams.items():
        for one in Remittance.of(stream, events).live():
            found.append(_line(Place(*one.place), HELD if one.reason else POSTED, one.reason, one.line, one.under))
        for event in events:
            fact = event.fact
            if isinstance(fact, ContributionsReversed):
                under = Under(fact.kind, fact.paid_on, fact.reference, fact.division, fact.segment)
                found.extend(
                    _line(Place(event.version, index), REVERSED, "", line, under)
                    for index, line in enumerate(fact.lines)
                )
    found.sort()
    return found


def _line(place: Place, state: str, reason: str, line: Any, under: Under) -> MonthLine:
    return MonthLine(
        place, under.division, line.kpj, under.kind, state, reason, line.wage, line.back_pay, line.employer, line.worker,
        under.paid_on, under.reference,
    )  # fmt: skip


def totals_of(month: str, lines: Iterable[MonthLine]) -> MonthTotals:
    """A month's lines in numbers: pure."""
    workers, paid = set[str](), set[str]()
    wage = employer = worker = 0
    counts, amounts = {HELD: 0, REVERSED: 0}, {HELD: 0, REVERSED: 0}
    for line in lines:
        if line.state == POSTED:
            workers.add(line.kpj)
            wage += line.wage + line.back_pay
            employer += line.employer
            worker += line.worker
        else:
            counts[line.state] += 1
            amounts[line.state] += line.employer + line.worker
        if line.state != REVERSED:
            paid.add(line.paid_on)
    return MonthTotals(
        month, len(workers), wage, employer, worker, counts[HELD], amounts[HELD], counts[REVERSED],
        amounts[REVERSED], tuple(sorted(paid)),
    )  # fmt: skip
