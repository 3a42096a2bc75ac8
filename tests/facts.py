"""Facts for tests in one line each: what a test does not speak of is filled in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ledger.events import (
    ContributionsPosted,
    ContributionsReversed,
    Line,
    Lines,
    LinesSuspended,
    MembershipEnded,
    MembershipStarted,
    OpeningBalanceRecorded,
    ReleasedLine,
    ReleasedLines,
    ReversedLine,
    ReversedLines,
    RuleIds,
    SuspendedLine,
    SuspendedLines,
    SuspenseReleased,
)

RULES = RuleIds("pu")
MONTH, PAID_ON = "2026-10", "2026-11-14"


def started(segment: str, since: str, npp: str = "", day: str = "") -> MembershipStarted:
    """A membership from a month on."""
    return MembershipStarted(npp=npp, segment=segment, joined_on=day or f"{since}-02", since=since)


def ended(
    segment: str, since: str, until: str, npp: str = "", *, day: str = "", why: str = "unknown"
) -> MembershipEnded:
    """The end of the membership that began in `since`."""
    return MembershipEnded(npp=npp, segment=segment, since=since, left_on=day or f"{until}-15", until=until, why=why)


def posted(
    lines: Sequence[Line], month: str = MONTH, paid_on: str = PAID_ON, kind: str = "regular", reference: str = "",
    **more: Any,
) -> ContributionsPosted:  # fmt: skip
    """Lines posted."""
    rules = more.pop("rules", RULES)
    return ContributionsPosted(
        month=month, paid_on=paid_on, kind=kind, reference=reference, rules=rules, lines=Lines.of(lines), **more
    )


def suspended(
    lines: Sequence[SuspendedLine], month: str = MONTH, paid_on: str = PAID_ON, kind: str = "regular",
    reference: str = "", **more: Any,
) -> LinesSuspended:  # fmt: skip
    """Lines that wait."""
    return LinesSuspended(
        month=month, paid_on=paid_on, kind=kind, reference=reference, lines=SuspendedLines.of(lines), **more
    )


def released(
    lines: Sequence[ReleasedLine], month: str = MONTH, paid_on: str = PAID_ON, kind: str = "regular",
    reference: str = "", **more: Any,
) -> SuspenseReleased:  # fmt: skip
    """Lines that waited and are posted."""
    rules = more.pop("rules", RULES)
    return SuspenseReleased(
        month=month, paid_on=paid_on, kind=kind, reference=reference, rules=rules, lines=ReleasedLines.of(lines), **more
    )


def taken_back(
    lines: Sequence[ReversedLine], month: str = MONTH, paid_on: str = PAID_ON, kind: str = "regular",
    reference: str = "", **more: Any,
) -> ContributionsReversed:  # fmt: skip
    """Lines reversed."""
    return ContributionsReversed(
        month=month, paid_on=paid_on, kind=kind, reference=reference, lines=ReversedLines.of(lines), **more
    )


def opening(
    as_of: str, employer: int = 0, worker: int = 0, credited: int = 0, months: int = 0, member_since: str = "",
    source: str = "", **more: Any,
) -> OpeningBalanceRecorded:  # fmt: skip
    """An opening balance whose yield is inside up to its year, unless it says otherwise."""
    more.setdefault("yield_through", int(as_of[:4]))
    return OpeningBalanceRecorded(
        as_of=as_of, employer=employer, worker=worker, credited_yield=credited, months=months,
        member_since=member_since, source=source, **more,
    )  # fmt: skip
