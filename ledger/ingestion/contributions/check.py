"""A contributions table made ready to decide: refused remittances told, amounts settled.

Everything here is a pure function of the table, the rules and today's date, computed a column at a time, so that a
file of a million lines and an HTTP body of twenty go through the same checks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ledger.days import day_number, day_text
from ledger.decisions.amounts import Ints, judge
from ledger.decisions.remittance import CORRECTION_REASONS
from ledger.decisions.scheme import Scheme
from ledger.errors import Problem
from ledger.identifiers import (
    KINDS,
    holds_nik,
    month_of,
    month_text,
    same_reference,
)
from ledger.ingestion.contributions import declared
from ledger.ingestion.contributions.upload import FEW, NO_MONEY, Upload, distinct, gathered, lost
from ledger.ingestion.readers.table import Table
from ledger.money import rupiah
from ledger.receipt import Header, Outcome, Receipt
from ledger.rules import rules

SPOILED = frozenset({"remittance-has-bad-line", "remittance-has-worker-twice", "remittance-has-refused-line"})
"""What lines are told that only another line of their remittance spoils."""
_READ_BUT_REFUSED = frozenset({"number-negative", "amount-absurd", "payer-empty", "npp-missing", "npp-not-for-segment"})
_TRUE_OF_ALL = frozenset({"employer-unknown", "month-without-rule", "month-in-future"})


def prepare(
    table: Table,
    header: Header,
    receipt: Receipt,
    *,
    today: date,
    backdate: bool,
    registered: set[int] | None,
    scheme: Callable[[], Scheme] = Scheme,
) -> Upload:
    """Gather a contributions table by remittance and refuse what must be refused whole.

    `registered`: the known ones of the table's employers (`employer-unknown` otherwise). `scheme` is asked for only where
    money was paid before this year.
    """
    upload, bad = gathered(table, header, receipt, today, backdate)
    _drop_niks(upload)
    state = scheme() if declared.may_be(upload) else Scheme()
    codes = _refusals(upload, bad, registered or set(), state)
    _told_whole(upload, codes, bad, table)
    _settle_amounts(upload)
    declared.tell(upload, state)
    return upload


def _drop_niks(upload: Upload) -> None:
    """BPU pay with their NIK as billing number: a reference that reads as one is personal data and is not kept."""
    for code, text in enumerate(upload.references):
        if not holds_nik(text, upload.today):
            continue
        upload.references[code] = ""
        for line in upload.line[upload.reference == code].tolist():
            upload.receipt.problem(Problem("reference-dropped", line, "reference"), "warning")


def _refusals(
    upload: Upload, bad: NDArray[np.bool_], registered: set[int], scheme: Scheme
) -> dict[int, Problem]:  # fmt: skip
    """Group -> why it is refused whole; the first problem in the codes' order of precedence wins."""
    u, refused = upload, dict[int, Problem]()
    group_of = np.repeat(np.arange(len(u.starts) - 1), np.diff(u.starts))

    def refuse(rows: NDArray[np.bool_], code: str, column: str, **details: Any) -> None:
        for row in np.flatnonzero(rows).tolist():
            at = {name: said(row) for name, said in details.items()}
            refused.setdefault(int(group_of[row]), Problem(code, int(u.line[row]), column, at))

    for group in distinct(group_of[bad]):
        row = int(np.flatnonzero(bad[u.rows(group)])[0]) + int(u.starts[group])
        refused[group] = Problem("remittance-has-bad-line", 0, "", {"other": int(u.line[row])})
    for row, other in _twice(u, group_of):
        problem = Problem(
            "worker-twice", int(u.line[row]), "kpj", {"line": int(u.line[row]), "other": int(u.line[other])}
        )
        refused.setdefault(int(group_of[row]), problem)
    if not u.header.reason:
        known = ", ".join(CORRECTION_REASONS)
        refuse(u.kind == KINDS.index("correction"), "reason-missing", "kind", known=lambda _: known)
    limit = rules().max_wage
    for column in ("wage", "back_pay", "employer", "worker"):
        refuse(getattr(u, column) > limit, "amount-absurd", column, limit=lambda _: rupiah(limit))
    strangers = [npp for npp in distinct(u.npp) if npp > 0 and npp not in registered]
    refuse(np.isin(u.npp, strangers), "employer-unknown", "npp", npp=lambda row: f"{u.npp[row]:08d}")

    def month_at(row: int) -> str:
        return month_text(int(u.month[row]))

    months = [month for month in distinct(u.month) if month >= 0]
    without_pu = [m for m in months if rules().pu_in(m) is None]
    without_own = [m for m in months if rules().bpu_in(m) is None and rules().pmi_in(m) is None]
    own = u.npp == 0
    no_rule = (~own & np.isin(u.month, without_pu)) | (own & np.isin(u.month, without_own))
    refuse(no_rule, "month-without-rule", "month", month=month_at)
    ahead = rules().allowance
    allowed = np.where(own, max(ahead["BPU"], ahead["PMI"]), ahead["PU"])
    this_month = month_of(u.today)
    refuse(
        u.month > this_month + allowed, "month-in-future", "month", month=month_at,
        limit=lambda row: month_text(this_month + int(allowed[row])),
    )  # fmt: skip
    refuse(
        u.paid_on > day_number(u.today),
        "paid-in-future",
        "paid_on",
        paid_on=lambda r: day_text(int(u.paid_on[r])),
    )
    _check_backdated(u, bad, allowed, refuse)
    if not u.backdate:
        refuse(
            declared.rows(u, scheme), "paid-year-declared", "paid_on", paid_on=lambda r: day_text(int(u.paid_on[r])),
            year=lambda _: scheme.open_year - 1,
        )  # fmt: skip
    return refused


Refuse = Callable[..., None]


def _check_backdated(u: Upload, bad: NDArray[np.bool_], allowed: Ints, refuse: Refuse) -> None:
    """Days of payment long before their month, or long before today: refused, or listed where `backdate` takes them."""
    months, back = _months(u.paid_on), rules().backdate_months

    def day(row: int) -> str:
        return day_text(int(u.paid_on[row]))

    def month(row: int) -> str:
        return month_text(int(u.month[row]))

    early = (months < u.month - allowed) & (u.paid_on >= 0)
    old = (months < month_of(u.today) - back) & (u.paid_on >= 0)
    if not u.backdate:
        refuse(early, "paid-too-early", "paid_on", month=month, paid_on=day)
        refuse(old, "paid-too-old", "paid_on", paid_on=day, months=lambda _: back)
        return
    for row in np.flatnonzero(early & ~bad).tolist():
        details: dict[str, str | int] = {"paid_on": day(row), "month": month(row)}
        u.receipt.problem(Problem("paid-backdated", int(u.line[row]), "paid_on", details), "warning")
    for row in np.flatnonzero(old & ~bad).tolist():
        details = {"paid_on": day(row), "months": back}
        u.receipt.problem(Problem("paid-long-ago", int(u.line[row]), "paid_on", details), "warning")


def _months(days: Ints) -> Ints:
    """Month numbers of day numbers."""
    return days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64) + 1970 * 12


def _twice(u: Upload, group_of: Ints) -> Iterable[tuple[int, int]]:
    """(row, earlier row) of payments that cannot be told apart: one worker, kind, paid day and reference.

    Also finds the groups in which a worker comes more than once in any way (`Upload.repeating`).
    """
    if len(u.line) < 2:
        return []
    key = group_of.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15) ^ (
        u.card.astype(np.uint64) * np.uint64(0xC2B2AE3D27D4EB4F)
    )
    # Distinct hashes prove that nothing repeats; only then a closer look is not needed.
    different = len(set(key.tolist())) if len(key) < FEW else pl.Series(key).n_unique()
    if different == len(key):
        return []
    again = np.isin(key, key[pl.Series(key).is_duplicated().to_numpy()])
    rows = np.flatnonzero(again & (u.card >= 0))
    u.repeating.update(np.unique(group_of[rows]).tolist())
    spelled = np.array(one_spelling(np.unique(u.reference[rows]).tolist(), u.references), np.int64)
    reference = spelled[np.searchsorted(np.unique(u.reference[rows]), u.reference[rows])]
    # A holder's own payments with and without an income are of different segments.
    own_income = (u.npp[rows] == 0) & (u.wage[rows] > 0)
    columns = (reference, own_income, u.paid_on[rows], u.card[rows], u.kind[rows], group_of[rows])
    # Equal payments stand together then, in the order of the file.
    order = np.lexsort(columns)
    same = np.logical_and.reduce([values[order][1:] == values[order][:-1] for values in columns])
    first = np.maximum.accumulate(np.where(np.concatenate(([True], ~same)), np.arange(len(order)), 0))
    later = np.flatnonzero(np.concatenate(([False], same)))
    pairs = rows[order[later]], rows[order[first[later]]]
    in_file = np.argsort(pairs[0])
    return zip(pairs[0][in_file].tolist(), pairs[1][in_file].tolist(), strict=True)


def one_spelling(codes: Sequence[int], references: Sequence[str]) -> list[int]:
    """The codes of references, with one code for all spellings of one reference (-1, that of an unreadable one, stays)."""
    first: dict[str, int] = {}
    same = {
        code: first.setdefault(same_reference(references[code]), code) if code >= 0 else code for code in set(codes)
    }
    return [same[code] for code in codes]


def _told_whole(u: Upload, refused: dict[int, Problem], bad: NDArray[np.bool_], table: Table) -> None:
    """Tell the refused groups and every unreadable cell, and leave only the others to be decided."""
    table.tell_unreadable(u.receipt)
    for group, problem in refused.items():
        rows = u.rows(group)
        lines = u.line[rows].tolist()
        unreadable = bad[rows].tolist()
        name = u.stream(group) if not lost(u, group) else "?"
        outcome = Outcome(name, lines[0], refused=len(lines), code=problem.code)
        if problem.code != "remittance-has-bad-line":
            u.receipt.problem(problem, "refused")
        for line, is_bad in zip(lines, unreadable, strict=True):
            if not is_bad and line != problem.line:
                u.receipt.problem(_for_others(u.receipt, problem, line), "refused")
        u.receipt.outcome(outcome)
    if refused:
        keep = np.ones(len(u.groups), np.bool_)
        keep[list(refused)] = False
        u.groups = u.groups[keep]


def _for_others(receipt: Receipt, problem: Problem, line: int) -> Problem:
    """What a line is told whose remittance is refused for this problem."""
    if problem.code in _TRUE_OF_ALL:
        return Problem(problem.code, line, problem.column, problem.details)
    if problem.code == "worker-twice":
        return Problem("remittance-has-worker-twice", line, "", problem.details)
    if problem.code == "remittance-has-bad-line":
        cause = receipt.rejected_lines.get(int(problem.details["other"]))
        if cause is None or cause.code not in _READ_BUT_REFUSED:
            return Problem(problem.code, line, "", problem.details)
        problem = cause
    return Problem("remittance-has-refused-line", line, "", {"other": problem.line, "code": problem.code})


def _settle_amounts(u: Upload) -> None:
    """Fill empty shares by the month's rule and compare given ones, for employers' lines (own lines need the card)."""
    wage, back_pay = np.maximum(u.wage, 0), np.maximum(u.back_pay, 0)
    for month in distinct(u.month):
        rule = rules().pu_in(month) if month >= 0 else None
        if rule is None:
            continue
        rows = (u.month == month) & (u.npp > 0)
        if rows.all():
            rows = np.s_[:]
        judged = judge(rule, (wage + back_pay)[rows], u.employer[rows], u.worker[rows])
        u.employer[rows], u.worker[rows], u.rounded[rows] = judged.employer, judged.worker, judged.rounded
        u.reason[rows] = np.where(judged.employer + judged.worker == 0, NO_MONEY, judged.reason)
    u.wage, u.back_pay = wage, back_pay
