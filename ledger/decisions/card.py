"""A card: whose it is and from whom it may receive money for which months. Pure.

The state of an account stream that decisions ask and the account index keeps (`ledger.store.account_index`).
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from ledger.days import day_number
from ledger.events import (
    AccountOpened,
    AccountReassigned,
    CardsMerged,
    CardsUnmerged,
    Event,
    Fact,
    MembershipEnded,
    MembershipStarted,
    OpeningBalanceRecorded,
    OpeningBalanceReversed,
    SegmentChanged,
)
from ledger.identifiers import card_number, month_number


class Membership(NamedTuple):
    """From which payer a card may receive money for which months (month numbers, `until` 0 = lasting)."""

    npp: int
    segment: str
    since: int
    until: int

    def covers(self, npp: int, month: int) -> bool:
        return self.npp == npp and self.since <= month and (not self.until or month <= self.until)


class Card(msgspec.Struct, frozen=True, gc=False):
    """A card as the last event of its stream left it. `opening`: day number of the opening balance, 0 without one.

    `plain`: whether the index may let a line post by itself; False sends every line of the card to the decision. No fact
    of today makes it False: it is the column for holds. `merged`: the card it was merged into, 0 for none.
    """

    card: int
    person: str
    segment: str
    memberships: tuple[Membership, ...] = ()
    plain: bool = True
    epoch: int = 0
    opening: int = 0
    changed_at: int = 0
    merged: int = 0

    def membership(self, npp: int, month: int, segment: str = "") -> Membership | None:
        """The membership that lets `npp` (0: the holder, as one of a `segment`) pay for `month`, or None."""
        return next(
            (m for m in self.memberships if m.covers(npp, month) and (not segment or m.segment == segment)), None
        )


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
    if isinstance(fact, AccountReassigned):
        return msgspec.structs.replace(card, person=fact.person, **changed)
    if isinstance(fact, CardsMerged):
        return msgspec.structs.replace(card, merged=card_number(fact.into), **changed)
    if isinstance(fact, CardsUnmerged):
        return msgspec.structs.replace(card, merged=0, **changed)
    return card
