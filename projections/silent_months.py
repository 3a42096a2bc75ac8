"""The months in which an employer had workers and nothing was received: missing, or awaited. Pure.

As for a member's months: missing is only what was due by the day up to which all payments were handed over, and nobody is
blamed for months before the first rule or the scheme's first year.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date
from typing import NamedTuple

from ledger.decisions.scheme import Scheme
from ledger.due_days import due_day
from ledger.identifiers import month_of
from ledger.rules import rules


class SilentMonth(NamedTuple):
    """`workers`: who had a membership then; `cause`: `not-received` or `payments-incomplete`."""

    month: int
    workers: int
    due: date
    cause: str


def silent_months(
    memberships: Iterable[tuple[int, int, int]], paid: Collection[int], scheme: Scheme, today: date
) -> list[SilentMonth]:
    """Newest first; `memberships`: (first, last or 0, how many); `paid`: the months in which anything was received."""
    spans = list(memberships)
    first = min((since for since, _, _ in spans), default=month_of(today))
    complete = scheme.complete_until
    found = []
    for month in range(month_of(today), max(first, scheme.first_year * 12) - 1, -1):
        workers = sum(count for since, until, count in spans if since <= month <= (until or month))
        due = due_day("PU", month)
        if month in paid or not workers or due is None or today <= due or rules().for_segment("PU", month) is None:
            continue
        known = complete is not None and due <= complete
        found.append(SilentMonth(month, workers, due, "not-received" if known else "payments-incomplete"))
    return found
