"""What the store knows about a chunk of contributions: a handful of set queries in one snapshot."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from ledger.acts.remittances import States, remittances
from ledger.decisions.amounts import Ints
from ledger.decisions.card import Card
from ledger.decisions.remittance import Remittance
from ledger.errors import BrokenLog
from ledger.ingestion.contributions import zeros
from ledger.ingestion.contributions.batch import RemittanceBatch
from ledger.ingestion.contributions.identity_match import Holders
from ledger.store import account_index
from ledger.store.database import Transaction
from ledger.store.log import Log

Mask = NDArray[np.bool_]
Known = tuple[dict[int, Card], Holders | None]
"""Cards, and who they belong to where NIK or name is compared."""
AT_ONCE = account_index.AT_ONCE
"""Lines whose cards and holders are held at once: each takes a kilobyte."""


@dataclass
class LookedUp:
    """What the store knew about a chunk at `position`. `odd`: per batch, which of its rows are not simply postable.
    `broken`: streams that cannot be read, and why: only their own lines are refused.

    `cards` and `holders` are those of all odd rows, unless there are so many that `later` tells them of some rows when
    these are decided: a card that changes in between is noticed by the append, which asks what changed since `position`.
    """

    position: int
    odd: list[Mask]
    cards: dict[int, Card]
    streams: dict[str, Remittance]
    broken: dict[str, BrokenLog]
    holders: Holders | None
    later: Callable[[RemittanceBatch, Ints], Known] | None = None

    def about(self, batch: RemittanceBatch, rows: Ints) -> Known:
        """Cards and holders of odd rows of a batch."""
        return (self.cards, self.holders) if self.later is None else self.later(batch, rows)


def look_up(
    log: Log,
    parts: Sequence[RemittanceBatch],
    holders: Callable[..., Holders] | None = None,
    known: States | None = None,
) -> LookedUp:
    """Everything a chunk's decision needs from the store, in a handful of set queries in one snapshot.

    `known`: states of remittances to go on from.
    """
    with log.database.read(pipelined=True) as tx:
        tx.look_up_by_index()
        position = log.head_in(tx)
        odd = _not_plain(tx, parts)
        for part, strange in zip(parts, odd, strict=True):
            strange[_looked_at(part)] = True
        places = [np.flatnonzero(strange) for strange in odd]
        late = sum(map(len, places)) > AT_ONCE
        cards, match = ({}, None) if late else _about(tx, parts, places, holders)
        streams, broken = remittances(log, tx, [stream for part in parts for stream in part.streams], known)
    later = partial(_later, log, holders) if late else None
    return LookedUp(position, odd, cards, streams, broken, match, later)


def _looked_at(part: RemittanceBatch) -> Mask:
    """Which rows are looked at one by one, whatever the index says of their cards."""
    u = part.upload
    found: Mask = u.npp[part.at] == 0
    for texts in (u.nik, u.name):
        if texts:
            found |= np.fromiter((bool(texts[row]) for row in part.at.tolist()), np.bool_, part.lines)
    found[zeros.doubtful(part.card)] = True
    return found


def _later(log: Log, holders: Callable[..., Holders] | None, batch: RemittanceBatch, rows: Ints) -> Known:
    with log.database.read(pipelined=True) as tx:
        tx.look_up_by_index()
        return _about(tx, [batch], [rows], holders)


def _about(
    tx: Transaction,
    parts: Sequence[RemittanceBatch],
    places: Sequence[Ints],
    holders: Callable[..., Holders] | None,
) -> Known:
    wanted: list[int] = []
    for part, some in zip(parts, places, strict=True):
        numbers = part.card[some].tolist()
        wanted += (*numbers, *zeros.others_of(numbers))
    cards = account_index.cards(tx, wanted)
    if holders is None or not any(part.upload.nik or part.upload.name for part in parts):
        return cards, None
    return cards, holders(tx, [(part.upload, part.at[some]) for part, some in zip(parts, places, strict=True)], cards)


def _not_plain(tx: Transaction, parts: Sequence[RemittanceBatch]) -> list[Mask]:
    """Per part, which of its rows are employers' lines that the register does not simply let post."""

    def column(name: str) -> Ints:
        joined: Ints = np.concatenate([getattr(part.upload, name)[part.at] for part in parts])
        return joined

    ends = np.cumsum([0, *(part.lines for part in parts)]).tolist()
    odd = np.zeros(ends[-1], np.bool_)
    card, npp, month, paid_on = (column(name) for name in ("card", "npp", "month", "paid_on"))
    places = np.flatnonzero(npp > 0)
    if len(places):
        payments = [values[places] for values in (npp, month, paid_on)]
        begins = np.logical_or.reduce([np.diff(values, prepend=-1) != 0 for values in payments])
        group = np.cumsum(begins) - 1
        groups = list(zip(*(values[begins].tolist() for values in payments), strict=True))
        # In card order the register's index is read once, from left to right.
        order = np.argsort(card[places], kind="stable")
        places, group = places[order], group[order]
        if len(places) <= AT_ONCE:
            odd[_strange(tx, places, card[places], group, groups)] = True
        for start in range(0, len(places), AT_ONCE) if len(places) > AT_ONCE else ():
            here = slice(start, start + AT_ONCE)
            # Some of the lines have some of the payments.
            used, some = np.unique(group[here], return_inverse=True)
            payments_here = [groups[number] for number in used.tolist()]
            odd[_strange(tx, places[here], card[places[here]], some, payments_here)] = True
    return [odd[start:end] for start, end in pairwise(ends)]


def _strange(tx: Transaction, places: Ints, card: Ints, group: Ints, groups: list[tuple[int, int, int]]) -> list[int]:
    """Those of the places whose line does not simply post. `group`: each line's place in `groups`."""
    found = account_index.not_plain(tx, card, group, groups)
    if not found:
        return []
    lines = zip(card.tolist(), group.tolist(), strict=True)
    return [place for place, line in zip(places.tolist(), lines, strict=True) if line in found]
