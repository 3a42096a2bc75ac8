"""The account index: who may receive money, kept in small tables beside the log, written in the append's transaction.

It is derived from the log alone (`account_index_check` holds it against the log), but unlike a projection it is never
behind: ingestion reads it in sets, remembers the log position, and the append asks once, under the lock, whether a card
changed since. So a line cannot be posted to a card that was closed in between, nor held for one that was registered.

A membership is [npp, segment, since, until]: months as numbers, `until` 0 while it lasts, npp 0 when the participant
pays for himself. The newest stands in columns, the others as JSON in `more`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import date
from functools import cache, lru_cache
from itertools import groupby
from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from ledger.events import (
    AccountOpened,
    ContributionsReversed,
    EmployerRegistered,
    Event,
    Fact,
    LinesSuspended,
    MembershipEnded,
    MembershipStarted,
    OpeningBalanceRecorded,
    OpeningBalanceReversed,
    SegmentChanged,
    SuspenseReleased,
)
from ledger.identifiers import KINDS, card_number, month_number
from ledger.store.database import Transaction

Ints = NDArray[np.int64]
EPOCH_DAY = date(1970, 1, 1)

TABLES = ("account_index_employers", "account_index_cards", "account_index_suspense", "account_index_requests")
CARD_COLUMNS = "card, person, segment, npp, since, until, more, plain, epoch, opening, changed_at"
CARD_TYPES = "bigint text text bigint bigint bigint text bigint bigint bigint bigint"


def day_number(day: str | date) -> int:
    """Days since 1970-01-01 of an ISO date."""
    return ((date.fromisoformat(day) if isinstance(day, str) else day) - EPOCH_DAY).days


def day_of(number: int) -> date:
    """The inverse of `day_number`."""
    return date.fromordinal(EPOCH_DAY.toordinal() + number)


@lru_cache(4096)
def day_text(number: int) -> str:
    """`day_of` as an ISO date."""
    return day_of(number).isoformat()


class Membership(NamedTuple):
    """From which payer a card may receive money for which months (month numbers, `until` 0 = lasting)."""

    npp: int
    segment: str
    since: int
    until: int

    def covers(self, npp: int, month: int) -> bool:
        return self.npp == npp and self.since <= month and (not self.until or month <= self.until)


class Card(msgspec.Struct, frozen=True):
    """A row of `account_index_cards`. `opening`: day number of the opening balance, 0 without one.

    `plain`: whether the index may let a line post by itself; False sends every line of the card to the decision. No fact
    of today makes it False: it is the column for holds.
    """

    card: int
    person: str
    segment: str
    memberships: tuple[Membership, ...] = ()
    plain: bool = True
    epoch: int = 0
    opening: int = 0
    changed_at: int = 0

    def membership(self, npp: int, month: int, segment: str = "") -> Membership | None:
        """The membership that lets `npp` (0: the holder, as one of a `segment`) pay for `month`, or None."""
        return next(
            (m for m in self.memberships if m.covers(npp, month) and (not segment or m.segment == segment)), None
        )

    def row(self) -> tuple[Any, ...]:
        # The columns have no segment of their own for the newest membership: another one than the card's stands in `more`.
        in_columns = bool(self.memberships) and self.memberships[0].segment == self.segment
        newest = self.memberships[0] if in_columns else Membership(0, self.segment, 0, 0)
        others = self.memberships[1:] if in_columns else self.memberships
        more = json.dumps(others, separators=(",", ":")) if others else ""
        return (
            self.card, self.person, self.segment, newest.npp, newest.since, newest.until, more,
            int(self.plain), self.epoch, self.opening, self.changed_at,
        )  # fmt: skip

    @classmethod
    def of_row(cls, row: Sequence[Any]) -> Card:
        card, person, segment, npp, since, until, more, plain, epoch, opening, changed_at = row
        memberships = [Membership(*m) for m in json.loads(more)] if more else []
        if since:
            # The newest membership carries the card's present segment.
            memberships.insert(0, Membership(npp, segment, since, until))
        return cls(card, person, segment, tuple(memberships), bool(plain), epoch, opening, changed_at)


def evolve(card: Card | None, event: Event) -> Card | None:
    """The card after an event of its account stream."""
    return after_fact(card, event.fact, event.position)


def after_fact(card: Card | None, fact: Fact, position: int = 0) -> Card | None:
    """The card after a fact of its account stream: pure, the same for the index and for a decision."""
    if isinstance(fact, AccountOpened):
        return Card(card_number(fact.kpj), fact.person, fact.segment, changed_at=position)
    if card is None:
        return None
    changed = {"changed_at": position}
    if isinstance(fact, MembershipStarted):
        started = Membership(int(fact.npp or 0), fact.segment, month_number(fact.since) or 0, 0)
        return msgspec.structs.replace(card, segment=fact.segment, memberships=(started, *card.memberships), **changed)
    if isinstance(fact, MembershipEnded):
        named = (int(fact.npp or 0), fact.segment, month_number(fact.since) or 0)
        until = month_number(fact.until) or 0
        ended = tuple(m._replace(until=until) if m[:3] == named else m for m in card.memberships)
        return msgspec.structs.replace(card, memberships=ended, **changed)
    if isinstance(fact, SegmentChanged):
        return msgspec.structs.replace(card, segment=fact.segment, **changed)
    if isinstance(fact, OpeningBalanceRecorded):
        return msgspec.structs.replace(card, opening=day_number(fact.as_of), **changed)
    if isinstance(fact, OpeningBalanceReversed):
        return msgspec.structs.replace(card, opening=0, **changed)
    return card


def cards(tx: Transaction, numbers: Iterable[int]) -> dict[int, Card]:
    """The registered ones of the given card numbers. Sorted first: the index is then read once, in order."""
    wanted = sorted(set(numbers))
    if not wanted:
        return {}
    given, params = tx.relation(card=("bigint", wanted))
    rows = tx.rows(
        f"select {', '.join('r.' + c for c in CARD_COLUMNS.split(', '))} from {given} q "
        "join account_index_cards r on r.card = q.card",
        params,
    )
    return {row[0]: Card.of_row(row) for row in rows}


def not_plain(tx: Transaction, card: Ints, group: Ints, groups: Sequence[tuple[int, int, int]]) -> set[tuple[int, int]]:
    """The (card, group) of lines that are NOT simply postable: the store looks, and only the exceptions travel.

    `card` and `group`: columns of equal length, a line's card number and its place in `groups`, which are
    (payer, month number, paid day number), each with a line. Cards in rising order are fastest.
    """
    if tx.dialect == "sqlite":
        given, params = _nested(tx, card, group, groups)
    else:
        # Two long columns travel instead of four: a line finds its payment by its place in three short arrays.
        lines, params = tx.relation(card=("bigint", card), g=("bigint", group))
        given = (
            "(select card, g, (?::bigint[])[g + 1] as npp, (?::bigint[])[g + 1] as month, "
            f"(?::bigint[])[g + 1] as paid from {lines} l)"
        )
        params = [*(list(column) for column in zip(*groups, strict=True)), *params]
    rows = tx.rows(
        f"select q.card, q.g from {given} q left join account_index_cards r on r.card = q.card and r.npp = q.npp "
        "and r.since > 0 and r.since <= q.month and (r.until = 0 or r.until >= q.month) and r.plain = 1 "
        "and r.opening < q.paid where r.card is null",
        params,
    )
    return {(row[0], row[1]) for row in rows}


def _nested(tx: Transaction, card: Ints, group: Ints, groups: Sequence[tuple[int, int, int]]) -> tuple[str, list[Any]]:
    """The lines to select FROM on SQLite, where unpacking a row's JSON costs more than the look-up: the cards of a
    payment travel as one list. The payments are in the order of their first cards."""
    order = np.argsort(group, kind="stable")
    cards, ends = card[order], np.cumsum(np.bincount(group, minlength=len(groups)))
    starts = np.concatenate(([0], ends[:-1]))
    places, numbers = np.argsort(cards[starts], kind="stable").tolist(), cards.tolist()
    spans = list(zip(starts.tolist(), ends.tolist(), strict=True))
    npp, month, paid = zip(*(groups[place] for place in places), strict=True)
    given, params = tx.relation(
        g=("bigint", places), npp=("bigint", npp), month=("bigint", month), paid=("bigint", paid),
        cards=("text", [str(numbers[slice(*spans[place])]) for place in places]),
    )  # fmt: skip
    return (
        f"(with p as materialized (select * from {given}) "
        "select c.value as card, p.g, p.npp, p.month, p.paid from p cross join json_each(p.cards) c)",
        params,
    )


def employers(tx: Transaction, npps: Iterable[int]) -> set[int]:
    """The registered ones of the given employers."""
    wanted = sorted(set(npps))
    if not wanted:
        return set()
    given, params = tx.relation(npp=("bigint", wanted))
    return {
        row[0]
        for row in tx.rows(
            f"select q.npp from {given} q join account_index_employers r on r.npp = q.npp",
            params,
        )
    }


def changed_since(tx: Transaction, numbers: Sequence[int], position: int) -> bool:
    """Whether any of the cards changed after the log position; asked under the append lock."""
    given, params = tx.relation(card=("bigint", sorted(set(numbers))))
    return bool(
        tx.rows(
            f"select 1 from {given} q join account_index_cards r on r.card = q.card where r.changed_at > ? limit 1",
            [*params, position],
        )
    )


class Case(NamedTuple):
    """A suspended line that still waits: where it is, whose it may be, why."""

    stream: str
    version: int
    line: int
    card: int
    npp: int
    month: int
    kind: int
    paid_on: int
    employer: int
    worker: int
    reason: str
    position: int
    recorded_at: str


CASE_COLUMNS = ", ".join(Case._fields)
CASE_TYPES = "text bigint bigint bigint bigint bigint bigint bigint bigint bigint text bigint text"


def suspense_of(tx: Transaction, numbers: Iterable[int]) -> list[Case]:
    """The waiting lines of the given cards, oldest first."""
    given, params = tx.relation(card=("bigint", sorted(set(numbers))))
    return [
        Case(*row)
        for row in tx.rows(
            f"select {', '.join('s.' + c for c in Case._fields)} from {given} q "
            "join account_index_suspense s on s.card = q.card order by s.position, s.line",
            params,
        )
    ]


def suspense_page(
    tx: Transaction, after: tuple[int, int] = (0, -1), limit: int = 100, npps: Sequence[int] | None = None
) -> list[Case]:
    """A keyset page of all waiting lines, oldest first, optionally of some payers only."""
    where = ""
    params: list[Any] = []
    if npps is not None:
        given, params = tx.relation(npp=("bigint", list(npps)))
        where = f"and npp in (select npp from {given} q) "
    return [
        Case(*row)
        for row in tx.rows(
            f"select {CASE_COLUMNS} from account_index_suspense where (position, line) > (?, ?) {where}"
            "order by position, line limit ?",
            [*after, *params, limit],
        )
    ]


def suspense_after(tx: Transaction, position: int) -> list[int]:
    """Cards that have waiting lines and changed after the position: candidates for a release."""
    return [
        row[0]
        for row in tx.rows(
            "select distinct s.card from account_index_suspense s join account_index_cards r on r.card = s.card "
            "where r.changed_at > ? order by s.card",
            [position],
        )
    ]


def receipt(tx: Transaction, request: str) -> tuple[int, int] | None:
    """First and last log position of what a request wrote, or None."""
    rows = tx.rows("select first, last from account_index_requests where request = ?", [request])
    return (rows[0][0], rows[0][1]) if rows else None


def payer_of(stream: str) -> int:
    """The NPP in a remittance stream's name, 0 when participants pay for themselves."""
    return int(stream.split(":")[1]) if stream.startswith("remittance-e:") else 0


def record(tx: Transaction, events: Sequence[Event], positions: Sequence[int], times: Sequence[str]) -> None:
    """Bring the index up to events just appended at these positions and times, in the same transaction."""
    kinds = {type(event.fact) for event in events}
    if EmployerRegistered in kinds:
        _record_employers(tx, zip(events, positions, strict=True))
    if not kinds.isdisjoint(_CARD_FACTS):
        _record_cards(tx, zip(events, positions, strict=True))
    if not kinds.isdisjoint(_SUSPENSE_FACTS):
        _record_suspense(tx, zip(events, positions, times, strict=True))
    spans: dict[str, list[int]] = {}
    at = 0
    for request, some in groupby(event.request for event in events):
        first, at = at, at + len(list(some))
        if request:
            spans.setdefault(request, []).extend((positions[first], positions[at - 1]))
    if spans:
        tx.insert(
            "account_index_requests",
            {
                "request": list(spans),
                "first": [span[0] for span in spans.values()],
                "last": [span[-1] for span in spans.values()],
            },
            "text bigint bigint",
            "on conflict (request) do update set last = excluded.last",
        )


_CARD_FACTS = (
    AccountOpened, MembershipStarted, MembershipEnded, SegmentChanged, OpeningBalanceRecorded, OpeningBalanceReversed,
)  # fmt: skip
_SUSPENSE_FACTS = (LinesSuspended, SuspenseReleased, ContributionsReversed)
_month = cache(month_number)


def _record_employers(tx: Transaction, placed: Iterable[tuple[Event, int]]) -> None:
    some = [(e.fact.npp, position) for e, position in placed if isinstance(e.fact, EmployerRegistered)]
    tx.insert(
        "account_index_employers",
        {"npp": [int(npp) for npp, _ in some], "changed_at": [position for _, position in some]},
        "bigint bigint",
        "on conflict (npp) do nothing",
    )


def _record_cards(tx: Transaction, placed: Iterable[tuple[Event, int]]) -> None:
    rows, others = _opened(placed)
    if others:
        number = {stream: card_number(stream.partition(":")[2]) for stream in {event.stream for event, _ in others}}
        held: dict[int, Card | None] = dict(cards(tx, {card for card in number.values() if card not in rows}))
        for card in number.values():
            if card in rows:
                held[card] = Card.of_row(rows.pop(card))
        for event, position in others:
            card = number[event.stream]
            held[card] = after_fact(held.get(card), event.fact, position)
        rows |= {card: state.row() for card, state in held.items() if state is not None}
    if not rows:
        return
    names = CARD_COLUMNS.split(", ")
    tx.insert(
        "account_index_cards",
        dict(zip(names, zip(*(rows[card] for card in sorted(rows)), strict=True), strict=True)),
        CARD_TYPES,
        "on conflict (card) do update set " + ", ".join(f"{c} = excluded.{c}" for c in names[1:]),
    )


def _opened(placed: Iterable[tuple[Event, int]]) -> tuple[dict[int, tuple[Any, ...]], list[tuple[Event, int]]]:
    """The rows of cards opened with one membership, as nearly all are, and the events left over."""
    rows: dict[int, tuple[Any, ...]] = {}
    others: list[tuple[Event, int]] = []
    stream, card, person = "", 0, ""
    for event, position in placed:
        fact = event.fact
        if isinstance(fact, AccountOpened):
            stream, card, person = event.stream, card_number(fact.kpj), fact.person
            rows[card] = (card, person, fact.segment, 0, 0, 0, "", 1, 0, 0, position)
        elif isinstance(fact, MembershipStarted) and stream == event.stream:
            npp, since = int(fact.npp or 0), _month(fact.since) or 0
            rows[card] = (card, person, fact.segment, npp, since, 0, "", 1, 0, 0, position)
            stream = ""
        elif isinstance(fact, _CARD_FACTS):
            stream = ""
            others.append((event, position))
    return rows, others


def _record_suspense(tx: Transaction, placed: Iterable[tuple[Event, int, str]]) -> None:
    waiting: list[Case] = []
    gone: list[tuple[str, int, int]] = []
    for event, position, recorded_at in placed:
        fact = event.fact
        if isinstance(fact, LinesSuspended):
            waiting.extend(
                Case(
                    event.stream, event.version, i, card_number(line.kpj), payer_of(event.stream),
                    month_number(fact.month) or 0, KINDS.index(fact.kind), day_number(fact.paid_on),
                    line.employer, line.worker, line.reason, position, recorded_at,
                )
                for i, line in enumerate(fact.lines)
            )  # fmt: skip
        elif isinstance(fact, SuspenseReleased):
            gone.extend((event.stream, line.event, line.line) for line in fact.lines)
        elif isinstance(fact, ContributionsReversed):
            gone.extend((event.stream, line.event, line.line) for line in fact.lines if line.suspended)
    if waiting:
        tx.insert(
            "account_index_suspense",
            dict(zip(Case._fields, zip(*waiting, strict=True), strict=True)),
            CASE_TYPES,
        )
    if gone:
        given, params = tx.relation(
            stream=("text", [g[0] for g in gone]),
            version=("bigint", [g[1] for g in gone]),
            line=("bigint", [g[2] for g in gone]),
        )
        tx.run(
            "delete from account_index_suspense where (stream, version, line) in "
            f"(select q.stream, q.version, q.line from {given} q)",
            params,
        )
