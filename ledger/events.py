"""The facts of the log, as they are stored for ever: frozen, past tense, what was decided, no running totals.

Each fact has a stored name with a version (`contributions-posted.v1`); `FACTS` is the whole list. Money is whole rupiah.
A month is `yyyy-mm`, a date `yyyy-mm-dd`. An absent key is the default. Three dates stay apart: the month money is FOR
(`month`), the day it was PAID (`paid_on`, its value date) and the moment it was RECORDED (the header).
A changed shape gets a new version beside the old one, and `codec.py` upgrades the old on reading.
"""

from __future__ import annotations

from typing import Annotated, ClassVar

from msgspec import Meta, Struct

Rupiah = Annotated[int, Meta(ge=0, le=2**63 - 1)]
Count = Annotated[int, Meta(ge=0, le=2**31 - 1)]
Month = Annotated[str, Meta(pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])$")]
Day = Annotated[str, Meta(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")]


class Fact(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """What happened; `NAME` is the stored name, never an import path."""

    NAME: ClassVar[str] = ""


class EmployerRegistered(Fact, frozen=True):
    """Stream `employer:<npp>`: an employer may remit contributions."""

    NAME: ClassVar[str] = "employer-registered.v1"
    npp: str
    name: str
    registered_on: Day


class PersonRegistered(Fact, frozen=True):
    """Stream `person:<id>`: identity and contact are sealed with the person's own key (`vault.py`)."""

    NAME: ClassVar[str] = "person-registered.v1"
    identity: str
    contact: str = ""


class PersonCorrected(Fact, frozen=True):
    """New sealed identity or contact; an absent one stays as it was."""

    NAME: ClassVar[str] = "person-corrected.v1"
    identity: str = ""
    contact: str = ""


class PersonErased(Fact, frozen=True):
    """The key was destroyed; nothing sealed for this person can be read again. `order`: a legal order's number."""

    NAME: ClassVar[str] = "person-erased.v1"
    order: str = ""


class AccountOpened(Fact, frozen=True):
    """Stream `account:<kpj>`: a card was issued to a person."""

    NAME: ClassVar[str] = "account-opened.v1"
    kpj: str
    person: str
    segment: str
    opened_on: Day
    legacy: bool = False


class MembershipStarted(Fact, frozen=True):
    """The card may receive money for months from `since` on: from employer `npp`, or from its holder (no npp)."""

    NAME: ClassVar[str] = "membership-started.v1"
    segment: str
    since: Month
    npp: str = ""


class MembershipEnded(Fact, frozen=True):
    """The membership covers months up to and including `until`."""

    NAME: ClassVar[str] = "membership-ended.v1"
    until: Month
    npp: str = ""


class SegmentChanged(Fact, frozen=True):
    """The holder's segment is another from `since` on."""

    NAME: ClassVar[str] = "segment-changed.v1"
    segment: str
    since: Month


class OpeningBalanceRecorded(Fact, frozen=True):
    """What an adopter's old system held for the card at a year's end, instead of decades of lines."""

    NAME: ClassVar[str] = "opening-balance-recorded.v1"
    as_of: Day
    employer: Rupiah = 0
    worker: Rupiah = 0
    credited_yield: Rupiah = 0
    months: Count = 0
    member_since: str = ""
    source: str = ""


class RuleIds(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Which rows of the rules decided the amounts."""

    rates: str
    rounding: str = "half-up.v1"
    split: str = "single.v1"


class Line(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """One worker's money in one remittance. `months` is 1 when the (payer, month, kpj) first turned positive."""

    kpj: str
    wage: Rupiah = 0
    back_pay: Rupiah = 0
    employer: Rupiah = 0
    worker: Rupiah = 0
    epoch: Count = 0
    tambahan: Rupiah = 0
    months: Annotated[int, Meta(ge=-1, le=1)] = 1


class SuspendedLine(Line, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A line that could not be posted, with the reason's code."""

    reason: str = ""


class ReleasedLine(Line, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A line posted out of suspense: it was line `line` (from 0) of the suspending event, version `event`."""

    event: Count = 0
    line: Count = 0


class ReversedLine(Line, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """A line neutralised: line `line` (from 0) of event version `event`, its shares repeated as they were posted.

    `held`: the line was still in suspense, so no balance changes. `months` is -1 when the month turns to nothing.
    """

    event: Count = 0
    line: Count = 0
    held: bool = False


class ContributionsPosted(Fact, frozen=True):
    """Up to 1,000 lines of one payer for one month, paid on one day under one reference."""

    NAME: ClassVar[str] = "contributions-posted.v1"
    month: Month
    paid_on: Day
    rules: RuleIds
    lines: list[Line]
    kind: str = "regular"
    reference: str = ""


class LinesSuspended(Fact, frozen=True):
    """Money received that nobody can be credited with yet; it waits with its paid date."""

    NAME: ClassVar[str] = "lines-suspended.v1"
    month: Month
    paid_on: Day
    lines: list[SuspendedLine]
    kind: str = "regular"
    reference: str = ""


class SuspenseReleased(Fact, frozen=True):
    """Suspended lines posted after all, with the month, kind and paid date they were suspended with."""

    NAME: ClassVar[str] = "suspense-released.v1"
    month: Month
    paid_on: Day
    rules: RuleIds
    lines: list[ReleasedLine]
    kind: str = "regular"
    reference: str = ""


class ContributionsReversed(Fact, frozen=True):
    """Lines of one month, kind and paid date neutralised; only `recorded_at` is new, so yield is neutral too."""

    NAME: ClassVar[str] = "contributions-reversed.v1"
    month: Month
    paid_on: Day
    lines: list[ReversedLine]
    kind: str = "regular"
    reference: str = ""


class RequestStarted(Fact, frozen=True):
    """Stream `request:<hash>`: a write with an idempotency key began; `hash` is the SHA-256 of its body."""

    NAME: ClassVar[str] = "request-started.v1"
    hash: str
    route: str


class RequestFinished(Fact, frozen=True):
    """The answer that the same key and body get for ever."""

    NAME: ClassVar[str] = "request-finished.v1"
    hash: str
    status: int
    receipt: str


class MemberRegistered(Fact, frozen=True):
    """Stream `member:<person id>`: somebody asked for access to the person's accounts, naming card `kpj`.

    `login` is sealed: the e-mail address, or the subject at an identity provider. `proof` says what the address rests
    on: `known-contact` (it was on file), `no-contact` (none was), `new-contact` (another was), `office`. Several
    registrations may be open at once; this event's version is the name of this one.
    """

    NAME: ClassVar[str] = "member-registered.v1"
    login: str
    segment: str
    kpj: str
    proof: str


class MemberConfirmed(Fact, frozen=True):
    """Registration `registered`, whose address is not on file, was confirmed: by a link to the e-mail address on file
    (`email`), by the one-time number that was sent to the phone on file (`number`), at the branch (`office`).
    """

    NAME: ClassVar[str] = "member-confirmed.v1"
    how: str
    registered: Count


class MemberVerified(Fact, frozen=True):
    """The address of registration `registered` was proven: the access is open, every other registration is over."""

    NAME: ClassVar[str] = "member-verified.v1"
    registered: Count


class MemberDenied(Fact, frozen=True):
    """The contact on file said that registration `registered` is somebody else's."""

    NAME: ClassVar[str] = "member-denied.v1"
    registered: Count


class MemberClosed(Fact, frozen=True):
    """The access and all registrations ended; the accounts are untouched. `why`: `asked`, `office`."""

    NAME: ClassVar[str] = "member-closed.v1"
    why: str


class PasswordChanged(Fact, frozen=True):
    """`how`: `chosen` by the member, `reset` by a link. The password stands in no event, nor does its hash."""

    NAME: ClassVar[str] = "password-changed.v1"
    how: str


class CardLinked(Fact, frozen=True):
    """One more card of the same person is shown to the member."""

    NAME: ClassVar[str] = "card-linked.v1"
    kpj: str


class PhoneAsked(Fact, frozen=True):
    """A phone that is not on file asked to be bound; it waits for a confirmation. `phone` is sealed."""

    NAME: ClassVar[str] = "phone-asked.v1"
    phone: str


class PhoneBound(Fact, frozen=True):
    """Balances may be sent to this (sealed) phone. `how`: `known-contact`, or who confirmed request `asked` as in
    `MemberConfirmed`.
    """

    NAME: ClassVar[str] = "phone-bound.v1"
    phone: str
    how: str
    asked: Count = 0


class PhoneUnbound(Fact, frozen=True):
    """The phone that was bound is so no more."""

    NAME: ClassVar[str] = "phone-unbound.v1"


class PhoneDenied(Fact, frozen=True):
    """The contact on file said that the phone of request `asked` is somebody else's."""

    NAME: ClassVar[str] = "phone-denied.v1"
    asked: Count


class DataRequested(Fact, frozen=True):
    """The member asks for data to be handed out, corrected or erased (`export`, `correct`, `erase`); `text` is sealed."""

    NAME: ClassVar[str] = "data-requested.v1"
    what: str
    text: str = ""


class DataRequestClosed(Fact, frozen=True):
    """The request of version `request` was answered; `outcome`: `done` or `refused`."""

    NAME: ClassVar[str] = "data-request-closed.v1"
    request: Count
    outcome: str


FACTS: dict[str, type[Fact]] = {fact.NAME: fact for fact in Fact.__subclasses__()}

LINES_AN_EVENT = 1_000


class Event(Struct, frozen=True, kw_only=True, gc=False):
    """A fact with its header. `position` and `recorded_at` are given by the log when it appends.

    `by` says who, `channel` by which door, `reason` a code where a person decided, `request` what caused it.
    """

    stream: str
    version: int
    fact: Fact
    by: str
    channel: str
    reason: str = ""
    request: str = ""
    recorded_at: str = ""
    position: int = 0

    @property
    def originator_id(self) -> str:
        return self.stream

    @property
    def originator_version(self) -> int:
        return self.version
