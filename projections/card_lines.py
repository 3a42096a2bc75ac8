"""A card's entries as money lines again: what its balance at a past day, and the working of its yield, are told from.

They go through the same fold as the lines of the log, so that a day that is over and the present can never be worked out by
two rules.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np

from ledger.days import day_number
from ledger.store.bulk import Columns, Ints
from projections import balances
from projections.event_batch import BASE, OPENING, OPENING_REVERSED, Lines

_ENTRY = (
    "position", "line", "type", "month", "paid_on", "npp", "employer", "worker", "tambahan", "epoch", "months",
    "credited", "credited_tambahan",
)  # fmt: skip
_BASE = ("position", "month", "paid_on", "credited", "credited_tambahan")
_FIRST_MONTH = 1970 * 12
_ANY = 2**62


def of(card: int, rows: Sequence[Sequence[Any]], bases: Sequence[Sequence[Any]], upto: int) -> Lines:
    """The lines in rows of `sql.lines` and `sql.bases`, in that order, recorded up to a log position."""
    entries, brought = _columns(_ENTRY, rows), _columns(_BASE, bases)
    brought["month"] = brought["month"] * 12 + 11
    brought["type"] = np.full(len(bases), BASE)
    found: Columns = {}
    for name in Lines._fields:
        parts = [
            part.get(name, np.zeros(size, np.int64)) for part, size in ((entries, len(rows)), (brought, len(bases)))
        ]
        found[name] = np.concatenate(parts)
    found["card"][:] = card
    days = found["paid_on"].astype("datetime64[D]").astype("datetime64[M]").astype(np.int64)
    found["paid_month"] = np.where(found["type"] == BASE, found["month"], days + _FIRST_MONTH)
    lines = Lines(**found)
    return lines.at(lines.position <= upto)


def of_many(rows: Sequence[Sequence[Any]], bases: Sequence[Sequence[Any]]) -> Lines:
    """The lines in rows of `sql.lines_after` and `sql.bases_between`, of several cards."""
    cards = [row[0] for some in (rows, bases) for row in some]
    lines = of(0, [row[1:] for row in rows], [row[1:] for row in bases], _ANY)
    return lines._replace(card=np.array(cards, np.int64))


def _columns(names: tuple[str, ...], rows: Sequence[Sequence[Any]]) -> Columns:
    table = np.array(rows, np.int64).reshape(len(rows), len(names)).T
    return dict(zip(names, table.copy(), strict=True))


def paid_by(lines: Lines, day: date) -> Lines:
    """Those whose money had been paid at the end of a day."""
    return lines.at(lines.paid_on <= day_number(day))


def opening_day(lines: Lines) -> int | None:
    """The day (number) of the opening balance that stands, if there is one."""
    signs = (lines.type == OPENING).astype(np.int64) - (lines.type == OPENING_REVERSED)
    days = {int(day): int(signs[lines.paid_on == day].sum()) for day in np.unique(lines.paid_on[signs != 0])}
    return max((day for day, standing in days.items() if standing > 0), default=None)


def last_contribution(lines: Lines) -> tuple[int, int, int]:
    """(month, paid day, npp) of the newest contribution that still stands: a reversal repeats all three, so they net out."""
    net: dict[tuple[int, int, int], int] = {}
    money: Ints = lines.employer + lines.worker
    paid = lines.type < OPENING
    columns = (column[paid].tolist() for column in (lines.month, lines.paid_on, lines.npp, money))
    for month, paid_on, npp, amount in zip(*columns, strict=True):
        key = (month, paid_on, npp)
        net[key] = net.get(key, 0) + amount
    return max((key for key, amount in net.items() if amount > 0), default=(0, 0, 0))


def sums(lines: Lines) -> Columns:
    """The rows of `balances` that these lines alone make."""
    return balances.merge([balances.fold(lines)])


def years(rows: Columns) -> list[tuple[int, int, int, int]]:
    """(account, year, amount, weighted) of rows of `balances`: what `ledger.yields` takes."""
    account = rows["epoch"] * 2 + rows["sub"]
    amount = rows["employer"] + rows["worker"] + rows["credited"] - rows["paid_out"]
    return list(zip(account.tolist(), rows["year"].tolist(), amount.tolist(), rows["weighted"].tolist(), strict=True))
