"""The months of a reply: how many have not come, wait, were taken back or are awaited, and which, as far as there is room.

A clause is its forms, the longest first; `fit` takes of each the longest that there is room for. What gives way: first the
names of the oldest months (`+2 lain`), then all names, then whole clauses from the end. A year is named where it is not this
one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date

from babel.dates import format_date

from api.month_spans import spans
from api.reasons import in_few_words, sms_words
from ledger.identifiers import month_of
from projections.month_grid import ABSENT, AWAITED, HELD, REVERSED, Facts, Year, years
from projections.received import received

Clause = tuple[str, ...]
MOST_NAMED = 12
"""Months named in one clause; more are hard to read on a small screen."""
_IN_A_ROW = 4
"""Months that follow one another and take less room as the first and the last of them."""


def clauses(cards: Sequence[Facts], today: date) -> list[Clause]:
    """What is said of some cards' months, the most serious first."""
    found = years(cards, today)
    made = [
        _counted(_months(found, ABSENT), today, "belum masuk"),
        _held(found, today),
        _counted(_months(found, REVERSED), today, "dibatalkan"),
        _awaited(found, cards, today),
    ]
    said = [clause for clause in made if clause]
    return said or _present(found, cards, today)


def fit(said: str, more: Iterable[Clause], room: int) -> str:
    """A text with as much as fits: of every clause, in order, the shortest form; what room is left makes them longer."""
    room -= len(said)
    kept: list[tuple[Clause, str]] = []
    for forms in more:
        if len(forms[-1]) <= room:
            kept.append((forms, forms[-1]))
            room -= len(forms[-1])
    for forms, shortest in kept:
        longest = next(form for form in forms if len(form) - len(shortest) <= room)
        room -= len(longest) - len(shortest)
        said += longest
    return said


def _months(found: Iterable[Year], state: str) -> list[int]:
    """The months in which somebody's share is in a state, oldest first."""
    parts = [(cell.month, part) for year in found for cell in year.cells for part in cell.parts]
    return sorted({month for month, part in parts if part.state == state})


def _named(months: Sequence[int], today: date) -> list[str]:
    """`Mar,Jul s/d Okt`, then with fewer names and `+2 lain`, the newest kept: the longest first."""
    found = spans(months, _IN_A_ROW)
    names = [_name(one.first, today) + (f" s/d {_name(one.last, today)}" if one.length > 1 else "") for one in found]
    made = []
    for count in range(min(len(names), MOST_NAMED), 0, -1):
        left = sum(one.length for one in found[: len(names) - count])
        made.append(",".join(names[len(names) - count :]) + (f",+{left} lain" if left else ""))
    return made


def _name(month: int, today: date) -> str:
    day = date(month // 12, month % 12 + 1, 1)
    return format_date(day, "MMM" if day.year == today.year else "MMM-yy", "id")


def _counted(months: Sequence[int], today: date, what: str) -> Clause:
    if not months:
        return ()
    head = f" {len(months)} bln {what}"
    return (*(f"{head}: {names}." for names in _named(months, today)), f"{head}.")


def _held(found: Sequence[Year], today: date) -> Clause:
    """With the cause where all months have one."""
    parts = [part for year in found for cell in year.cells for part in cell.parts if part.state == HELD]
    plain = _counted(_months(found, HELD), today, "ditahan")
    causes = {in_few_words(part) for part in parts}
    if len(causes) != 1:
        return plain
    (cause,) = causes
    return (*(f"{form[:-1]} ({cause})." for form in plain), *plain)


def _awaited(found: Sequence[Year], cards: Sequence[Facts], today: date) -> Clause:
    """With the day up to which payments are known."""
    plain = _counted(_months(found, AWAITED), today, "masih ditunggu")
    known = received(cards)
    day = known.complete or (date.fromisoformat(known.latest) if known.latest else None)
    if not plain or day is None:
        return plain
    until = f"data bayar s/d {format_date(day, 'dd-MM-yy', 'id')}"
    return (*(f"{form[:-1]} ({until})." for form in plain), f" {until.capitalize()}.")


def _present(found: Sequence[Year], cards: Sequence[Facts], today: date) -> list[Clause]:
    """Why the present month is not there yet, where nothing else is to be said."""
    present = month_of(today)
    causes = [cell.cause for year in found for cell in year.cells if cell.month == present]
    if not found and any(facts.memberships for facts in cards):
        causes = ["before-membership"]
    return [(f" {format_date(today, 'MMM-yy', 'id')} {sms_words(cause)}.",) for cause in causes if cause]
