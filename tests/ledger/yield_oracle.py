"""Yield worked out the slow way: month by month, payment by payment, in exact fractions. Shares no code with the product."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import NamedTuple


class Payment(NamedTuple):
    """Money of one sub-account that came (or went back, or out: negative) in a month. An opening balance comes in
    December of its year, so that it earns nothing in it."""

    year: int
    month: int
    amount: int


class Declared(NamedTuple):
    """Rates (parts per million a year) of consecutive years from `first` on, and what is used after them."""

    first: int
    rates: Sequence[int]
    provisional: int | None = None


def half_up(amount: Fraction) -> int:
    """A fraction of at least 0 in whole rupiah."""
    whole = amount.numerator // amount.denominator
    return whole + (1 if amount - whole >= Fraction(1, 2) else 0)


def yields(
    payments: Sequence[Payment], bases: Mapping[int, int], declared: Declared, year: int, month: int
) -> tuple[int, int | None]:
    """(credited, estimated) of one sub-account on a day in `month` of `year`; `bases`: of years, rupiah times months."""
    paid: dict[tuple[int, int], int] = defaultdict(int)
    for one in payments:
        paid[one.year, one.month] += one.amount
    balance, credited, estimated = Fraction(0), 0, 0
    for y in range(min([one.year for one in payments] + [declared.first, *bases]), year + 1):
        number = y - declared.first
        known = 0 <= number < len(declared.rates)
        rate = declared.rates[number] if known else declared.provisional if number >= 0 else 0
        earned = Fraction(bases.get(y, 0)) * Fraction(rate or 0, 12_000_000)
        for m in range(1, 13 if known or y < year else month + 1):
            earned += balance * Fraction(rate or 0, 12_000_000)
            balance += paid[y, m]
        made = half_up(max(earned, Fraction(0)))
        balance += made
        if known:
            credited += made
        else:
            estimated += made
    return credited, None if declared.provisional is None else estimated
