"""Four eyes over a declaration: one officer proposes, another declares what was proposed and nothing else. Pure.

What a proposal would change was worked out when it was made and stands in it; whoever declares has read it and types its
total. A proposal is over as soon as anything of the scheme that yields come from has changed, or another one was made.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from ledger.decisions.scheme import Scheme, decide_declare, decide_provisional
from ledger.errors import Conflict, NotAllowed, NotFound, Refused
from ledger.events import (
    Change,
    Event,
    Fact,
    ProvisionalProposed,
    ProvisionalRateSet,
    Rates,
    SchemeStarted,
    YieldDeclared,
    YieldProposed,
)

_PROPOSALS = (YieldProposed, ProvisionalProposed)
_CHANGES = (SchemeStarted, YieldDeclared, ProvisionalRateSet)


class Told(NamedTuple):
    """What a declaration would change, as it was worked out up to a log position."""

    position: int
    cards: int
    gaining: int
    losing: int
    total: int
    largest: tuple[Change, ...]


def standing(events: Sequence[Event]) -> Event | None:
    """The proposal that waits for a second officer, None when there is none."""
    newest = next((event for event in reversed(events) if isinstance(event.fact, (*_PROPOSALS, *_CHANGES))), None)
    return newest if newest is not None and isinstance(newest.fact, _PROPOSALS) else None


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


def decide_propose(now: Scheme, seen: Scheme, fact: YieldDeclared, told: Told) -> YieldProposed:
    """The proposal of a declaration that was worked out on `seen`. Raises Conflict(changed-since) when the scheme has
    changed meanwhile."""
    if any(getattr(now, name) != getattr(seen, name) for name in ("first_year", "declared", "provisional")):
        raise Conflict("changed-since")
    return YieldProposed(
        year=fact.year, rates=fact.rates, rule=fact.rule, basis=fact.basis, instead_of=fact.instead_of,
        position=told.position, cards=told.cards, gaining=told.gaining, losing=told.losing, total=told.total,
        largest=list(told.largest),
    )  # fmt: skip


def decide_confirm(
    events: Sequence[Event], version: int, typed: int, by: str, today: date
) -> YieldDeclared | ProvisionalRateSet:
    """The fact that a proposal, by its version in the stream, becomes. `typed`: its total in rupiah, or the provisional
    rate in parts per million.

    Raises NotFound(proposal-over), NotAllowed(proposal-own), Conflict(yield-total-differs), and as the decisions.
    """
    event = standing(events)
    if event is None or event.version != version:
        raise NotFound("proposal-over")
    if event.by == by:
        raise NotAllowed("proposal-own")
    fact: Fact = event.fact
    scheme = Scheme.of(events)
    if isinstance(fact, YieldProposed):
        if typed != fact.total:
            raise Conflict("yield-total-differs", column="typed")
        return would_declare(scheme, fact.year, fact.rates, fact.basis, today, reason=event.reason)
    assert isinstance(fact, ProvisionalProposed)
    if typed != fact.rate:
        raise Conflict("yield-rate-differs", column="typed")
    return would_set(scheme, date.fromisoformat(fact.since), fact.rate, fact.basis, today)
