"""What is said of months as a whole: until when payments are known, which are awaited, how much has not come. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import NamedTuple

from ledger.days import day_text
from projections.month_grid import ABSENT, AWAITED, Facts, Year
from projections.results import OPENINGS


class Received(NamedTuple):
    """Until when payments are known: all of them up to `complete` (None: nobody said so); `latest`: the newest day on which
    money for these cards was paid, "" without any."""

    complete: date | None
    latest: str


def received(cards: Iterable[Facts]) -> Received:
    """Until when the payments for some cards are known."""
    held = tuple(cards)
    days = [entry.paid_on for facts in held for entry in facts.entries if entry.type not in OPENINGS]
    days += [day_text(case.paid_on) for facts in held for case in facts.cases]
    return Received(min((facts.complete for facts in held if facts.complete), default=None), max(days, default=""))


def awaited(found: Iterable[Year]) -> list[int]:
    """The months of which nobody knows yet whether they are missing, newest first."""
    return [
        cell.month
        for year in found
        for cell in reversed(year.cells)
        if any(part.state == AWAITED for part in cell.parts)
    ]


class MissingSum(NamedTuple):
    """`months` that have not come, about `amount` rupiah; the amount covers `covered` of them, of the others nothing is
    known."""

    months: int
    amount: int
    covered: int


def missing_sum(found: Iterable[Year]) -> MissingSum:
    """What has not come, in months and about how much."""
    absent = [[p.estimate for p in cell.parts if p.state == ABSENT] for year in found for cell in year.cells]
    absent = [estimates for estimates in absent if estimates]
    return MissingSum(len(absent), sum(map(sum, absent)), sum(all(estimates) for estimates in absent))
