"""The months of a card as the API tells them: every month since the first membership, its state, and why it is so."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Annotated, NamedTuple

from pydantic import Field

from api.reasons import why, why_blank
from api.schemas import (
    Answer,
    AsOf,
    CardNumber,
    Day,
    Month,
    OneOf,
    Payer,
    Rupiah,
    Segment,
)
from ledger.identifiers import month_text
from projections import month_grid
from projections.month_grid import CAUSES, Cell, Facts, Part
from projections.received import awaited, missing_sum, received
from projections.results import BalanceRow

MonthState = Annotated[
    str,
    OneOf(month_grid.SERIOUS),
    Field(
        description="`posted` money came and counts; `held` it came and waits; `reversed` it was taken back; `absent` it "
        "is past its due day and has not come; `awaited` is past it too, but payments up to then are not complete; `later` "
        "not due yet; `unknown` no rule is known for so old a month, or it lies before this ledger's first year; `opened` "
        "inside the opening balance; `left`, `before` outside the membership"
    ),
]
Reason = Annotated[Annotated[str, OneOf(CAUSES)] | None, Field(description="Why; null for what is posted")]

Detail = Annotated[
    str | None,
    Field(
        description="The reason as a sentence: what is known, who has to act; null for what is posted",
        examples=["Not received from NPP 10000001; it was due on 16 November 2026. Ask NPP 10000001."],
    ),
]


class MonthPart(Answer):
    """One payer's share of a month."""

    state: MonthState
    reason: Reason
    detail: Detail
    segment: Segment | None
    npp: Payer
    employer: Annotated[
        str | None, Field(description="The payer's name, where the caller may know it", examples=["PT Contoh Makmur"])
    ]
    amount: Annotated[
        int,
        Field(
            description="Rupiah, net, or what waits; 0 where nothing came or it may be somebody else's",
            examples=[285_000],
        ),
    ]
    expected: Annotated[
        int | None,
        Field(
            description="What the rule makes of the wage, where amounts that wait disagree with it", examples=[285_000]
        ),
    ]
    estimate: Annotated[
        int | None,
        Field(description="What the payer's last month before brought, where a month has not come", examples=[285_000]),
    ]
    due_on: Annotated[
        Day | None, Field(description="The last day to pay; null where no rule has one", examples=["2026-11-16"])
    ]
    paid_on: Annotated[
        list[Day], Field(description="The days on which this money was paid, oldest first", examples=[["2026-11-14"]])
    ]


class CardMonth(Answer):
    """A month; of two payers its state is the more serious one."""

    month: Month
    state: MonthState
    reason: Reason
    detail: Detail
    parts: list[MonthPart]


class Months(Answer):
    """A card's months, newest first."""

    kpj: CardNumber
    missing: Annotated[int, Field(description="Months that are past their due day and have not come", examples=[3])]
    missing_estimate: Annotated[
        Rupiah | None, Field(description="What is missing, as far as it can be estimated; null where it cannot")
    ]
    missing_estimated: Annotated[
        int,
        Field(
            description="How many of the missing months the estimate covers",
            examples=[3],
        ),
    ]
    awaited: Annotated[
        int,
        Field(description="Months past their due day of which nobody knows yet whether they are missing", examples=[0]),
    ]
    held: Annotated[int, Field(description="Months with money that waits", examples=[1])]
    complete_until: Annotated[
        Day | None,
        Field(
            description="All payments up to this day were handed over; null where nobody said so, and then no month is "
            "called missing",
            examples=["2026-11-16"],
        ),
    ]
    latest_paid_on: Annotated[
        Day | None, Field(description="The newest day on which money for this card was paid", examples=["2026-11-12"])
    ]
    months: list[CardMonth]
    as_of: AsOf


class Telling(NamedTuple):
    """To whom it is told: in which language and voice, and what to say of a payer's NPP and name."""

    language: str
    voice: str
    name: Callable[[str, str], str | None]


def months_answer(
    facts: Facts, today: date, as_of: AsOf, kpj: str, year: int | None, telling: Telling
) -> Months:  # fmt: skip
    """The answer, of one year or all. The counts are of all years."""
    found = month_grid.years([facts], today)
    cells = [cell for one in found for cell in reversed(one.cells)]
    until, estimated = received([facts]), missing_sum(found)
    return Months(
        kpj=kpj,
        missing=estimated.months,
        missing_estimate=estimated.amount or None,
        missing_estimated=estimated.covered,
        awaited=len(awaited(found)),
        held=sum(any(part.state == month_grid.HELD for part in cell.parts) for cell in cells),
        complete_until=until.complete.isoformat() if until.complete else None,
        latest_paid_on=until.latest or None,
        months=[_month(cell, telling) for cell in cells if year is None or cell.month // 12 == year],
        as_of=as_of,
    )


def months_version(row: BalanceRow, facts: Facts, as_of: AsOf, year: int | None) -> str:
    """What the answer's ETag holds: the card's version, the day, the year, and the money that waits."""
    waits = ".".join(str(case.position) for case in facts.cases)
    return f"{row.tag}-{as_of.date}-{year or 0}-{waits}"


def _month(cell: Cell, telling: Telling) -> CardMonth:
    first = next((part for part in cell.parts if part.state == cell.state), None)
    detail = _detail(first, telling) if first else why_blank(cell.cause, telling.language)
    return CardMonth(
        month=month_text(cell.month),
        state=cell.state,
        reason=cell.cause or None,
        detail=detail or None,
        parts=[
            MonthPart(
                state=part.state, reason=part.cause or None, detail=_detail(part, telling) or None,
                segment=part.segment or None, npp=part.npp or None,
                employer=telling.name(part.npp, part.employer) if part.npp else None, amount=part.amount,
                expected=part.expected or None, estimate=part.estimate or None,
                due_on=part.due.isoformat() if part.due else None, paid_on=part.paid_days,
            )
            for part in cell.parts
        ],
    )  # fmt: skip


def _detail(part: Part, telling: Telling) -> str:
    payer = (telling.name(part.npp, part.employer) or f"NPP {part.npp}") if part.npp else ""
    return why(part, telling.language, telling.voice, payer)
