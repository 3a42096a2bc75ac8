"""Which months have not come and are told: looked at once for each due day that the agency's payments are complete up to.

A month is called missing here exactly where the pages call it so (`month_grid`): past its due day, and all payments up to
that day handed over (`payments-complete`). A look goes through the people who chose it, some at a time, with its place in
the follower's: a kill goes on where it was. What was once told of a card, month and payer is never told again, and a month
that was due more than DUE_DAYS ago is no news.
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from datetime import date, datetime, timedelta
from typing import NamedTuple

from ledger.acts.scheme import scheme_of
from ledger.clock import jakarta_date
from ledger.days import day_number
from ledger.due_days import due_day
from ledger.errors import NotFound
from ledger.identifiers import SEGMENTS, month_of
from ledger.members.state import MISSING
from ledger.store import account_index, notices
from ledger.store.log import Log
from ledger.store.notices import Place, Silent, Waiting
from projections.notices.truth import Looked, Truth
from projections.queries import Queries
from projections.snapshots import MAX_WAIT

AT_ONCE = 50
"""People looked at between two writes."""
DUE_DAYS = 60
_BACK = 6
"""Months back in which the due day of a month of the last DUE_DAYS can lie."""


def complete_until(log: Log) -> date | None:
    """The day until which all payments were handed over: the one place that says when a month can be missing."""
    return scheme_of(log).complete_until


def candidates(after: int, until: int, today: date) -> dict[str, set[int]]:
    """Segment -> the months (numbers) whose due day (number) lies after one day and not after another."""
    first = max(after, day_number(today) - DUE_DAYS)
    found: dict[str, set[int]] = {}
    for segment in SEGMENTS:
        for month in range(month_of(today) - _BACK, month_of(today) + 1):
            due = due_day(segment, month)
            if due is not None and first < day_number(due) <= until:
                found.setdefault(segment, set()).add(month)
    return found


class _OfPerson(NamedTuple):
    """What has not come for one person, and the cards that could be answered for with all that is absent of them."""

    silent: list[Silent]
    cards: Set[int]
    absent: Set[tuple[int, int, int]]


class Looker:
    """Looks for missing months of the people who chose to be told."""

    def __init__(self, log: Log, truth: Truth, reader: Queries) -> None:
        self._log, self._truth, self._reader = log, truth, reader

    def step(self, now: datetime) -> Looked | None:
        """Look at some people; what was found, None when nobody is left.

        Raises Unavailable while the read side is behind or stale.
        """
        today, until = jakarta_date(now), complete_until(self._log)
        with self._log.database.read() as tx:
            was = notices.place(tx)
        if was is None or until is None:
            return None
        last = was.looking or min(day_number(until), day_number(today - timedelta(days=1)))
        if last <= was.looked:
            return None
        wanted = candidates(was.looked, last, today)
        with self._log.database.read() as tx:
            people = notices.choosers(tx, MISSING, was.person, AT_ONCE) if wanted else []
        if not people:
            self._move(was, was._replace(looked=last, looking=0, person=""), [])
            return None
        head = self._log.head()
        self._reader.wait_for(head, MAX_WAIT)
        found = [self._silent(person, wanted, now) for person in people]
        self._move(was, was._replace(looking=last, person=people[-1]), [one for some in found for one in some.silent])
        cards = frozenset(card for some in found for card in some.cards)
        return Looked(head, today, cards, frozenset(one for some in found for one in some.absent))

    def _silent(self, person: str, wanted: dict[str, set[int]], now: datetime) -> _OfPerson:
        """What has not come for one person; of who cannot be answered for now everything, for it is asked again when it
        is told."""
        try:
            numbers = self._reader.person_cards(person)
        except NotFound:
            return _OfPerson([], set(), set())
        with self._log.database.read() as tx:
            held = account_index.cards(tx, numbers)
        looked = {
            Silent(person, number, month, membership.npp)
            for number in numbers
            if number in held
            for membership in held[number].memberships
            for month in wanted.get(membership.segment, ())
            if membership.covers(membership.npp, month)
        }
        cards = {one.card for one in looked}
        absent = self._truth.absent(cards, now) if cards else None
        if absent is None:
            return _OfPerson(sorted(looked), set(), set())
        return _OfPerson(sorted(one for one in looked if (one.card, one.month, one.npp) in absent), cards, absent)

    def _move(self, was: Place, now: Place, silent: Sequence[Silent]) -> None:
        with self._log.database.write() as tx:
            if notices.move(tx, was, now):
                rows = [
                    Waiting(one.person, way, MISSING, one.card, one.month, one.npp, 0, 0, 0, 0, 0)
                    for one in notices.remember_missing(tx, silent)
                    for way in notices.ways_of(tx, one.person, MISSING)
                ]
                notices.put_waiting(tx, rows)


def first_look(log: Log, today: date) -> int:
    """Up to which due day (number) nothing is looked at when a ledger begins to tell: what is known then is no news."""
    until = complete_until(log)
    return day_number(until if until is not None else today)
