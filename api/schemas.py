"""The answers, as pydantic models that every route shares: one fact has one name and one form everywhere.

Amounts are whole rupiah, moments UTC (`2026-11-21T03:00:00.000000Z`), days and months as in Jakarta. A field that holds
nothing is null; none comes and goes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache
from typing import Annotated, Any, Literal

import msgspec
from pydantic import BaseModel, ConfigDict, Field, GetCoreSchemaHandler, WithJsonSchema
from pydantic_core import CoreSchema, core_schema

from ledger.decisions.remittance import SUSPENSE_REASONS
from ledger.errors import sentences
from ledger.identifiers import KINDS, SEGMENTS, kpj_of
from ledger.store.log import position_text
from ledger.yields import POLICY, Terms
from projections.difference import CAUSES
from projections.difference import Difference as Between
from projections.event_batch import TYPES
from projections.explanation import KINDS as RATE_KINDS
from projections.explanation import LINE_TYPES, SUB_ACCOUNTS
from projections.results import STATUSES, BalanceRow, Group
from projections.totals import Shares
from projections.totals import Totals as Sums

CHANNELS = ("website", "mobile", "sms", "office", "employer", "partner")
"""By which door a member's data was read."""
READERS = ("member", "sms", "office", "employer", "partner")
"""Who read it, without a name."""


POSITION, CURSOR, HANDLE = "^[0-9a-f]{16}-[0-9]+$", "^[A-Za-z0-9_-]{1,200}$", r"^[\w-]{22}$"
"""The forms of texts that come back as parameters."""


@dataclass(frozen=True)
class OneOf:
    """A text out of a closed list that another module owns: an enum in OpenAPI, with `name` a schema of its own there."""

    values: tuple[str, ...]
    name: str | None = None

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.literal_schema(list(self.values), ref=self.name)


def shaped(pattern: str, **more: Any) -> WithJsonSchema:
    """The form of a text that leaves, for OpenAPI. It is made here, so no answer waits for it to be checked again: tests
    hold answers against the description."""
    return WithJsonSchema({"type": "string", "pattern": pattern, **more})


Rupiah = Annotated[int, Field(examples=[285_000])]
Rate = Annotated[int, Field(description="Parts per million a year: 57000 is 5.7 %", ge=0, examples=[57_000])]
CardNumber = Annotated[
    str,
    shaped(r"^([0-9A-Z]{5,12}|\*{3}[0-9A-Z]{4})$", examples=["26000000017"]),
    Field(
        description="Membership card number; masked (`***0017`) for a member's device",
        examples=["26000000017"],
    ),
]
Reference = Annotated[
    Annotated[str, shaped("^[A-Za-z0-9./-]{1,40}$")] | None,
    Field(description="Of the payment, as it was sent", examples=["TRX-1"]),
]
Payer = Annotated[
    Annotated[str, shaped("^[0-9]{8}$")] | None,
    Field(description="The employer who paid; null: the participant", examples=["10000001"]),
]
Day = Annotated[str, shaped(r"^\d{4}-\d\d-\d\d$", format="date"), Field(examples=["2026-11-12"])]
Month = Annotated[str, shaped(r"^\d{4}-\d\d$"), Field(description="The month it is for", examples=["2026-10"])]
Moment = Annotated[
    str,
    shaped(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$", format="date-time"),
    Field(examples=["2026-11-21T03:00:00.000000Z"]),
]
Position = Annotated[
    str,
    shaped(POSITION, description="A place in the log", examples=["3f9c2a1b7d04e586-48211"]),
]
Next = Annotated[
    Annotated[str, shaped(CURSOR)] | None,
    Field(description="The cursor of the next page; null at the end", examples=["WzI0MzIxLDQ4MjExLDBd"]),
]
Handle = Annotated[
    str,
    shaped(HANDLE),
    Field(description="Stands for a card in addresses", examples=["u0b7Wf0aTz2nCq5m8xKd1g"]),
]
Sentence = Annotated[str, Field(examples=["KPJ ini tidak terdaftar."])]
Code = Annotated[str, OneOf(tuple(sentences()), "Code"), Field(examples=["account-unknown"])]
Policy = Annotated[
    str, OneOf((POLICY,)), Field(description="The project's model of an unpublished rule", examples=[POLICY])
]
NoMoney = Annotated[
    Literal["no-contribution-yet"] | None, Field(description="Why the balance is 0, where no contribution ever came")
]
Segment = Annotated[str, OneOf(SEGMENTS)]
Kind = Annotated[str, OneOf(KINDS)]
Status = Annotated[str, OneOf(STATUSES)]
EntryType = Annotated[str, OneOf(TYPES)]
SuspenseReason = Annotated[str, WithJsonSchema({"type": "string", "enum": list(SUSPENSE_REASONS)})]


class Answer(BaseModel):
    """Something that leaves."""

    model_config = ConfigDict(frozen=True, serialize_by_alias=True, validate_by_name=True)


class AsOf(Answer):
    """What the answer knows."""

    date: Annotated[Day, Field(description="Value dates up to this day, Asia/Jakarta")]
    position: Annotated[Position, Field(description="The log up to here")]
    recorded_at: Annotated[Moment, Field(description="When the record at that position was made")]
    projected_at: Annotated[
        Moment, Field(description="When this read side last confirmed that it holds everything up to there")
    ]


class Contributed(Answer):
    """Contributions received."""

    employer: Rupiah
    worker: Rupiah
    total: Rupiah


class LastContribution(Answer):
    """The newest month with money."""

    month: Month
    paid_on: Day
    npp: Payer


class YearRates(Answer):
    """The declared rates of a year, of each sub-account."""

    year: Annotated[int, Field(examples=[2025])]
    utama: Rate
    tambahan: Rate


class Estimate(Answer):
    """What came on top since the last declared year, if the provisional rate stays: never part of the balance."""

    amount: Rupiah
    rate: Rate
    until: Annotated[Month, Field(description="Counted up to the end of this month")]


class Yield(Answer):
    """What the savings earned, by this project's model (`policy`) of a rule that the agency does not publish."""

    credited: Annotated[
        Rupiah, Field(description="In the balance: of declared years, and brought by an opening balance")
    ]
    brought: Annotated[Rupiah, Field(description="The part of `credited` that an opening balance brought")]
    estimated: Annotated[Estimate | None, Field(description="null where no provisional rate is in force")]
    policy: Policy
    rates: Annotated[list[YearRates], Field(description="The declared years that are in `credited`")]


class MergedCard(Answer):
    """A card of a group, and the card it points to."""

    kpj: CardNumber
    balance: Rupiah
    into: Annotated[CardNumber | None, Field(description="null for the card that the others lead to")]


class Merged(Answer):
    """The cards of one person that are merged: each keeps its money and its yield, `balance` is their sum."""

    into: Annotated[CardNumber, Field(description="The card that the others lead to")]
    balance: Rupiah
    cards: list[MergedCard]


class Balance(Answer):
    """One card's savings: contributions + yield credited, less what was paid out."""

    kpj: CardNumber
    segment: Segment
    status: Status
    balance: Rupiah
    contributed: Contributed
    yield_: Annotated[Yield, Field(alias="yield")]
    months_contributed: Annotated[int, Field(examples=[14])]
    last_contribution: LastContribution | None
    reason: NoMoney
    group: Annotated[Merged | None, Field(description="null for a card that is not merged with another")]
    as_of: AsOf


class Part(Answer):
    """Money in the year it was paid in: `product` = amount x `months`, the months from the one after it came."""

    type: Annotated[str, OneOf(LINE_TYPES)]
    month: Month
    paid_on: Day
    npp: Payer
    amount: Rupiah
    months: Annotated[int, Field(ge=0, le=11, examples=[1])]
    product: Annotated[int, Field(description="Rupiah times months; of a `base` the base itself", examples=[285_000])]


class Worked(Answer):
    """A year: earned = rate x max(0, months x opening + the sum of the products) / 12, a half up; closing = opening + the
    amounts + earned."""

    year: Annotated[int, Field(examples=[2025])]
    opening: Rupiah
    parts: list[Part]
    months: Annotated[int, Field(ge=1, le=12, examples=[12])]
    rate: Rate | None
    kind: Annotated[str, OneOf(RATE_KINDS)]
    earned: Rupiah
    closing: Rupiah


class AccountWorked(Answer):
    """One sub-account; `epoch` is 0 until a full claim settles a card."""

    epoch: Annotated[int, Field(ge=0, examples=[0])]
    sub_account: Annotated[str, OneOf(SUB_ACCOUNTS)]
    years: list[Worked]


class Explained(Answer):
    """A balance and its working, line by line: a pocket calculator gives the same rupiah."""

    balance: Balance
    accounts: list[AccountWorked]


class Cause(Answer):
    """One reason why two answers differ, with its amount. What it is not about is null."""

    cause: Annotated[str, OneOf(CAUSES)]
    detail: Annotated[str, Field(examples=["Hasil pengembangan 2025 ditetapkan pada 2026-04-01: Rp570.000."])]
    detail_en: Annotated[str, Field(examples=["The yield of 2025 was declared on 2026-04-01: Rp570.000."])]
    amount: Annotated[Rupiah, Field(description="money + yield")]
    money: Annotated[Rupiah, Field(description="Contributions, and what an opening balance brought")]
    yield_: Annotated[Rupiah, Field(alias="yield", description="Yield of declared years")]
    year: Annotated[int | None, Field(description="Of a declared yield", examples=[2025])]
    month: Annotated[Month | None, Field(examples=["2025-11"])]
    paid_on: Annotated[Day | None, Field(examples=["2025-12-20"])]
    recorded_at: Annotated[Moment | None, Field(examples=["2026-05-05T03:00:00.000000Z"])]
    position: Annotated[Position | None, Field(examples=["3f9c2a1b7d04e586-48211"])]


class Difference(Answer):
    """Two answers about a card. then.balance + the amounts of the causes = now.balance."""

    then: Balance
    now: Balance
    difference: Annotated[Rupiah, Field(description="now.balance - then.balance")]
    causes: Annotated[
        list[Cause],
        Field(
            description="What was recorded in between, in the order of the log; then what the days in between brought"
        ),
    ]


class SchemeParts(Answer):
    """Where the contributions of all cards came from."""

    employers: Contributed
    participants: Annotated[Contributed, Field(description="Paid by participants for themselves")]
    openings: Annotated[Contributed, Field(description="Inside opening balances")]


class Totals(Answer):
    """What all cards hold, or what one employer has paid. Yield belongs to no employer, and is null there."""

    npp: Payer
    contributed: Contributed
    parts: Annotated[SchemeParts | None, Field(description="Of the scheme; they add up to `contributed`")]
    yield_credited: Annotated[
        Rupiah | None, Field(description="Of declared years, and brought by opening balances; rounded card by card")
    ]
    balance: Annotated[Rupiah | None, Field(description="contributed + yield credited: the sum of all cards' balances")]
    months_contributed: Annotated[int, Field(examples=[14])]
    as_of: AsOf


class PersonBalance(Answer):
    """All cards of one person; `balance` is the sum of the cards'."""

    person: Annotated[str, shaped("^[0-9a-f]{32}$"), Field(examples=["5a0c7e1f93b24d68a1c4e0f7b2d9836c"])]
    balance: Rupiah
    contributed: Contributed
    yield_: Annotated[Yield, Field(alias="yield")]
    accounts: list[Balance]
    reason: NoMoney
    as_of: AsOf


class Entry(Answer):
    """One line of a statement: posted, released (out of suspense), reversed (negative) or opening."""

    type: EntryType
    kind: Kind
    month: Month
    paid_on: Day
    npp: Payer
    wage: Rupiah
    back_pay: Rupiah
    employer: Rupiah
    worker: Rupiah
    yield_credited: Rupiah
    total: Rupiah
    months: Annotated[int, Field(description="Months of contribution it adds", examples=[1])]
    reference: Reference
    recorded_at: Moment
    position: Position


class Entries(Answer):
    """A page of a card's statement, newest month first."""

    kpj: CardNumber
    entries: list[Entry]
    next: Next
    as_of: AsOf


class Waiting(Answer):
    """Money received that waits: for which card and month, why, and for how many days."""

    kpj: CardNumber
    npp: Payer
    month: Month
    kind: Kind
    paid_on: Day
    employer: Rupiah
    worker: Rupiah
    total: Rupiah
    reason: SuspenseReason
    detail: Sentence
    recorded_at: Moment
    age_days: Annotated[int, Field(ge=0, examples=[7])]
    remittance: Annotated[
        str,
        shaped(r"^remittance-(e:[0-9]{8}|p:[0-9A-Z]{5,12}):\d{4}-\d\d$"),
        Field(description="What a reversal calls it by", examples=["remittance-e:10000001:2026-10"]),
    ]


class Suspense(Answer):
    """A page of waiting lines, oldest first."""

    lines: list[Waiting]
    next: Next
    position: Position


class Health(Answer):
    """Whether this process lives, and whether it can answer truthfully: `checks` by name, `ok` or a code."""

    status: Literal["ok", "unavailable"]
    checks: Annotated[dict[str, str], Field(examples=[{"log": "ok", "access": "ok", "read-side": "ok"}])]


class Problem(Answer):
    """What a caller gets instead of an answer (RFC 9457). Programs read `code`, people `detail`."""

    type: Annotated[str, Field(description="The code as an address", json_schema_extra={"format": "uri"})]
    title: str
    status: Annotated[int, Field(ge=400, le=599)]
    code: Code
    detail: Annotated[str, Field(description="What to do, in the language asked for")]
    detail_en: Annotated[str, Field(description="The same in English")]
    line: Annotated[int, Field(description="Of the body, where it names one")] = 0
    column: Annotated[str, Field(description="Of the body, where it names one")] = ""
    request_id: Annotated[str, Field(description="Finds the request in the service's log")] = ""


def moment_text(text: str) -> str:
    """A moment of any ISO form as all of them leave."""
    return datetime.fromisoformat(text).astimezone(UTC).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


def as_of_fields(log_id: str, row: BalanceRow, day: date) -> dict[str, Any]:
    """The fields of `AsOf`."""
    return {
        "date": day.isoformat(),
        "position": position_text(log_id, row.position),
        "recorded_at": row.recorded_at,
        "projected_at": row.projected_at,
    }


def as_of(log_id: str, row: BalanceRow, day: date) -> AsOf:
    """What an answer from a row knows."""
    return AsOf.model_validate(as_of_fields(log_id, row, day))


def balance_fields(log_id: str, row: BalanceRow, day: date, group: Group | None = None) -> dict[str, Any]:
    """The fields of `Balance`: what a short route sends as it is. `group`: of a row that is `grouped`."""
    last = row.last
    return {
        "kpj": row.kpj,
        "segment": row.segment,
        "status": row.status,
        "balance": row.total,
        "contributed": {"employer": row.employer, "worker": row.worker, "total": row.employer + row.worker},
        "yield": _yield_fields(row.credited, row.brought, row.estimated, row.terms),
        "months_contributed": row.months,
        "last_contribution": None
        if last is None
        else {"month": last.month, "paid_on": last.paid_on, "npp": last.npp or None},
        "reason": no_money(row),
        "group": None if group is None else group_fields(group),
        "as_of": as_of_fields(log_id, row, day),
    }


def group_fields(group: Group, form: Callable[[str], str] = str) -> dict[str, Any]:
    """The fields of `Merged`; `form`: how a card number leaves."""
    return {
        "into": form(kpj_of(group.into)),
        "balance": group.total,
        "cards": [
            {
                "kpj": form(row.kpj),
                "balance": row.total,
                "into": form(kpj_of(group.pointers[row.card])) if row.card in group.pointers else None,
            }
            for row in group.rows
        ],
    }


def yield_fields(rows: Sequence[BalanceRow]) -> dict[str, Any]:
    """The fields of `Yield` of cards that were read on one day, at least one, added up."""
    estimates = [row.estimated for row in rows if row.estimated is not None]
    return _yield_fields(
        sum(row.credited for row in rows),
        sum(row.brought for row in rows),
        sum(estimates) if estimates else None,
        rows[0].terms,
    )


def _yield_fields(credited: int, brought: int, estimated: int | None, terms: Terms) -> dict[str, Any]:
    return {
        "credited": credited,
        "brought": brought,
        "estimated": None
        if estimated is None
        else {"amount": estimated, "rate": terms.provisional, "until": f"{terms.year}-{terms.month:02d}"},
        "policy": POLICY,
        "rates": _rates(terms.first_year, terms.declared),
    }


@lru_cache(64)
def _rates(first: int, declared: tuple[tuple[int, int], ...]) -> msgspec.Raw:
    """The declared rates as JSON: everybody's balance of a day has the same ones."""
    rates = [{"year": year, "utama": one, "tambahan": two} for year, (one, two) in enumerate(declared, first)]
    return msgspec.Raw(msgspec.json.encode(rates))


def difference_fields(
    log_id: str, found: Between, days: tuple[date, date], groups: tuple[Group | None, Group | None], language: str
) -> dict[str, Any]:
    """The fields of `Difference`: day and group of the earlier answer, then of the later one."""
    return {
        "then": balance_fields(log_id, found.then, days[0], groups[0]),
        "now": balance_fields(log_id, found.now, days[1], groups[1]),
        "difference": found.now.total - found.then.total,
        "causes": [
            {
                "cause": one.cause,
                "detail": one.say(language),
                "detail_en": one.say("en"),
                "amount": one.amount,
                "money": one.money,
                "yield": one.earned,
                "year": one.year or None,
                "month": one.month or None,
                "paid_on": one.paid_on or None,
                "recorded_at": one.recorded_at or None,
                "position": position_text(log_id, one.position) if one.position else None,
            }
            for one in found.causes
        ],
    }


def totals_fields(position: str, found: Sums, day: date, npp: str) -> dict[str, Any]:
    """The fields of `Totals`; `npp`: "" for the scheme's."""

    def contributed(shares: Shares) -> dict[str, int]:
        return {"employer": shares.employer, "worker": shares.worker, "total": shares.total}

    every, credited = found.contributed, found.credited
    parts = {name: contributed(getattr(found, name)) for name in ("employers", "participants", "openings")}
    return {
        "npp": npp or None,
        "contributed": contributed(every),
        "parts": None if npp else parts,
        "yield_credited": credited,
        "balance": None if credited is None else every.total + credited,
        "months_contributed": every.months,
        "as_of": {
            "date": day.isoformat(),
            "position": position,
            "recorded_at": found.reached[1],
            "projected_at": found.reached[2],
        },
    }


def no_money(row: BalanceRow) -> Literal["no-contribution-yet"] | None:
    """The reason of a balance that is 0 because no contribution ever came."""
    return "no-contribution-yet" if row.last is None and not row.total else None
