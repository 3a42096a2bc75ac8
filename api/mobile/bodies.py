"""What an app sends and gets. What is left out is empty, zero or the usual; KPJ, e-mail and phone leave masked."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec
from msgspec import UNSET, Struct, UnsetType
from starlette.requests import Request

from api.request_body import spooled
from api.schemas import AsOf, LastContribution
from api.v1.accounts import parameter
from ledger.errors import Refused

MOST_BYTES = 4_096
T = TypeVar("T", bound=Struct)


class LogIn(Struct, frozen=True, forbid_unknown_fields=True):
    """`identifier`: e-mail, NIK or KPJ; `device`: what the member calls the device."""

    identifier: str
    password: str
    device: str = ""


class Renew(Struct, frozen=True, forbid_unknown_fields=True):
    """The refresh token of before."""

    refresh_token: str


class LinkCard(Struct, frozen=True, forbid_unknown_fields=True):
    """The number on another card of the same person."""

    kpj: str


class MobileTokens(Struct, frozen=True):
    """`expires_in`: the access token's seconds. The refresh token can be used once and is followed by another."""

    access_token: str
    token_type: str
    expires_in: int
    refresh_token: str


class CardProblem(Struct, frozen=True):
    """Why a card's balance cannot be told now."""

    code: str
    detail: str


class MobileCard(Struct, frozen=True):
    """A card: `balance` in whole rupiah, or the `problem` that it cannot be told; never a zero that is not known."""

    handle: str
    kpj: str
    segment: str | UnsetType = UNSET
    status: str | UnsetType = UNSET
    balance: int | UnsetType = UNSET
    reason: str | UnsetType = UNSET
    problem: CardProblem | UnsetType = UNSET


class MobileCards(Struct, frozen=True):
    """A member's cards and their sum; no sum and no date where a card's balance cannot be told."""

    cards: list[MobileCard]
    balance: int | UnsetType = UNSET
    as_of: AsOf | UnsetType = UNSET


class LinkedCard(Struct, frozen=True):
    """A card that is shown from now on."""

    handle: str
    kpj: str


class MobileBalance(Struct, frozen=True):
    """One card's savings, whole rupiah: `balance` = `employer` + `worker` + `yield_credited`, less what was paid out."""

    kpj: str
    segment: str
    status: str
    balance: int
    employer: int
    worker: int
    yield_credited: int
    months: int
    last: LastContribution | None
    as_of: AsOf
    reason: str | UnsetType = UNSET


class MobileEntry(Struct, frozen=True):
    """A line of a statement; `npp` null when the participant paid, `kind` absent when regular."""

    type: str
    month: str
    paid_on: str
    npp: str | None
    wage: int
    employer: int
    worker: int
    total: int
    kind: str | UnsetType = UNSET
    back_pay: int | UnsetType = UNSET
    yield_credited: int | UnsetType = UNSET


class MobileEntries(Struct, frozen=True):
    """A page of a statement, newest month first; `next` is the cursor of the next page, null at the end."""

    kpj: str
    entries: list[MobileEntry]
    next: str | None
    as_of: AsOf


class MobileDevice(Struct, frozen=True):
    """Where the member is logged in; times are ISO UTC, `this`: the device that asks."""

    name: str
    since: str
    used_at: str
    this: bool


class Me(Struct, frozen=True):
    """Who the member is; `language`: of this answer's sentences."""

    name: str
    email: str | None
    phone: str | None
    segment: str
    language: str
    devices: list[MobileDevice]


class Access(Struct, frozen=True):
    """One read of the member's data: `by` member, sms, office, employer or partner; `what` a masked KPJ or `person`."""

    at: str
    by: str
    channel: str
    why: str
    what: str


class AccessLog(Struct, frozen=True):
    """A page of who looked, newest first; `next` is the cursor of the next page, null at the end."""

    reads: list[Access]
    next: str | None


BODIES: tuple[type[Struct], ...] = (
    LogIn, Renew, LinkCard, MobileTokens, MobileCards, LinkedCard, MobileBalance, MobileEntries, Me, AccessLog,
)  # fmt: skip
"""For OpenAPI's `components.schemas`."""


async def read(request: Request, kind: type[T]) -> T:
    """The body of a request.

    Raises Refused: content-type-unknown, body-too-large, json-unreadable, request-invalid (naming the fields only).
    """
    body = await spooled(request, MOST_BYTES, ("application/json",))
    try:
        return msgspec.json.decode(body.bytes(), type=kind)
    except msgspec.ValidationError:
        raise Refused("request-invalid", what=", ".join(kind.__struct_fields__)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Refused("json-unreadable") from None
    finally:
        body.close()


OWN_PROBLEMS = ("login-missing", "login-over", "store-failed", "internal")
READ_PROBLEMS = (
    *OWN_PROBLEMS, "parameter-unreadable", "parameter-unknown", "read-side-stale", "read-side-empty", "log-restored",
    "record-unavailable",
)  # fmt: skip
SENT_PROBLEMS = ("content-type-unknown", "body-too-large", "json-unreadable", "request-invalid")
LANGUAGE = parameter("Accept-Language", "`id` (default) or `en`", {"type": "string"}, "id", "header")
HANDLE = parameter("handle", "A card's `handle`", {"type": "string"}, "u0b7Wf0aTz2nCq5m8xKd1g", "path")


def sent(kind: type[Struct], example: dict[str, Any]) -> dict[str, Any]:
    """An OpenAPI request body."""
    schema = {"$ref": f"#/components/schemas/{kind.__name__}"}
    return {"required": True, "content": {"application/json": {"schema": schema, "example": example}}}
