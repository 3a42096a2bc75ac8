"""What a member holds: the cards with their balances, and the facts behind them, in few queries.

Nothing is kept here: thousands of members' lines in memory would stop every page while the garbage collector looks at
them. A page keeps what it made of them.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from datetime import datetime
from typing import Generic, NamedTuple, TypeVar

from api.application import ApplicationState
from api.coalescer import Coalescer
from ledger.errors import NotFound, Unavailable
from ledger.identifiers import kpj_of
from ledger.members import LinkedCard
from ledger.members.rows import cards_of_each
from ledger.store.suspense import Case, suspense_of
from projections.card_months import card_months
from projections.month_grid import Facts
from projections.results import BalanceRow

V = TypeVar("V")
KEPT = 1_000
"""A page of eight years is 30 kB, so this is about 30 MB."""


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


class Look(NamedTuple):
    """A member's cards, and the money that waits for each, oldest first."""

    cards: list[Held]
    cases: list[Case]


_Linked = tuple[list[LinkedCard], list[Case]]


class Holdings:
    """The holdings that a process shows."""

    def __init__(self, application: ApplicationState) -> None:
        self._opened = application
        # On PostgreSQL: who looks at one moment is asked for together.
        self._together = Coalescer(self._fetch)

    async def look(self, person: str, now: datetime, handle: str = "") -> Look:
        """A member's cards, or the one with `handle`. Raises NotFound(card-unknown), and Unavailable when no balance at
        all can be told now (read-side-stale, read-side-empty, log-restored, store-failed).
        """
        if self._opened.inline:
            linked, cases = self._linked([person])[person]
        else:
            linked, cases = await self._together.get(person) or ([], [])
        if handle:
            linked = [one for one in linked if one.handle == handle]
            if not linked:
                raise NotFound("card-unknown")
        cards = {one.card for one in linked}
        held = [await self.card(one, person, now) for one in linked]
        return Look(held, [case for case in cases if case.card in cards])

    async def card(self, linked: LinkedCard, person: str, now: datetime) -> Held:
        """One card of `person`. Raises as `look`."""
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

    async def facts(
        self, rows: Sequence[BalanceRow], now: datetime, cases: Sequence[Case] | None = None
    ) -> list[Facts]:  # fmt: skip
        """What is known of the cards behind some balances, with the money that waits for them (`cases`, asked for when
        not given). Raises as `look`.
        """
        return await self._opened.ask(self._facts, [row.card for row in rows], now, cases)

    async def _fetch(self, persons: list[str]) -> dict[str, _Linked]:
        return await self._opened.ask(self._linked, persons)

    def _linked(self, persons: Sequence[str]) -> dict[str, _Linked]:
        """The cards of some members, and what waits for each one's."""
        with self._opened.log.database.read() as tx:
            linked = cards_of_each(tx, persons)
            cases = suspense_of(tx, {one.card for cards in linked.values() for one in cards})
        waiting: dict[int, list[Case]] = {}
        for case in cases:
            waiting.setdefault(case.card, []).append(case)
        return {
            person: (cards, [case for one in cards for case in waiting.get(one.card, ())])
            for person, cards in linked.items()
        }

    def _facts(self, cards: Sequence[int], now: datetime, cases: Sequence[Case] | None) -> list[Facts]:
        opened = self._opened
        return card_months(opened.log, opened.reader, opened.vault, cards, now, cases)
