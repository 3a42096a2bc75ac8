"""What a card's savings may become, as the API tells it: an estimate with its assumptions beside the number."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from pydantic import Field

from api import schemas
from api.schemas import Answer, AsOf, CardNumber, Month, Policy, Rupiah
from api.schemas import Rate as YieldRate
from ledger.identifiers import month_of, month_text
from ledger.simulation import Simulation
from ledger.yields import POLICY
from projections.results import BalanceRow

PerYear = Annotated[int, Field(description="Parts per million a year: 30000 is 3 %", examples=[30_000])]


class Assumed(Answer):
    """What the estimate rests on: nobody knows these."""

    monthly: Annotated[Rupiah, Field(description="A month's contribution, both shares, until the first January")]
    growth: Annotated[PerYear, Field(description="Growth of the contribution each January, parts per million a year")]
    rate: Annotated[YieldRate, Field(description="Rate of yield of every year, parts per million")]
    inflation: Annotated[PerYear, Field(description="How fast prices rise, parts per million a year")]
    until: Annotated[Month, Field(description="The last month", examples=["2036-11"])]
    policy: Policy


class YearAhead(Answer):
    """A year, or the part of it that is simulated; `today`: the balance at its end in the money of today."""

    year: Annotated[int, Field(examples=[2027])]
    months: Annotated[int, Field(ge=1, le=12, examples=[12])]
    monthly: Rupiah
    contributed: Rupiah
    earned: Rupiah
    balance: Rupiah
    today: Rupiah


class Simulated(Answer):
    """An estimate, never a promise: `balance` after the last month, `today` the same in the money of today."""

    kpj: CardNumber
    estimate: Annotated[bool, Field(description="Always true: this is no balance")]
    balance_now: Annotated[Rupiah, Field(description="Where it begins: the balance of `as_of`")]
    estimated_now: Annotated[Rupiah, Field(description="Yield of the present year so far, estimated, credited with it")]
    assumptions: Assumed
    balance: Rupiah
    today: Rupiah
    contributed: Annotated[Rupiah, Field(description="Of `balance`: contributions to come")]
    earned: Annotated[Rupiah, Field(description="Of `balance`: yield to come")]
    years: list[YearAhead]
    as_of: AsOf


def simulation_fields(log_id: str, row: BalanceRow, kpj: str, found: Simulation, today: date) -> dict[str, Any]:
    """The fields of `Simulated`."""
    assumed = found.assumptions
    return {
        "kpj": kpj,
        "estimate": True,
        "balance_now": row.total,
        "estimated_now": row.estimated or 0,
        "assumptions": {
            "monthly": assumed.monthly, "growth": assumed.growth, "rate": assumed.rate, "inflation": assumed.inflation,
            "until": month_text(month_of(today) + assumed.months), "policy": POLICY,
        },
        "balance": found.balance,
        "today": found.today,
        "contributed": found.contributed,
        "earned": found.earned,
        "years": found.years,
        "as_of": schemas.as_of_fields(log_id, row, today),
    }  # fmt: skip


def simulation_version(row: BalanceRow, found: Simulation, today: date) -> str:
    """What an ETag holds of it."""
    one = found.assumptions
    return f"{row.tag}-{today}-{one.monthly}.{one.growth}.{one.rate}.{one.inflation}.{one.months}"
