"""The queries: what the API and the commands ask the read side.

A balance comes with the log position it is true at, read in the same statement as its rows. It is never 0 because
something is missing: an unknown card, a projection that is not built, out of date, of another log, or an account with a
record that could not be applied are all errors with a code.

On SQLite one statement over attached files answers in some tens of microseconds and is meant to be called inline; on
PostgreSQL `set_query` and `of_rows` let many concurrent questions become one query on a connection of the caller.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import date, datetime
from struct import Struct

import msgspec

from ledger.errors import JhtError, NotFound, StoreFailed, Unavailable
from ledger.store.known_at import KnownAt
from projections import sql
from projections.history import History
from projections.results import (
    BalanceRow,
    CardRow,
    Group,
    balance_of,
    told,
)
from projections.scheme import Known
from projections.snapshots import ATTEMPTS

_NO_LAST = (0, 0, 0)
_YEARS = msgspec.json.Decoder(list[list[int]])
"""The years of a card in `one_card`, each as account, year, amount, weighted."""
_YEAR = Struct(">4q")
"""The same of one year in `many_cards`."""
Later = Callable[[Callable[[sqlite3.Connection], None], sqlite3.Connection], object]


class Queries(History):
    """Queries over the live generations; safe to use from several threads."""

    def load(self, rows: Sequence[CardRow]) -> None:
        """Ask for what rows of `set_query` need: marks, and the scheme. Raises StoreFailed."""
        for version in {row.newest for row in rows}:
            self.mark(version)
        for stamp, version in {(row.stamp, row.scheme) for row in rows}:
            self._scheme(stamp, version)

    def has_loaded(self, rows: Sequence[CardRow]) -> bool:
        """Whether `of_rows` has nothing to ask the store for."""
        return all(row.newest in self._marks and (row.stamp, row.scheme) in self._schemes for row in rows)

    def balance(
        self, card: int, today: date, now: datetime, as_of: date | None = None, *, known_at: KnownAt | None = None,
        later: Later | None = None,
    ) -> BalanceRow:  # fmt: skip
        """What a card has, now or (`as_of` before `today`) as the money paid up to the end of a past day; with `known_at`
        by what had been recorded there, at the end of its day unless `as_of` names another.

        `later` runs a function, soon and in this thread: until then the present balances asked for on SQLite share one
        snapshot, for opening one costs as much as reading a card.

        Raises NotFound(account-not-found, account-not-yet-known), Refused(as-of-in-future, as-of-before-opening) and
        Unavailable (read-side-stale, read-side-empty, log-restored, account-incomplete, position-not-reached).
        """
        day = as_of or (known_at.day if known_at is not None else today)
        if known_at is not None or day != today:
            return self.row_of_past(card, self.past_until(card, today, now, day, known_at), day)
        if self.store.postgres:
            return told(self.balances([card], today, now)[card])
        for _ in range(ATTEMPTS):
            self.check_fresh(now)
            try:
                row, known = self._read_one(card, later)
            except StoreFailed as error:
                self._must_be_gone(error)
            else:
                if row.stamp == self._current().stamp:
                    years = _YEARS.decode(row.years) if known.scheme.first_year else []
                    return told(balance_of(row, today, years, known, self.mark(row.newest)))
            self._look()
        raise self._moving()

    def _read_one(self, card: int, later: Later | None) -> tuple[CardRow, Known]:
        """What `balance_of` needs of a card, on SQLite, and the scheme as its row knows it."""
        sources = self._current()
        live = sources.live
        with self._attached(sources.stamp, live) as connection:
            if later is not None and not connection.in_transaction:
                connection.execute("begin")
                later(_end, connection)
            row = CardRow(*connection.execute(sql.one_card(*live.values()), (card,)).fetchone())
            # Nothing else that is read here changes with the snapshot: what was declared up to an event, and lines up to a
            # position, stay as they are.
            known = self._schemes.get((sources.stamp, row.scheme)) or self._scheme(
                sources.stamp, row.scheme, lambda query, params: connection.execute(query, params).fetchall()
            )
            if row.reversals:
                newest = sql.last_contribution(live["entries"], "?1")
                last = connection.execute(newest, (card, row.position)).fetchone()
                month, paid_on, npp = last or _NO_LAST
                row = row._replace(last_month=month, last_paid_on=paid_on, last_npp=npp)
        return row, known

    def balances(self, cards: Sequence[int], today: date, now: datetime) -> dict[int, BalanceRow | JhtError]:
        """Many cards at one moment; a card that has no answer comes back with its error."""
        if not self.store.postgres:
            found: dict[int, BalanceRow | JhtError] = {}
            for card in cards:
                try:
                    found[card] = self.balance(card, today, now)
                except NotFound as error:
                    found[card] = error
                except Unavailable as error:
                    if error.code != "account-incomplete":
                        raise
                    found[card] = error
            return found
        for _ in range(ATTEMPTS):
            self.check_fresh(now)
            query = self.set_query()
            try:
                with self.store.pointers_database.read() as tx:
                    rows = [CardRow(*row) for row in tx.rows(query.replace("%s", "?"), [list(cards)])]
            except StoreFailed as error:
                self._must_be_gone(error)
                rows = []
            if rows and self.is_current(rows):
                return self.of_rows(rows, today)
            self._look()
        raise self._moving()

    def set_query(self) -> str:
        """PostgreSQL only: the statement for many cards; its one parameter `%s` is the list of card numbers."""
        return sql.many_cards(*self._current().live.values())

    def is_current(self, rows: Sequence[CardRow]) -> bool:
        """Whether rows of `set_query` came from the generations that are served; if not, ask again (`refresh`)."""
        sources = self._current()
        return all(row.stamp == sources.stamp for row in rows)

    def refresh(self) -> None:
        """Look the generations up again: after `is_current` said no, or a table was gone."""
        self._look()

    def of_rows(self, rows: Sequence[CardRow], today: date) -> dict[int, BalanceRow | JhtError]:
        """The answers in rows of `set_query`."""
        found: dict[int, BalanceRow | JhtError] = {}
        for row in rows:
            known, mark = self._scheme(row.stamp, row.scheme), self.mark(row.newest)
            found[row.card] = balance_of(row, today, _YEAR.iter_unpack(row.years or b""), known, mark)
        return found

    def group(
        self, card: int, today: date, now: datetime, as_of: date | None = None, known_at: KnownAt | None = None
    ) -> Group:
        """The cards that a card is merged with, itself among them, and what each has, read at one moment; with `known_at`
        those that it was merged with there.

        Raises as `balance`: a sum without one of the cards would be another, smaller truth.
        """
        into, cards, pointers = self.merged_with(card, known_at)
        if known_at is None and self.store.postgres and (as_of is None or as_of == today):
            found = self.balances(cards, today, now)
            return Group(into, tuple(told(found[one]) for one in cards), pointers)
        begun: list[sqlite3.Connection] = []
        try:
            rows = tuple(
                self.balance(
                    one, today, now, as_of, known_at=known_at, later=lambda _, connection: begun.append(connection)
                )
                for one in cards
            )
        finally:
            for connection in begun:
                _end(connection)
        return Group(into, rows, pointers)


def _end(connection: sqlite3.Connection) -> None:
    """End a shared snapshot; a connection that was closed meanwhile has none."""
    with suppress(sqlite3.Error):
        connection.execute("commit")
