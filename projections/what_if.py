"""What a declaration would change, before it is one: every card worked out with both schemes. Writes nothing.

The balances are read once, in the order of cards, a slice at a time inside one snapshot: memory does not grow with them.
A slice is worked out in columns, many cards at once; cards whose amounts do not fit the columns one by one.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator
from datetime import date
from typing import NamedTuple

import numpy as np

from ledger.decisions.scheme import Scheme
from ledger.errors import Unavailable
from ledger.store.bulk import Ints
from ledger.yields import MONTHS, Terms, sums
from projections import sql
from projections.generations import Store

SLICE = 20_000
LARGEST = 10
_FITS = 2**62
_HALF, _MILLION_YEARS = 6_000_000, 12_000_000
_Rows = list[tuple[int, ...]]


class WhatIf(NamedTuple):
    """Of `cards` that have rows: how many would get more and less yield credited, the change of all in rupiah, and the
    largest changes (rupiah, card), largest first."""

    cards: int
    gaining: int
    losing: int
    total: int
    largest: list[tuple[int, int]]


def what_if(
    store: Store, now: Scheme, then: Scheme, day: date, *, stopped: Callable[[], bool] = lambda: False
) -> WhatIf:
    """The change of all yields credited by a day from one state of the scheme to another.

    Raises Unavailable(what-if-stopped) soon after `stopped` says so.
    """
    before, after = now.terms(day), then.terms(day)
    cards = gaining = losing = total = 0
    largest: list[tuple[int, int, int]] = []
    for rows in _slices(store):
        if stopped():
            raise Unavailable("what-if-stopped")
        of_card, changes = changes_of(rows, before, after)
        cards += len(changes)
        gaining += int((changes > 0).sum())
        losing += int((changes < 0).sum())
        total += sum(changes.tolist())
        for place in np.argsort(-np.abs(changes), kind="stable")[:LARGEST].tolist():
            change = int(changes[place])
            if change:
                push = heapq.heappush if len(largest) < LARGEST else heapq.heappushpop
                push(largest, (abs(change), int(of_card[place]), change))
    return WhatIf(cards, gaining, losing, total, [(change, card) for _, card, change in sorted(largest, reverse=True)])


def changes_of(rows: _Rows, before: Terms, after: Terms) -> tuple[Ints, Ints]:
    """(card numbers, changes in rupiah) of rows (card, account, year, amount, weighted), whole cards in order."""
    table = np.array(rows, np.int64).reshape(len(rows), 5)
    found = _credited(table, after), _credited(table, before)
    starts = np.flatnonzero(np.r_[True, table[1:, 0] != table[:-1, 0]]) if len(table) else np.zeros(0, np.int64)
    of_card = table[starts, 0]
    if found[0] is None or found[1] is None:
        ends = [*starts[1:].tolist(), len(rows)]
        groups = [[row[1:5] for row in rows[a:b]] for a, b in zip(starts.tolist(), ends, strict=True)]
        changes = [sums(one, after).credited - sums(one, before).credited for one in groups]
        return of_card, np.array(changes, np.int64)
    return of_card, found[0] - found[1]


def _credited(table: Ints, terms: Terms) -> Ints | None:
    """The yield credited to each card of a table, None where a product would not fit a column."""
    card, account, year, amount, weighted = table.T
    new_card = np.r_[True, card[1:] != card[:-1]][: len(card)]
    new_account = new_card | np.r_[True, account[1:] != account[:-1]][: len(card)]
    group, groups = np.cumsum(new_account) - 1, int(new_account.sum())
    years = len(terms.declared)
    place = year - terms.first_year
    inside = (place >= 0) & (place < years)
    amounts, weights = np.zeros((years, groups), np.int64), np.zeros((years, groups), np.int64)
    amounts[place[inside], group[inside]] = amount[inside]
    weights[place[inside], group[inside]] = weighted[inside]
    opening = np.zeros(groups, np.int64)
    early = place < 0
    np.add.at(opening, group[early], amount[early])
    sub = account[new_account] & 1
    credited = np.zeros(groups, np.int64)
    for of_year in range(years):
        rates = np.array(terms.declared[of_year], np.int64)
        if (
            max(int(np.abs(opening).max(initial=0)) * MONTHS, int(np.abs(weights[of_year]).max(initial=0)))
            >= _FITS // 2
        ):
            return None
        base = np.maximum(MONTHS * opening + weights[of_year], 0)
        if int(base.max(initial=0)) * int(rates.max()) >= _FITS:
            return None
        made = (rates[sub] * base + _HALF) // _MILLION_YEARS
        credited += made
        opening += amounts[of_year] + made
    of_card = np.cumsum(new_card)[new_account] - 1
    found = np.zeros(int(new_card.sum()), np.int64)
    np.add.at(found, of_card, credited)
    return found


def cards_with_early_bases(store: Store, first_year: int) -> int:
    """How many cards' opening balances say what a year before the scheme's first one earns from: nothing is credited for
    such a year."""
    live = store.pointers().live["entries"]
    with store.database(live).read() as tx:
        (count,), *_ = tx.rows(sql.early_bases(live), [first_year])
    return int(count)


def _slices(store: Store) -> Iterator[_Rows]:
    """The rows of all cards, a slice at a time, each of whole cards."""
    live = store.pointers().live["balances"]
    last = (-1, -1, -1, -1)
    kept: _Rows = []
    with store.database(live).read() as tx:
        while rows := tx.rows(sql.every_year(live), [*last, SLICE]):
            card, account, year, *_ = rows[-1]
            last = (card, account >> 1, account & 1, year)
            kept += rows
            end = len(kept)
            # The last card may go on in the next slice.
            while end and kept[end - 1][0] == card:
                end -= 1
            if end:
                yield kept[:end]
                kept = kept[end:]
    if kept:
        yield kept
