"""Numbers and dates that a spreadsheet altered, where only the whole file gives it away."""

from __future__ import annotations

from collections.abc import Collection
from itertools import islice

import numpy as np

from ledger.errors import Problem
from ledger.ingestion.readers.table import Table

_ENOUGH = 3
"""Different NIKs that all end in 0: of whole ones fewer than one in ten does, and most end in the digit of a serial
number below ten."""

_MONTHS = 12


def refuse_cut_niks(table: Table) -> None:
    """Refuse every NIK of a table in which all end in 0: a spreadsheet keeps 15 digits and writes 0 for the 16th."""
    niks: list[str] = table.columns.get("nik", [])
    if any(nik and nik[-1] != "0" for nik in niks):
        return
    if len(set(islice((nik for nik in niks if nik), 1000))) < _ENOUGH:
        return
    table.refuse(np.array([bool(nik) for nik in niks], np.bool_), Problem("nik-cut", 0, "nik"))


def refuse_unclear_dates(table: Table, columns: Collection[str]) -> None:
    """Refuse the dates whose day could be their month, in those of the columns in which a date has the month first: a
    program of another country wrote them, or a spreadsheet of another country has turned them around already."""
    for name in table.columns_of.get("date-order-unclear", ()):
        if name not in columns:
            continue
        moments = np.asarray(table.columns[name], np.int64).astype("datetime64[D]")
        months = moments.astype("datetime64[M]")
        day, month = (moments - months).astype(np.int64) + 1, months.astype(np.int64) % 12 + 1
        table.refuse((day <= _MONTHS) & (day != month) & ~table.bad, Problem("date-order-unclear", 0, name))
