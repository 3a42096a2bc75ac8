"""What the store knows about a chunk of contributions: a handful of set queries in one snapshot."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

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


@dataclass
class LookedUp:
    """What the store knew about a chunk at `position`. `odd`: per batch, the places in its rows of those lines that are
    not simply postable. `broken`: streams that cannot be read, and why: only their own lines are refused."""

    position: int
    odd: list[set[int]]
    cards: dict[int, Card]
    streams: dict[str, Remittance]
    broken: dict[str, BrokenLog]
    holders: Holders | None


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
        odd, wanted = _not_plain(tx, parts), list[int]()
        for part, strange in zip(parts, odd, strict=True):
            u = part.upload
            if not u.npp[part.at].all():
                strange.update(np.flatnonzero(u.npp[part.at] == 0).tolist())
            if u.nik or u.name:
                strange.update(
                    i for i, row in enumerate(part.at.tolist()) if (u.nik and u.nik[row]) or (u.name and u.name[row])
                )
            strange.update(zeros.doubtful(part.card))
            cards_here = u.card[part.at[sorted(strange)]].tolist() if strange else []
            wanted.extend((*cards_here, *zeros.others_of(cards_here)))
        cards = account_index.cards(tx, wanted)
        streams, broken = remittances(log, tx, [stream for part in parts for stream in part.streams], known)
        compared = holders is not None and any(part.upload.nik or part.upload.name for part in parts)
        match = holders(tx, parts, cards) if holders and compared else None
    return LookedUp(position, odd, cards, streams, broken, match)


def _not_plain(tx: Transaction, parts: Sequence[RemittanceBatch]) -> list[set[int]]:
    """Per part, the places of those employers' lines that the register does not simply let post."""

    def column(name: str) -> Ints:
        joined: Ints = np.concatenate([getattr(part.upload, name)[part.at] for part in parts])
        return joined

    card, npp, month, paid_on = (column(name) for name in ("card", "npp", "month", "paid_on"))
    odd: list[set[int]] = [set() for _ in parts]
    places = np.flatnonzero(npp > 0)
    if not len(places):
        return odd
    payments = [values[places] for values in (npp, month, paid_on)]
    begins = np.logical_or.reduce([np.diff(values, prepend=-1) != 0 for values in payments])
    group = np.cumsum(begins) - 1
    groups = list(zip(*(values[begins].tolist() for values in payments), strict=True))
    # In card order the register's index is read once, from left to right.
    order = np.argsort(card[places], kind="stable")
    places, group = places[order], group[order]
    found = account_index.not_plain(tx, card[places], group, groups)
    if not found:
        return odd
    ends = np.cumsum([part.lines for part in parts]).tolist()
    for place, line in zip(places.tolist(), zip(card[places].tolist(), group.tolist(), strict=True), strict=True):
        if line in found:
            number = bisect_right(ends, place)
            odd[number].add(place - (ends[number - 1] if number else 0))
    return odd
