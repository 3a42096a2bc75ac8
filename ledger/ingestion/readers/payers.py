"""Who pays is said by every line of a contributions file: an empty NPP never turns one line among others into its
worker's own payment."""

from __future__ import annotations

import numpy as np

from ledger.errors import Problem
from ledger.identifiers import SEGMENTS
from ledger.ingestion.readers.table import Table

_PU = SEGMENTS.index("PU")


def refuse_empty_payers(table: Table) -> None:
    """Refuse the lines of a contributions table that do not say who pays.

    In a file that names an employer anywhere (also in a cell that cannot be read) a line without NPP is an own payment
    only where its segment says so; a file of own payments alone needs to say nothing.
    """
    if table.layout != "contributions":
        return
    npp, segment = table.columns["npp"], table.columns["segment"]
    empty = (npp == 0) & ~table.bad
    if empty.any():
        if (npp != 0).any():
            table.refuse(empty & (segment < 0), Problem("payer-empty", 0, "npp"))
        table.refuse(empty & (segment == _PU), Problem("npp-missing", 0, "npp"))
    if (segment >= 0).any():
        own: np.ndarray[tuple[int], np.dtype[np.bool_]] = (npp > 0) & (segment > _PU) & ~table.bad
        table.refuse(own, Problem("npp-not-for-segment", 0, "npp"))
