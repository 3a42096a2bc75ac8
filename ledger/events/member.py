"""Stream `member:<person id>`: who may see the own accounts from outside."""

from __future__ import annotations

from typing import ClassVar

from ledger.events.fact import NOWHERE, Count, Fact


class MemberRegistered(Fact, frozen=True):
    """Somebody asked for access to the person's accounts, naming card `kpj`.

    `login` is sealed: the e-mail address, or the subject at an identity provider. `proof` says what the address rests
    on: `known-contact` (it was on file), `no-contact` (none was), `new-contact` (another was), `office`, `provider`.
    """

    NAME: ClassVar[str] = "member-registered.v1"
    CONCERNS: ClassVar = NOWHERE
    login: str
    segment: str
    kpj: str
    proof: str


class MemberVerified(Fact, frozen=True):
    """The address was proven with the link that was sent to it."""

    NAME: ClassVar[str] = "member-verified.v1"
    CONCERNS: ClassVar = NOWHERE


class MemberConfirmed(Fact, frozen=True):
    """A new address was confirmed by the contact on file (`old-contact`) or at the branch (`office`)."""

    NAME: ClassVar[str] = "member-confirmed.v1"
    CONCERNS: ClassVar = NOWHERE
    how: str


class MemberClosed(Fact, frozen=True):
    """The access ended; the accounts are untouched. `why`: `denied`, `asked`, `office`."""

    NAME: ClassVar[str] = "member-closed.v1"
    CONCERNS: ClassVar = NOWHERE
    why: str


class PasswordChanged(Fact, frozen=True):
    """`how`: `chosen` by the member, `reset` by a link. The password stands in no event, nor does its hash."""

    NAME: ClassVar[str] = "password-changed.v1"
    CONCERNS: ClassVar = NOWHERE
    how: str


class CardLinked(Fact, frozen=True):
    """One more card of the same person is shown to the member."""

    NAME: ClassVar[str] = "card-linked.v1"
    CONCERNS: ClassVar = NOWHERE
    kpj: str


class PhoneAsked(Fact, frozen=True):
    """A phone that is not on file asked to be bound; it waits for a confirmation. `phone` is sealed."""

    NAME: ClassVar[str] = "phone-asked.v1"
    CONCERNS: ClassVar = NOWHERE
    phone: str


class PhoneBound(Fact, frozen=True):
    """Balances may be sent to this (sealed) phone. `how`: `known-contact`, `email`, `office`."""

    NAME: ClassVar[str] = "phone-bound.v1"
    CONCERNS: ClassVar = NOWHERE
    phone: str
    how: str


class PhoneUnbound(Fact, frozen=True):
    """The phone that was bound is so no more."""

    NAME: ClassVar[str] = "phone-unbound.v1"
    CONCERNS: ClassVar = NOWHERE


class PhoneDenied(Fact, frozen=True):
    """The contact on file said that the waiting phone is somebody else's."""

    NAME: ClassVar[str] = "phone-denied.v1"
    CONCERNS: ClassVar = NOWHERE


class DataRequested(Fact, frozen=True):
    """The member asks for data to be handed out, corrected or erased (`export`, `correct`, `erase`); `text` is sealed."""

    NAME: ClassVar[str] = "data-requested.v1"
    CONCERNS: ClassVar = NOWHERE
    what: str
    text: str = ""


class DataRequestClosed(Fact, frozen=True):
    """The request of version `request` was answered; `outcome`: `done` or `refused`."""

    NAME: ClassVar[str] = "data-request-closed.v1"
    CONCERNS: ClassVar = NOWHERE
    request: Count
    outcome: str
