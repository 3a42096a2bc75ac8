"""Suspense that heals itself: waiting lines post as soon as their card is registered, with their own paid dates.

A reaction: it only calls decisions, is idempotent by stream version, and is no part of any rebuild. It runs after each
registration and from the projector, so that a crash between the two loses nothing. A stream that cannot be read keeps its
own lines waiting, nobody else's.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

import numpy as np

from ledger.acts.handle import handle
from ledger.acts.remittances import remittances
from ledger.decisions import remittance
from ledger.decisions.remittance import LiveLine, Release
from ledger.events import Event, RuleIds
from ledger.identifiers import card_number, month_number
from ledger.receipt import Header
from ledger.rules import PmiRule, rules
from ledger.store import account_index
from ledger.store.account_index import Card, day_number
from ledger.store.log import AccountIndexChanged, Log, VersionTaken


class Released(NamedTuple):
    """How many lines were released, and the last log position that did it (0: none)."""

    lines: int
    position: int

    def with_(self, other: Released) -> Released:
        return Released(self.lines + other.lines, max(self.position, other.position))


RELEASED_BY_ITSELF = ("account-unknown", "no-membership")
STREAMS_A_COMMIT = 200


def release(log: Log, cards: Iterable[int], header: Header, now: datetime) -> Released:
    """Post the waiting lines of these cards that can be posted now."""
    with log.database.read() as tx:
        cases = account_index.suspense_of(tx, cards)
    streams = sorted({case.stream for case in cases if case.reason in RELEASED_BY_ITSELF})
    released = Released(0, 0)
    for start in range(0, len(streams), STREAMS_A_COMMIT):
        released = released.with_(_release(log, streams[start : start + STREAMS_A_COMMIT], header, now))
    return released


def release_all(log: Log, header: Header, now: datetime) -> Released:
    """Look at every waiting line once: what a start does after a crash."""
    with log.database.read() as tx:
        cards = account_index.suspense_after(tx, 0)
    return release(log, cards, header, now)


def _release(log: Log, streams: list[str], header: Header, now: datetime) -> Released:
    try:
        return _try(log, streams, header, now)
    except (VersionTaken, AccountIndexChanged):
        released = Released(0, 0)
        for stream in streams:
            released = released.with_(handle(lambda stream=stream: _try(log, [stream], header, now)))  # type: ignore[misc]
        return released


def _try(log: Log, streams: list[str], header: Header, now: datetime) -> Released:
    with log.database.read() as tx:
        position = log.head_in(tx)
        states, _ = remittances(log, tx, streams)
        waiting = {name: state.waiting() for name, state in states.items()}
        numbers = {card_number(one.line.kpj) for lines in waiting.values() for one in lines}
        cards = account_index.cards(tx, numbers)
    events: list[Event] = []
    used: list[int] = []
    released = 0
    for name, state in states.items():
        npp = account_index.payer_of(name)
        ready = []
        for one in waiting[name]:
            card = cards.get(card_number(one.line.kpj))
            rule = _postable(card, one, npp)
            if card is not None and rule:
                ready.append(Release(one, one.line.kpj, RuleIds(rule), card.epoch))
                used.append(card.card)
        facts = remittance.release(state, ready)
        released += len(ready)
        events += remittance.events(
            state.version, name, facts, header.by, header.channel, header.request, header.reason
        )
    if not events:
        return Released(0, 0)
    appended = log.append(events, now, changed_since=position, cards=used)
    return Released(released, appended.positions[-1])


def _postable(card: Card | None, one: LiveLine, npp: int) -> str:
    """The id of the rule under which a waiting line posts now, or '' while it must wait on."""
    month = month_number(one.month) or 0
    membership = card.membership(npp, month, one.under.segment) if card else None
    if card is None or membership is None or not card.plain or one.reason not in RELEASED_BY_ITSELF:
        return ""
    if card.opening and day_number(one.under.paid_on) <= card.opening:
        return ""
    rule = rules().for_segment(membership.segment, month)
    if rule is None:
        return ""
    line = one.line
    if isinstance(rule, PmiRule):
        employer, worker = 0, int(rule.nearest(np.array([line.worker]))[0])
    else:
        if not line.wage + line.back_pay:
            return ""
        shares = rule.shares(np.array([line.wage + line.back_pay]))
        employer, worker = int(shares[0][0]), int(shares[1][0])
    off = max(abs(line.employer - employer), abs(line.worker - worker))
    return rule.id if off <= rules().tolerance else ""
