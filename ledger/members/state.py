"""A member: a person who may see the own accounts from outside, by website, mobile app and SMS. Pure decisions.

The contact rule, in one place: whoever knows NIK, birth date and card number is not yet the person, for a former HR clerk
knows them too. An e-mail address or phone that is on file opens the door by itself; another one waits until the contact
on file, or the branch, has confirmed it. Where nothing is on file there is nothing to ask, and a proven address will do.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import Struct, structs

from ledger.errors import NotFound, Refused
from ledger.events import (
    CardLinked,
    DataRequestClosed,
    DataRequested,
    Event,
    Fact,
    MemberClosed,
    MemberConfirmed,
    MemberRegistered,
    MemberVerified,
    PhoneAsked,
    PhoneBound,
    PhoneDenied,
    PhoneUnbound,
)

SENT, WAITING, ACTIVE, CLOSED = "sent", "waiting", "active", "closed"
"""The address is not proven yet; proven, but another is on file; open; ended."""

KNOWN, NONE, NEW, OFFICE, PROVIDER = "known-contact", "no-contact", "new-contact", "office", "provider"
"""What an address rests on."""

REQUESTS = ("export", "correct", "erase")
OUTCOMES = ("done", "refused")


class Sealed(Struct, frozen=True):
    """A sealed text and the stream version it was sealed with."""

    text: str
    version: int


class Request(Struct, frozen=True):
    """A data request; `number` is its stream version, `channel` the door it was made at, `outcome` "" while it is open."""

    number: int
    what: str
    text: str
    asked_at: str
    channel: str
    outcome: str = ""
    closed_at: str = ""


class Member(Struct):
    """The state of a member stream."""

    person: str
    version: int = 0
    state: str = ""
    proof: str = ""
    segment: str = ""
    registered: int = 0
    login: Sealed | None = None
    cards: tuple[str, ...] = ()
    phone: Sealed | None = None
    waiting_phone: Sealed | None = None
    requests: tuple[Request, ...] = ()

    @classmethod
    def of(cls, person: str, events: Iterable[Event]) -> Member:
        """The state after the stream's events."""
        state = cls(person)
        for event in events:
            state.evolve(event)
        return state

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
            self.state, self.proof, self.segment, self.registered = SENT, fact.proof, fact.segment, version
            self.login = Sealed(fact.login, version)
            self.cards = _with(self.cards, fact.kpj)
        elif isinstance(fact, MemberVerified):
            self.state = WAITING if self.proof == NEW else ACTIVE
        elif isinstance(fact, MemberConfirmed):
            self.state = ACTIVE
        elif isinstance(fact, MemberClosed):
            self.state, self.cards, self.phone, self.waiting_phone = CLOSED, (), None, None
        elif isinstance(fact, CardLinked):
            self.cards = _with(self.cards, fact.kpj)
        elif isinstance(fact, PhoneAsked):
            self.waiting_phone = Sealed(fact.phone, version)
        elif isinstance(fact, PhoneBound):
            self.phone, self.waiting_phone = Sealed(fact.phone, version), None
        elif isinstance(fact, PhoneUnbound):
            self.phone = None
        elif isinstance(fact, PhoneDenied):
            self.waiting_phone = None
        elif isinstance(fact, DataRequested):
            self.requests += (Request(version, fact.what, fact.text, recorded_at, channel),)
        elif isinstance(fact, DataRequestClosed):
            self.requests = tuple(
                structs.replace(r, outcome=fact.outcome, closed_at=recorded_at) if r.number == fact.request else r
                for r in self.requests
            )


def _with(cards: tuple[str, ...], kpj: str) -> tuple[str, ...]:
    return cards if kpj in cards else (*cards, kpj)


def proof_of(address: str, on_file: str) -> str:
    """What a new address rests on, `on_file` being the one the register knows (either may be of any letter case)."""
    if not on_file:
        return NONE
    return KNOWN if address.lower() == on_file.lower() else NEW


def may_register(state: Member) -> bool:
    """Whether a registration may begin anew: one that is open is never replaced from outside."""
    return state.state != ACTIVE


def decide_verify(state: Member, registered: int) -> MemberVerified:
    """The link of registration `registered` was used. Raises Refused(link-used) when another came since."""
    if state.state != SENT or state.registered != registered:
        raise Refused("link-used")
    return MemberVerified()


def decide_confirm(state: Member, how: str, registered: int = 0) -> MemberConfirmed:
    """A waiting registration is confirmed; `registered`: the one that is meant, 0 for the present one.

    Raises Refused(link-used).
    """
    if state.state != WAITING or registered not in {0, state.registered}:
        raise Refused("link-used")
    return MemberConfirmed(how)


def decide_close(state: Member, why: str, registered: int = 0) -> MemberClosed:
    """The access ends; `registered` as in `decide_confirm`. Raises NotFound(member-unknown), Refused(link-used)."""
    if state.state in {"", CLOSED}:
        raise NotFound("member-unknown")
    if registered not in {0, state.registered}:
        raise Refused("link-used")
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


def matches(claimed: Mapping[str, str], known: Mapping[str, str]) -> bool:
    """Whether every claimed text is the known one; an empty claim says nothing. Names count without case and spacing."""
    return all(not text or _plain(text) == _plain(known.get(field, "")) for field, text in claimed.items())


def _plain(text: Any) -> str:
    return " ".join(str(text).casefold().split())
