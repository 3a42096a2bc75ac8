"""The bodies that leave: msgspec structs that become bytes in one step, and their description for OpenAPI."""

from __future__ import annotations

from datetime import date
from typing import Any

from msgspec import UNSET, Struct, UnsetType, json

from api.problems import ProblemBody
from ledger.store.log import position_text
from projections.queries import BalanceRow


class AsOf(Struct, frozen=True):
    """What the answer knows: value dates up to `date` (Asia/Jakarta), the log up to `position`.

    `recorded_at`: when the record at that position was made; `projected_at`: when this read side last confirmed that
    it holds everything up to there. Times are ISO UTC.
    """

    date: str
    position: str
    recorded_at: str
    projected_at: str


class Contributed(Struct, frozen=True):
    """Contributions received, whole rupiah."""

    employer: int
    worker: int
    total: int


class LastContribution(Struct, frozen=True):
    """The newest month with money: `month` YYYY-MM, `paid_on` YYYY-MM-DD, `npp` null when the participant paid."""

    month: str
    paid_on: str
    npp: str | None


class Balance(Struct, frozen=True):
    """One card's savings. `balance` = contributions + yield credited, whole rupiah.

    `reason` stands only beside a balance without contributions: `no-contribution-yet`.
    """

    kpj: str
    segment: str
    status: str
    balance: int
    contributed: Contributed
    yield_credited: int
    months_contributed: int
    last_contribution: LastContribution | None
    as_of: AsOf
    reason: str | UnsetType = UNSET


class PersonBalance(Struct, frozen=True):
    """All cards of one person; `balance` is the sum of the cards'."""

    person: str
    balance: int
    contributed: Contributed
    yield_credited: int
    accounts: list[Balance]
    as_of: AsOf
    reason: str | UnsetType = UNSET


class Entry(Struct, frozen=True):
    """One line of a statement: `posted`, `released` (out of suspense), `reversed` (negative) or `opening`."""

    type: str
    kind: str
    month: str
    paid_on: str
    npp: str | None
    wage: int
    back_pay: int
    employer: int
    worker: int
    yield_credited: int
    total: int
    months: int
    recorded_at: str
    position: str
    reference: str | UnsetType = UNSET


class Entries(Struct, frozen=True):
    """A page of a card's statement, newest month first; `next` is the cursor of the next page, null at the end."""

    kpj: str
    entries: list[Entry]
    next: str | None
    as_of: AsOf


class Waiting(Struct, frozen=True):
    """Money received that waits: for which card and month, why, and for how many days."""

    kpj: str
    npp: str | None
    month: str
    kind: str
    paid_on: str
    employer: int
    worker: int
    total: int
    reason: str
    detail: str
    since: str
    age_days: int
    remittance: str


class Suspense(Struct, frozen=True):
    """A page of waiting lines, oldest first."""

    lines: list[Waiting]
    next: str | None
    position: str


class Health(Struct, frozen=True):
    """Whether this process lives, and whether it can answer truthfully: `checks` by name, `ok` or a code."""

    status: str
    checks: dict[str, str] = {}


class ReceiptTotals(Struct, frozen=True):
    """Lines by what became of them."""

    posted: int
    already: int
    suspended: int
    refused: int
    warnings: int


class ReceiptCode(Struct, frozen=True):
    """How many lines a code was told of."""

    verdict: str
    code: str
    lines: int
    cells: int
    columns: list[str]


class ReceiptOutcome(Struct, frozen=True):
    """What became of one remittance or registration."""

    name: str
    first_line: int
    posted: int
    already: int
    suspended: int
    refused: int
    code: str


class ReceiptProblem(Struct, frozen=True):
    """One thing wrong at one place, in both languages; a refused value is never repeated."""

    verdict: str
    code: str
    line: int
    column: str
    details: dict[str, str | int]
    id: str
    en: str


class ReceiptBody(Struct, frozen=True):
    """What became of every line of a write. `position` is null when nothing was written."""

    receipt: str
    layout: str
    dry_run: bool
    totals: ReceiptTotals
    codes: list[ReceiptCode]
    outcomes_total: int
    outcomes: list[ReceiptOutcome]
    problems: list[ReceiptProblem]
    position: str | None


BODIES: tuple[type[Struct], ...] = (
    Balance,
    PersonBalance,
    Entries,
    Suspense,
    Health,
    ReceiptBody,
    ProblemBody,
)


def components(*more: type[Struct]) -> dict[str, Any]:
    """OpenAPI's `components.schemas`, with those of other doors."""
    _, found = json.schema_components((*BODIES, *more), ref_template="#/components/schemas/{name}")
    found["Problem"] = found.pop("ProblemBody")
    found["Receipt"] = found.pop("ReceiptBody")
    return found


def returned(name: str, description: str, example: Any) -> dict[str, Any]:
    """An OpenAPI response with a schema of `components` and an example."""
    return {
        "description": description,
        "content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{name}"}, "example": example}},
    }


def as_of(log_id: str, row: BalanceRow, day: date) -> AsOf:
    """What an answer from a row knows."""
    return AsOf(day.isoformat(), position_text(log_id, row.position), row.recorded_at, row.projected_at)


def balance_of(log_id: str, row: BalanceRow, day: date) -> Balance:
    """A card's balance as it leaves."""
    last = row.last
    return Balance(
        row.kpj,
        row.segment,
        row.status,
        row.total,
        Contributed(row.employer, row.worker, row.employer + row.worker),
        row.credited,
        row.months,
        None if last is None else LastContribution(last.month, last.paid_on, last.npp or None),
        as_of(log_id, row, day),
        "no-contribution-yet" if last is None and not row.total else UNSET,
    )
