"""The queries: what the API and the commands ask the read side.

A balance comes with the log position it is true at, read in the same statement as its rows. It is never 0 because
something is missing: an unknown card, a projection that is not built, out of date, of another log, or an account with a
record that could not be applied are all errors with a code.

On SQLite one statement over attached files answers in some tens of microseconds and is meant to be called inline; on
PostgreSQL `set_query` and `of_rows` let many concurrent questions become one query on a connection of the caller.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import date, datetime, timedelta
from struct import Struct
from typing import Any, NamedTuple

import msgspec

from ledger.clock import jakarta_date
from ledger.days import day_number, day_text
from ledger.decisions.card import Card, evolve
from ledger.errors import BrokenLog, JhtError, NotFound, Refused, StoreFailed, Unavailable
from ledger.events import Event
from ledger.identifiers import account_stream, kpj_of
from ledger.store.codec import decode
from ledger.store.database import LOCK_SECONDS, SqliteDatabase, failures_told
from ledger.store.employer_names import SealedName
from ledger.store.known_at import KnownAt
from ledger.store.log import Log
from ledger.store.suspense import Case
from ledger.yields import earned_by_year
from projections import card_lines, scheme, sql, suspensions
from projections.condition import shape, why_not
from projections.directory import group_of
from projections.event_batch import Lines
from projections.explanation import Account, explain
from projections.generations import NAMES, Generation, Store, is_gone
from projections.results import (
    AHEAD,
    BalanceRow,
    EmployerRow,
    Entry,
    Freshness,
    Group,
    Last,
    MembershipRow,
    PersonRow,
    balance_of,
    entry_of,
    membership_of,
    memberships_after,
    moment_of,
    npp_text,
    recorded_text,
    told,
    version_of,
)
from projections.scheme import Known

__all__ = [
    "MAX_WAIT", "REFRESH_SECONDS", "BalanceRow", "CardThen", "EmployerRow", "Entry", "Freshness", "Group", "Last",
    "MembershipRow", "Past", "PersonRow", "Queries", "Story",
]  # fmt: skip

REFRESH_SECONDS = 0.1
MAX_WAIT = 5.0
"""Seconds that a question waits for a position that it must have reached."""
MOST_MARKS = 65_536
MOST_SCHEMES = 16
_NO_LAST = (0, 0, 0)
_YEARS = msgspec.json.Decoder(list[list[int]])
"""The years of a card in `one_card`, each as account, year, amount, weighted."""
_YEAR = Struct(">4q")
"""The same of one year in `many_cards`."""
# One rebuild swaps every projection, one after the other: each may send a reader back once.
_ATTEMPTS = 10


_Questions = list[tuple[str, list[Any]]]
Later = Callable[[Callable[[sqlite3.Connection], None], sqlite3.Connection], object]


class _Sources(NamedTuple):
    """What the pointers said last: the generations, and when this must be asked again (monotonic seconds)."""

    until: float
    stamp: int
    live: dict[str, Generation]
    freshness: Freshness


class _One(NamedTuple):
    """What was read of one card: a row for `balance_of`, the last contribution after reversals, years, the scheme."""

    row: Sequence[Any]
    last: Sequence[int]
    years: list[list[int]]
    known: Known

    @property
    def grouped(self) -> object:
        return self.row[19]


class Past(NamedTuple):
    """What a card's past is told from: its lines up to a position (with the moments it was recorded and projected), and
    the scheme there."""

    person: str
    segment: str
    version: int
    reached: tuple[int, str, str]
    lines: Lines
    known: Known
    grouped: bool
    declared: Sequence[Sequence[Any]]
    """Rows of `scheme.every` up to that position."""

    @property
    def schemes(self) -> list[tuple[int, Known]]:
        """The scheme after each event of its stream, with the event's position."""
        rows = self.declared
        return [(row[0], scheme.known_of(rows[: place + 1], "")) for place, row in enumerate(rows)]

    def at(self, position: int) -> Past:
        """What of it had been recorded up to an earlier log position; holder and segment stay those of now."""
        declared = [row for row in self.declared if row[0] <= position]
        lines = self.lines.at(self.lines.position <= position)
        return self._replace(lines=lines, known=scheme.known_of(declared, ""), declared=declared)


class Explanation(NamedTuple):
    """A balance and the working of its yield."""

    row: BalanceRow
    accounts: list[Account]


class Story(NamedTuple):
    """What a card's months are told from; `employers`: NPP -> sealed name, of those that are registered; `earned`: declared
    year -> its yield in rupiah; `complete`: the day until which all payments were handed over, None when nobody said so;
    `first_year`: of the scheme, 0 when it is not recorded."""

    entries: list[Entry]
    memberships: list[MembershipRow]
    employers: dict[int, SealedName]
    earned: dict[int, int]
    complete: date | None
    first_year: int


class CardThen(NamedTuple):
    """A card as it was known at a log position, with whom it worked for, oldest first; `version`: the position of the last
    event of its stream."""

    card: Card
    version: int
    memberships: list[MembershipRow]


class Queries:
    """Queries over the live generations; safe to use from several threads."""

    def __init__(self, log: Log, store: Store) -> None:
        self.log, self.store = log, store
        self._fresh_for = timedelta(seconds=store.settings.max_staleness)
        self._marks: dict[int, str] = {}
        self._schemes: dict[tuple[int, int], Known] = {}
        self._checked: tuple[str, int, str] = ("", 0, "")
        self._sources: _Sources | None = None
        self._local = threading.local()
        self._opened: list[sqlite3.Connection] = []
        self._lock = threading.Lock()

    # --- how far

    def freshness(self) -> Freshness:
        """How far the read side is, at most 100 ms old. Raises Unavailable(read-side-empty, log-restored)."""
        return self._current().freshness

    def position(self) -> int:
        """The log position that every answer has reached."""
        return self._current().freshness.position

    def wait_for(self, position: int, timeout: float) -> None:
        """Return once every projection has reached `position`. Raises Unavailable(position-not-reached)."""
        end = time.monotonic() + timeout
        while self._look().freshness.position < position:
            if time.monotonic() >= end:
                raise Unavailable("position-not-reached")
            time.sleep(0.005)

    def has_reached(self, position: int) -> bool:
        """Whether every projection has reached `position`, asked of the store now when memory does not say yes."""
        return self._current().freshness.position >= position or self._look().freshness.position >= position

    def check_fresh(self, now: datetime) -> Freshness:
        """The freshness, or Unavailable(read-side-stale) when the head was not confirmed for `max_staleness`."""
        found = self._current().freshness
        confirmed = found.confirmed_at
        if confirmed is None or not -AHEAD <= now - confirmed <= self._fresh_for:
            at = confirmed.strftime("%Y-%m-%d %H:%M:%S UTC") if confirmed else "-"
            raise Unavailable("read-side-stale", confirmed_at=at)
        return found

    def _current(self) -> _Sources:
        sources = self._sources
        if sources is None or time.monotonic() > sources.until:
            return self._look()
        return sources

    def _look(self) -> _Sources:
        """Ask for pointers, positions and the follower's beat; once more when a generation went meanwhile.

        Raises Unavailable: read-side-empty, read-side-damaged, log-restored.
        """
        for attempt in range(2):
            try:
                return self._look_once()
            except StoreFailed as error:
                self._forget()
                if error.code == "store-failed" and not is_gone(error):
                    raise
                if attempt:
                    self._say_why(error)
        raise AssertionError

    def _say_why(self, error: StoreFailed) -> None:
        """Raise what is wrong with the generations, or the error when nothing is found."""
        raise why_not(self.log, self.store, self.store.pointers()) or error

    def _forget(self) -> None:
        self._sources = None
        self._marks.clear()
        self._schemes.clear()

    def _look_once(self) -> _Sources:
        store = self.store
        with store.pointers_database.read() as tx:
            stamp, live, _ = store.pointers_in(tx)
            if any(name not in live for name in NAMES):
                raise Unavailable("read-side-empty")
            head_seen, confirmed_at = tx.rows(f"select head_seen, confirmed_at from {store.at}state")[0]
            columns = "position, projected_at, log_id, fingerprint, shape"
            if store.postgres:
                every = " union all ".join(f"select {columns} from {live[n].table}_position" for n in NAMES)
                positions = tx.rows(every)
        if not store.postgres:
            with self._attached(stamp, live) as connection:
                positions = [
                    connection.execute(f"select {columns} from {live[n].table}_position").fetchone() for n in NAMES
                ]
        self.log.head()
        dialect = store.pointers_database.dialect
        if any(row is None or row[4] != shape(name, dialect) for name, row in zip(NAMES, positions, strict=True)):
            self._forget()
            raise why_not(self.log, store, store.pointers()) or Unavailable("read-side-empty")
        self._compare_with_log({(row[2], row[0], row[3]) for row in positions})
        freshness = Freshness(
            self.log.log_id, min(row[0] for row in positions), head_seen, moment_of(confirmed_at),
            moment_of(max(row[1] for row in positions)),
        )  # fmt: skip
        self._sources = _Sources(time.monotonic() + REFRESH_SECONDS, stamp, live, freshness)
        return self._sources

    def _compare_with_log(self, found: set[tuple[str, int, str]]) -> None:
        """The log holds the event that each (log id, position, fingerprint) was made from. Raises Unavailable(log-restored).

        What was found before is asked again: log and read models may have been put back together.
        """
        if self._checked[0] != self.log.log_id or self.log.fingerprint_at(self._checked[1]) != self._checked[2]:
            self._marks.clear()
            self._schemes.clear()
        for log_id, position, fingerprint in found:
            if log_id != self.log.log_id or self.log.fingerprint_at(position) != fingerprint:
                self._forget()
                raise Unavailable("log-restored")
        self._checked = max(found, key=lambda one: one[1])

    def mark(self, version: int) -> str:
        """The fingerprint of the event at a card's version; mostly known. Raises StoreFailed."""
        known = self._marks.get(version)
        if known is None:
            if len(self._marks) >= MOST_MARKS:
                self._marks.clear()
            known = self._marks[version] = self.log.fingerprint_at(version) or ""
        return known

    def load(self, rows: Sequence[Sequence[Any]]) -> None:
        """Ask for what rows of `set_query` need: marks, and the scheme. Raises StoreFailed."""
        for version in {version_of(row) for row in rows}:
            self.mark(version)
        for stamp, version in {(row[7], row[17]) for row in rows}:
            self._scheme(stamp, version)

    def has_loaded(self, rows: Sequence[Sequence[Any]]) -> bool:
        """Whether `of_rows` has nothing to ask the store for."""
        return all(version_of(row) in self._marks and (row[7], row[17]) in self._schemes for row in rows)

    def _scheme(
        self, stamp: int, version: int, ask: Callable[[str, list[Any]], Sequence[Sequence[Any]]] | None = None
    ) -> Known:
        """The scheme at a version in the generations of a stamp; mostly known, else read by `ask`. Raises StoreFailed."""
        known = self._schemes.get((stamp, version))
        if known is None:
            query = scheme.upto(self._current().live["balances"])
            if ask is not None:
                rows = ask(query, [version])
            else:
                with self.store.pointers_database.read() as tx:
                    rows = tx.rows(query, [version])
            if len(self._schemes) >= MOST_SCHEMES:
                self._schemes.clear()
            known = self._schemes[stamp, version] = scheme.known_of(rows, self.log.fingerprint_at(version) or "")
        return known

    # --- one card, or many

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
        for _ in range(_ATTEMPTS):
            self.check_fresh(now)
            try:
                one = self._read_one(card, later)
            except StoreFailed as error:
                self._must_be_gone(error)
            else:
                row = one.row
                if row[7] == self._current().stamp:
                    mark = self.mark(version_of(row))
                    return told(balance_of(row, today, one.last, one.years, one.known, mark, one.grouped))
            self._look()
        raise self._moving()

    def _read_one(self, card: int, later: Later | None) -> _One:
        """What `balance_of` needs of a card, on SQLite."""
        sources = self._current()
        live = sources.live
        with self._attached(sources.stamp, live) as connection:
            if later is not None and not connection.in_transaction:
                connection.execute("begin")
                later(_end, connection)
            row = connection.execute(sql.one_card(*live.values()), (card,)).fetchone()
            # Nothing else that is read here changes with the snapshot: what was declared up to an event, and lines up to a
            # position, stay as they are.
            known = self._schemes.get((sources.stamp, row[17])) or self._scheme(
                sources.stamp, row[17], lambda query, params: connection.execute(query, params).fetchall()
            )
            last = _NO_LAST
            if row[14]:
                newest = sql.last_contribution(live["entries"], "?1")
                last = connection.execute(newest, (card, row[4])).fetchone() or _NO_LAST
        return _One(row, last, _YEARS.decode(row[18]) if known.scheme.first_year else [], known)

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
        for _ in range(_ATTEMPTS):
            self.check_fresh(now)
            query = self.set_query()
            try:
                with self.store.pointers_database.read() as tx:
                    rows = tx.rows(query.replace("%s", "?"), [list(cards)])
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

    def is_current(self, rows: Sequence[Sequence[Any]]) -> bool:
        """Whether rows of `set_query` came from the generations that are served; if not, ask again (`refresh`)."""
        sources = self._current()
        return all(row[7] == sources.stamp for row in rows)

    def refresh(self) -> None:
        """Look the generations up again: after `is_current` said no, or a table was gone."""
        self._look()

    def of_rows(self, rows: Sequence[Sequence[Any]], today: date) -> dict[int, BalanceRow | JhtError]:
        """The answers in rows of `set_query`."""
        found: dict[int, BalanceRow | JhtError] = {}
        for row in rows:
            known, mark = self._scheme(row[7], row[17]), self.mark(version_of(row))
            found[row[0]] = balance_of(row, today, row[18:21], _YEAR.iter_unpack(row[21] or b""), known, mark, row[22])
        return found

    def past_until(self, card: int, today: date, now: datetime, as_of: date, known_at: KnownAt | None) -> Past:
        """What a card's past up to the end of a day is told from. Raises as `balance`."""
        if as_of > today:
            raise Refused("as-of-in-future")
        past = self.past(card, now, known_at)
        opening = card_lines.opening_day(past.lines)
        if opening is not None and opening > day_number(as_of):
            raise Refused("as-of-before-opening", as_of=day_text(opening))
        return past

    def row_of_past(self, card: int, past: Past, as_of: date) -> BalanceRow:
        """The balance at the end of a day in a past that reaches so far."""
        lines = card_lines.paid_by(past.lines, as_of)
        rows = card_lines.sums(lines)
        employer, worker, credited, paid_out, months = (
            int(rows[name].sum()) for name in ("employer", "worker", "credited", "paid_out", "months")
        )
        version = int(lines.position.max(initial=0))
        row = (
            card, past.person, past.segment, past.version, *past.reached, 0, employer, worker, credited, paid_out, months,
            0, 1, version, None,
        )  # fmt: skip
        last, years = card_lines.last_contribution(lines), card_lines.years(rows)
        return told(
            balance_of(row, as_of, last, years, past.known, self.mark(max(version, past.version)), past.grouped)
        )

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

    def merged_with(self, card: int, known_at: KnownAt | None = None) -> tuple[int, list[int], dict[int, int]]:
        """The card that a card's pointers lead to, all the cards that lead there, and the pointers between them: those that
        stand, or stood at a place in the log."""
        (rows,) = self._together(lambda live: [(sql.pointers(live["directory"]), [card])])
        if known_at is None:
            pointers = {row[0]: row[1] for row in rows if not row[3]}
        else:
            upto = known_at.position
            pointers = {row[0]: row[1] for row in rows if row[2] <= upto and (not row[3] or row[3] > upto)}
        into, cards = group_of(pointers, card)
        return into, cards, {one: pointers[one] for one in cards if one in pointers}

    def explanation(
        self, card: int, today: date, now: datetime, as_of: date | None = None, known_at: KnownAt | None = None
    ) -> Explanation:
        """What a card has and how its yield was worked out, at the end of a day; both of one log position.

        Raises as `balance`.
        """
        day = as_of or (known_at.day if known_at is not None else today)
        past = self.past_until(card, today, now, day, known_at)
        row = self.row_of_past(card, past, day)
        return Explanation(row, explain(past.lines, row.terms, day))

    def past(self, card: int, now: datetime, known_at: KnownAt | None = None) -> Past:
        """What a card's past is told from, of any day. Raises as `balance`."""
        self.check_fresh(now)
        return self._read_past(card, known_at)

    def place(self, known_at: KnownAt | None) -> tuple[tuple[int, str, str], Known]:
        """Up to where the read side tells the past (position, recorded_at, projected_at), or the place that is named; and
        the scheme there. Raises Unavailable(position-not-reached)."""

        def ask(live: dict[str, Generation]) -> _Questions:
            return [(sql.reached(live), []), (scheme.every(live["balances"]), [])]

        (reached, *_), declared = self._together(ask)
        upto = _reach(known_at, reached[0])
        at = reached if known_at is None else (upto, known_at.recorded_at, reached[2])
        rows = [row for row in declared if row[0] <= upto]
        return (at[0], at[1], at[2]), scheme.known_of(rows, self.mark(rows[-1][0]) if rows else "")

    def _read_past(self, card: int, known_at: KnownAt | None) -> Past:
        """Everything a card's past is told from, up to one log position. Raises NotFound(account-not-found,
        account-not-yet-known), Unavailable(account-incomplete, position-not-reached)."""

        def ask(live: dict[str, Generation]) -> _Questions:
            return [
                (sql.card(live), [card, card, card]),
                (sql.reached(live), []),
                (sql.lines(live["entries"]), [card]),
                (sql.bases(live["entries"]), [card]),
                (scheme.every(live["balances"]), []),
            ]

        (about,), (reached, *_), rows, bases, declared = self._together(ask)
        person, segment, version, incomplete, *_, grouped = about
        upto = _reach(known_at, reached[0])
        if incomplete is not None and incomplete <= upto:
            raise Unavailable("account-incomplete", position=incomplete)
        if person is None:
            raise NotFound("account-not-found")
        if known_at is not None:
            reached = (upto, known_at.recorded_at, reached[2])
            person, segment, version = self._card_at(card, upto)
            grouped = len(self.merged_with(card, known_at)[1]) > 1
        declared = [row for row in declared if row[0] <= upto]
        mark = self.mark(declared[-1][0]) if declared else ""
        lines = card_lines.of(card, rows, bases, upto)
        return Past(person, segment, version, reached, lines, scheme.known_of(declared, mark), bool(grouped), declared)

    def _card_at(self, card: int, upto: int) -> tuple[str, str, int]:
        """Holder, segment and version of a card as they were known at a log position; the directory has only the present.

        Raises NotFound(account-not-yet-known), Unavailable(account-incomplete).
        """
        found = self.cards_at([card], upto).get(card)
        if found is None:
            raise NotFound("account-not-yet-known")
        return found.card.person, found.card.segment, found.version

    def cards_at(self, cards: Sequence[int], upto: int) -> dict[int, CardThen]:
        """Those of some cards that were known at a log position, as they were; the directory has only the present.

        Raises Unavailable(account-incomplete).
        """
        found = {}
        for number, events in self._account_events(cards, upto).items():
            card: Card | None = None
            for event in events:
                card = evolve(card, event)
            if card is not None:
                found[number] = CardThen(card, events[-1].position, memberships_after(events))
        return found

    def _account_events(self, cards: Sequence[int], upto: int) -> dict[int, list[Event]]:
        streams = {account_stream(kpj_of(card)): card for card in cards}
        with self.log.database.read() as tx:
            rows = self.log.stored_in(tx, list(streams))
        found: dict[int, list[Event]] = {card: [] for card in cards}
        for stream, card in streams.items():
            for row in rows.get(stream, ()):
                if row.position > upto:
                    continue
                try:
                    found[card].append(decode(row))
                except BrokenLog as error:
                    raise Unavailable("account-incomplete", position=row.position) from error
        return found

    def waited(self, cards: Sequence[int], upto: int, paid_by: date) -> list[Case]:
        """The money that waited for some cards at a log position the read side has reached, oldest first, as far as it had
        been paid at the end of a day."""
        given = [*cards, upto, upto, day_number(paid_by)]
        (rows,) = self._together(lambda live: [(suspensions.waited(live["entries"], len(cards)), given)])
        return [suspensions.case_of(row, recorded_text(row[10])) for row in rows]

    def entries(
        self,
        card: int,
        now: datetime,
        after: tuple[int, int, int] | None = None,
        limit: int = 100,
        *,
        upto: int | None = None,
        npps: frozenset[int] | None = None,
        paid_by: date | None = None,
    ) -> list[Entry]:
        """A page of a card's statement, newest month first; `after` is the `key` of the last entry seen.

        `upto`: nothing beyond this log position, so that a page is of one moment with what was read before it. `npps`:
        only lines of these payers. `paid_by`: only money that had been paid at the end of that day.
        Raises like `balance`. An empty list means that there is nothing (more).
        """
        self.check_fresh(now)

        until = () if upto is None else (upto,)
        day = () if paid_by is None else (day_number(paid_by),)

        def ask(live: dict[str, Generation]) -> _Questions:
            statement = sql.statement(
                live["entries"], after is not None, upto=bool(until), paid_by=bool(day), payers=len(npps or ())
            )
            return [
                (sql.card(live), [card, card, card]),
                (statement, [card, *(after or ()), *until, *day, *sorted(npps or ()), limit]),
            ]

        (about,), rows = self._together(ask)
        return _entries(about, rows, upto)

    def story(self, card: int, now: datetime, limit: int) -> Story:
        """The first page of a card's statement with its memberships and payers, of one moment. Raises as `entries`."""
        self.check_fresh(now)

        def ask(live: dict[str, Generation]) -> _Questions:
            return [
                (sql.card(live), [card, card, card]),
                (sql.statement(live["entries"], continued=False), [card, limit]),
                (sql.memberships(live["directory"]), [card]),
                (sql.payers(live["directory"], live["entries"]), [card, card]),
                (sql.years(live["balances"]), [card]),
                (scheme.every(live["balances"]), []),
            ]

        (about,), rows, memberships, payers, years, declared = self._together(ask)
        known = scheme.known_of(declared, "")
        return Story(
            _entries(about, rows),
            [membership_of(row) for row in memberships],
            {row[0]: SealedName(row[1], row[2]) for row in payers},
            earned_by_year(years, known.terms(jakarta_date(now))),
            known.scheme.complete_until,
            known.scheme.first_year,
        )

    # --- the directory

    def cards_count(self) -> int:
        """How many cards there are."""
        ((found,),) = self._together(lambda live: [(f"select count(*) from {live['directory'].table}_cards", [])])
        return int(found[0])

    def cards_after(self, card: int, limit: int) -> list[tuple[int, str]]:
        """Card and holder of the next cards in the order of their numbers."""
        (rows,) = self._together(
            lambda live: [
                (
                    f"select card, person from {live['directory'].table}_cards where card > ? and person is not null "
                    "order by card limit ?",
                    [card, limit],
                )
            ]
        )
        return [(row[0], row[1]) for row in rows]

    def person_of_card(self, card: int) -> str:
        """The id of the person who holds a card. Raises NotFound(account-not-found)."""
        ((found,),) = self._together(
            lambda live: [(f"select (select person from {live['directory'].table}_cards where card = ?)", [card])]
        )
        if found[0] is None:
            raise NotFound("account-not-found")
        return str(found[0])

    def person_cards(self, person: str) -> list[int]:
        """The cards a person holds, in order. Raises NotFound: person-unknown when the person is not registered,
        person-joined when the record was joined into another one."""
        cards, known = self._together(
            lambda live: [
                (f"select card from {live['directory'].table}_cards where person = ? order by card", [person]),
                (f"select joined from {live['directory'].table}_persons where person = ?", [person]),
            ]
        )
        if not cards and not known:
            raise NotFound("person-unknown")
        if known and known[0][0]:
            raise NotFound("person-joined", into=known[0][0])
        return [row[0] for row in cards]

    def person(self, person: str) -> PersonRow:
        """A person's sealed data. Raises NotFound(person-unknown)."""
        (rows,) = self._together(
            lambda live: [
                (
                    "select person, identity, identity_version, contact, contact_version, erased, joined "
                    f"from {live['directory'].table}_persons where person = ?",
                    [person],
                )
            ]
        )
        if not rows:
            raise NotFound("person-unknown")
        identity, identity_version, contact, contact_version, erased, joined = rows[0][1:]
        return PersonRow(person, identity, identity_version, contact, contact_version, bool(erased), joined)

    def employer(self, npp: int) -> EmployerRow:
        """A registered employer. Raises NotFound(employer-unknown)."""
        found = self.employers([npp])
        if not found:
            raise NotFound("employer-unknown", npp=npp_text(npp))
        return found[npp]

    def employers(self, npps: Sequence[int]) -> dict[int, EmployerRow]:
        """Those of the employers that are registered, in one look-up."""
        marks = ", ".join("?" * len(npps))
        (rows,) = self._together(
            lambda live: [
                (
                    "select npp, name, name_version, registered_on "
                    f"from {live['directory'].table}_employers where npp in ({marks})",
                    list(npps),
                )
            ]
        )
        return {row[0]: EmployerRow(npp_text(row[0]), SealedName(row[1], row[2]), day_text(row[3])) for row in rows}

    def memberships(self, card: int) -> list[MembershipRow]:
        """Whom a card worked for, oldest first."""
        (rows,) = self._together(lambda live: [(sql.memberships(live["directory"]), [card])])
        return [membership_of(row) for row in rows]

    def workers(self, npp: int) -> list[tuple[int, int, int]]:
        """First and last month number (0: it lasts) of an employer's memberships, and how many there are of each."""
        (rows,) = self._together(lambda live: [(sql.workers(live["directory"]), [npp])])
        return [(since, until, count) for since, until, count in rows]

    # --- connections

    def _together(self, ask: Callable[[dict[str, Generation]], _Questions]) -> list[list[tuple[Any, ...]]]:
        """Several statements in one snapshot; looked up once more when a generation has just gone."""
        for attempt in range(_ATTEMPTS):
            sources = self._look() if attempt else self._current()
            asked = ask(sources.live)
            try:
                if self.store.postgres:
                    with self.store.pointers_database.read() as tx:
                        return [tx.rows(text, params) for text, params in asked]
                with self._attached(sources.stamp, sources.live) as connection:
                    shared = connection.in_transaction
                    if not shared:
                        connection.execute("begin")
                    try:
                        return [connection.execute(text, params).fetchall() for text, params in asked]
                    finally:
                        if not shared:
                            connection.execute("commit")
            except StoreFailed as error:
                self._must_be_gone(error)
        raise self._moving()

    def _must_be_gone(self, error: StoreFailed) -> None:
        """Raise an error that is more than a generation that was dropped meanwhile."""
        if error.code == "store-damaged":
            self._say_why(StoreFailed("read-side-damaged", name=", ".join(NAMES), why="damaged"))
        if not is_gone(error):
            raise error

    def _moving(self) -> Unavailable:
        """The generations went again and again: what is wrong with them, if anything is."""
        found = why_not(self.log, self.store, self.store.pointers())
        return found or StoreFailed("store-failed", what="GenerationsMoving")

    def _attached(self, stamp: int, live: dict[str, Generation]) -> _Attached:
        """This thread's connection with the live generations attached."""
        held: tuple[int, sqlite3.Connection] | None = getattr(self._local, "held", None)
        if held is not None:
            if held[0] == stamp:
                return _Attached(held[1])
            held[1].close()
            self._local.held = None
        with failures_told():
            assert isinstance(self.store.pointers_database, SqliteDatabase)
            path = self.store.pointers_database.path.absolute()
            connection = sqlite3.connect(
                f"{path.as_uri()}?mode=rw", uri=True, isolation_level=None, check_same_thread=False,
                timeout=LOCK_SECONDS, cached_statements=64,
            )  # fmt: skip
            for name, generation in live.items():
                file = self.store.path(generation).absolute()
                # Not created when it is gone: that is an answer too.
                connection.execute(f"attach ? as {name}", [f"{file.as_uri()}?mode=rw"])
            connection.execute("pragma query_only = on")
        self._local.held = (stamp, connection)
        with self._lock:
            self._opened.append(connection)
        return _Attached(connection)

    def close(self) -> None:
        with self._lock:
            for connection in self._opened:
                connection.close()
            self._opened.clear()
        self._local = threading.local()


def _reach(known_at: KnownAt | None, reached: int) -> int:
    """Up to which log position a past is told. Raises Unavailable(position-not-reached)."""
    if known_at is None:
        return reached
    if known_at.position > reached:
        raise Unavailable("position-not-reached")
    return known_at.position


def _entries(about: Sequence[Any], rows: Sequence[Sequence[Any]], upto: int | None = None) -> list[Entry]:
    """The lines behind the row of `sql.card`, or why they cannot be told."""
    if about[3] is not None and (upto is None or about[3] <= upto):
        raise Unavailable("account-incomplete", position=about[3])
    if about[0] is None:
        raise NotFound("account-not-found")
    return [entry_of(row) for row in rows]


def _end(connection: sqlite3.Connection) -> None:
    """End a shared snapshot; a connection that was closed meanwhile has none."""
    with suppress(sqlite3.Error):
        connection.execute("commit")


class _Attached:
    """`with` around a connection that turns the driver's errors into StoreFailed, without a generator's cost."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection

    def __enter__(self) -> sqlite3.Connection:
        return self.connection

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, sqlite3.Error):
            with failures_told():
                raise error
