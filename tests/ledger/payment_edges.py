"""Before, at and after every edge of the rules of payments, made from `rules.toml`: what is asked, what must be found."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from fractions import Fraction
from functools import partial
from math import floor
from typing import Any, NamedTuple

import numpy as np

from ledger.identifiers import month_number, month_of, month_text
from ledger.money import rupiah
from ledger.rules import rules
from tests.conftest import TODAY
from tests.ledger.ingestion.contributions.verdict import KPJ, Verdict, card, employers, own, verdict
from tests.office import NPP, line

TABLE: dict[str, Any] = rules().table
SEGMENT = {"pu": "PU", "bpu": "BPU", "pmi": "PMI"}
TOLERANCE: int = TABLE["tolerance"]["rupiah"]
FAR = 50 * 12


class Edge(NamedTuple):
    """One case: what is asked, and what must be found."""

    name: str
    ask: Callable[[], Any]
    expected: Any


def first(row: dict[str, Any]) -> int:
    return month_number(row["from"]) or 0


def last(rows: list[dict[str, Any]], place: int) -> int:
    """The last month of a row: the next one follows, or it lasts."""
    return first(rows[place + 1]) - 1 if place + 1 < len(rows) else first(rows[place]) + FAR


def half_up(base: int, per_mille: int) -> int:
    return floor(Fraction(base * per_mille, 1000) + Fraction(1, 2))


def below_at_above(per_mille: int) -> list[int]:
    """Bases whose share ends just below a half rupiah, at it (where there is one), and just above."""
    rest = {base * per_mille % 1000: base for base in range(2000, 0, -1)}
    below, above = max(one for one in rest if one < 500), min(one for one in rest if one > 500)
    return [rest[one] for one in (below, 500, above) if one in rest]


def months_of(section: str) -> Iterator[Edge]:
    """The first and last month of every row, and the month before the first: none, or the row before."""
    rows, segment = TABLE[section], SEGMENT[section]

    assert [first(row) for row in rows] == sorted({first(row) for row in rows}), "the rows of a rule follow each other"
    for place, row in enumerate(rows):
        before = rows[place - 1]["id"] if place else None
        for month, expected in ((first(row) - 1, before), (first(row), row["id"]), (last(rows, place), row["id"])):
            yield Edge(f"{segment} {month_text(month)}", partial(rule_of, segment, month), expected)


def rule_of(segment: str, month: int) -> str | None:
    rule = rules().for_segment(segment, month)
    return rule.id if rule else None


def pu() -> Iterator[Edge]:
    yield from months_of("pu")
    rows = TABLE["pu"]
    yield Edge("PU before all rules", partial(employers, first(rows[0]) - 1), ("refused", "month-without-rule"))
    for place, row in enumerate(rows):
        for month in (first(row), last(rows, place)):
            where, base = f"{row['id']} {month_text(month)}", 5_000_000
            yield Edge(f"{where} computed", partial(employers, month), ("posted",))
            for share in ("employer", "worker"):
                for wage in below_at_above(row[share]):
                    yield Edge(
                        f"{where} {share} of {wage}", partial(share_of, month, share, wage), half_up(wage, row[share])
                    )
                right = {one: half_up(base, row[one]) for one in ("employer", "worker")}
                for off, told in offsets():
                    given = right | {share: right[share] + off}
                    yield Edge(
                        f"{where} {share}{off:+}",
                        partial(employers, month, **given),
                        told,
                    )


def share_of(month: int, share: str, wage: int) -> int:
    rule = rules().pu_in(month)
    assert rule is not None
    employer, worker = rule.shares(np.array([wage]))
    return int({"employer": employer, "worker": worker}[share][0])


def offsets() -> list[tuple[int, Verdict]]:
    """What an employer's share that differs by so many rupiah leads to."""
    rounded, wrong = ("posted", "amount-rounded"), ("suspended", "amounts-disagree")
    within = [(0, ("posted",))] if not TOLERANCE else [(-TOLERANCE, rounded), (0, ("posted",)), (TOLERANCE, rounded)]
    return [(-TOLERANCE - 1, wrong), *within, (TOLERANCE + 1, wrong)]


def own_offsets() -> list[tuple[int, Verdict]]:
    return [(off, ("posted",) if told[0] == "posted" else told) for off, told in offsets()]


def bpu() -> Iterator[Edge]:
    yield from months_of("bpu")
    rows = TABLE["bpu"]
    for place, row in enumerate(rows):
        bands = row["bands"]
        assert bands == sorted(bands), "the bands of a row follow each other"
        for month in (first(row), last(rows, place)):
            for number, (income, amount) in enumerate(bands):
                before = bands[number - 1][1] if number else amount
                for asked, expected in ((income - 1, before), (income, amount), (income + 1, amount)):
                    if asked > 0:
                        yield Edge(
                            f"{row['id']} {month_text(month)} income {asked}",
                            partial(banded, month, asked),
                            (0, expected),
                        )
            for income, amount in (bands[0], bands[-1]):
                for off, told in own_offsets():
                    yield Edge(
                        f"{row['id']} {month_text(month)} income {income} paid {amount + off}",
                        partial(own, "BPU", month, max(income, 1), amount + off),
                        told,
                    )


def banded(month: int, income: int) -> tuple[int, int]:
    rule = rules().bpu_in(month)
    assert rule is not None
    employer, worker = rule.shares(np.array([income]))
    return int(employer[0]), int(worker[0])


def pmi() -> Iterator[Edge]:
    yield from months_of("pmi")
    rows = TABLE["pmi"]
    for place, row in enumerate(rows):
        for month in (first(row), last(rows, place)):
            for amount in row["choices"]:
                for off, told in own_offsets():
                    yield Edge(
                        f"{row['id']} {month_text(month)} paid {amount + off}",
                        partial(own, "PMI", month, "", amount + off),
                        told,
                    )


def without_a_rule() -> Iterator[Edge]:
    """A holder's month before the first row of the segment."""
    for section in ("bpu", "pmi"):
        month, segment = first(TABLE[section][0]) - 1, SEGMENT[section]
        income, paid = (1_000_000, 20_000) if segment == "BPU" else ("", 50_000)
        yield Edge(
            f"{segment} before all rules",
            partial(own, segment, month, income, paid),
            ("refused", "month-without-rule"),
        )


def allowance() -> Iterator[Edge]:
    """How far ahead a month may be paid for, and how long before its month a payment may lie."""
    yield from without_a_rule()
    today = TODAY.isoformat()
    for segment in SEGMENT.values():
        ahead, this_month = TABLE["allowance"][segment], month_of(TODAY)
        for off, told in ((-1, ("posted",)), (0, ("posted",)), (1, ("refused", "month-in-future"))):
            row = ahead_of(segment, this_month + ahead + off, today)
            holder = card(segment, int(NPP) if segment == "PU" else 0)
            yield Edge(f"{segment} {ahead + off} months ahead", partial(verdict, row, holder), told)
        month = this_month
        earliest = date.fromisoformat(f"{month_text(month - ahead)}-01")
        for off in (-1, 0, 1):
            row = ahead_of(segment, month, (earliest + timedelta(off)).isoformat())
            for backdate in (False, True):
                late = ("posted", "paid-backdated", *long_ago(row)) if backdate else ("refused", "paid-too-early")
                yield Edge(
                    f"{segment} paid {row['paid_on']} for {row['month']}{' backdated' if backdate else ''}",
                    partial(verdict, row, holder, backdate=backdate),
                    late if off < 0 else ("posted",),
                )
    for off, told in ((-1, ("posted",)), (0, ("posted",)), (1, ("refused", "paid-in-future"))):
        row = line(KPJ, paid_on=(TODAY + timedelta(off)).isoformat())
        yield Edge(f"paid {row['paid_on']}", partial(verdict, row, card("PU", int(NPP))), told)


def long_ago(row: dict[str, object]) -> Verdict:
    """What else is told of a day of payment that lies far back."""
    paid_in = month_number(str(row["paid_on"])[:7]) or 0
    return ("paid-long-ago",) if paid_in < month_of(TODAY) - TABLE["backdate"]["months"] else ()


def ahead_of(segment: str, month: int, paid_on: str) -> dict[str, object]:
    """A right payment of a segment."""
    row = line(KPJ, month=month_text(month), paid_on=paid_on)
    if segment == "PU":
        return row
    own_amounts = (
        {"wage": 1_000_000, "worker": ""}
        if segment == "BPU"
        else {"wage": "", "worker": TABLE["pmi"][-1]["choices"][0]}
    )
    return row | {"npp": ""} | own_amounts


def limits() -> Iterator[Edge]:
    """A wage at the limit and one more; the other amounts have the same limit."""
    limit, members = TABLE["limits"]["wage"], card("PU", int(NPP))
    absurd = ("refused", "amount-absurd")
    for column in ("wage", "back_pay"):
        for off, told in ((-1, ("posted",)), (0, ("posted",)), (1, absurd)):
            row = line(KPJ) | {"wage": 0, column: limit + off}
            yield Edge(f"{column} {rupiah(limit + off)}", partial(verdict, row, members), told)
    for column in ("employer", "worker"):
        for off, told in ((-1, ("suspended", "amounts-disagree")), (0, ("suspended", "amounts-disagree")), (1, absurd)):
            row = line(KPJ, **{column: limit + off})
            yield Edge(f"{column} {rupiah(limit + off)}", partial(verdict, row, members), told)


def backdate() -> Iterator[Edge]:
    """The first day of payment that needs no scope, and the days beside it."""
    month = month_of(TODAY) - TABLE["backdate"]["months"]
    for off in (-1, 0, 1):
        paid_on = date.fromisoformat(f"{month_text(month)}-01") + timedelta(off)
        row = line(KPJ, month=month_text(month), paid_on=paid_on.isoformat())
        for allowed in (False, True):
            old = ("posted", "paid-long-ago") if allowed else ("refused", "paid-too-old")
            yield Edge(
                f"paid {paid_on}{' backdated' if allowed else ''}",
                partial(verdict, row, card("PU", int(NPP)), backdate=allowed),
                old if off < 0 else ("posted",),
            )
