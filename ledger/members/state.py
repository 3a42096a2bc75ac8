"""A member: a person who may see the own accounts from outside, by website, mobile app and SMS. Pure decisions.

The contact rule, in one place and for every door: whoever knows NIK, birth date and card number is not yet the person,
for a former HR clerk knows them too. An e-mail address or phone that is known (`Known`: on file, or proven for an access
or a phone that is open) opens the door by itself; another one waits until a known contact or the branch has confirmed
it; where nothing is known, only the branch can. Registrations and phones that wait stand beside each other: none replaces
another, and the first that is proven wins.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from msgspec import Struct, structs

from ledger.errors import NotFound, Refused
from ledger.events import (
    CardLinked,
    CardUnlinked,
    ContactAsked,
    ContactConfirmed,
    ContactDenied,
    ContactReplaced,
    DataRequestClosed,
    DataRequested,
    Event,
    Fact,
    MemberClosed,
    MemberConfirmed,
    MemberDenied,
    MemberRegistered,
    MemberVerified,
    NoticesChosen,
    PasskeyAdded,
    PasskeyRemoved,
    PhoneAsked,
    PhoneBound,
    PhoneDenied,
    PhoneUnbound,
)

SENT, WAITING, ACTIVE, CLOSED = "sent", "waiting", "active", "closed"
"""A link to prove the address is out; a known contact or the branch must confirm the address first; open; ended."""

KNOWN, NONE, NEW, OFFICE = "known-contact", "no-contact", "new-contact", "office"
"""What an address rests on."""

BY_EMAIL, BY_NUMBER = "email", "number"
"""How a contact that is known confirms another one; the branch does as `OFFICE`."""

MOST_UNKNOWN = 5
"""How many registrations and phones with contacts that are not known may come for one person in UNKNOWN_TIME."""
UNKNOWN_TIME = timedelta(hours=24)

POSTED, MISSING = "posted", "missing"
NOTICES = (POSTED, MISSING)
"""Of what a member can be told without asking: a contribution was posted; a month stays out after its due day."""
EMAIL, PHONE = "email", "phone"
"""The contacts on file."""

REQUESTS = ("export", "correct", "erase")
OUTCOMES = ("done", "refused")


class Known(NamedTuple):
    """The contacts of a person: those on file, the address of an open access, the bound phone."""

    emails: tuple[str, ...]
    phones: tuple[str, ...]

    @classmethod
    def of(cls, emails: Iterable[str], phones: Iterable[str]) -> Known:
        """Each contact once; the letter case of an e-mail address does not count."""
        by_letters = {email.lower(): email for email in emails if email}
        return cls(tuple(by_letters.values()), tuple(dict.fromkeys(phone for phone in phones if phone)))

    def proof(self, email: str) -> str:
        """What a given e-mail address rests on."""
        return self._proof(email.lower() in {known.lower() for known in self.emails})

    def phone_proof(self, phone: str) -> str:
        """What a given phone rests on."""
        return self._proof(phone in self.phones)

    def without(self, others: Known) -> Known:
        """Those that are not among others' too."""
        theirs = {email.lower() for email in others.emails}
        return Known(
            tuple(email for email in self.emails if email.lower() not in theirs),
            tuple(phone for phone in self.phones if phone not in others.phones),
        )

    def _proof(self, is_known: bool) -> str:
        if is_known:
            return KNOWN
        return NEW if self.emails or self.phones else NONE


class Sealed(Struct, frozen=True):
    """A sealed text and the stream version it was sealed with."""

    text: str
    version: int


class Registration(Struct, frozen=True):
    """A registration; its name is the stream version. `state`: WAITING or SENT, and ACTIVE for the open one."""

    version: int
    login: Sealed
    proof: str
    segment: str
    kpj: str
    state: str


class NewContact(Struct, frozen=True):
    """A contact that is to be the one on file; its name is the stream version of the request. `what`: EMAIL or PHONE;
    `state`: WAITING, or SENT while it has only to be proven."""

    version: int
    what: str
    contact: Sealed
    state: str


class Request(Struct, frozen=True):
    """A data request; `number` is its stream version, `channel` the door it was made at, `outcome` "" while it is open."""

    number: int
    what: str
    text: str
    asked_at: str
    channel: str
    outcome: str = ""
    closed_at: str = ""


class Notices(NamedTuple):
    """Of what a member is told without asking, by each way, and in which language."""

    mail: tuple[str, ...] = ()
    sms: tuple[str, ...] = ()
    language: str = "id"


class Member(Struct):
    """The state of a member stream. `unknown`: when contacts that are not known were given, the newest last; `passkeys`:
    by the versions that added them."""

    person: str
    version: int = 0
    access: Registration | None = None
    registrations: tuple[Registration, ...] = ()
    is_closed: bool = False
    cards: tuple[str, ...] = ()
    phone: Sealed | None = None
    waiting_phones: tuple[Sealed, ...] = ()
    contacts: tuple[NewContact, ...] = ()
    unknown: tuple[str, ...] = ()
    requests: tuple[Request, ...] = ()
    notices: Notices = Notices()
    passkeys: tuple[int, ...] = ()

    @classmethod
    def of(cls, person: str, events: Iterable[Event]) -> Member:
        """The state after the stream's events."""
        state = cls(person)
        for event in events:
            state.evolve(event)
        return state

    @property
    def state(self) -> str:
        """The furthest that the access has come, "" when nobody ever asked for one."""
        if self.access is not None:
            return ACTIVE
        states = {registration.state for registration in self.registrations}
        return next((state for state in (WAITING, SENT) if state in states), CLOSED if self.is_closed else "")

    def registration(self, version: int, state: str) -> Registration:
        """The registration of that name in that state. Raises Refused(link-used)."""
        for registration in self.registrations:
            if registration.version == version and registration.state == state:
                return registration
        raise Refused("link-used")

    def waiting_phone(self, asked: int) -> Sealed:
        """The phone of a request that waits. Raises Refused(link-used)."""
        for phone in self.waiting_phones:
            if phone.version == asked:
                return phone
        raise Refused("link-used")

    def new_contact(self, asked: int, state: str) -> NewContact:
        """The contact of a request in that state. Raises Refused(link-used)."""
        for contact in self.contacts:
            if contact.version == asked and contact.state == state:
                return contact
        raise Refused("link-used")

    def may_try(self, now: datetime) -> bool:
        """Whether one more contact that is not known may be given."""
        since = now - UNKNOWN_TIME
        return sum(datetime.fromisoformat(at) > since for at in self.unknown if at) < MOST_UNKNOWN

    def evolve(self, event: Event) -> None:
        """Take one more event of the stream."""
        self._take(event.fact, event.version, event.recorded_at, event.channel)

    def after(self, *facts: Fact) -> Member:
        """What the state will be when these facts have been appended."""
        found = structs.replace(self)
        for fact in facts:
            found._take(fact, found.version + 1, "", "")
        return found

    def _take(self, fact: Fact, version: int, recorded_at: str, channel: str) -> None:
        self.version = version
        if isinstance(fact, MemberRegistered):
            state = WAITING if fact.proof in {NEW, NONE} else SENT
            login = Sealed(fact.login, version)
            self.registrations += (Registration(version, login, fact.proof, fact.segment, fact.kpj, state),)
            if state == WAITING:
                self._count_unknown(recorded_at)
        elif isinstance(fact, MemberConfirmed):
            self.registrations = tuple(
                structs.replace(one, state=SENT) if one.version == fact.registered else one
                for one in self.registrations
            )
        elif isinstance(fact, MemberVerified):
            for one in self.registrations:
                if one.version == fact.registered:
                    self.access = structs.replace(one, state=ACTIVE)
                    self.cards = _with(self.cards, one.kpj)
                    self.registrations = ()
        elif isinstance(fact, MemberDenied):
            self.registrations = tuple(one for one in self.registrations if one.version != fact.registered)
        elif isinstance(fact, MemberClosed):
            self.access, self.registrations, self.cards, self.is_closed = None, (), (), True
            self.phone, self.waiting_phones, self.contacts, self.notices = None, (), (), Notices()
            self.passkeys = ()
        elif isinstance(fact, CardLinked):
            self.cards = _with(self.cards, fact.kpj)
        elif isinstance(fact, CardUnlinked):
            self.cards = tuple(kpj for kpj in self.cards if kpj != fact.kpj)
        else:
            self._take_more(fact, version, recorded_at, channel)

    def _take_more(self, fact: Fact, version: int, recorded_at: str, channel: str) -> None:
        if isinstance(fact, PhoneAsked):
            self.waiting_phones += (Sealed(fact.phone, version),)
            self._count_unknown(recorded_at)
        elif isinstance(fact, PhoneBound):
            self.phone = Sealed(fact.phone, version)
            self.waiting_phones = tuple(one for one in self.waiting_phones if one.version != fact.asked)
        elif isinstance(fact, PhoneUnbound):
            self.phone, self.notices = None, self.notices._replace(sms=())
        elif isinstance(fact, NoticesChosen):
            self.notices = Notices(fact.mail, fact.sms, fact.language)
        elif isinstance(fact, PasskeyAdded):
            self.passkeys += (version,)
        elif isinstance(fact, PasskeyRemoved):
            self.passkeys = tuple(one for one in self.passkeys if one != fact.added)
        elif isinstance(fact, PhoneDenied):
            self.waiting_phones = tuple(one for one in self.waiting_phones if one.version != fact.asked)
        elif isinstance(fact, ContactAsked | ContactConfirmed | ContactReplaced | ContactDenied):
            self._take_contact(fact, version, recorded_at)
        elif isinstance(fact, DataRequested):
            self.requests += (Request(version, fact.what, fact.text, recorded_at, channel),)
        elif isinstance(fact, DataRequestClosed):
            self.requests = tuple(
                structs.replace(r, outcome=fact.outcome, closed_at=recorded_at) if r.number == fact.request else r
                for r in self.requests
            )

    def _take_contact(self, fact: Fact, version: int, recorded_at: str) -> None:
        if isinstance(fact, ContactAsked):
            state = SENT if fact.proof == KNOWN else WAITING
            self.contacts += (NewContact(version, fact.what, Sealed(fact.contact, version), state),)
            if state == WAITING:
                self._count_unknown(recorded_at)
        elif isinstance(fact, ContactConfirmed):
            self.contacts = tuple(
                structs.replace(one, state=SENT) if one.version == fact.asked else one for one in self.contacts
            )
        elif isinstance(fact, ContactReplaced):
            kinds = {one.what for one in self.contacts if one.version == fact.asked}
            self.contacts = tuple(one for one in self.contacts if one.what not in kinds)
            if fact.login and self.access is not None:
                self.access = structs.replace(self.access, login=Sealed(fact.login, version))
        elif isinstance(fact, ContactDenied):
            self.contacts = tuple(one for one in self.contacts if one.version != fact.asked)

    def _count_unknown(self, at: str) -> None:
        self.unknown = (*self.unknown, at)[-MOST_UNKNOWN:]


def _with(cards: tuple[str, ...], kpj: str) -> tuple[str, ...]:
    return cards if kpj in cards else (*cards, kpj)


def decide_verify(state: Member, registered: int) -> MemberVerified:
    """The address of registration `registered` was proven. Raises Refused(link-used)."""
    state.registration(registered, SENT)
    return MemberVerified(registered)


def decide_confirm(state: Member, how: str, registered: int) -> MemberConfirmed:
    """The address of a waiting registration is the person's. Raises Refused(link-used)."""
    state.registration(registered, WAITING)
    return MemberConfirmed(how, registered)


def decide_deny(state: Member, registered: int) -> MemberDenied:
    """The address of a waiting registration is somebody else's. Raises Refused(link-used)."""
    state.registration(registered, WAITING)
    return MemberDenied(registered)


def decide_close(state: Member, why: str) -> MemberClosed:
    """The access and whatever waits end. Raises NotFound(member-unknown)."""
    if state.state in {"", CLOSED}:
        raise NotFound("member-unknown")
    return MemberClosed(why)


def decide_link(state: Member, kpj: str, holder: str | None) -> CardLinked | None:
    """One more card; None when it is linked already.

    Raises Refused(card-not-yours): the card is unknown or another's, which look the same.
    """
    if holder != state.person:
        raise Refused("card-not-yours")
    return None if kpj in state.cards else CardLinked(kpj)


def told_at(state: str, login: str, on_file: str) -> str:
    """Where a member in a state is told of requests: the login's address once it is open, before and after that the one
    on file; "" when there is none."""
    return login if state == ACTIVE else on_file


def decide_request(state: Member, what: str, sealed: str) -> DataRequested:
    """A data request. Raises Refused: parameter-unreadable, data-request-open (the same is asked already)."""
    if what not in REQUESTS:
        raise Refused("parameter-unreadable", name="what", expected=", ".join(REQUESTS))
    if any(request.what == what and not request.outcome for request in state.requests):
        raise Refused("data-request-open")
    return DataRequested(what, sealed)


def decide_close_request(state: Member, number: int, outcome: str) -> DataRequestClosed:
    """The answer to a request. Raises Refused(parameter-unreadable), NotFound(data-request-unknown)."""
    if outcome not in OUTCOMES:
        raise Refused("parameter-unreadable", name="outcome", expected=", ".join(OUTCOMES))
    if not any(request.number == number and not request.outcome for request in state.requests):
        raise NotFound("data-request-unknown")
    return DataRequestClosed(number, outcome)


def decide_notices(state: Member, chosen: Notices, mail_to: str) -> NoticesChosen | None:
    """What to be told of from now on; None when it is so already. `mail_to`: where a mail would go, "" nowhere.

    Raises Refused: parameter-unreadable; notices-no-email, notices-no-phone (nothing new can be chosen for a way that leads
    nowhere).
    """
    for name, kinds in (("mail", chosen.mail), ("sms", chosen.sms)):
        if set(kinds) - set(NOTICES):
            raise Refused("parameter-unreadable", name=name, expected=", ".join(NOTICES))
    mail, sms = (tuple(kind for kind in NOTICES if kind in kinds) for kinds in (chosen.mail, chosen.sms))
    if mail and not mail_to:
        raise Refused("notices-no-email")
    if sms and state.phone is None:
        raise Refused("notices-no-phone")
    there = state.notices
    if (mail, sms) == (there.mail, there.sms) and (chosen.language == there.language or not (mail or sms)):
        return None
    return NoticesChosen(mail, sms, chosen.language)


def matches(claimed: Mapping[str, str], known: Mapping[str, str]) -> bool:
    """Whether every claimed text is the known one; an empty claim says nothing. Names count without case and spacing."""
    return all(not text or _plain(text) == _plain(known.get(field, "")) for field, text in claimed.items())


def _plain(text: Any) -> str:
    return " ".join(str(text).casefold().split())
