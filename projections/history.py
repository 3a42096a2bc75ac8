"""A card's past: its entries, its balance at an earlier day, as it is known now or was known at a place in the log."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any, NamedTuple

from ledger.clock import jakarta_date
from ledger.days import day_number, day_text
from ledger.decisions.card import Card, evolve
from ledger.errors import BrokenLog, NotFound, Refused, Unavailable
from ledger.events import Event
from ledger.identifiers import account_stream, kpj_of
from ledger.store.codec import decode
from ledger.store.employer_names import SealedName
from ledger.store.known_at import KnownAt
from ledger.store.suspense import Case
from ledger.yields import earned_by_year
from projections import card_lines, scheme, sql, suspensions
from projections.event_batch import Lines
from projections.explanation import Account, explain
from projections.generations import Generation
from projections.people import People
from projections.results import (
    BalanceRow,
    CardRow,
    Entry,
    MembershipRow,
    balance_of,
    entry_of,
    membership_of,
    memberships_after,
    recorded_text,
    told,
)
from projections.scheme import Known
from projections.snapshots import Questions


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


class History(People):
    """Queries of what a card's past is told from."""

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
        month, paid_on, npp = card_lines.last_contribution(lines)
        row = CardRow(
            card=card, person=past.person, segment=past.segment, card_version=past.version, position=past.reached[0],
            recorded_at=past.reached[1], projected_at=past.reached[2], stamp=0, employer=employer, worker=worker,
            credited=credited, paid_out=paid_out, months=months, packed=None, reversals=1, version=version, incomplete=None,
            scheme=0, years=None, grouped=past.grouped, last_month=month, last_paid_on=paid_on, last_npp=npp,
        )  # fmt: skip
        return told(balance_of(row, as_of, card_lines.years(rows), past.known, self.mark(row.newest)))

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

        def ask(live: dict[str, Generation]) -> Questions:
            return [(sql.reached(live), []), (scheme.every(live["balances"]), [])]

        (reached, *_), declared = self._together(ask)
        upto = _reach(known_at, reached[0])
        at = reached if known_at is None else (upto, known_at.recorded_at, reached[2])
        rows = [row for row in declared if row[0] <= upto]
        return (at[0], at[1], at[2]), scheme.known_of(rows, self.mark(rows[-1][0]) if rows else "")

    def _read_past(self, card: int, known_at: KnownAt | None) -> Past:
        """Everything a card's past is told from, up to one log position. Raises NotFound(account-not-found,
        account-not-yet-known), Unavailable(account-incomplete, position-not-reached)."""

        def ask(live: dict[str, Generation]) -> Questions:
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

        def ask(live: dict[str, Generation]) -> Questions:
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

        def ask(live: dict[str, Generation]) -> Questions:
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
