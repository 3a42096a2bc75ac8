"""Whether what is to be told is still so, asked when it is told: as its letter is written, and again as it is sent.

Between being found and being sent lie quiet hours, a mail server that is away, a kill. Meanwhile a line may be taken back, a
missing month may come, a card may pass to its right holder.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Set
from datetime import date, datetime
from typing import NamedTuple

from ledger.clock import jakarta_date
from ledger.errors import BrokenLog, Unavailable
from ledger.events import ContributionsReversed
from ledger.events.upcasters import names_of
from ledger.store import account_index
from ledger.store.codec import decode
from ledger.store.log import Log
from ledger.store.notices import Waiting
from ledger.store.vault import Vault
from projections import month_grid
from projections.card_months import card_months
from projections.event_batch import light
from projections.queries import Queries
from projections.snapshots import MAX_WAIT

_REVERSALS = sorted(names_of(ContributionsReversed))
_PAGE_EVENTS = 20


class Claim(NamedTuple):
    """What a notice says: a posted line (its event's position, its place there) or a missing month (position 0) of a
    person's card. Numbers as in `Waiting`."""

    person: str
    card: int
    month: int
    npp: int
    position: int
    line: int


class Found(NamedTuple):
    """What is still so, and what cannot be known now because a record cannot be read: it is told later or never, and
    keeps nobody else from being told."""

    so: set[Claim]
    unknown: set[Claim]


class Looked(NamedTuple):
    """What a look for missing months found: of which cards, at which head of the log and on which day. While the log ends
    there it is what would be found again."""

    head: int
    day: date
    cards: frozenset[int]
    absent: frozenset[tuple[int, int, int]]


def claim_of(row: Waiting) -> Claim:
    """What a waiting row says; the same by each way."""
    return Claim(row.person, row.card, row.month, row.npp, row.position, row.line)


class Truth:
    """Asks the log about posted lines, the months of the pages about missing ones."""

    def __init__(self, log: Log, vault: Vault, reader: Queries) -> None:
        self._log, self._vault, self._reader = log, vault, reader

    def ask(self, claims: Iterable[Claim], now: datetime, looked: Looked | None = None) -> Found:
        """What of this is still so; `looked`: what was found a moment ago. Raises Unavailable while the read side is behind
        or stale, StoreFailed."""
        asked = set(claims)
        with self._log.database.read() as tx:
            held = account_index.cards(tx, {one.card for one in asked})
        own = {one for one in asked if one.card in held and held[one.card].person == one.person}
        posted = self._posted({one for one in own if one.position})
        missing = self._missing({one for one in own if not one.position}, now, looked)
        return Found(posted.so | missing.so, posted.unknown | missing.unknown)

    def absent(self, cards: Collection[int], now: datetime) -> Set[tuple[int, int, int]] | None:
        """(card, month, npp) of what the pages call missing of one person's cards; None while a record of theirs cannot be
        read. The read side is not waited for. Raises Unavailable."""
        try:
            facts = card_months(self._log, self._reader, self._vault, sorted(cards), now)
        except Unavailable as error:
            if error.code != "account-incomplete":
                raise
            return None
        return {
            (one.part.card, one.month, int(one.part.npp or 0))
            for one in month_grid.missing(month_grid.years(facts, jakarta_date(now)))
            if one.part.state == month_grid.ABSENT
        }

    def _missing(self, claims: Collection[Claim], now: datetime, looked: Looked | None) -> Found:
        of_person: dict[str, set[Claim]] = defaultdict(set)
        for one in claims:
            of_person[one.person].add(one)
        found = Found(set(), set())
        if of_person:
            head = self._log.head()
            self._reader.wait_for(head, MAX_WAIT)
            if looked is not None and (looked.head, looked.day) != (head, jakarta_date(now)):
                looked = None
        for some in of_person.values():
            cards = {one.card for one in some}
            absent = looked.absent if looked and cards <= looked.cards else self.absent(cards, now)
            if absent is None:
                found.unknown.update(some)
            else:
                found.so.update(one for one in some if (one.card, one.month, one.npp) in absent)
        return found

    def _posted(self, claims: Collection[Claim]) -> Found:
        """By the reversals after the first of the lines: a line that was told cannot end in another way."""
        found = Found(set(claims), set())
        after = min((one.position for one in claims), default=0)
        places: dict[tuple[str, int, int], set[Claim]] = {}
        while claims and (rows := light(self._log.read(after, _PAGE_EVENTS, None, _REVERSALS))):
            after = rows[-1].position
            places = places or self._places(claims)
            for row in rows:
                of_stream = {one for (stream, _, _), some in places.items() if stream == row.stream for one in some}
                if not of_stream:
                    continue
                try:
                    fact = decode(row).fact
                except BrokenLog:
                    found.unknown.update(of_stream)
                    continue
                assert isinstance(fact, ContributionsReversed)
                for version, line in zip(fact.lines.column("event"), fact.lines.column("line"), strict=True):
                    found.so.difference_update(places.get((row.stream, version, line), ()))
        found.so.difference_update(found.unknown)
        return found

    def _places(self, claims: Collection[Claim]) -> dict[tuple[str, int, int], set[Claim]]:
        """(stream, version, line) -> what is said of that line."""
        found: dict[tuple[str, int, int], set[Claim]] = defaultdict(set)
        events: dict[int, tuple[str, int]] = {}
        for one in claims:
            if one.position not in events:
                (row,) = self._log.read(one.position - 1, 1, one.position)
                events[one.position] = row.stream, row.version
            found[(*events[one.position], one.line)].add(one)
        return found
