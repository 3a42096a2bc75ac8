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
from functools import cache
from itertools import groupby
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ledger.decisions.card import Card, Membership, after_fact
from ledger.errors import NotFound
from ledger.events import (
    AccountOpened,
    AccountReassigned,
    CardsMerged,
    CardsUnmerged,
    EmployerRegistered,
    MembershipEnded,
    MembershipStarted,
    OpeningBalanceRecorded,
    OpeningBalanceReversed,
    SegmentChanged,
)
from ledger.identifiers import card_number, month_number
from ledger.store import suspense
from ledger.store.codec import NewEvent
from ledger.store.database import Transaction

Ints = NDArray[np.int64]

TABLES = ("account_index_employers", "account_index_cards", "account_index_suspense", "account_index_requests")
CARD_COLUMNS = "card, person, segment, npp, since, until, more, plain, epoch, opening, changed_at, merged"
CARD_TYPES = "bigint text text bigint bigint bigint text bigint bigint bigint bigint bigint"
AT_ONCE = 50_000
"""Cards of one question: what a store's driver makes of a card is many times its eight bytes."""


def row_of(card: Card) -> tuple[Any, ...]:
    """A card as a row of CARD_COLUMNS."""
    # The columns have no segment of their own for the newest membership: another one than the card's stands in `more`.
    in_columns = bool(card.memberships) and card.memberships[0].segment == card.segment
    newest = card.memberships[0] if in_columns else Membership(0, card.segment, 0, 0)
    others = card.memberships[1:] if in_columns else card.memberships
    more = json.dumps(others, separators=(",", ":")) if others else ""
    return (
        card.card, card.person, card.segment, newest.npp, newest.since, newest.until, more,
        int(card.plain), card.epoch, card.opening, card.changed_at, card.merged,
    )  # fmt: skip


def card_of(row: Sequence[Any]) -> Card:
    """The card of a row of CARD_COLUMNS."""
    card, person, segment, npp, since, until, more, plain, epoch, opening, changed_at, merged = row
    memberships: tuple[Membership, ...] = ()
    if since:
        # The newest membership carries the card's present segment.
        memberships = (Membership(npp, segment, since, until),)
    if more:
        memberships += tuple(Membership(*m) for m in json.loads(more))
    return Card(card, person, segment, memberships, bool(plain), epoch, opening, changed_at, merged)


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
    return {row[0]: card_of(row) for row in rows}


def held_by(tx: Transaction, person: str) -> list[int]:
    """The cards of a person, in rising order. Reads the whole index (a second for some millions of cards)."""
    return [row[0] for row in tx.rows("select card from account_index_cards where person = ? order by card", [person])]


def given_since(tx: Transaction, person: str, position: int) -> bool:
    """Whether a card of a person changed after the log position; asked under the append lock."""
    given = [position, person]
    return bool(tx.rows("select 1 from account_index_cards where changed_at > ? and person = ? limit 1", given))


def pointing_at(tx: Transaction, card: int) -> list[int]:
    """The cards that are merged into this one, in rising order."""
    rows = tx.rows("select card from account_index_cards where merged = ? and merged > 0 order by card", [card])
    return [row[0] for row in rows]


def is_pointed_at(tx: Transaction, card: int) -> bool:
    """Whether another card is merged into this one."""
    return bool(pointing_at(tx, card))


def paid_by(tx: Transaction, npp: int) -> list[int]:
    """The cards that are or were an employer's, in rising order."""
    rows = tx.rows(
        f"select {CARD_COLUMNS} from account_index_cards where npp = ? or more like ?",
        [npp, f"[[{npp},%"],
    ) + tx.rows(f"select {CARD_COLUMNS} from account_index_cards where more like ?", [f"%],[{npp},%"])
    return sorted({row[0] for row in rows if any(m.npp == npp for m in card_of(row).memberships)})


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
    # Joined by the card alone: with the conditions in the join, a planner without statistics (right after the first
    # registrations) takes the whole index for one row and reads all of it for each line.
    rows = tx.rows(
        f"select q.card, q.g from {given} q left join account_index_cards r on r.card = q.card where r.card is null "
        "or not (r.npp = q.npp and r.since > 0 and r.since <= q.month and (r.until = 0 or r.until >= q.month) "
        "and r.plain = 1 and r.epoch = 0 and r.opening < q.paid)",
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


def must_be_registered(tx: Transaction, npps: Sequence[int]) -> None:
    """Raise NotFound `employer-not-found` for the first employer that nobody registered: nothing waits for one, and an
    empty answer would look like that."""
    known = employers(tx, npps)
    for npp in npps:
        if npp not in known:
            raise NotFound("employer-not-found", column="npp", npp=f"{npp:08d}")


def changed_since(tx: Transaction, numbers: Sequence[int] | Ints, position: int) -> bool:
    """Whether any of the cards changed after the log position; asked under the append lock."""
    distinct = np.unique(np.asarray(numbers, np.int64))
    for start in range(0, len(distinct), AT_ONCE):
        given, params = tx.relation(card=("bigint", distinct[start : start + AT_ONCE].tolist()))
        if tx.rows(
            f"select 1 from {given} q join account_index_cards r on r.card = q.card where r.changed_at > ? limit 1",
            [*params, position],
        ):
            return True
    return False


def receipt(tx: Transaction, request: str) -> tuple[int, int] | None:
    """First and last log position of what a request wrote, or None."""
    rows = tx.rows("select first, last from account_index_requests where request = ?", [request])
    return (rows[0][0], rows[0][1]) if rows else None


def record(tx: Transaction, events: Sequence[NewEvent], positions: Sequence[int], times: Sequence[str]) -> None:
    """Bring the index up to events just appended at these positions and times, in the same transaction."""
    record_facts(tx, events, positions, times)
    record_requests(tx, [event.request for event in events], positions)


def record_facts(tx: Transaction, events: Sequence[NewEvent], positions: Sequence[int], times: Sequence[str]) -> None:
    """What FACTS among the events say of employers, cards and waiting lines."""
    kinds = {event.kind for event in events}
    if EmployerRegistered in kinds:
        _record_employers(tx, zip(events, positions, strict=True))
    if not kinds.isdisjoint(_CARD_FACTS):
        _record_cards(tx, zip(events, positions, strict=True))
    if not kinds.isdisjoint(suspense.FACTS):
        suspense.record(tx, zip(events, positions, times, strict=True))


def record_requests(tx: Transaction, requests: Sequence[str], positions: Sequence[int]) -> None:
    """Where each request begins and ends; `requests`: of the events at the positions, "" for none."""
    spans: dict[str, list[int]] = {}
    at = 0
    for request, some in groupby(requests):
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
    CardsMerged, CardsUnmerged, AccountReassigned,
)  # fmt: skip
FACTS = (EmployerRegistered, *_CARD_FACTS, *suspense.FACTS)
"""What the index is made from; of everything else it has the request only."""
_month = cache(month_number)


def _record_employers(tx: Transaction, placed: Iterable[tuple[NewEvent, int]]) -> None:
    some = [(e.fact.npp, position) for e, position in placed if isinstance(e.fact, EmployerRegistered)]
    tx.insert(
        "account_index_employers",
        {"npp": [int(npp) for npp, _ in some], "changed_at": [position for _, position in some]},
        "bigint bigint",
        "on conflict (npp) do nothing",
    )


def _record_cards(tx: Transaction, placed: Iterable[tuple[NewEvent, int]]) -> None:
    rows, others = _opened(placed)
    if others:
        number = {stream: card_number(stream.partition(":")[2]) for stream in {event.stream for event, _ in others}}
        held: dict[int, Card | None] = dict(cards(tx, {card for card in number.values() if card not in rows}))
        for card in number.values():
            if card in rows:
                held[card] = card_of(rows.pop(card))
        for event, position in others:
            card = number[event.stream]
            held[card] = after_fact(held.get(card), event.fact, position)
        rows |= {card: row_of(state) for card, state in held.items() if state is not None}
    if not rows:
        return
    names = CARD_COLUMNS.split(", ")
    tx.insert(
        "account_index_cards",
        dict(zip(names, zip(*(rows[card] for card in sorted(rows)), strict=True), strict=True)),
        CARD_TYPES,
        "on conflict (card) do update set " + ", ".join(f"{c} = excluded.{c}" for c in names[1:]),
    )


def _opened(
    placed: Iterable[tuple[NewEvent, int]],
) -> tuple[dict[int, tuple[Any, ...]], list[tuple[NewEvent, int]]]:
    """The rows of cards opened with one membership, as nearly all are, and the events left over."""
    rows: dict[int, tuple[Any, ...]] = {}
    others: list[tuple[NewEvent, int]] = []
    stream, card, person = "", 0, ""
    for event, position in placed:
        fact = event.fact
        if isinstance(fact, AccountOpened):
            stream, card, person = event.stream, card_number(fact.kpj), fact.person
            rows[card] = (card, person, fact.segment, 0, 0, 0, "", 1, 0, 0, position, 0)
        elif isinstance(fact, MembershipStarted) and stream == event.stream:
            npp, since = int(fact.npp or 0), _month(fact.since) or 0
            rows[card] = (card, person, fact.segment, npp, since, 0, "", 1, 0, 0, position, 0)
            stream = ""
        elif isinstance(fact, _CARD_FACTS):
            stream = ""
            others.append((event, position))
    return rows, others
