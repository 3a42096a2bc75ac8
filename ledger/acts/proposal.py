"""Acts of two officers on the scheme: a proposal, and its declaration by another one.

Two officers who act at once: the second one's wish is decided again on what the first one recorded, and refused there.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime

import msgspec

from ledger.clock import jakarta_date
from ledger.decisions import proposal, remittance
from ledger.decisions.proposal import Told
from ledger.decisions.scheme import Scheme
from ledger.events import Event, Fact, ProvisionalProposed, YieldDeclared
from ledger.events.scheme import STREAM
from ledger.receipt import Header
from ledger.store.handle import handle
from ledger.store.log import Log


def standing(log: Log) -> Event | None:
    """The proposal that waits for a second officer. Raises BrokenLog."""
    return proposal.standing(log.events(STREAM))


def propose(log: Log, seen: Scheme, fact: YieldDeclared, told: Told, header: Header, now: datetime) -> int:
    """Record a proposal whose effect was worked out on `seen`; its position. Raises Conflict(changed-since)."""
    return _append(log, header, now, lambda events: proposal.decide_propose(Scheme.of(events), seen, fact, told))


def propose_provisional(log: Log, since: date, rate: int, basis: str, header: Header, now: datetime) -> int:
    """Record the proposal of a provisional rate; its position. Raises as `would_set`."""

    def decide(events: list[Event]) -> Fact:
        fact = proposal.would_set(Scheme.of(events), since, rate, basis, jakarta_date(now))
        return ProvisionalProposed(since=fact.since, rate=fact.rate, rule=fact.rule, basis=fact.basis)

    return _append(log, header, now, decide)


def confirm(log: Log, version: int, typed: int, header: Header, now: datetime) -> int:
    """Record what the proposal of this version says; the position. The reason is the proposal's.

    Raises as `decide_confirm`.
    """
    found = standing(log)
    return _append(
        log, msgspec.structs.replace(header, reason=found.reason if found else ""), now,
        lambda events: proposal.decide_confirm(events, version, typed, header.by, jakarta_date(now)),
    )  # fmt: skip


def _append(log: Log, header: Header, now: datetime, decide: Callable[[list[Event]], Fact]) -> int:
    def act() -> int:
        events = log.events(STREAM)
        fact = decide(events)
        made = remittance.events(
            len(events), STREAM, [fact], header.by, header.channel, header.request, header.reason
        )  # fmt: skip
        return log.append(made, now).positions[-1]

    return handle(act)
