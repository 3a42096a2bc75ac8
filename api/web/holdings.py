"""What a member holds: the cards with their balances, and the facts behind them, in few queries.

The facts of a card (its statement, memberships, employers' names) belong to the card's version and are kept for a while;
the balance is asked each time.
"""

from __future__ import annotations

from collections import OrderedDict
from datetime import datetime
from typing import Generic, NamedTuple, TypeVar

import msgspec

from api.opened import Opened
from api.web.grid import Facts
from ledger import register
from ledger.errors import NotFound, Unavailable
from ledger.identifiers import kpj_of
from ledger.members import LinkedCard
from projections.answers import BalanceRow, Entry

V = TypeVar("V")
PAGE = 500
"""Lines asked for at once; a statement of forty years is one or two pages."""
MOST_LINES = 5_000
KEPT = 500


class Kept(Generic[V]):
    """The values that were used last, at most `most` of them."""

    def __init__(self, most: int = KEPT) -> None:
        self._most = most
        self._held: OrderedDict[object, V] = OrderedDict()

    def get(self, key: object) -> V | None:
        """The value, which is now the newest."""
        found = self._held.get(key)
        if found is not None:
            self._held.move_to_end(key)
        return found

    def put(self, key: object, value: V) -> V:
        """Keep a value; the oldest makes room."""
        self._held[key] = value
        if len(self._held) > self._most:
            self._held.popitem(last=False)
        return value


class Held(NamedTuple):
    """One card of a member: its balance, or why it cannot be told now."""

    linked: LinkedCard
    kpj: str
    row: BalanceRow | None
    error: Unavailable | None


class Holdings:
    """The holdings that a process shows."""

    def __init__(self, opened: Opened) -> None:
        self._opened = opened
        self._facts: Kept[Facts] = Kept()

    async def cards(self, person: str, now: datetime, handle: str = "") -> list[Held]:
        """A member's cards, or the one with `handle`. Raises NotFound(card-unknown), and Unavailable when no balance at
        all can be told now (read-side-stale, read-side-empty, log-restored, store-failed).
        """
        linked = await self._opened.ask(self._opened.members.cards, person)
        if handle:
            linked = [one for one in linked if one.handle == handle]
            if not linked:
                raise NotFound("card-unknown")
        return [await self.card(one, person, now) for one in linked]

    async def card(self, linked: LinkedCard, person: str, now: datetime) -> Held:
        """One card of `person`. Raises as `cards`."""
        kpj = kpj_of(linked.card)
        try:
            row = await self._opened.balance(linked.card, now, None)
        except Unavailable as error:
            if error.code != "account-incomplete":
                raise
            return Held(linked, kpj, None, error)
        if row.person != person:
            # The register says that somebody else holds it by now.
            raise NotFound("card-unknown")
        return Held(linked, kpj, row, None)

    async def facts(self, rows: list[BalanceRow], now: datetime) -> list[Facts]:
        """What is known of the cards behind some balances, with the money that waits for them."""
        cases = await self._opened.ask(self._cases, [row.card for row in rows])
        found = []
        for row in rows:
            key = row.card, row.version
            facts = self._facts.get(key) or self._facts.put(key, await self._opened.ask(self._read, row.card, now))
            waiting = tuple(case for case in cases if case.card == row.card)
            npps = {f"{case.npp:08d}" for case in waiting if case.npp} - set(facts.employers)
            if waiting:
                names = await self._opened.ask(self._names, npps) if npps else {}
                facts = msgspec.structs.replace(facts, cases=waiting, employers=facts.employers | names)
            found.append(facts)
        return found

    def _cases(self, cards: list[int]) -> list[register.Case]:
        with self._opened.log.database.read() as tx:
            return register.suspense_of(tx, cards)

    def _read(self, card: int, now: datetime) -> Facts:
        reader = self._opened.reader
        entries: list[Entry] = []
        while len(entries) < MOST_LINES:
            page = reader.entries(card, now, entries[-1].key if entries else None, PAGE)
            entries += page
            if len(page) < PAGE:
                break
        memberships = reader.memberships(card)
        npps = {entry.npp for entry in entries} | {membership.npp for membership in memberships}
        return Facts(card, tuple(entries), tuple(memberships), self._names(npps - {""}))

    def _names(self, npps: set[str]) -> dict[str, str]:
        return {npp: self._name(npp) for npp in npps}

    def _name(self, npp: str) -> str:
        try:
            return self._opened.reader.employer(int(npp)).name
        except NotFound:
            return f"NPP {npp}"
