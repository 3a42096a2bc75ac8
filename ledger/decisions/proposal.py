"""Four eyes over a declaration: what one officer proposed is what another one declares, and nothing else. Pure.

What a proposal would change was worked out when it was made and stands in it; whoever declares has read it and types its
total. A proposal is over as soon as anything of the scheme that yields come from has changed (`changed_at`). While it waits
it is no fact (see `api/access/proposals.py`); it is recorded with the declaration, right before it, as of who made it. Logs
of before hold proposals that were recorded when they were made, and may hold one that nobody ever declared.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from ledger.decisions.scheme import Scheme, decide_declare, decide_provisional
from ledger.errors import Conflict, Refused
from ledger.events import (
    Change,
    Event,
    ProvisionalProposed,
    ProvisionalRateSet,
    Rates,
    SchemeStarted,
    YieldDeclared,
    YieldProposed,
)

_CHANGES = (SchemeStarted, YieldDeclared, ProvisionalRateSet)


class Told(NamedTuple):
    """What a declaration would change, as it was worked out up to a log position."""

    position: int
    cards: int
    gaining: int
    losing: int
    total: int
    largest: tuple[Change, ...]


def changed_at(events: Sequence[Event]) -> int:
    """The version of the last event of the scheme that yields come from, 0 before the first."""
    return next((event.version for event in reversed(events) if isinstance(event.fact, _CHANGES)), 0)


def would_declare(
    scheme: Scheme, year: int, rates: Rates, basis: str, today: date, *, reason: str = ""
) -> YieldDeclared:
    """The fact that a proposal is about. Raises as `decide_declare`, and Refused(yield-nothing-new)."""
    fact = decide_declare(scheme, year, rates, basis, today, reason=reason)
    if fact is None:
        raise Refused("yield-nothing-new", column="rate")
    return fact


def would_set(scheme: Scheme, since: date, rate: int, basis: str, today: date) -> ProvisionalRateSet:
    """The same of a provisional rate. Raises as `decide_provisional`, and Refused(yield-nothing-new)."""
    fact = decide_provisional(scheme, since, rate, basis, today)
    if fact is None:
        raise Refused("yield-nothing-new", column="rate")
    return fact


def proposed_year(fact: YieldDeclared, told: Told) -> YieldProposed:
    """The proposal of a declaration, with what it would change."""
    return YieldProposed(
        year=fact.year, rates=fact.rates, rule=fact.rule, basis=fact.basis, instead_of=fact.instead_of,
        position=told.position, cards=told.cards, gaining=told.gaining, losing=told.losing, total=told.total,
        largest=list(told.largest),
    )  # fmt: skip


def proposed_rate(fact: ProvisionalRateSet) -> ProvisionalProposed:
    """The proposal of a provisional rate."""
    return ProvisionalProposed(since=fact.since, rate=fact.rate, rule=fact.rule, basis=fact.basis)


def decide_confirm(
    scheme: Scheme, proposed: YieldProposed | ProvisionalProposed, typed: int, today: date, *, reason: str = ""
) -> YieldDeclared | ProvisionalRateSet:
    """The fact that a proposal becomes. `typed`: its total in rupiah, or the provisional rate in parts per million.

    Raises Conflict: yield-total-differs, yield-rate-differs; and as the decisions.
    """
    if isinstance(proposed, YieldProposed):
        if typed != proposed.total:
            raise Conflict("yield-total-differs", column="typed")
        return would_declare(scheme, proposed.year, proposed.rates, proposed.basis, today, reason=reason)
    if typed != proposed.rate:
        raise Conflict("yield-rate-differs", column="typed")
    return would_set(scheme, date.fromisoformat(proposed.since), proposed.rate, proposed.basis, today)
