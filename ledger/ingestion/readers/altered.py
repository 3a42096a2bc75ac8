"""Numbers that a spreadsheet altered, where only the whole file gives it away."""

from __future__ import annotations

from itertools import islice

import numpy as np

from ledger.errors import Problem
from ledger.ingestion.readers.table import Table

_ENOUGH = 3
"""Different NIKs that all end in 0: of whole ones fewer than one in ten does, and most end in the digit of a serial
number below ten."""


def refuse_cut_niks(table: Table) -> None:
    """Refuse every NIK of a table in which all end in 0: a spreadsheet keeps 15 digits and writes 0 for the 16th."""
    niks: list[str] = table.columns.get("nik", [])
    if any(nik and nik[-1] != "0" for nik in niks):
        return
    if len(set(islice((nik for nik in niks if nik), 1000))) < _ENOUGH:
        return
    table.refuse(np.array([bool(nik) for nik in niks], np.bool_), Problem("nik-cut", 0, "nik"))
