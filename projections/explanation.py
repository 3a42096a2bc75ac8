"""The working of a card's yield, line by line: opening, each payment with its months, rate, result. Pure.

Whoever follows it with a pocket calculator gets the same rupiah: a year's yield is

    rate x max(0, months x opening + the sum of its products) / 12, a half up

where a payment's product is its amount times the months from the one after it was paid. The lines are those that the balance
is folded from, and the years are worked out by the policy itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import msgspec
import numpy as np

from ledger.days import day_text
from ledger.identifiers import month_text
from ledger.store.bulk import Columns
from ledger.yields import MONTHS, Terms, YearOf, by_account, working
from projections import balances, card_lines
from projections.event_batch import BASE, TYPES, Lines
from projections.results import npp_text

SUB_ACCOUNTS = ("utama", "tambahan")
DECLARED, ESTIMATED, NONE = KINDS = ("declared", "estimated", "none")
"""How a year's rate is known."""
LINE_TYPES = (*TYPES, "base")
"""`base`: what an opening balance says that a year's yield is taken from; it is no money."""


class Part(msgspec.Struct, frozen=True, gc=False):
    """A payment in the year it was paid: `product` = amount x `months`; for a base it is the base itself."""

    type: str
    month: str
    paid_on: str
    npp: str | None
    amount: int
    months: int
    product: int


class Worked(msgspec.Struct, frozen=True, gc=False):
    """One year: closing = opening + the amounts of its parts + `earned`. `rate` in parts per million a year, None where
    there is none; `kind`: one of KINDS."""

    year: int
    opening: int
    parts: tuple[Part, ...]
    months: int
    rate: int | None
    kind: str
    earned: int
    closing: int


class Account(msgspec.Struct, frozen=True, gc=False):
    """One sub-account of a card in one epoch."""

    epoch: int
    sub_account: str
    years: tuple[Worked, ...]


def explain(lines: Lines, terms: Terms, day: date) -> list[Account]:
    """The working of what these lines came to at the end of a day, year by year to the year of the day."""
    paid = card_lines.paid_by(lines, day)
    # The fold keeps the position: with the line's place in its stead each row knows its line.
    rows = balances.fold(paid._replace(position=np.arange(len(paid.card))))
    merged = by_account(card_lines.years(balances.merge([rows])))
    parts = dict.fromkeys(merged, ()) | _parts(paid, rows, terms)
    found = []
    for account, amounts in sorted(merged.items()):
        if any(any(pair) for pair in amounts.values()) or parts[account]:
            known = {one.year: one for one in working(amounts, account & 1, terms)}
            years = tuple(_years(parts[account], known, day.year))
            found.append(Account(account >> 1, SUB_ACCOUNTS[account & 1], years))
    return found


def _parts(lines: Lines, rows: Columns, terms: Terms) -> dict[int, tuple[tuple[int, Part], ...]]:
    """Account -> (year, part) in the order of paid days."""
    found: dict[int, list[tuple[int, Part]]] = {}
    amount = rows["employer"] + rows["worker"] + rows["credited"]
    account = rows["epoch"] * 2 + rows["sub"]
    columns = (account, rows["year"], amount, rows["weighted"], rows["version"])
    for one, year, money, weighted, place in zip(*(column.tolist() for column in columns), strict=True):
        if not money and not weighted:
            continue
        kind, month = int(lines.type[place]), int(lines.paid_month[place]) % MONTHS + 1
        until = terms.month if year == terms.year and year >= terms.open_year else MONTHS
        is_line = kind < TYPES.index("opening")
        months = until - month if is_line else 0
        product = money * months if is_line else weighted
        part = Part(
            LINE_TYPES[kind], month_text(int(lines.month[place])), day_text(int(lines.paid_on[place])),
            npp_text(int(lines.npp[place])) or None, money, months, product,
        )  # fmt: skip
        found.setdefault(one, []).append((year, part))
    return {one: tuple(sorted(of_it, key=lambda pair: (pair[0], pair[1].paid_on))) for one, of_it in found.items()}


def _years(parts: tuple[tuple[int, Part], ...], known: dict[int, YearOf], last: int) -> Iterator[Worked]:
    opening = 0
    for year in range(min((year for year, _ in parts), default=last), last + 1):
        own = tuple(part for of_year, part in parts if of_year == year)
        one = known.get(year)
        earned = one.earned if one else 0
        closing = opening + sum(part.amount for part in own) + earned
        kind = NONE if one is None else DECLARED if one.declared else ESTIMATED
        yield Worked(
            year, opening, own, one.months if one else MONTHS, one.rate if one else None, kind, earned, closing
        )  # fmt: skip
        opening = closing


assert LINE_TYPES[BASE] == "base"
