"""The rules of JHT, read from `rules.toml`: data with dates and sources, because they change and some are unsure.

Contribution rates are per mille of wage + back pay, yield rates parts per million a year; amounts whole rupiah; months
numbers (year * 12 + month - 1).
"""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from ledger.identifiers import month_number

Column = NDArray[np.int64]
R = TypeVar("R", "PuRule", "BpuRule", "PmiRule", "YieldRule")


class PuRule(Struct, frozen=True):
    """Employees: per mille of the wage for each share."""

    id: str
    first: int
    employer: int
    worker: int

    def shares(self, base: Column) -> tuple[Column, Column]:
        """(employer, worker) in rupiah for wages + back pay, each rounded half up once (`half-up.v1`)."""
        return (base * (2 * self.employer) + 1000) // 2000, (base * (2 * self.worker) + 1000) // 2000


class BpuRule(Struct, frozen=True):
    """Self-employed: the band of the reported income decides the amount."""

    id: str
    first: int
    lower: tuple[int, ...]
    amounts: tuple[int, ...]

    def shares(self, base: Column) -> tuple[Column, Column]:
        """(0, worker) in rupiah for reported incomes."""
        band = np.searchsorted(np.array(self.lower, np.int64), base, side="right") - 1
        return np.zeros_like(base), np.array(self.amounts, np.int64)[np.maximum(band, 0)]


class PmiRule(Struct, frozen=True):
    """Migrant workers: one of the fixed amounts, as the participant chose."""

    id: str
    first: int
    choices: tuple[int, ...]

    def nearest(self, worker: Column) -> Column:
        """The choice nearest to each received amount."""
        choices = np.array(self.choices, np.int64)
        nearest: Column = choices[np.abs(worker[:, None] - choices[None, :]).argmin(axis=1)]
        return nearest


Rule = PuRule | BpuRule | PmiRule


class YieldRule(Struct, frozen=True):
    """Between which rates (parts per million a year, both included) a year's yield may be declared."""

    id: str
    first: int
    low: int
    high: int


class Rules(Struct, frozen=True):
    """All rules; a look-up answers None for a month that no row covers.

    `max_wage` and `max_opening` in rupiah; `opening_months`: how many months back an opening balance's day may lie,
    `backdate_months`: a day of payment, before the scope `backdate` is needed.
    """

    pu: tuple[PuRule, ...]
    bpu: tuple[BpuRule, ...]
    pmi: tuple[PmiRule, ...]
    yields: tuple[YieldRule, ...]
    allowance: dict[str, int]
    max_wage: int
    max_opening: int
    opening_months: int
    backdate_months: int
    tolerance: int
    retention_years: int
    table: dict[str, Any]

    def pu_in(self, month: int) -> PuRule | None:
        return _in_force(self.pu, month)

    def bpu_in(self, month: int) -> BpuRule | None:
        return _in_force(self.bpu, month)

    def pmi_in(self, month: int) -> PmiRule | None:
        return _in_force(self.pmi, month)

    def yield_in(self, month: int) -> YieldRule | None:
        return _in_force(self.yields, month)

    def for_segment(self, segment: str, month: int) -> Rule | None:
        """The row for a segment's month, or None."""
        return {"PU": self.pu_in, "BPU": self.bpu_in, "PMI": self.pmi_in}[segment](month)


def _in_force(rows: Sequence[R], month: int) -> R | None:
    return next((row for row in reversed(rows) if row.first <= month), None)


@cache
def rules() -> Rules:
    """The rules this version of the project knows."""
    table = tomllib.loads((Path(__file__).parent / "rules.toml").read_text("utf-8"))

    def first(row: dict[str, Any]) -> int:
        month = month_number(row["from"])
        assert month is not None, row["id"]
        return month

    return Rules(
        pu=tuple(PuRule(r["id"], first(r), r["employer"], r["worker"]) for r in table["pu"]),
        bpu=tuple(
            BpuRule(r["id"], first(r), tuple(b[0] for b in r["bands"]), tuple(b[1] for b in r["bands"]))
            for r in table["bpu"]
        ),
        pmi=tuple(PmiRule(r["id"], first(r), tuple(r["choices"])) for r in table["pmi"]),
        yields=tuple(YieldRule(r["id"], first(r), r["low"], r["high"]) for r in table["yield"]),
        allowance={segment: table["allowance"][segment] for segment in ("PU", "BPU", "PMI")},
        max_wage=table["limits"]["wage"],
        max_opening=table["opening"]["limit"],
        opening_months=table["opening"]["months"],
        backdate_months=table["backdate"]["months"],
        tolerance=table["tolerance"]["rupiah"],
        retention_years=table["retention"]["years"],
        table=table,
    )
