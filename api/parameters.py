"""What a caller may add to an address or a header: one query model a route, paging by inheritance, all of them strict.

A parameter that is ignored answers another question, so unknown ones are refused by the models, and doubled ones (of
which FastAPI would take the last) before any route sees them. Refusals carry a code and what was expected, never the
value.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from datetime import date
from typing import Annotated, Any, LiteralString
from urllib.parse import parse_qsl

import msgspec
from fastapi import Header, Path, Query
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, WithJsonSchema, WrapValidator
from pydantic.json_schema import SkipJsonSchema
from pydantic_core import PydanticCustomError
from starlette.types import ASGIApp, Receive, Scope, Send

from api.problems import shown_name
from api.schemas import CURSOR, HANDLE, POSITION, OneOf
from api.statement.forms import FORMS, LANGUAGES
from ledger.decisions.remittance import CORRECTION_REASONS
from ledger.errors import Refused
from ledger.identifiers import clean_kpj, clean_npp
from ledger.simulation import GROWTH, INFLATION
from ledger.store.known_at import KnownAt
from projections.outlook import Wish
from projections.statement import Period, period_of

MOST_ROWS = 500
PROGRAMS = ("/v1/", "/livez", "/readyz", "/metrics")
"""Addresses whose parameters are strict; pages and gateways read their own."""


class SingleParameters:
    """ASGI: refuse a query string that names a parameter twice or is no UTF-8."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["query_string"] and scope["path"].startswith(PROGRAMS):
            refuse_doubled(scope["query_string"])
        await self.app(scope, receive, send)


def refuse_doubled(query: bytes) -> None:
    """Raises Refused(parameter-unreadable)."""
    try:
        pairs = parse_qsl(query.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=20)
    except ValueError:
        raise Refused("parameter-unreadable", name="query", expected="name=value&...") from None
    names = [name for name, _ in pairs]
    for name in names:
        if names.count(name) > 1:
            raise Refused("parameter-unreadable", name=shown_name(name), expected="once")


def refused_as(code: LiteralString, **details: str | int) -> WrapValidator:
    """Refuse whatever the type refuses with one code; the refused value is not among the details."""

    def check(value: Any, validate: Callable[[Any], Any]) -> Any:
        try:
            return validate(value)
        except ValidationError:
            raise PydanticCustomError(code, "", details) from None

    return WrapValidator(check)


def _day(text: object) -> date:
    try:
        day = date.fromisoformat(text) if isinstance(text, str) and len(text) == 10 else None
    except ValueError:
        day = None
    if day is None or day.isoformat() != text:
        raise PydanticCustomError("parameter-unreadable", "", {"expected": "YYYY-MM-DD"})
    return day


def _flag(text: object) -> bool:
    if text not in {"true", "false"}:
        raise PydanticCustomError("parameter-unreadable", "", {"expected": "true, false"})
    return text == "true"


def _kpj(text: object) -> str:
    kpj = clean_kpj(str(text))
    if kpj is None:
        raise PydanticCustomError("kpj-unreadable", "")
    return kpj


def _npp(text: object) -> int:
    npp = clean_npp(str(text))
    if npp is None:
        raise PydanticCustomError("npp-unreadable", "")
    return int(npp)


Kpj = Annotated[
    str,
    BeforeValidator(_kpj),
    WithJsonSchema({"type": "string", "pattern": "^[0-9A-Z]{5,12}$"}),
]
"""A membership card's number, cleaned."""
KpjPath = Annotated[Kpj, Path(description="Membership card number", examples=["26000000017"])]
CodePath = Annotated[
    str,
    Path(
        description="An answer code, as it is printed or typed",
        max_length=200,
        examples=["7K3M-9QZX-1VTB-C4HD-0W8N-PR5E-AJ2Y-6GF"],
    ),
    refused_as("answer-code-unknown"),
]
PersonPath = Annotated[
    str,
    Path(description="Person id", pattern="^[0-9a-f]{32}$", examples=["5a0c7e1f93b24d68a1c4e0f7b2d9836c"]),
    refused_as("parameter-unreadable", expected="[0-9a-f]{32}"),
]
HandlePath = Annotated[
    str,
    Path(
        description="A card's `handle`, from the list of cards",
        examples=["u0b7Wf0aTz2nCq5m8xKd1g"],
        json_schema_extra={"pattern": HANDLE},
    ),
]
Why = Annotated[
    str,
    Header(
        alias="X-Reason",
        description="Why it is read: a short code for the access record",
        pattern="^([a-z][a-z-]{0,39})?$",
        examples=["counter-visit"],
    ),
    refused_as("parameter-unreadable", expected="[a-z][a-z-]{0,39}"),
]
IdempotencyKey = Annotated[
    Annotated[str, Field(min_length=1, max_length=200, pattern="^[!-~]+$")] | SkipJsonSchema[None],
    Header(
        alias="Idempotency-Key",
        description="The same key with the same body is answered the same for ever; with another body it is refused",
    ),
    refused_as("idempotency-key-unreadable"),
]


class Parameters(BaseModel):
    """A query string without parameters."""

    model_config = ConfigDict(extra="forbid", frozen=True)


NoParameters = Annotated[Parameters, Query()]
"""The parameter of a route that takes none."""


class Awaited(Parameters):
    """Of a read."""

    min_position: Annotated[str, Field(min_length=1), refused_as("position-unreadable")] = Field(
        "",
        description="Wait until the read side has reached this position (from a receipt)",
        examples=["3f9c2a1b7d04e586-48211"],
        json_schema_extra={"pattern": POSITION},
    )


Limit = Annotated[
    int,
    Field(ge=1, le=MOST_ROWS, description="Rows a page"),
    refused_as("parameter-unreadable", expected=f"1..{MOST_ROWS}"),
]


class Paged(Parameters):
    """Of a listing."""

    limit: Limit = 100
    cursor: Annotated[str, Field(min_length=1), refused_as("parameter-unreadable", expected="next")] = Field(
        "", description="`next` of the page before", json_schema_extra={"pattern": CURSOR}
    )

    def after(self, width: int) -> tuple[int, ...] | None:
        """The key in `cursor`, `width` numbers, or None. Raises Refused(parameter-unreadable)."""
        if not self.cursor:
            return None
        text = self.cursor[:200]
        try:
            key = msgspec.json.decode(
                base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True), type=list[int]
            )
        except (binascii.Error, ValueError, msgspec.DecodeError):
            key = []
        if len(key) != width or not all(-(2**62) < part < 2**62 for part in key):
            raise Refused("parameter-unreadable", name="cursor", expected="next")
        return tuple(key)


class MobilePaged(Paged):
    """Of a listing on a small screen."""

    limit: Limit = 25


class PastQuery(Awaited):
    """Of a balance, now or at an earlier day."""

    as_of: Annotated[
        date | SkipJsonSchema[None],
        Field(
            description="Money paid up to the end of this day (Asia/Jakarta); today when absent",
            examples=["2026-11-21"],
        ),
        BeforeValidator(_day),
    ] = None

    def past_day(self, present: date) -> date | None:
        """`as_of` when it names an earlier day than today, None for now. Raises Refused(as-of-in-future)."""
        if self.as_of is not None and self.as_of > present:
            raise Refused("as-of-in-future")
        return None if self.as_of == present else self.as_of


class BalanceQuery(PastQuery):
    """Of a balance, or of what it is made of, as it is known now or as it was known then."""

    known_at: Annotated[str, Field(min_length=1, max_length=60), refused_as("known-at-unreadable")] = Field(
        "",
        description="By what had been recorded up to here: a position out of an earlier answer, or a moment with its zone; "
        "where `as_of` is absent, at the end of the day of that moment. Such an answer is the same for ever",
        examples=["2026-02-10T15:30:00+07:00"],
    )

    def day(self, present: date, known: KnownAt | None) -> date:
        """The day that is asked for."""
        return self.as_of or (present if known is None else known.day)

    def asked_day(self, present: date) -> date | None:
        """`past_day`; beside a `known_at` today is a day like any other. Raises Refused(as-of-in-future)."""
        day = self.past_day(present)
        return self.as_of if self.known_at else day


class DifferenceQuery(Awaited):
    """Of two answers about a card."""

    as_of: Annotated[
        date | SkipJsonSchema[None],
        Field(description="The day of the earlier answer; that of `known_at` when absent", examples=["2026-02-10"]),
        BeforeValidator(_day),
    ] = None
    known_at: Annotated[str, Field(min_length=1, max_length=60), refused_as("known-at-unreadable")] = Field(
        description="What the earlier answer knew: its position, or a moment with its zone",
        examples=["2026-02-10T15:30:00+07:00"],
    )
    until_as_of: Annotated[
        date | SkipJsonSchema[None],
        Field(description="The day of the later answer; today, or that of `until_known_at`, when absent"),
        BeforeValidator(_day),
    ] = None
    until_known_at: Annotated[str, Field(min_length=1, max_length=60), refused_as("known-at-unreadable")] = Field(
        "", description="What the later answer knew; everything that is known now when absent"
    )


class MonthsQuery(Awaited):
    """Of a card's months."""

    year: Annotated[
        int | SkipJsonSchema[None],
        Field(ge=1970, le=2200, description="Only this year; all of them when absent", examples=[2026]),
        refused_as("parameter-unreadable", expected="YYYY"),
    ] = None


class PastMonthsQuery(BalanceQuery, MonthsQuery):
    """Of a card's months, as they are known now or as they were known then."""


class StatementQuery(Awaited):
    """Of a statement of a period."""

    year: Annotated[
        int | SkipJsonSchema[None],
        Field(ge=1970, le=2200, description="This calendar year; else give `from` and `to`", examples=[2025]),
        refused_as("parameter-unreadable", expected="YYYY"),
    ] = None
    since: Annotated[
        date | SkipJsonSchema[None],
        Field(alias="from", description="The first day", examples=["2025-01-01"]),
        BeforeValidator(_day),
    ] = None
    until: Annotated[
        date | SkipJsonSchema[None],
        Field(alias="to", description="The last day", examples=["2025-12-31"]),
        BeforeValidator(_day),
    ] = None
    form: Annotated[
        Annotated[str, OneOf(FORMS)],
        Field(alias="format", description="JSON, or a file"),
        refused_as("parameter-unreadable", expected=", ".join(FORMS)),
    ] = FORMS[0]
    lang: Annotated[
        Annotated[str, OneOf(LANGUAGES)] | SkipJsonSchema[None],
        Field(description="Language of the file; as `Accept-Language` when absent"),
        refused_as("parameter-unreadable", expected=", ".join(LANGUAGES)),
    ] = None

    def period(self, today: date) -> Period:
        """The days that were asked for.

        Raises Refused: statement-period-unclear, statement-year-ahead, statement-ahead, statement-ends-early.
        """
        return period_of(self.year, self.since, self.until, today)


class PastStatementQuery(BalanceQuery, StatementQuery):
    """Of a statement, as it is known now or as it was known then."""


Assumed = Annotated[int, refused_as("parameter-unreadable", expected="0, 1, 2, ...")]


class SimulationQuery(Awaited):
    """Of what a card may become; ranges are refused by the model itself, with one code for every door."""

    years: Annotated[
        Assumed | SkipJsonSchema[None],
        Field(description="How many years ahead, 1 to 60; 10 when absent", examples=[20]),
    ] = None
    monthly: Annotated[
        Assumed | SkipJsonSchema[None],
        Field(description="A month's contribution in rupiah; the newest regular one when absent", examples=[285_000]),
    ] = None
    growth: Annotated[
        Assumed, Field(description="Growth of the contribution, parts per million a year, at most 20 %")
    ] = GROWTH
    rate: Annotated[
        Assumed | SkipJsonSchema[None],
        Field(description="Rate of yield, parts per million a year, at most 20 %; the provisional one when absent"),
    ] = None
    inflation: Annotated[Assumed, Field(description="How fast prices rise, parts per million a year, at most 20 %")] = (
        INFLATION
    )

    def wish(self) -> Wish:
        """What is asked for."""
        return Wish(**self.model_dump(exclude={"min_position"}))


class MobileSimulationQuery(SimulationQuery):
    """The same for the holder, whose birth date may be used."""

    age: Annotated[
        Assumed | SkipJsonSchema[None],
        Field(description="Until this birthday, 56 to 80; the 56th when neither it nor `years` is said", examples=[56]),
    ] = None


class EntriesQuery(Paged, BalanceQuery):
    """Of a statement."""


class MobileEntriesQuery(MobilePaged, BalanceQuery):
    """Of a statement on a small screen."""


Npp = Annotated[
    int | SkipJsonSchema[None],
    Field(description="Only of this payer", examples=["10000001"]),
    BeforeValidator(_npp),
    WithJsonSchema({"type": "string", "pattern": "^[0-9]{8}$"}),
]


class SuspenseQuery(Paged):
    """Of the waiting lines."""

    npp: Npp = None


class TotalsQuery(BalanceQuery):
    """Of totals."""

    npp: Npp = None


class WriteQuery(Parameters):
    """Of a write."""

    dry_run: Annotated[
        bool,
        Field(description="Decide everything and write nothing"),
        BeforeValidator(_flag),
    ] = False


CorrectionReason = Annotated[
    str, OneOf(CORRECTION_REASONS), refused_as("reason-unknown", known=", ".join(CORRECTION_REASONS))
]
"""Why money is corrected or taken back."""


class CorrectingQuery(WriteQuery):
    """Of an upload that may correct what stands."""

    reason: Annotated[
        CorrectionReason | SkipJsonSchema[None],
        Field(
            description="Why, when lines have the kind `correction` or opening balances are replaced; needs the scope "
            "`correct`"
        ),
    ] = None


class OpeningsQuery(CorrectingQuery):
    """Of an upload of opening balances."""

    replace: Annotated[
        bool,
        Field(
            description="Opening balances with other content take the place of those recorded; needs a reason and the "
            "scope `correct`"
        ),
        BeforeValidator(_flag),
    ] = False


def cursor_text(key: tuple[int, ...]) -> str:
    """An opaque cursor that stands after a row's key."""
    return base64.urlsafe_b64encode(msgspec.json.encode(key)).rstrip(b"=").decode()
