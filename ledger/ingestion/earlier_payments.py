"""What was already posted to cards up to a day: an opening balance would count that money again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from msgspec import Struct

from ledger.decisions.card import Card
from ledger.decisions.remittance import BEFORE_OPENING
from ledger.errors import BrokenLog
from ledger.events import ContributionsPosted, ContributionsReversed, Fact, LinesSuspended, SuspenseReleased
from ledger.identifiers import card_number, kpj_of
from ledger.store.codec import decode
from ledger.store.database import Transaction
from ledger.store.log import Log

_STREAMS = ["remittance-e:", "remittance-p:"]
_PAYERS_AT_ONCE = 20


class Place(NamedTuple):
    """A line: of which stream, which event, at which place in it."""

    stream: str
    version: int
    line: int


class Earlier(Struct):
    """A card's payments up to its day, posted and not reversed: line -> paid day. `freed`: those of them that had waited
    because of an opening balance and were released when it was taken back."""

    posted: dict[Place, str] = {}
    freed: dict[Place, str] = {}

    @property
    def first(self) -> str | None:
        """The first day on which money was paid that no opening balance had held."""
        return min(self.posted.values(), default=None)


class Payments(NamedTuple):
    """Card number -> what was paid to it; payer -> why its remittances cannot all be read."""

    of: dict[int, Earlier]
    broken: dict[str, BrokenLog]

    def broken_for(self, card: Card) -> BrokenLog | None:
        """Why it cannot be known what a card was paid, or None."""
        return next((self.broken[payer] for payer in _payers_of(card) if payer in self.broken), None)


def earlier_payments(
    log: Log, tx: Transaction, cards: Iterable[Card], until: Mapping[int, str], after: int = 0
) -> Payments:
    """The cards' payments that are posted, not reversed and not after the card's day in `until`.

    All remittances of the cards' payers are read, which are none while an adopter's balances are taken over. `after`:
    only what was recorded after that position, whoever paid; what was freed is then not told apart.
    """
    found: dict[int, Earlier] = {}
    waited: set[Place] = set()
    broken: dict[str, BrokenLog] = {}
    groups = [_STREAMS] if after else _payers(cards)
    for prefixes in groups:
        for row in log.rows_under(tx, prefixes, (), after):
            try:
                fact = decode(row).fact
            except BrokenLog as error:
                broken.setdefault(row.stream.rpartition(":")[0] + ":", error)
                continue
            _take(found, waited, until, row.stream, row.version, fact)
    some = {card: earlier for card, earlier in found.items() if earlier.posted or earlier.freed}
    return Payments(some, broken)


def _take(
    found: dict[int, Earlier], waited: set[Place], until: Mapping[int, str], stream: str, version: int, fact: Fact
) -> None:
    if isinstance(fact, LinesSuspended):
        reasons = fact.lines.column("reason")
        waited.update(Place(stream, version, at) for at, reason in enumerate(reasons) if reason == BEFORE_OPENING)
    elif isinstance(fact, ContributionsPosted):
        for at, kpj in enumerate(fact.lines.kpj):
            card = card_number(kpj)
            if fact.paid_on <= until.get(card, ""):
                found.setdefault(card, Earlier()).posted[Place(stream, version, at)] = fact.paid_on
    elif isinstance(fact, SuspenseReleased):
        lines = fact.lines
        columns = (lines.kpj, lines.column("event"), lines.column("line"), lines.column("waited_as"))
        for at, (kpj, event, line, other) in enumerate(zip(*columns, strict=True)):
            card = card_number(kpj)
            if fact.paid_on <= until.get(card, ""):
                earlier = found.setdefault(card, Earlier())
                # What an officer gave to another card is that card's, whatever it waited for.
                freed = not other and Place(stream, event, line) in waited
                (earlier.freed if freed else earlier.posted)[Place(stream, version, at)] = fact.paid_on
    elif isinstance(fact, ContributionsReversed):
        columns3 = (fact.lines.kpj, fact.lines.column("event"), fact.lines.column("line"))
        for kpj, event, line in zip(*columns3, strict=True):
            reversed_of = found.get(card_number(kpj))
            if reversed_of is not None:
                reversed_of.posted.pop(Place(stream, event, line), None)
                reversed_of.freed.pop(Place(stream, event, line), None)


def _payers_of(card: Card) -> set[str]:
    """The beginnings of the streams that a card's payers remit in."""
    own = f"remittance-p:{kpj_of(card.card)}:"
    return {f"remittance-e:{held.npp:08d}:" if held.npp else own for held in card.memberships}


def _payers(cards: Iterable[Card]) -> Iterator[list[str]]:
    found = sorted({payer for card in cards for payer in _payers_of(card)})
    # One payer's remittances may be many and large, a participant's own are few and small.
    employers = [prefix for prefix in found if prefix.startswith("remittance-e:")]
    own = found[len(employers) :]
    for at in range(0, len(employers), _PAYERS_AT_ONCE):
        yield employers[at : at + _PAYERS_AT_ONCE]
    if own:
        yield own
