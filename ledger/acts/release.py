"""Suspense that heals itself: waiting lines post as soon as their card is registered, or the opening balance that they
waited for is taken back, with their own paid dates.

A reaction: it only calls decisions, is idempotent by stream version, and is no part of any rebuild. It runs after each
registration and from the projector, so that a crash between the two loses nothing. A stream that cannot be read keeps its
own lines waiting, nobody else's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from functools import cache, partial
from itertools import compress, groupby
from typing import NamedTuple

import numpy as np

from ledger.acts.remittances import remittances
from ledger.days import day_number
from ledger.decisions import remittance
from ledger.decisions.amounts import AMOUNT_REASONS, judge
from ledger.decisions.card import Card
from ledger.decisions.reason import must_be_known
from ledger.decisions.remittance import RELEASED_BY_ITSELF, Content, LiveLine, Release, Some, by_event, columns_of
from ledger.errors import NotFound, Refused
from ledger.events import Event, RuleIds
from ledger.identifiers import card_number, month_number, payer_of
from ledger.receipt import Header
from ledger.rules import Rule, rules
from ledger.store import account_index, suspense
from ledger.store.database import Transaction
from ledger.store.handle import handle
from ledger.store.log import Log


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
        streams = suspense.streams(tx, cards, RELEASED_BY_ITSELF)
    return _release_streams(log, streams, header, now)


def release_all(log: Log, header: Header, now: datetime) -> Released:
    """Look at every waiting line once: what a start does after a crash."""
    with log.database.read() as tx:
        streams = suspense.streams_of_known_cards(tx, RELEASED_BY_ITSELF)
    return _release_streams(log, streams, header, now)


def _release_streams(log: Log, streams: list[str], header: Header, now: datetime) -> Released:
    released = Released(0, 0)
    for start in range(0, len(streams), STREAMS_A_COMMIT):
        released = released.with_(_release(log, streams[start : start + STREAMS_A_COMMIT], header, now))
    return released


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
        tx.look_up_by_index()
        position = log.head_in(tx)
        states, _ = remittances(log, tx, streams)
        ready, used = _ready(tx, {name: state.waiting_for(RELEASED_BY_ITSELF) for name, state in states.items()})
    events: list[Event] = []
    for name, releases in ready.items():
        state = states[name]
        facts = remittance.release(state, releases)
        events += remittance.events(
            state.version, name, facts, header.by, header.channel, header.request, header.reason
        )
    if not events:
        return Released(0, 0)
    appended = log.append(events, now, changed_since=position, cards=used)
    return Released(sum(len(one.places) for some in ready.values() for one in some), appended.positions[-1])


def _ready(tx: Transaction, waiting: dict[str, list[Some]]) -> tuple[dict[str, list[Release]], list[int]]:
    """What can post now of each stream, and the cards it goes to. Most lines of employers go to a card that the index lets
    post by itself, asked for all at once; the others are looked at one by one."""
    events = [(name, some) for name, those in waiting.items() for some in those]
    numbers = [[card_number(one.post.lines.kpj[place]) for place in one.places] for _, one in events]
    odd = _odd(tx, events, numbers)
    cards = account_index.cards(
        tx, (number for some, those in zip(numbers, odd, strict=True) for number in compress(some, those))
    )
    ready: dict[str, list[Release]] = {}
    used: list[int] = []
    for (name, (post, places)), some, strange in zip(events, numbers, odd, strict=True):
        npp, releases = payer_of(name), ready.setdefault(name, [])
        rule = rules().pu_in(month_number(post.month) or 0) if npp else None
        plain = Some(post, [place for place, is_odd in zip(places, strange, strict=True) if not is_odd])
        if rule is not None and plain.places:
            obstacles = _amounts(rule, [plain])
            fitting = [place for place, why in zip(plain.places, obstacles, strict=True) if not why]
            if fitting:
                releases.append(Release(post, fitting, RuleIds(rule.id)))
        lines = [LiveLine(post, place) for place in compress(places, strange)]
        holders = [cards.get(number) for number in compress(some, strange)]
        for line, card, (used_rule, obstacle) in zip(lines, holders, _postings(holders, lines, npp), strict=True):
            if card is not None and not obstacle:
                releases.append(Release(post, [line.index], RuleIds(used_rule), card.epoch))
        used += some
    return {name: releases for name, releases in ready.items() if releases}, used


def _odd(tx: Transaction, events: Sequence[tuple[str, Some]], numbers: Sequence[Sequence[int]]) -> list[list[bool]]:
    """For each line whether the index does not simply let it post."""
    groups = [
        (payer_of(name), month_number(post.month) or 0, day_number(post.under.paid_on)) for name, (post, _) in events
    ]
    employers = [number for number, (npp, _, _) in enumerate(groups) if npp]
    if not employers:
        return [[True] * len(some) for some in numbers]
    card = np.concatenate([np.array(numbers[number], np.int64) for number in employers])
    group = np.repeat(np.arange(len(employers)), [len(numbers[number]) for number in employers])
    order = np.argsort(card, kind="stable")
    found = account_index.not_plain(tx, card[order], group[order], [groups[number] for number in employers])
    place = {number: at for at, number in enumerate(employers)}
    return [
        [(one, place[number]) in found for one in some]
        if number in place and found
        else [number not in place] * len(some)
        for number, some in enumerate(numbers)
    ]


def release_line(log: Log, place: Place, header: Header, clock: Callable[[], datetime], kpj: str = "") -> Released:
    """Post one waiting line because an officer decided so: a second payment as a further part, a line whose NIK or name
    differs after a look at the papers, a line of an unknown card to the right one (`kpj`).

    Raises Refused: reason-missing, reason-unknown, suspense-not-releasable (the card cannot take it, or the amounts are
    not the rule's: such a line is reversed, not released); NotFound(suspense-not-found); BrokenLog.
    """
    must_be_known(header.reason, RELEASE_REASONS)
    return handle(lambda: _release_line(log, place, header, clock, kpj))


def _release_line(log: Log, place: Place, header: Header, clock: Callable[[], datetime], kpj: str) -> Released:
    with log.database.read() as tx:
        position = log.head_in(tx)
        states, broken = remittances(log, tx, [place.stream])
        if place.stream in broken:
            raise broken[place.stream]
        state = states.get(place.stream)
        one = state.line(place.version, place.line) if state is not None else None
        if state is None or one is None or not one.reason:
            raise NotFound("suspense-not-found")
        number = card_number(kpj or one.kpj)
        card = account_index.cards(tx, [number]).get(number)
    ((rule, obstacle),) = _postings([card], [one], payer_of(place.stream))
    if card is None or obstacle:
        raise Refused("suspense-not-releasable", why=obstacle)
    facts = remittance.release(state, [Release(one.post, [one.index], RuleIds(rule), card.epoch, kpj)])
    events = remittance.events(
        state.version, place.stream, facts, header.by, header.channel, header.request, header.reason
    )
    appended = log.append(events, clock(), changed_since=position, cards=[card.card])
    return Released(1, appended.positions[-1])


def _postings(cards: Sequence[Card | None], lines: Sequence[LiveLine], npp: int) -> list[tuple[str, str]]:
    """For each line and its card: (the id of the rule, why the card cannot take the line as a suspense code or '')."""
    found: list[tuple[str, str]] = []
    by_rule: dict[str, tuple[Rule, list[int]]] = {}
    for post, group in groupby(zip(cards, lines, strict=True), key=lambda pair: pair[1].post):
        month, paid_on, segment = month_number(post.month) or 0, day_number(post.under.paid_on), post.under.segment
        rule_of = cache(partial(rules().for_segment, month=month))
        for card, _ in group:
            rule, obstacle = _rule(card, npp, month, paid_on, segment, rule_of)
            if rule and not obstacle:
                by_rule.setdefault(rule.id, (rule, []))[1].append(len(found))
            found.append((rule.id if rule else "", obstacle))
    for rule, places in by_rule.values():
        for place, obstacle in zip(places, _amounts(rule, by_event(lines[place] for place in places)), strict=True):
            found[place] = rule.id, obstacle
    return found


def _rule(
    card: Card | None, npp: int, month: int, paid_on: int, segment: str, rule_of: Callable[[str], Rule | None]
) -> tuple[Rule | None, str]:
    if card is None:
        return None, "account-unknown"
    membership = card.membership(npp, month, segment)
    if membership is None:
        return None, "no-membership"
    if card.opening and paid_on <= card.opening:
        return None, "before-opening-balance"
    rule = rule_of(membership.segment)
    return rule, "" if rule else "month-without-rule"


def _amounts(rule: Rule, lines: Sequence[Some]) -> list[str]:
    """Why the rule cannot take the amounts of each line, as a suspense code or ''."""
    values = columns_of(lines)
    wage, back_pay, employer, worker = (np.array(values[name], np.int64) for name in Content._fields)
    return [AMOUNT_REASONS[code] for code in judge(rule, wage + back_pay, employer, worker).reason.tolist()]
