"""Why two answers about a card differ: every cause with its amount, and the amounts add up exactly.

The way from the earlier answer to the later one is walked step by step, and each step's amount is the balance after it less
the one before. First what was recorded in between is added, event by event in the order of the log, to what was known of
the earlier day; each brings its money and what that changes in the yield of declared years. Then the day moves on: money
that was paid since, and the yield of years that ended since.

A merge of cards moves no money of a card, so it is no cause here; where the sum of a person's cards is told, it is the one
step between the sums of two lists of cards, with position and both numbers in `Cause`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import NamedTuple

import msgspec
import numpy as np

from ledger.clock import jakarta_date
from ledger.days import day_number
from ledger.errors import Problem, Refused
from ledger.money import rupiah
from ledger.store.bulk import Columns
from ledger.store.known_at import KnownAt
from ledger.yields import Terms, earned_by_year, sums
from projections import balances, card_lines
from projections.event_batch import OPENING, OPENING_REVERSED, POSTED, RELEASED, REVERSED, Lines
from projections.queries import Queries
from projections.results import BalanceRow, Entry
from projections.scheme import Known

RECORDED, CORRECTED, RELEASED_LATER = "recorded-later", "corrected-later", "released-later"
TAKEN_BACK, OPENED, UNOPENED = "reversed-later", "opening-recorded-later", "opening-reversed-later"
DECLARED, REDECLARED = "yield-declared-later", "yield-redeclared-later"
PAID_SINCE, YIELD_SINCE = "paid-since", "yield-since"
CAUSES = (
    RECORDED, CORRECTED, RELEASED_LATER, TAKEN_BACK, OPENED, UNOPENED, DECLARED, REDECLARED, PAID_SINCE, YIELD_SINCE,
)  # fmt: skip
"""Codes with a sentence each, in the order of the way."""
_OF_TYPE = {
    POSTED: RECORDED, RELEASED: RELEASED_LATER, REVERSED: TAKEN_BACK, OPENING: OPENED, OPENING_REVERSED: UNOPENED,
}  # fmt: skip
_PAGE = 500

Amounts = dict[int, dict[int, tuple[int, int]]]
"""Account -> year -> (money, weighted), as `ledger.yields` takes them."""


class Place(NamedTuple):
    """Of which day an answer is, and up to which log position it knew."""

    day: date
    position: int


class Cause(msgspec.Struct, frozen=True):
    """A step of the way, in rupiah: `money` (contributions, and what an opening balance brought) and `earned` (yield of
    declared years). What the step is not about is empty: position and moment of its event, month and paid day of its
    money, the year of a declared yield."""

    cause: str
    money: int
    earned: int
    position: int = 0
    recorded_at: str = ""
    month: str = ""
    paid_on: str = ""
    year: int = 0

    @property
    def amount(self) -> int:
        return self.money + self.earned

    @property
    def problem(self) -> Problem:
        """The cause as what a sentence is made of."""
        details: dict[str, str | int] = {
            "money": rupiah(self.money), "earned": rupiah(self.earned), "amount": rupiah(self.amount),
            "month": self.month, "paid_on": self.paid_on, "year": self.year,
            "recorded_on": jakarta_date(datetime.fromisoformat(self.recorded_at)).isoformat() if self.recorded_at else "",
        }  # fmt: skip
        return Problem(self.cause, details=details)

    def say(self, language: str) -> str:
        """The cause in one sentence, `id` or `en`."""
        return self.problem.say(language)


class Difference(NamedTuple):
    """Two answers about a card, the earlier one first, and what lies between: `then.total` + amounts = `now.total`."""

    then: BalanceRow
    now: BalanceRow
    causes: list[Cause]


def difference(
    reader: Queries, card: int, now: datetime, day: date, known_at: KnownAt, until: date | None = None,
    until_known_at: KnownAt | None = None,
) -> Difference:  # fmt: skip
    """What lies between an answer of a day at a place in the log and a later one: of today as it is known now, unless
    another is named. Blocking.

    Raises as `Queries.balance`; Refused(answers-out-of-order) when the second is of an earlier day or place.
    """
    today = jakarta_date(now)
    last = until or (until_known_at.day if until_known_at is not None else today)
    then = reader.balance(card, today, now, day, known_at=known_at)
    past = reader.past_until(card, today, now, last, until_known_at)
    later = reader.row_of_past(card, past, last)
    if last < day or later.position < then.position:
        raise Refused("answers-out-of-order")
    entries = _entries(reader, card, now, later.position)
    found = causes(past.lines, entries, past.schemes, Place(day, then.position), Place(last, later.position))
    if then.total + sum(one.amount for one in found) != later.total:
        raise ArithmeticError("causes do not add up")
    return Difference(then, later, found)


def causes(
    lines: Lines, entries: Sequence[Entry], schemes: Sequence[tuple[int, Known]], then: Place, now: Place
) -> list[Cause]:
    """The steps from one place to a later one. `lines` and `entries`: the card's up to the later position, of any paid day;
    `schemes`: the scheme after each event of its stream, with the event's position. Pure."""
    told = {entry.key[1]: entry for entry in entries}
    paid = card_lines.paid_by(lines, then.day)
    amounts: Amounts = {}
    known = lines_by_position(paid)
    for position in sorted(known):
        if position <= then.position:
            _add(amounts, known[position].rows)
    scheme = [one for at, one in schemes if at <= then.position]
    terms = scheme[-1].terms(then.day) if scheme else None
    steps = [(position, None) for position in known if position > then.position]
    steps += [(at, one) for at, one in schemes if then.position < at <= now.position]  # type: ignore[misc]
    found, credited = [], _credited(amounts, terms, then.day)
    for position, declared in sorted(steps, key=lambda step: step[0]):
        before = credited
        if declared is None:
            _add(amounts, known[position].rows)
        else:
            terms = declared.terms(then.day)
        credited = _credited(amounts, terms, then.day)
        if declared is None:
            found.append(_of_money(known[position], told[position], credited - before))
        else:
            found.append(_of_scheme(declared, position, credited - before))
    found += _since(lines, told, amounts, terms, (schemes[-1][1].terms(now.day) if schemes else None), then, now)
    return [one for one in found if one.money or one.earned]


class Step(NamedTuple):
    """What the lines of one event bring: their type, and rows of `balances` as (account, year, money, weighted)."""

    type: int
    rows: list[tuple[int, int, int, int]]

    @property
    def money(self) -> int:
        return sum(row[2] for row in self.rows)


def lines_by_position(lines: Lines) -> dict[int, Step]:
    """The lines of each event, folded by the fold of the balances."""
    # The fold keeps the position: with the line's place in its stead each row knows its line.
    rows: Columns = balances.fold(lines._replace(position=np.arange(len(lines.card))))
    places = rows["version"]
    found: dict[int, Step] = {}
    for position, row, kind in zip(
        lines.position[places].tolist(), card_lines.years(rows), lines.type[places].tolist(), strict=True
    ):
        # The bases of an opening balance stand behind it, in its own event: the first row says the type.
        found.setdefault(position, Step(kind, [])).rows.append(row)
    return found


def _add(amounts: Amounts, rows: Iterable[tuple[int, int, int, int]]) -> None:
    for account, year, money, weighted in rows:
        years = amounts.setdefault(account, {})
        was = years.get(year, (0, 0))
        years[year] = was[0] + money, was[1] + weighted


def _rows(amounts: Mapping[int, Mapping[int, tuple[int, int]]]) -> Iterator[tuple[int, int, int, int]]:
    return ((account, year, *pair) for account, years in amounts.items() for year, pair in years.items())


def _credited(amounts: Amounts, terms: Terms | None, day: date) -> int:
    return sums(_rows(amounts), terms).credited if terms is not None and terms.first_year <= day.year else 0


def _of_money(step: Step, entry: Entry, earned: int) -> Cause:
    cause = CORRECTED if step.type == POSTED and entry.kind == "correction" else _OF_TYPE[step.type]
    return Cause(cause, step.money, earned, entry.key[1], entry.recorded_at, entry.month, entry.paid_on)


def _of_scheme(known: Known, position: int, earned: int) -> Cause:
    """Only a declaration changes what is credited."""
    scheme = known.scheme
    for year, one in scheme.declared.items():
        if one.version == scheme.version:
            cause = REDECLARED if one.fact.instead_of else DECLARED
            return Cause(cause, 0, earned, position, one.recorded_at, year=year)
    return Cause(DECLARED, 0, earned, position)


def _since(
    lines: Lines, told: Mapping[int, Entry], amounts: Amounts, before: Terms | None, after: Terms | None, then: Place,
    now: Place,
) -> Iterator[Cause]:  # fmt: skip
    """What came while the day moved on, all of it known at the later place: money first, then the years that ended."""
    if before is not None and before.first_year <= then.day.year:
        begun = before.open_year
    else:
        begun = after.first_year if after is not None else now.day.year
    paid = card_lines.paid_by(lines, now.day)
    later = lines_by_position(paid.at(paid.paid_on > day_number(then.day)))
    contributed = 0
    for position in sorted(later):
        step = later[position]
        if step.type in (OPENING, OPENING_REVERSED):
            # Its bases may lie in years that had been credited before its own day.
            earned = _earned_before(begun, amounts, after)
            _add(amounts, step.rows)
            yield _of_money(step, told[position], _earned_before(begun, amounts, after) - earned)
        else:
            _add(amounts, step.rows)
            contributed += step.money
    yield Cause(PAID_SINCE, contributed, 0)
    if after is not None:
        for year, earned in earned_by_year(_rows(amounts), after).items():
            if year >= begun:
                yield Cause(YIELD_SINCE, 0, earned, year=year)


def _earned_before(year: int, amounts: Amounts, terms: Terms | None) -> int:
    """The yield of the declared years before one."""
    found = earned_by_year(_rows(amounts), terms) if terms is not None else {}
    return sum(earned for of_year, earned in found.items() if of_year < year)


def _entries(reader: Queries, card: int, now: datetime, upto: int) -> list[Entry]:
    found: list[Entry] = []
    while page := reader.entries(card, now, found[-1].key if found else None, _PAGE, upto=upto):
        found += page
        if len(page) < _PAGE:
            break
    return found
