"""Contributions by month: what arrived, what waits, what was taken back, what has not come. Pure: facts in, cells out.

A month is the calendar times the facts, so a payer who sends nothing has cells too. Nothing is known yet of what an
employer reported or was billed: a month that is due and did not come is `absent`, and no reason is claimed. It is called so
only when all payments up to its due day were handed over (the fact `payments-complete`), else it is `awaited`. A month that
the ledger cannot know (inside an opening balance, before the first rule, before the scheme's first year) is nobody's fault
and is not counted as due.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date
from functools import lru_cache
from itertools import repeat
from typing import NamedTuple

import numpy as np
from msgspec import Struct

from ledger.days import day_text
from ledger.decisions.remittance import SUSPENSE_REASONS
from ledger.due_days import due_day, holidays_known
from ledger.identifiers import month_number, month_of
from ledger.rules import PmiRule, rules
from ledger.store.suspense import Case
from projections.results import OPENINGS, Entry, MembershipRow, standing_opening

POSTED, HELD, REVERSED, ABSENT, LATER = "posted", "held", "reversed", "absent", "later"
AWAITED = "awaited"
"""Past its due day and not here, while not all payments up to that day are: nobody knows yet whether it is missing."""
UNKNOWN, OPENED, LEFT, BEFORE = "unknown", "opened", "left", "before"
"""No rule for so old a month, or before this ledger's first year; inside the opening balance; between or after
memberships; before the first one."""
SERIOUS = (ABSENT, REVERSED, HELD, POSTED, AWAITED, LATER, UNKNOWN, OPENED, LEFT, BEFORE)
"""Of two payers in a month the cell shows the more serious state, in this order."""
_NOT_DUE = frozenset({AWAITED, LATER, UNKNOWN, OPENED, LEFT, BEFORE})
_RANK = {state: rank for rank, state in enumerate(SERIOUS)}

CAUSES = (
    *SUSPENSE_REASONS, "not-received", "taken-back", "payments-incomplete", "not-due", "no-due-day", "in-opening-balance",
    "no-rule", "before-start", "outside-membership", "before-membership",
)  # fmt: skip
"""Why a month is not simply posted: each has a sentence of its own in every channel."""
_OF_STATE = {
    ABSENT: "not-received", REVERSED: "taken-back", AWAITED: "payments-incomplete", LATER: "not-due",
    OPENED: "in-opening-balance", LEFT: "outside-membership", BEFORE: "before-membership",
}  # fmt: skip

_EVER = 2**31
FOREIGN = frozenset({"nik-differs", "name-differs"})
"""Why money waits that may be somebody else's: its amount is not shown."""


class Facts(Struct, frozen=True):
    """What is known of one card; `employers`: NPP -> name; `bases`: wage + back pay of waiting lines, where it matters;
    `earned`: declared year -> its yield in rupiah; `complete`: the day until which all payments were handed over, None when
    nobody said so; `start`: the first month of the scheme's first year, before which this ledger does not know what is
    missing."""

    card: int
    entries: tuple[Entry, ...]
    memberships: tuple[MembershipRow, ...]
    employers: dict[str, str]
    cases: tuple[Case, ...] = ()
    bases: dict[Case, int] = {}
    earned: dict[int, int] = {}
    complete: date | None = None
    start: int = 0


class Part(NamedTuple):
    """One payer's share of a month: state, amount (net, or what waits; 0: not shown), when it is or was due.

    `estimate`: what the payer's last month before brought, for a month that has not come; 0 when unknown. `base` and
    `expected`: the wage of a waiting line whose amounts disagree, and what the rule makes of it; 0 otherwise. `cause`: one
    of CAUSES, "" for what is posted.
    """

    card: int
    npp: str
    employer: str
    segment: str
    state: str
    amount: int
    due: date | None
    estimate: int
    entries: tuple[Entry, ...]
    cases: tuple[Case, ...]
    base: int = 0
    expected: int = 0
    cause: str = ""

    @property
    def reason(self) -> str:
        """Why money waits (a code of `codes.toml`), "" when none does; of several, that of the oldest."""
        return self.cases[0].reason if self.cases else ""

    @property
    def holidays_known(self) -> bool:
        """Whether the due day knows its year's holidays; without them it may be some days too early."""
        return self.due is None or holidays_known(self.due.year)

    @property
    def paid_days(self) -> list[str]:
        """The days this money was paid, oldest first, as ISO dates."""
        return sorted({entry.paid_on for entry in self.entries} | {day_text(case.paid_on) for case in self.cases})


class Cell(NamedTuple):
    """A month with its most serious state and all its parts."""

    month: int
    state: str
    parts: tuple[Part, ...]

    @property
    def arrived(self) -> bool:
        """Whether money came and nothing is missing; something more may still wait."""
        return self.state == POSTED or (self.state == HELD and any(part.state == POSTED for part in self.parts))

    @property
    def cause(self) -> str:
        """Why the month is not simply posted: that of the first payer in its state, "" for what is posted."""
        return next((part.cause for part in self.parts if part.state == self.state), _OF_STATE.get(self.state, ""))


class Year(NamedTuple):
    """Twelve cells; `expected` months were due or came, `arrived` of them came."""

    year: int
    cells: tuple[Cell, ...]
    arrived: int
    expected: int

    @property
    def outline(self) -> Outline:
        """What the grid shows of it: the same for thousands of members."""
        cells = tuple(Mark(cell.month, cell.state, bool(cell.parts)) for cell in self.cells)
        return Outline(self.year, cells, self.arrived, self.expected)


class Mark(NamedTuple):
    """A month without anybody's data; `parts`: whether there are any."""

    month: int
    state: str
    parts: bool


class Outline(NamedTuple):
    """A year of marks; the rest as in `Year`."""

    year: int
    cells: tuple[Mark, ...]
    arrived: int
    expected: int


class Missing(NamedTuple):
    """A month that somebody should look at: absent, taken back or waiting."""

    month: int
    part: Part


def years(cards: Iterable[Facts], today: date) -> tuple[Year, ...]:
    """The years from the first membership, line or opening balance to the present one, newest first."""
    held = tuple(cards)
    found = {month: _cell(month, parts) for month, parts in _months(held, today).items()}
    opened = [_month(one.month) for facts in held if (one := standing_opening(facts.entries)) is not None]
    # Of who left before an opening balance was taken over, that balance is all there is to show.
    first = min(found, default=min(opened, default=None))
    if first is None:
        return ()
    blank = _Blank.of(held, first, month_of(today), max(opened, default=-1))
    made = []
    for year in range(today.year, first // 12 - 1, -1):
        cells = tuple(found.get(month) or blank.cell(month) for month in range(year * 12, year * 12 + 12))
        arrived = sum([cell.arrived for cell in cells])
        expected = sum([cell.state not in _NOT_DUE for cell in cells])
        made.append(Year(year, cells, arrived, expected))
    return tuple(made)


def between(facts: Facts, today: date, first: int, last: int) -> list[Cell]:
    """The cells of a card's months from one to another that have a payer, oldest first: those of `years`, without making
    all of them."""
    found: dict[int, list[Part]] = defaultdict(list)
    for month, part in _parts(facts, today, first, last):
        found[month].append(part)
    return [_cell(month, parts) for month, parts in sorted(found.items())]


def missing(found: Iterable[Year]) -> list[Missing]:
    """What has not come, then what was taken back or waits; newest first within each."""
    listed = [
        Missing(cell.month, part)
        for year in found
        for cell in year.cells
        for part in cell.parts
        if part.state in {ABSENT, REVERSED, HELD}
    ]
    return sorted(listed, key=lambda one: (_RANK[one.part.state], -one.month))


class _Blank(NamedTuple):
    """What is told of months without any payer: `joined` the first month of all, `opened` the last inside an opening
    balance (-1: none)."""

    joined: int
    opened: int
    present: int

    @classmethod
    def of(cls, cards: Sequence[Facts], first: int, present: int, opened: int) -> _Blank:
        joined = [_month(membership.since) for facts in cards for membership in facts.memberships]
        return cls(min([first, *joined]), opened, present)

    def cell(self, month: int) -> Cell:
        if month > self.present:
            return Cell(month, LATER, ())
        if month < self.joined:
            return Cell(month, BEFORE, ())
        return Cell(month, OPENED if month <= self.opened else LEFT, ())


def _cell(month: int, parts: Sequence[Part]) -> Cell:
    if len(parts) == 1:
        return Cell(month, parts[0].state, tuple(parts))
    return Cell(month, min((part.state for part in parts), key=_RANK.__getitem__), tuple(parts))


def _months(cards: Sequence[Facts], today: date) -> dict[int, list[Part]]:
    found: dict[int, list[Part]] = defaultdict(list)
    for facts in cards:
        for month, part in _parts(facts, today):
            found[month].append(part)
    return found


def _parts(facts: Facts, today: date, first: int = 0, last: int = _EVER) -> Iterable[tuple[int, Part]]:
    """The parts of each month from one to another; months before only tell what a payer brought."""
    lines: dict[tuple[int, str], list[Entry]] = defaultdict(list)
    waiting: dict[tuple[int, str], list[Case]] = defaultdict(list)
    opening = standing_opening(facts.entries)
    application = _month(opening.month) if opening is not None else -1
    for entry in facts.entries:
        if entry.type not in OPENINGS:
            lines[_month(entry.month), entry.npp].append(entry)
    for case in facts.cases:
        waiting[case.month, f"{case.npp:08d}" if case.npp else ""].append(case)
    covered = _covered(facts.memberships, application, today)
    brought: dict[str, int] = {}
    for month, npp in sorted({*lines, *waiting, *covered}):
        key = month, npp
        entries, cases = tuple(lines.get(key, ())), tuple(waiting.get(key, ()))
        net = 0
        for entry in entries:
            net += entry.employer + entry.worker
        if month < first:
            if net > 0:
                brought[npp] = net
            continue
        if month > last:
            return
        employer, segment = facts.employers.get(npp, ""), covered.get(key, "PU" if npp else "")
        due = due_day(segment, month)
        if cases:
            waits = sum(0 if case.reason in FOREIGN else case.employer + case.worker for case in cases)
            base = facts.bases.get(cases[0], 0)
            expected = by_rule(segment, month, base) if base else 0
            cause = cases[0].reason
            yield month, Part(facts.card, npp, employer, segment, HELD, waits, due, 0, (), cases, base, expected, cause)
        state, amount, estimate, cause = LATER, 0, 0, ""
        if net > 0:
            brought[npp] = amount = net
            state = POSTED
        elif any(entry.type == "reversed" for entry in entries):
            amount = sum(entry.employer + entry.worker for entry in entries if entry.type != "reversed")
            state = REVERSED
        elif cases:
            continue
        elif not segment or rules().for_segment(segment, month) is None:
            state, cause = UNKNOWN, "no-rule"
        elif month < facts.start:
            state, cause = UNKNOWN, "before-start"
        elif due is not None and today > due:
            state = ABSENT if facts.complete is not None and due <= facts.complete else AWAITED
            estimate = brought.get(npp, 0) if state == ABSENT else 0
        elif due is None:
            cause = "no-due-day"
        cause = cause or _OF_STATE.get(state, "")
        yield month, Part(facts.card, npp, employer, segment, state, amount, due, estimate, entries, (), cause=cause)


def held_part(facts: Facts, case: Case) -> Part:
    """One waiting payment of a card by itself, whoever's money it is."""
    npp = f"{case.npp:08d}" if case.npp else ""
    segment, base = "PU" if npp else _own_segment(facts, case.month), facts.bases.get(case, 0)
    return Part(
        facts.card, npp, facts.employers.get(npp, ""), segment, HELD, case.employer + case.worker, None, 0, (), (case,),
        base, by_rule(segment, case.month, base) if base else 0, case.reason,
    )  # fmt: skip


def _own_segment(facts: Facts, month: int) -> str:
    own = [one for one in facts.memberships if not one.npp and _month(one.since) <= month]
    return own[-1].segment if own else ""


def by_rule(segment: str, month: int, base: int) -> int:
    """What the rule of a month makes of a wage, both shares, in rupiah; 0 where it makes nothing (PMI choose)."""
    rule = rules().for_segment(segment, month) if segment else None
    if rule is None or isinstance(rule, PmiRule):
        return 0
    return sum(int(share[0]) for share in rule.shares(np.array([base], np.int64)))


def _covered(memberships: Iterable[MembershipRow], application: int, today: date) -> dict[tuple[int, str], str]:
    """(month, payer) -> segment of every month up to this one that a membership covers and no opening balance holds."""
    present = month_of(today)
    found: dict[tuple[int, str], str] = {}
    for membership in memberships:
        last = min(_month(membership.until), present) if membership.until else present
        months = range(max(_month(membership.since), application + 1), last + 1)
        found |= dict.fromkeys(zip(months, repeat(membership.npp)), membership.segment)
    return found


@lru_cache(4096)
def _month(text: str) -> int:
    number = month_number(text)
    assert number is not None, text
    return number
