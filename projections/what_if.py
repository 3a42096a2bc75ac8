"""What a declaration would change, before it is one: every card worked out with both schemes. Writes nothing.

The balances are read once, in the order of cards, a slice at a time inside one snapshot: memory does not grow with them.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from datetime import date
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

from ledger.decisions.scheme import Scheme
from ledger.yields import sums
from projections import sql
from projections.generations import Store

SLICE = 20_000
LARGEST = 10
_Row = tuple[int, int, int, int, int]


class WhatIf(NamedTuple):
    """Of `cards` that have rows: how many would get more and less yield credited, the change of all in rupiah, and the
    largest changes (rupiah, card), largest first."""

    cards: int
    gaining: int
    losing: int
    total: int
    largest: list[tuple[int, int]]


def what_if(store: Store, now: Scheme, then: Scheme, day: date) -> WhatIf:
    """The change of all yields credited by a day from one state of the scheme to another."""
    before, after = now.terms(day), then.terms(day)
    cards = gaining = losing = total = 0
    largest: list[tuple[int, int, int]] = []
    for card, rows in groupby(_rows(store), itemgetter(0)):
        years = [row[1:] for row in rows]
        change = sums(years, after).credited - sums(years, before).credited
        cards += 1
        gaining += change > 0
        losing += change < 0
        total += change
        if change:
            push = heapq.heappush if len(largest) < LARGEST else heapq.heappushpop
            push(largest, (abs(change), card, change))
    return WhatIf(cards, gaining, losing, total, [(change, card) for _, card, change in sorted(largest, reverse=True)])


def cards_with_early_bases(store: Store, first_year: int) -> int:
    """How many cards' opening balances say what a year before the scheme's first one earns from: nothing is credited for
    such a year."""
    live = store.pointers().live["entries"]
    with store.database(live).read() as tx:
        (count,), *_ = tx.rows(sql.early_bases(live), [first_year])
    return int(count)


def _rows(store: Store) -> Iterator[_Row]:
    """(card, account, year, amount, weighted) of every row, card by card."""
    live = store.pointers().live["balances"]
    last = (-1, -1, -1, -1)
    with store.database(live).read() as tx:
        while rows := tx.rows(sql.every_year(live), [*last, SLICE]):
            yield from (row[:5] for row in rows)
            last = (rows[-1][0], *rows[-1][5:])
