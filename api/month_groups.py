"""Months that are not simply posted, in lists that stay short in a long life: one entry a payer and reason. Pure.

What a payer did not do in several months for one reason is said once, with all its months. A single month stays an entry of
its own, with its day and amounts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import NamedTuple

from api.reasons import text_key
from projections.month_grid import SERIOUS, Missing, Part

SHOWN_CHIPS = 12
"""Chips of one entry that are seen at once; the others are behind a fold."""


class Chip(NamedTuple):
    """A month, or with `month` -1 a whole year."""

    year: int
    month: int


class Group(NamedTuple):
    """Some months of one payer for one reason, newest first, at least two; `part`: the newest one's, for what they have in
    common; `amount`: what waits or was taken back, `estimate`: what is missing, in rupiah, 0 when it is not known of
    every month."""

    part: Part
    months: tuple[int, ...]
    amount: int
    estimate: int

    @property
    def each(self) -> tuple[Chip, ...]:
        """Every month by itself, newest first."""
        return tuple(Chip(month // 12, month) for month in self.months)

    @property
    def chips(self) -> tuple[Chip, ...]:
        """The months, newest first; a year of which all twelve are there is one."""
        years: dict[int, list[int]] = defaultdict(list)
        for month in self.months:
            years[month // 12].append(month)
        return tuple(
            chip
            for year, months in years.items()
            for chip in ([Chip(year, -1)] if len(months) == 12 else [Chip(year, month) for month in months])
        )


def grouped(listed: Iterable[Missing], *, by_card: bool = False) -> tuple[list[Group], list[Missing]]:
    """(several months for one reason, the most serious and longest first; everything else, in its order); `by_card`: the
    cards of a person apart."""
    given = list(listed)
    found: dict[tuple[object, ...], list[Missing]] = defaultdict(list)
    for one in given:
        found[_key(one.part, by_card)].append(one)
    several = {key: held for key, held in found.items() if len({one.month for one in held}) > 1}
    groups = [_group(held) for held in several.values()]
    groups.sort(key=lambda one: (SERIOUS.index(one.part.state), -len(one.months)))
    return groups, [one for one in given if _key(one.part, by_card) not in several]


def _key(part: Part, by_card: bool) -> tuple[object, ...]:
    cause = text_key(part.cause, own=not part.npp, plain=not part.expected)
    return part.card if by_card else 0, part.npp, part.employer, part.state, cause


def _group(held: list[Missing]) -> Group:
    newest_first = sorted(held, key=lambda one: -one.month)
    return Group(
        newest_first[0].part,
        tuple(dict.fromkeys(one.month for one in newest_first)),
        sum(one.part.amount for one in held),
        # A sum that leaves months out would be taken for that of all.
        sum(one.part.estimate for one in held) if all(one.part.estimate for one in held) else 0,
    )
