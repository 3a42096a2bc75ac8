"""What an app sends, and the answers that only apps get; balances and statements are those of `api.schemas`.

KPJ, e-mail and phone leave masked.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from api.access.passwords import LONGEST
from api.access.tokens import ACCESS, IDLE, RETRY
from api.access.tokens import LONGEST as LONGEST_LOGIN
from api.parameters import Kpj
from api.schemas import (
    CHANNELS,
    READERS,
    Answer,
    AsOf,
    CardNumber,
    Code,
    Handle,
    Moment,
    Month,
    Next,
    NoMoney,
    OneOf,
    Rupiah,
    Segment,
    Sentence,
    Status,
    shaped,
)
from ledger.members.state import EMAIL, NOTICES, PHONE

LONGEST_NAME = 60
"""Letters of a device's name."""
_TOKEN = "eyJ0eXAiOiJhdCtqd3QiLCJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqaHQtbGVkZ2VyIn0.c2lnbmF0dXJl"  # noqa: S105
_REFRESH = "jhtr_q0sVn3kYt7h1xWb5Zc9d2A.0123456789abcdefghijklmnopqrstuvwxyzABCDEFG"
_SECONDS = int(ACCESS.total_seconds())

RefreshToken = Annotated[
    str,
    Field(
        description=f"Good once, for {IDLE.days} days; a login ends after {LONGEST_LOGIN.days} days at the latest. Sent "
        f"again within {int(RETRY.total_seconds())} seconds it is answered the same",
        max_length=1_024,
        examples=[_REFRESH],
    ),
]


class Sent(BaseModel):
    """A body."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class LogIn(Sent):
    """A member's login on a device."""

    identifier: Annotated[str, Field(description="E-mail, NIK or KPJ", max_length=254, examples=["budi@contoh.id"])]
    password: Annotated[str, Field(json_schema_extra={"maxLength": LONGEST}, examples=["kuda-lumping-1990"])]
    device: Annotated[
        str,
        Field(
            description=f"What the member calls the device; {LONGEST_NAME} letters are kept", examples=["HP Budi"]
        ),
    ] = ""  # fmt: skip


class Renew(Sent):
    """The refresh token of before."""

    refresh_token: RefreshToken


class LinkCard(Sent):
    """Another card of the same person: exactly one of the number on it and the handle of an offered one."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"kpj": "26000000025"}, {"offer": "u0b7Wf0aTz2nCq5m8xKd1g"}],
            "oneOf": [
                {"type": "object", "properties": {name: {"type": "string"}}, "required": [name]}
                for name in ("kpj", "offer")
            ],
        }
    )

    kpj: Annotated[Kpj | None, Field(examples=["26000000025"])] = None
    offer: Annotated[
        Handle | None, Field(description="`handle` of a card in `offered`", examples=["u0b7Wf0aTz2nCq5m8xKd1g"])
    ] = None

    @model_validator(mode="before")
    @classmethod
    def _one(cls, given: Any) -> Any:
        if isinstance(given, dict) and (given.get("kpj") is None) == (given.get("offer") is None):
            raise PydanticCustomError("request-invalid", "", {"what": "kpj | offer"})
        return given


Told = Annotated[
    list[Annotated[str, OneOf(NOTICES)]],
    Field(
        description="`posted`: a contribution was posted; `missing`: a month has not come after its due day",
        max_length=len(NOTICES), examples=[["posted", "missing"]],
    ),
]  # fmt: skip


class ChooseNotices(Sent):
    """Of what to be told without asking."""

    mail: Told
    sms: Told


class AskContact(Sent):
    """Another contact on file: an e-mail address, or a mobile number of Indonesia."""

    contact: Annotated[str, Field(max_length=254, examples=["baru@contoh.id"])]
    password: Annotated[
        str,
        Field(description="The member's own", json_schema_extra={"maxLength": LONGEST}, examples=["kuda-lumping-1990"]),
    ]


class AnswerNumber(Sent):
    """A number that a phone was told for a contact that waits."""

    asked: Annotated[int, Field(description="Of the contact in `waiting`", ge=1, le=10**9, examples=[7])]
    number: Annotated[
        str, Field(description="Eight digits, blanks do not count", max_length=32, examples=["1234 5678"])
    ]


class Tokens(Answer):
    """What a device shows from now on."""

    access_token: Annotated[
        str, shaped(r"^[\w-]+\.[\w-]+\.[\w-]+$"), Field(description=f"Good for {_SECONDS} seconds", examples=[_TOKEN])
    ]
    token_type: Literal["Bearer"]
    expires_in: Annotated[int, Field(description="The access token's seconds", examples=[_SECONDS])]
    refresh_token: RefreshToken


class CardProblem(Answer):
    """Why a card's balance cannot be told now."""

    code: Code
    detail: Sentence


class Card(Answer):
    """A card; what it holds is null where `problem` says why it cannot be told: never a zero that is not known."""

    handle: Handle
    kpj: CardNumber
    segment: Segment | None
    status: Status | None
    balance: Rupiah | None
    reason: NoMoney
    problem: CardProblem | None


class OfferedCard(Answer):
    """A card of the same person that is not shown yet; its `handle` adds it. `until`: the membership's last month."""

    handle: Handle
    kpj: CardNumber
    segment: Segment | None
    employer: Annotated[str | None, Field(examples=["PT Contoh Makmur"])]
    until: Annotated[Month | None, Field(examples=["2026-03"])]


class Cards(Answer):
    """A member's cards and their sum; no sum and no date where a card's balance cannot be told. `offered`: cards of the
    same person that are not among them."""

    cards: list[Card]
    offered: list[OfferedCard]
    balance: Rupiah | None
    as_of: AsOf | None


class LinkedCard(Answer):
    """A card that is shown from now on."""

    handle: Handle
    kpj: CardNumber


class Device(Answer):
    """Where the member is logged in; `this`: the device that asks."""

    name: Annotated[str, Field(examples=["HP Budi"], max_length=LONGEST_NAME)]
    since: Moment
    used_at: Moment
    this: bool


class Me(Answer):
    """Who the member is; `language`: of this answer's sentences."""

    name: Annotated[str, Field(examples=["Budi Santoso"])]
    email: Annotated[str | None, Field(examples=["b***i@contoh.id"])]
    phone: Annotated[str | None, Field(examples=["08**-****-*890"])]
    segment: Segment
    language: Literal["id", "en"]
    devices: list[Device]


class Access(Answer):
    """One read of the member's data."""

    at: Moment
    by: Annotated[str, OneOf(READERS)]
    channel: Annotated[str, OneOf(CHANNELS)]
    why: Annotated[str, shaped("^([a-z][a-z-]*)?$"), Field(description="A code, or empty", examples=["counter-visit"])]
    what: Annotated[
        str,
        shaped(r"^(\*{3}[0-9A-Z]{4}|person)$"),
        Field(description="A masked KPJ, or `person`", examples=["***0017"]),
    ]


class AccessLog(Answer):
    """A page of who looked, newest first."""

    reads: list[Access]
    next: Next


class WaitingContact(Answer):
    """A contact that the member asked for; `agreed`: a known contact agreed, and it has only to be proven."""

    asked: Annotated[int, Field(description="Names it when its number is sent", examples=[7])]
    what: Annotated[str, OneOf((EMAIL, PHONE))]
    contact: Annotated[str, Field(description="As it was asked for", examples=["baru@contoh.id"])]
    agreed: bool


class Contacts(Answer):
    """The contacts on file, masked, and those that wait, oldest first; `login`: the address that opens the access."""

    email: Annotated[str | None, Field(examples=["b***i@contoh.id"])]
    phone: Annotated[str | None, Field(examples=["08**-****-*890"])]
    login: Annotated[str | None, Field(examples=["b***i@contoh.id"])]
    waiting: list[WaitingContact]


class ContactAnswered(Answer):
    """What a number did; `replaced`: the contact stands on file now, else it was agreed to and has to be proven."""

    replaced: bool


class Notices(Answer):
    """Of what the member is told without asking; `phone`: whether a phone is linked, which SMS need."""

    mail: Told
    sms: Told
    phone: bool
