"""Cards merged and un-merged: `decisions.merge` on the store.

The cards that the decision looked at are asked again under the append lock, whether any of them changed since: of two
people who merge two cards into each other at one moment the second is refused, on both stores.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from ledger.decisions.card import Card
from ledger.decisions.merge import decide_merge, decide_unmerge
from ledger.decisions.reason import MERGE, UNMERGE, check_reason
from ledger.errors import Refused
from ledger.events import Event, Fact
from ledger.identifiers import account_stream, kpj_of
from ledger.receipt import Header
from ledger.store import account_index
from ledger.store.database import Transaction, Write
from ledger.store.handle import handle
from ledger.store.log import Log

Clock = Callable[[], datetime]


class Looked(NamedTuple):
    """Cards as the account index has them at a log position: those asked for, and every card that they lead to."""

    cards: dict[int, Card]
    position: int

    def version(self, *cards: int) -> str:
        """What stands for the state of some cards on a page that shows them."""
        return ".".join(str(self.cards[card].changed_at) if card in self.cards else "0" for card in cards)


def look(log: Log, *cards: int) -> Looked:
    """What a decision about cards is taken from."""
    with log.database.read() as tx:
        return Looked(_chains(tx, cards), log.head_in(tx))


def _chains(tx: Transaction, cards: tuple[int, ...]) -> dict[int, Card]:
    found: dict[int, Card] = {}
    wanted = set(cards)
    while wanted:
        more = account_index.cards(tx, wanted)
        found |= more
        wanted = {card.merged for card in more.values() if card.merged} - found.keys()
    return found


def merge(
    log: Log, old: int, new: int, header: Header, clock: Clock, *, proposed_by: str = "", seen: str | None = None,
    also: Write | None = None,
) -> int:  # fmt: skip
    """Let card `old` point to card `new`; the position of the event. `seen`: the version of the two cards that was shown
    to who decides; `also`: what else is done in the transaction.

    Raises Refused: reason-missing, reason-unknown, changed-since; and as `decide_merge`.
    """

    check_reason(MERGE, header.reason)

    def decide(looked: Looked) -> Fact:
        _must_be_seen(looked, seen, old, new)
        return decide_merge(looked.cards, old, new, proposed_by)

    return _act(log, old, new, header, clock, decide, also)


def unmerge(
    log: Log, old: int, header: Header, clock: Clock, *, proposed_by: str = "", seen: str | None = None,
    also: Write | None = None,
) -> int:  # fmt: skip
    """Take the pointer of card `old` away; the position of the event.

    Raises Refused: reason-missing, reason-unknown, changed-since; and as `decide_unmerge`.
    """

    check_reason(UNMERGE, header.reason)

    def decide(looked: Looked) -> Fact:
        card = looked.cards.get(old)
        _must_be_seen(looked, seen, old, card.merged if card else 0)
        return decide_unmerge(card, proposed_by)

    return _act(log, old, old, header, clock, decide, also)


def _must_be_seen(looked: Looked, seen: str | None, *cards: int) -> None:
    if seen is not None and seen != looked.version(*cards):
        raise Refused("changed-since")


def _act(
    log: Log, old: int, new: int, header: Header, clock: Clock, decide: Callable[[Looked], Fact], also: Write | None
) -> int:  # fmt: skip
    stream = account_stream(kpj_of(old))

    def act() -> int:
        looked = look(log, old, new)
        events = log.events(stream)
        event = Event(
            stream=stream, version=(events[-1].version if events else 0) + 1, fact=decide(looked), by=header.by,
            channel=header.channel, reason=header.reason, request=header.request,
        )  # fmt: skip
        writes = [also] if also else []
        appended = log.append([event], clock(), changed_since=looked.position, cards=list(looked.cards), writes=writes)
        return appended.positions[-1]

    return handle(act)
