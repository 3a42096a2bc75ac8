"""The statement in JSON: opening, lines, yield, what was paid out, closing, gaps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from pydantic import Field

from api.schemas import (
    Answer,
    AsOf,
    CardNumber,
    Contributed,
    Day,
    EntryType,
    Estimate,
    Kind,
    Month,
    OneOf,
    Payer,
    Policy,
    Rate,
    Reference,
    Rupiah,
    shaped,
)
from ledger.yields import POLICY
from projections.event_batch import TYPES
from projections.month_grid import CAUSES
from projections.statement import PAID_LATER, Statement

GAP_REASONS = (*CAUSES, PAID_LATER)
Name = Callable[[str, str], str | None]
"""What to say of an employer: of its NPP and its name."""

EmployerName = Annotated[
    str | None,
    Field(description="The employer's name, where the caller may know it", examples=["PT Contoh Makmur"]),
]


class StatementLine(Answer):
    """Money that came, or was taken back (negative); total = employer + worker + yield_brought."""

    type: EntryType
    kind: Kind
    month: Month
    paid_on: Day
    posted_on: Annotated[Day, Field(description="When it was recorded here, in Jakarta")]
    npp: Payer
    employer_name: EmployerName
    wage: Rupiah
    back_pay: Rupiah
    employer: Rupiah
    worker: Rupiah
    yield_brought: Rupiah
    total: Rupiah
    reference: Reference


class StatementYield(Answer):
    """What a year earned, credited on its 31 December."""

    year: Annotated[int, Field(examples=[2025])]
    utama: Rate
    tambahan: Rate
    amount: Rupiah


class StatementGap(Answer):
    """A month of the period whose money has not come, waits, was taken back, or came after the period."""

    month: Month
    reason: Annotated[str, OneOf(GAP_REASONS)]
    npp: Payer
    employer_name: EmployerName
    amount: Annotated[int, Field(description="What waits, was taken back or came later; else 0", examples=[0])]
    estimate: Annotated[
        int | None, Field(description="What the payer brought before, where nothing came", examples=[285_000])
    ]
    due_on: Annotated[Day | None, Field(examples=["2025-04-15"])]
    paid_on: Annotated[Day | None, Field(description="The last day it was paid", examples=["2026-02-01"])]


class StatementCorrection(Answer):
    """What changed an opening since it was stated: a line of an earlier year that came later, or another yield of one."""

    type: Annotated[str, OneOf((*TYPES, "yield"))]
    month: Annotated[Month | None, Field(examples=["2024-11"])]
    paid_on: Annotated[Day | None, Field(examples=["2024-12-20"])]
    posted_on: Annotated[Day | None, Field(examples=["2026-05-05"])]
    npp: Payer
    employer_name: EmployerName
    year: Annotated[int | None, Field(description="Whose yield is another one", examples=[2024])]
    amount: Rupiah


class StatementStated(Answer):
    """What the year before closed with as its statement said; amount + the corrections = opening."""

    on: Annotated[Day, Field(description="The day those statements were issued", examples=["2026-03-02"])]
    amount: Rupiah
    corrections: list[StatementCorrection]


class StatementAnswer(Answer):
    """A card's statement: closing = opening + contributed + yield_brought + yield_credited - paid_out."""

    kpj: CardNumber
    since: Annotated[Day, Field(alias="from", description="The first day")]
    until: Annotated[Day, Field(alias="to", description="The last day; of the running year today")]
    year: Annotated[int | None, Field(description="The calendar year, if one was asked for", examples=[2026])]
    opening: Rupiah
    stated: Annotated[StatementStated | None, Field(description="Where the statements of the year before were issued")]
    contributed: Contributed
    yield_brought: Annotated[Rupiah, Field(description="By an opening balance of the period")]
    yield_credited: Annotated[Rupiah, Field(description="Of the declared years that ended in the period")]
    paid_out: Rupiah
    closing: Rupiah
    lines: list[StatementLine]
    yields: list[StatementYield]
    undeclared_years: Annotated[
        list[int], Field(description="Years that ended in the period and have no declared yield yet", examples=[[2026]])
    ]
    estimated: Annotated[Estimate | None, Field(description="At the closing, never in it; null without a rate")]
    gaps: list[StatementGap]
    policy: Policy
    as_of: AsOf
    answer_code: Annotated[
        Annotated[str, shaped("^[0-9A-Z]{1,4}(-[0-9A-Z]{1,4})+$")] | None,
        Field(
            description="What `GET /v1/answers/{code}` gives these figures again for, and the check page knows them by; "
            "null for days before 1970, and once the holder was erased",
            examples=["7Q2M-K4ZC-0XHD-9V3B-RT5W-1N8P-6GYJ-E0FA-4S"],
        ),
    ]


def statement_answer(found: Statement, kpj: str, as_of: AsOf, name: Name, code: str) -> StatementAnswer:
    """The answer; `name`: what to say of an employer; `code`: the answer code, "" where there is none."""

    def named(npp: str) -> str | None:
        return name(npp, found.employers.get(npp, "")) if npp else None

    terms, left = found.terms, found.closing.estimated
    return StatementAnswer(
        kpj=kpj,
        since=found.period.since.isoformat(),
        until=found.period.until.isoformat(),
        year=found.period.year or None,
        opening=found.opening.total,
        stated=None
        if found.stated is None
        else StatementStated(
            on=found.stated.on,
            amount=found.stated.amount,
            corrections=[
                StatementCorrection(
                    type=one.type, month=one.month or None, paid_on=one.paid_on or None, posted_on=one.posted_on or None,
                    npp=one.npp or None, employer_name=named(one.npp), year=one.year or None, amount=one.amount,
                )
                for one in found.stated.corrections
            ],
        ),
        contributed=Contributed(employer=found.employer, worker=found.worker, total=found.employer + found.worker),
        yield_brought=found.brought,
        yield_credited=found.earned,
        paid_out=found.paid_out,
        closing=found.closing.total,
        lines=[
            StatementLine(
                type=line.type, kind=line.kind, month=line.month, paid_on=line.paid_on, posted_on=line.posted_on,
                npp=line.npp or None, employer_name=named(line.npp), wage=line.wage, back_pay=line.back_pay,
                employer=line.employer, worker=line.worker, yield_brought=line.brought, total=line.amount,
                reference=line.reference or None,
            )
            for line in found.lines
        ],
        yields=[
            StatementYield(year=one.year, utama=one.utama, tambahan=one.tambahan, amount=one.amount)
            for one in found.yields
        ],
        undeclared_years=list(found.undeclared),
        estimated=None
        if left is None or terms.provisional is None
        else Estimate(amount=left, rate=terms.provisional, until=f"{terms.year}-{terms.month:02d}"),
        gaps=[
            StatementGap(
                month=gap.month, reason=gap.reason, npp=gap.npp or None, employer_name=named(gap.npp), amount=gap.amount,
                estimate=gap.estimate or None, due_on=gap.due_on or None, paid_on=gap.paid_on or None,
            )
            for gap in found.gaps
        ],
        policy=POLICY,
        as_of=as_of,
        answer_code=code or None,
    )  # fmt: skip
