"""Money that was paid in years whose yield is declared: it changes what those years earned, and every one after them.

That is intended, and nothing is booked for it; but it is another past than was told, so it is taken with the scope
`backdate` only, and the receipt says how much yield it brings. What waits and is released later by itself was asked for its
scope when it came.
"""

from __future__ import annotations

from datetime import date

import numpy as np
from numpy.typing import NDArray

from ledger.days import day_number
from ledger.decisions.amounts import Ints
from ledger.decisions.scheme import Scheme
from ledger.errors import Problem
from ledger.ingestion.contributions.upload import Upload


def may_be(upload: Upload) -> bool:
    """Whether any row was paid before this year: no year is declared before it is over."""
    return bool(((upload.paid_on >= 0) & (upload.paid_on < _january(upload.today.year))).any())


def rows(upload: Upload, scheme: Scheme) -> NDArray[np.bool_]:
    """The rows paid before the first year that is not declared: money of before the scheme earns in its years too."""
    before = _january(scheme.open_year) if scheme.declared else 0
    return (upload.paid_on >= 0) & (upload.paid_on < before)


def tell(upload: Upload, scheme: Scheme) -> None:
    """Say in the receipt what the rows that are left to be decided bring to declared years."""
    found = rows(upload, scheme)
    if not found.any():
        return
    left = np.zeros(len(upload.starts) - 1, np.bool_)
    left[upload.groups] = True
    found &= np.repeat(left, np.diff(upload.starts))
    if not found.any():
        return
    amounts = (np.maximum(upload.employer, 0) + np.maximum(upload.worker, 0))[found]
    months: Ints = upload.paid_on[found].astype("datetime64[D]").astype("datetime64[M]").astype(np.int64) + 1970 * 12
    paid = {month: int(amounts[months == month].sum()) for month in set(months.tolist())}
    details = scheme.changed(paid, int(found.sum()), upload.today)
    line = int(upload.line[found].min())
    upload.receipt.problem(Problem("paid-changes-yield", line, "paid_on", details), "warning")


def _january(year: int) -> int:
    """The day number of a year's first day."""
    return day_number(date(year, 1, 1))
