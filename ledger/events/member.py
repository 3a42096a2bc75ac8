"""Stream `member:<person id>`: who may see the own accounts from outside."""

from __future__ import annotations

from typing import ClassVar

from ledger.events.fact import NOWHERE, Count, Fact


class MemberRegistered(Fact, frozen=True):
    """Somebody asked for access to the person's accounts, naming card `kpj`.

    `login` is sealed: the e-mail address, or the subject at an identity provider. `proof` says what the address rests
    on: `known-contact` (it was on file), `no-contact` (none was), `new-contact` (another was), `office`. Several
    registrations may be open at once; this event's version is the name of this one.
    """

    NAME: ClassVar[str] = "member-registered.v1"
    CONCERNS: ClassVar = NOWHERE
    login: str
    segment: str
    kpj: str
    proof: str


class MemberConfirmed(Fact, frozen=True):
    """Registration `registered`, whose address is not on file, was confirmed: by a link to the e-mail address on file
    (`email`), by the one-time number that was sent to the phone on file (`number`), at the branch (`office`).
    """

    NAME: ClassVar[str] = "member-confirmed.v1"
    CONCERNS: ClassVar = NOWHERE
    how: str
    registered: Count


class MemberVerified(Fact, frozen=True):
    """The address of registration `registered` was proven: the access is open, every other registration is over."""

    NAME: ClassVar[str] = "member-verified.v1"
    CONCERNS: ClassVar = NOWHERE
    registered: Count


class MemberDenied(Fact, frozen=True):
    """The contact on file said that registration `registered` is somebody else's."""

    NAME: ClassVar[str] = "member-denied.v1"
    CONCERNS: ClassVar = NOWHERE
    registered: Count


class MemberClosed(Fact, frozen=True):
    """The access and all registrations ended; the accounts are untouched. `why`: `asked`, `office`, `joined`
    (the record ended, see `PersonsJoined`)."""

    NAME: ClassVar[str] = "member-closed.v1"
    CONCERNS: ClassVar = NOWHERE
    why: str


class PasswordChanged(Fact, frozen=True):
    """`how`: `chosen` by the member, `reset` by a link. The password stands in no event, nor does its hash."""

    NAME: ClassVar[str] = "password-changed.v1"
    CONCERNS: ClassVar = NOWHERE
    how: str


class PasskeyAdded(Fact, frozen=True):
    """The member may come in with one more passkey, whose name is this event's version. What is known of it stands in no
    event."""

    NAME: ClassVar[str] = "passkey-added.v1"
    CONCERNS: ClassVar = NOWHERE


class PasskeyRemoved(Fact, frozen=True):
    """The passkey of event `added` opens nothing any more. `why`: `chosen` by the member, `reset` with the password."""

    NAME: ClassVar[str] = "passkey-removed.v1"
    CONCERNS: ClassVar = NOWHERE
    added: Count
    why: str


class CardLinked(Fact, frozen=True):
    """One more card of the same person is shown to the member."""

    NAME: ClassVar[str] = "card-linked.v1"
    CONCERNS: ClassVar = NOWHERE
    kpj: str


class CardUnlinked(Fact, frozen=True):
    """A card is shown to the member no more: it was found to be another person's."""

    NAME: ClassVar[str] = "card-unlinked.v1"
    CONCERNS: ClassVar = NOWHERE
    kpj: str


class PhoneAsked(Fact, frozen=True):
    """A phone that is not on file asked to be bound; it waits for a confirmation. `phone` is sealed."""

    NAME: ClassVar[str] = "phone-asked.v1"
    CONCERNS: ClassVar = NOWHERE
    phone: str


class PhoneBound(Fact, frozen=True):
    """Balances may be sent to this (sealed) phone. `how`: `known-contact`, or who confirmed request `asked` as in
    `MemberConfirmed`.
    """

    NAME: ClassVar[str] = "phone-bound.v1"
    CONCERNS: ClassVar = NOWHERE
    phone: str
    how: str
    asked: Count = 0


class PhoneUnbound(Fact, frozen=True):
    """The phone that was bound is so no more."""

    NAME: ClassVar[str] = "phone-unbound.v1"
    CONCERNS: ClassVar = NOWHERE


class PhoneDenied(Fact, frozen=True):
    """The contact on file said that the phone of request `asked` is somebody else's."""

    NAME: ClassVar[str] = "phone-denied.v1"
    CONCERNS: ClassVar = NOWHERE
    asked: Count


class ContactAsked(Fact, frozen=True):
    """The member asks that the e-mail address or the phone on file (`what`: `email`, `phone`) be another one. `contact` is
    sealed; `proof` as in `MemberRegistered`: what is known already has to be proven only, another one waits first.
    """

    NAME: ClassVar[str] = "contact-asked.v1"
    CONCERNS: ClassVar = NOWHERE
    what: str
    contact: str
    proof: str


class ContactConfirmed(Fact, frozen=True):
    """A known contact agreed to the one of request `asked`; `how` as in `MemberConfirmed`. It has still to be proven."""

    NAME: ClassVar[str] = "contact-confirmed.v1"
    CONCERNS: ClassVar = NOWHERE
    how: str
    asked: Count


class ContactReplaced(Fact, frozen=True):
    """The contact of request `asked` was proven and is the one on file; every other request for its kind is over.
    `login`: sealed, what the member comes in with from now on, where that changes too.
    """

    NAME: ClassVar[str] = "contact-replaced.v1"
    CONCERNS: ClassVar = NOWHERE
    asked: Count
    login: str = ""


class ContactDenied(Fact, frozen=True):
    """A known contact said that the contact of request `asked` is somebody else's."""

    NAME: ClassVar[str] = "contact-denied.v1"
    CONCERNS: ClassVar = NOWHERE
    asked: Count


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


class NoticesChosen(Fact, frozen=True):
    """Of what the member wants to be told without asking, by `mail` and by `sms`: `posted` (a contribution was posted),
    `missing` (a month stays out after its due day). It takes the place of what was chosen before; `language`: of the
    notices.
    """

    NAME: ClassVar[str] = "notices-chosen.v1"
    CONCERNS: ClassVar = NOWHERE
    mail: tuple[str, ...] = ()
    sms: tuple[str, ...] = ()
    language: str = "id"
