"""The months that have not come, as a list that stays short in a long life: one entry a payer, its months as chips. Pure.

A year of which all twelve months are missing is one chip. A payer's single missing month stays an entry of its own, as do
months that wait or were taken back: each of those has its own reason.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from projections.month_grid import ABSENT, Missing

SHOWN_CHIPS = 12
"""Chips of one payer that are seen at once; the others are behind a fold."""


class Chip(NamedTuple):
    """A month, or with `month` -1 a whole year, that has not come."""

    year: int
    month: int


class Absence(NamedTuple):
    """The missing months of one payer, at least two; `estimate`: rupiah of all of them, 0 when unknown."""

    npp: str
    employer: str
    months: int
    estimate: int
    chips: tuple[Chip, ...]
    more: tuple[Chip, ...]


def absences(listed: Sequence[Missing]) -> tuple[list[Absence], list[Missing]]:
    """(what one payer did not send in several months, the payer with the most months first; everything else)."""
    of_payer: dict[tuple[str, str], list[Missing]] = defaultdict(list)
    for one in listed:
        if one.part.state == ABSENT:
            of_payer[one.part.npp, one.part.employer].append(one)
    several = {payer: held for payer, held in of_payer.items() if len({one.month for one in held}) > 1}
    found = []
    for (npp, employer), held in several.items():
        months = {one.month for one in held}
        chips = tuple(_chips(months))
        estimate = sum(one.part.estimate for one in held)
        found.append(Absence(npp, employer, len(months), estimate, chips[:SHOWN_CHIPS], chips[SHOWN_CHIPS:]))
    rest = [one for one in listed if one.part.state != ABSENT or (one.part.npp, one.part.employer) not in several]
    return sorted(found, key=lambda one: -one.months), rest


def _chips(months: Iterable[int]) -> Iterable[Chip]:
    years: dict[int, list[int]] = defaultdict(list)
    for month in months:
        years[month // 12].append(month)
    for year in sorted(years, reverse=True):
        if len(years[year]) == 12:
            yield Chip(year, -1)
        else:
            yield from (Chip(year, month) for month in sorted(years[year], reverse=True))
