"""Suspense that heals itself: waiting lines post as soon as their card is registered, or the opening balance that they
waited for is taken back, with their own paid dates.

A reaction: it only calls decisions, is idempotent by stream version, and is no part of any rebuild. It runs after each
registration and from the projector, so that a crash between the two loses nothing. A stream that cannot be read keeps its
own lines waiting, nobody else's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import NamedTuple

import numpy as np

from ledger.acts.remittances import remittances
from ledger.days import day_number
from ledger.decisions import remittance
from ledger.decisions.card import Card
from ledger.decisions.remittance import RELEASED_BY_ITSELF, LiveLine, Release
from ledger.errors import NotFound, Refused
from ledger.events import Event, RuleIds
from ledger.identifiers import card_number, month_number, payer_of
from ledger.receipt import Header
from ledger.rules import PmiRule, rules
from ledger.store import account_index
from ledger.store.handle import handle
from ledger.store.log import Log
from ledger.store.suspense import suspense_after, suspense_of


class Released(NamedTuple):
    """How many lines were released, and the last log position that did it (0: none)."""

    lines: int
    position: int

    def with_(self, other: Released) -> Released:
        return Released(self.lines + other.lines, max(self.position, other.position))


class Place(NamedTuple):
    """Where a line waits: the stream, the event's version, the line's number in it from 0."""

    stream: str
    version: int
    line: int


RELEASE_REASONS = ("further-payment", "identity-checked", "right-card")
"""Why an officer posts a line that waits."""
STREAMS_A_COMMIT = 200


def release(log: Log, cards: Iterable[int], header: Header, now: datetime) -> Released:
    """Post the waiting lines of these cards that can be posted now."""
    with log.database.read() as tx:
        cases = suspense_of(tx, cards)
    streams = sorted({case.stream for case in cases if case.reason in RELEASED_BY_ITSELF})
    released = Released(0, 0)
    for start in range(0, len(streams), STREAMS_A_COMMIT):
        released = released.with_(_release(log, streams[start : start + STREAMS_A_COMMIT], header, now))
    return released


def release_all(log: Log, header: Header, now: datetime) -> Released:
    """Look at every waiting line once: what a start does after a crash."""
    with log.database.read() as tx:
        cards = suspense_after(tx, 0)
    return release(log, cards, header, now)


def _release(log: Log, streams: list[str], header: Header, now: datetime) -> Released:
    return handle(
        lambda: _try(log, streams, header, now), tries=1, otherwise=lambda: _one_by_one(log, streams, header, now)
    )


def _one_by_one(log: Log, streams: list[str], header: Header, now: datetime) -> Released:
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
        npp = payer_of(name)
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


def release_line(log: Log, place: Place, header: Header, clock: Callable[[], datetime], kpj: str = "") -> Released:
    """Post one waiting line because an officer decided so: a second payment as a further part, a line whose NIK or name
    differs after a look at the papers, a line of an unknown card to the right one (`kpj`).

    Raises Refused: reason-missing, reason-unknown, suspense-not-releasable (the card cannot take it, or the amounts are
    not the rule's: such a line is reversed, not released); NotFound(suspense-not-found); BrokenLog.
    """
    if header.reason not in RELEASE_REASONS:
        known = ", ".join(RELEASE_REASONS)
        raise Refused("reason-unknown" if header.reason else "reason-missing", known=known)
    return handle(lambda: _release_line(log, place, header, clock, kpj))


def _release_line(log: Log, place: Place, header: Header, clock: Callable[[], datetime], kpj: str) -> Released:
    with log.database.read() as tx:
        position = log.head_in(tx)
        states, broken = remittances(log, tx, [place.stream])
        if place.stream in broken:
            raise broken[place.stream]
        state = states.get(place.stream)
        one = state.live.get((place.version, place.line)) if state is not None else None
        if state is None or one is None or not one.reason:
            raise NotFound("suspense-not-found")
        number = card_number(kpj or one.line.kpj)
        card = account_index.cards(tx, [number]).get(number)
    rule, obstacle = _posting(card, one, payer_of(place.stream))
    if card is None or obstacle:
        raise Refused("suspense-not-releasable", why=obstacle)
    facts = remittance.release(state, [Release(one, kpj or one.line.kpj, RuleIds(rule), card.epoch)])
    events = remittance.events(
        state.version, place.stream, facts, header.by, header.channel, header.request, header.reason
    )
    appended = log.append(events, clock(), changed_since=position, cards=[card.card])
    return Released(1, appended.positions[-1])


def _postable(card: Card | None, one: LiveLine, npp: int) -> str:
    """The id of the rule under which a waiting line posts now by itself, or '' while it must wait on."""
    if one.reason not in RELEASED_BY_ITSELF:
        return ""
    rule, obstacle = _posting(card, one, npp)
    return "" if obstacle else rule


def _posting(card: Card | None, one: LiveLine, npp: int) -> tuple[str, str]:
    """(the id of the rule, why the card cannot take the line as a suspense code or '')."""
    month = month_number(one.month) or 0
    if card is None:
        return "", "account-unknown"
    membership = card.membership(npp, month, one.under.segment)
    if membership is None:
        return "", "no-membership"
    if card.opening and day_number(one.under.paid_on) <= card.opening:
        return "", "before-opening-balance"
    rule = rules().for_segment(membership.segment, month)
    line = one.line
    if rule is None:
        return "", "month-without-rule"
    if isinstance(rule, PmiRule):
        employer, worker = 0, int(rule.nearest(np.array([line.worker]))[0])
    elif line.wage + line.back_pay:
        shares = rule.shares(np.array([line.wage + line.back_pay]))
        employer, worker = int(shares[0][0]), int(shares[1][0])
    else:
        return "", "wage-missing"
    off = max(abs(line.employer - employer), abs(line.worker - worker))
    return rule.id, "" if off <= rules().tolerance else "amounts-disagree"
