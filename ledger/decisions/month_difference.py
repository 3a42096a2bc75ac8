"""What is different between two months of one employer: who is new, who is missing, whose wage changed. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple


class Worked(NamedTuple):
    """One worker's month: rupiah, all kinds and divisions together."""

    wage: int
    back_pay: int
    employer: int
    worker: int


class Sums(NamedTuple):
    """A month's workers and rupiah; `wage` with back pay, as shares are taken from both."""

    workers: int
    wage: int
    employer: int
    worker: int

    @property
    def total(self) -> int:
        """The contributions."""
        return self.employer + self.worker


class Change(NamedTuple):
    """A worker whose wage is another, in rupiah."""

    card: int
    before: int
    now: int


class Difference(NamedTuple):
    """Two months beside each other; cards by their numbers, rising, changes the largest first.

    `gone`: in the earlier month and nowhere in the later; `refused`: in the later with a line that was not accepted.
    """

    before: Sums
    now: Sums
    new: tuple[int, ...]
    gone: tuple[int, ...]
    refused: tuple[int, ...]
    changed: tuple[Change, ...]


def gathered(lines: Iterable[tuple[int, Worked]]) -> dict[int, Worked]:
    """Lines of (card, amounts) put together by card."""
    found: dict[int, Worked] = {}
    for card, one in lines:
        held = found.get(card)
        found[card] = one if held is None else Worked(*map(sum, zip(held, one, strict=True)))
    return found


def difference(before: Mapping[int, Worked], now: Mapping[int, Worked], refused: Collection[int]) -> Difference:
    """What changed from one month to the next; `refused`: cards of the later month's lines that were not accepted."""
    missing = before.keys() - now.keys()
    changed = [
        Change(card, before[card].wage, now[card].wage)
        for card in before.keys() & now.keys()
        if before[card].wage != now[card].wage
    ]
    changed.sort(key=lambda one: (-abs(one.now - one.before), one.card))
    return Difference(
        _sums(before), _sums(now), tuple(sorted(now.keys() - before.keys())), tuple(sorted(missing - set(refused))),
        tuple(sorted(missing & set(refused))), tuple(changed),
    )  # fmt: skip


def _sums(month: Mapping[int, Worked]) -> Sums:
    held = month.values()
    return Sums(
        len(month), sum(one.wage + one.back_pay for one in held), sum(one.employer for one in held),
        sum(one.worker for one in held),
    )  # fmt: skip
