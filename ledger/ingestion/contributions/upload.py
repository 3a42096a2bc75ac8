"""An upload of contributions: its table gathered by remittance, a column at a time. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ledger.decisions.amounts import AMOUNT_REASONS, Ints
from ledger.identifiers import employer_remittance_stream, kpj_of, month_text, own_remittance_stream
from ledger.ingestion.readers.table import Table
from ledger.receipt import Header, Receipt

NO_MONEY = len(AMOUNT_REASONS)
# Above every NPP, so that the holder's own remittances (keyed by card) never meet an employer's.
_OWN = 10**8
FEW = 2_000
"""Rows up to which a set is many times quicker than an array: the twenty lines of an HTTP body."""


@dataclass
class Upload:
    """Rows in remittance order; group g is rows `starts[g]:starts[g + 1]`. Amounts are settled for employers' lines.

    `reason`: place in AMOUNT_REASONS, or NO_MONEY. `repeating`: groups in which a worker comes
    more than once. `rounded`: a share was off by Rp1. A group that was refused as a whole is
    not in `groups`; its outcome is told already.
    """

    header: Header
    receipt: Receipt
    today: date
    backdate: bool
    line: Ints
    npp: Ints
    month: Ints
    card: Ints
    kind: Ints
    wage: Ints
    back_pay: Ints
    employer: Ints
    worker: Ints
    paid_on: Ints
    reference: Ints
    references: list[str]
    division: Ints
    divisions: list[str]
    segment: Ints
    reason: NDArray[np.int8]
    rounded: NDArray[np.bool_]
    nik: list[str] | None
    name: list[str] | None
    starts: Ints
    groups: Ints
    repeating: set[int] = field(default_factory=set)

    def stream(self, group: int) -> str:
        """The remittance stream of a group."""
        row = int(self.starts[group])
        month = month_text(int(self.month[row]))
        npp = int(self.npp[row])
        if not npp:
            return own_remittance_stream(kpj_of(int(self.card[row])), month)
        return employer_remittance_stream(f"{npp:08d}", month)

    def rows(self, group: int) -> slice:
        """Where a group's rows are."""
        return slice(int(self.starts[group]), int(self.starts[group + 1]))


def lost(u: Upload, group: int) -> bool:
    """Whether the group is a single row that names no payer or month."""
    row = int(u.starts[group])
    return bool(u.npp[row] < 0 or u.month[row] < 0 or u.division[row] < 0 or (u.npp[row] == 0 and u.card[row] < 0))


def employers_of(table: Table) -> list[int]:
    """The distinct employers a table names."""
    return [npp for npp in distinct(table.columns["npp"]) if npp > 0]


def distinct(values: Ints) -> list[int]:
    """The different values of a column, rising."""
    found: list[int] = sorted(set(values.tolist())) if len(values) < FEW else np.unique(values).tolist()
    return found


def gathered(
    table: Table, header: Header, receipt: Receipt, today: date, backdate: bool
) -> tuple[Upload, NDArray[np.bool_]]:
    """The rows in the order of their remittances, and for each whether it cannot be read."""
    columns = table.columns
    npp, card, month = columns["npp"], columns["kpj"], columns["month"]
    division, reference = columns["division"], columns["reference"]
    payer = np.where(npp > 0, npp, card + _OWN)
    # A division is no payer: its lines stand together inside its employer's month.
    within = np.where(npp > 0, division.codes, 0)
    # A row without payer or month belongs to no remittance that could be named: it stands for itself.
    lost = (npp < 0) | (month < 0) | ((npp == 0) & (card < 0)) | (division.codes < 0)
    if lost.any():
        payer = np.where(lost, -1 - np.arange(len(payer)), payer)
    order: Any = slice(None)
    step, inner, innermost = np.diff(payer), np.diff(month), np.diff(within)
    if ((step < 0) | ((step == 0) & ((inner < 0) | ((inner == 0) & (innermost < 0))))).any():
        order = np.lexsort((within, month, payer))
    payer, months = payer[order], month[order]
    edges = np.flatnonzero((np.diff(payer) != 0) | (np.diff(months) != 0)) + 1
    starts = np.concatenate(([0], edges, [len(payer)])) if len(payer) else np.zeros(1, np.int64)
    texts = {name: _reordered(columns[name], order) for name in ("nik", "name")}
    upload = Upload(
        header=header, receipt=receipt, today=today, backdate=backdate,
        line=table.lines[order], npp=npp[order], month=months, card=card[order],
        kind=columns["kind"][order], wage=columns["wage"][order],
        back_pay=columns["back_pay"][order], employer=columns["employer"][order],
        worker=columns["worker"][order], paid_on=columns["paid_on"][order],
        reference=reference.codes[order], references=list(reference.texts),
        division=division.codes[order], divisions=list(division.texts),
        segment=columns["segment"][order],
        reason=np.zeros(len(payer), np.int8), rounded=np.zeros(len(payer), np.bool_),
        nik=texts["nik"], name=texts["name"], starts=starts, groups=np.arange(len(starts) - 1),
    )  # fmt: skip
    return upload, table.bad[order]


def _reordered(texts: list[str], order: Any) -> list[str] | None:
    if not any(texts):
        return None
    return texts if isinstance(order, slice) else [texts[i] for i in order.tolist()]
