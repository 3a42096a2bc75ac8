"""What a card's savings may become: a wish, and from the card itself whatever it does not say. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import NamedTuple

from ledger.errors import Refused
from ledger.identifiers import month_of
from ledger.simulation import (
    GROWTH,
    INFLATION,
    PENSION_AGE,
    Assumptions,
    Simulation,
    Start,
    months_of_years,
    months_to_age,
    simulate,
)
from projections.results import ACTIVE, BalanceRow, Entry

LOOKED_AT = 24
"""Lines of the statement among which the newest regular contribution is looked for."""
YEARS = 10
"""How far is looked ahead where nothing is said and no birth date helps."""


class Wish(NamedTuple):
    """What is assumed, as in `Assumptions`; None: as the card says. `years` ahead, or until a birthday (`age`)."""

    years: int | None = None
    age: int | None = None
    monthly: int | None = None
    growth: int = GROWTH
    rate: int | None = None
    inflation: int = INFLATION


def simulation_of(
    row: BalanceRow, entries: Iterable[Entry], wish: Wish, today: date, born: date | None = None
) -> Simulation:
    """What a card may become; `born` where the birth date may be used. What is not said is taken from the card: its newest
    regular contribution (none where nobody pays any more), the provisional rate, the years until 56.

    Raises Refused: simulation-out-of-range, simulation-age-passed, simulation-rate-missing.
    """
    rate = row.terms.provisional if wish.rate is None else wish.rate
    if rate is None and row.terms.declared:
        rate = row.terms.declared[-1][0]
    if rate is None:
        raise Refused("simulation-rate-missing", column="rate")
    monthly = _monthly(row, entries) if wish.monthly is None else wish.monthly
    start = Start(month_of(today), row.total, row.estimated or 0)
    months = _months(wish, today, born)
    return simulate(start, Assumptions(monthly, wish.growth, rate, wish.inflation, months))


def _monthly(row: BalanceRow, entries: Iterable[Entry]) -> int:
    if row.status != ACTIVE:
        return 0
    newest = max((entry.month for entry in entries if entry.kind == "regular"), default="")
    return max(0, sum(e.employer + e.worker for e in entries if e.kind == "regular" and e.month == newest))


def _months(wish: Wish, today: date, born: date | None) -> int:
    if wish.years is not None:
        return months_of_years(wish.years)
    if born is None:
        return months_of_years(YEARS)
    if wish.age is None:
        try:
            return months_to_age(born, PENSION_AGE, today)
        except Refused:
            # They are older already: nobody asked for an age.
            return months_of_years(YEARS)
    return months_to_age(born, wish.age, today)
