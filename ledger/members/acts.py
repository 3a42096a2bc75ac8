"""What every act of a member has in common: the stream's state, its key, and facts with rows in one transaction."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

import msgspec
from msgspec import Struct

from ledger.acts.person import Corrected
from ledger.decisions.person import Contact, Identity, Person
from ledger.errors import NotFound, Refused
from ledger.events import Event, Fact
from ledger.identifiers import card_number, clean_kpj, member_stream, person_stream
from ledger.members import rows
from ledger.members.rows import Login
from ledger.members.state import WAITING, Known, Member, Notices, Sealed, told_at
from ledger.store import account_index
from ledger.store.database import Transaction, Write
from ledger.store.handle import handle
from ledger.store.log import Log
from ledger.store.outbox import Letter, Outbox
from ledger.store.sealing import seal, unseal
from ledger.store.vault import Vault


class Seen(NamedTuple):
    """What a page showed of a person: the versions of the member stream and of the person stream."""

    member: int
    person: int

    @property
    def text(self) -> str:
        """As a form carries it."""
        return f"{self.member}.{self.person}"

    @classmethod
    def of(cls, text: str) -> Seen:
        """What a form carried. Raises Refused(changed-since) for anything else."""
        member, _, person = text.partition(".")
        if not all(part.isascii() and part.isdigit() and len(part) < 10 for part in (member, person)):
            raise Refused("changed-since")
        return cls(int(member), int(person))


class Acting(NamedTuple):
    """Who acts (`member`, `user:<name>`, `sms`), by which door, when, and in which language letters are to be.

    `seen`: what was shown to who decides; when anything newer is there the act is refused (`changed-since`).
    `request`: the id of the request that causes the act.
    """

    by: str
    channel: str
    now: datetime
    language: str = "id"
    seen: Seen | None = None
    request: str = ""

    def event(self, stream: str, version: int, fact: Fact, reason: str = "") -> Event:
        """The event that records a fact of this act in a stream."""
        return Event(
            stream=stream, version=version, fact=fact, by=self.by, channel=self.channel, reason=reason, request=self.request
        )  # fmt: skip


class WaitingAddress(NamedTuple):
    """An address that waits for its confirmation; `registered`: its registration."""

    registered: int
    email: str


class WaitingPhone(NamedTuple):
    """A phone that waits for its confirmation; `asked`: its request."""

    asked: int
    phone: str


class About(NamedTuple):
    """What a member's own page and the branch may show, unsealed. `email`: the login's; `phone`: the bound one."""

    identity: Identity
    contact: Contact
    email: str
    phone: str
    waiting: tuple[WaitingAddress, ...]
    waiting_phones: tuple[WaitingPhone, ...]
    state: str
    segment: str
    seen: Seen
    notices: Notices

    @property
    def told(self) -> str:
        """Where the member is told of requests, "" when there is no such address."""
        return told_at(self.state, self.email, self.contact.email)


class Address(Struct, frozen=True, omit_defaults=True):
    """What is sealed as a registration's login: an e-mail address, and the subject at an identity provider."""

    email: str
    issuer: str = ""
    subject: str = ""

    @property
    def looked_up(self) -> str:
        """What the login is found by."""
        return f"{self.issuer}|{self.subject}" if self.issuer else self.email


class Seal(NamedTuple):
    """Seals texts for the next event of a member stream, and opens those that stand in it."""

    key: bytes
    person: str
    version: int

    def text(self, field: str, text: str | bytes) -> str:
        """Sealed for the very next event."""
        data = text.encode() if isinstance(text, str) else text
        return seal(self.key, self.person, member_stream(self.person), self.version + 1, field, data)

    def open(self, field: str, sealed: Sealed | None) -> str:
        """The text, "" when there is none."""
        if sealed is None or not sealed.text:
            return ""
        stream = member_stream(self.person)
        return unseal(self.key, self.person, stream, sealed.version, field, sealed.text).decode()

    def address(self, state: Member) -> Address:
        """What the member comes in with, empty while no access is open."""
        return Address("") if state.access is None else self.address_in(state.access.login)

    def address_in(self, login: Sealed) -> Address:
        """The address of a registration."""
        return msgspec.json.decode(self.open("login", login), type=Address)

    def known(self, state: Member, contact: Contact) -> Known:
        """Every contact of the person: on file, of the open access, bound."""
        return Known.of(
            (contact.email, self.address(state).email), (contact.phone, self.open("phone", state.phone))
        )  # fmt: skip


Decide = Callable[[Member, Seal], tuple[list[Fact], Write]]


def nothing(_: Transaction) -> None:
    """No rows beside the facts."""


class Acts:
    """The members of a log. Thread-safe; every act opens its own transaction."""

    def __init__(self, log: Log, vault: Vault) -> None:
        self.log, self.vault = log, vault
        self.outbox = Outbox(vault)

    def find(self, identifier: str) -> Login | None:
        """The login behind an e-mail address, a NIK or a card number."""
        text = identifier.strip()
        with self.log.database.read() as tx:
            if "@" in text:
                return rows.login_by_address(tx, self.vault.address_hash(tx, text))
            person = self.holder(tx, nik=text) if len(text) == 16 else self.holder(tx, kpj=text)
            return rows.login_of(tx, person) if person else None

    def login_of(self, person: str) -> Login | None:
        """How a person comes in, None without a registration."""
        with self.log.database.read() as tx:
            return rows.login_of(tx, person)

    def key_of(self, person: str) -> bytes | None:
        """A person's own key, for what is kept of the person elsewhere; None when the person was erased."""
        with self.log.database.read() as tx:
            return self.vault.keys_of(tx, [person]).get(person)

    def find_person(self, *, nik: str = "", kpj: str = "") -> str | None:
        """The person with a NIK or a card, as the branch looks for it."""
        with self.log.database.read() as tx:
            return self.holder(tx, nik=nik, kpj=kpj)

    def holder(self, tx: Transaction, *, nik: str = "", kpj: str = "") -> str | None:
        if nik:
            return self.vault.people_by_nik(tx, [nik]).get(nik)
        clean = clean_kpj(kpj)
        if clean is None:
            return None
        card = card_number(clean)
        found = account_index.cards(tx, [card]).get(card)
        return found.person if found else None

    def about(self, person: str) -> About:
        """Who a person is and how reached. Raises NotFound: person-joined when the record was joined into another one,
        person-unknown otherwise, also when the person was erased."""
        with self.log.database.read() as tx:
            found = self.vault.data_of(tx, [person]).of(person)
            if found is None:
                if into := self.record_of(tx, person).joined:
                    raise NotFound("person-joined", into=into)
                raise NotFound("person-unknown")
            state, key = self.state_of(tx, person)
            alive = rows.registrations_of(tx, person)
            seen = Seen(state.version, self._person_version(tx, person))
        waiting = [one for one in state.registrations if one.state == WAITING and one.version in alive]
        return About(
            *found, key.address(state).email, key.open("phone", state.phone),
            tuple(WaitingAddress(one.version, key.address_in(one.login).email) for one in waiting),
            tuple(WaitingPhone(one.version, key.open("phone", one)) for one in state.waiting_phones),
            state.state, state.access.segment if state.access else "", seen, state.notices,
        )  # fmt: skip

    def record_of(self, tx: Transaction, person: str) -> Person:
        """The state of the person stream. Raises BrokenLog."""
        stream = person_stream(person)
        return Person.of(person, self.log.streams_in(tx, [stream]).of(stream))

    def _person_version(self, tx: Transaction, person: str) -> int:
        return self.record_of(tx, person).version

    def must_be_seen(self, person: str, acting: Acting) -> Write:
        """A check for the transaction of an act on the person stream: the page showed what is there now."""

        def check(tx: Transaction) -> None:
            if acting.seen is not None:
                state, _ = self.state_of(tx, person)
                if acting.seen.member != state.version:
                    raise Refused("changed-since")

        return check

    def after_correction(self, person: str, acting: Acting) -> Corrected:
        """For the transaction of a correction: the page showed what is there, and when a contact is another one now, the
        old and the new contacts are all told.
        """
        check = self.must_be_seen(person, acting)

        def tell(tx: Transaction, before: Contact, after: Contact) -> None:
            check(tx)
            if before != after:
                state, key = self.state_of(tx, person)
                one, other = key.known(state, before), key.known(state, after)
                known = Known.of((*one.emails, *other.emails), (*one.phones, *other.phones))
                self.tell_known(tx, person, known, "contact-changed", acting)

        return tell

    # --- letters

    def contact_of(self, person: str) -> Contact:
        """The contact on file, empty when there is none."""
        with self.log.database.read() as tx:
            found = self.vault.data_of(tx, [person]).of(person)
        return found[1] if found else Contact()

    def tell(self, person: str, kind: str, acting: Acting, **details: str) -> None:
        """Send a member a notice of something that has changed nothing, to the address of the open access."""
        with self.log.database.write() as tx:
            state, key = self.state_of(tx, person)
            email = key.address(state).email
            if email:
                self.outbox.put(tx, Letter(kind, email, acting.language, details), acting.now, person=person)

    def tell_known(
        self, tx: Transaction, person: str, known: Known, kind: str, acting: Acting, but: str = "", **details: str
    ) -> None:
        """Queue a notice to every known contact except `but`, which knows it."""
        for email in known.emails:
            if email.lower() != but.lower():
                self.outbox.put(tx, Letter(kind, email, acting.language, details), acting.now, person=person)
        for phone in known.phones:
            if phone != but:
                letter = Letter(kind, phone, acting.language, details)
                self.outbox.put(tx, letter, acting.now, "sms", person=person)

    def letter(self, person: str, letter: Letter, acting: Acting) -> Write:
        """Queue one letter that is about a person, "" for one that fits nobody."""
        return lambda tx: self.outbox.put(tx, letter, acting.now, person=person) if letter.to else None

    def post(self, letter: Letter, acting: Acting, way: str = "mail") -> None:
        """Queue a letter that is about nobody who is registered."""
        with self.log.database.write() as tx:
            self.outbox.put(tx, letter, acting.now, way)

    def state_of(self, tx: Transaction, person: str) -> tuple[Member, Seal]:
        key = self.vault.keys_of(tx, [person]).get(person)
        if key is None:
            raise NotFound("member-unknown")
        stream = member_stream(person)
        state = Member.of(person, self.log.streams_in(tx, [stream]).of(stream))
        return state, Seal(key, person, state.version)

    def act(self, person: str, acting: Acting, decide: Decide) -> None:
        """Decide on the stream's present state and write facts and rows in one transaction.

        Raises Refused(changed-since): something came after what `acting.seen` says was shown.
        """

        def once() -> None:
            with self.log.database.read() as tx:
                state, key = self.state_of(tx, person)
            if acting.seen is not None and acting.seen.member != state.version:
                raise Refused("changed-since")
            facts, write = decide(state, key)
            events = [acting.event(member_stream(person), state.version + i, fact) for i, fact in enumerate(facts, 1)]

            def all_of_it(tx: Transaction) -> None:
                if acting.seen is not None and acting.seen.person != self._person_version(tx, person):
                    raise Refused("changed-since")
                write(tx)

            if not events:
                with self.log.database.write() as tx:
                    all_of_it(tx)
            else:
                self.log.append(events, acting.now, writes=[all_of_it])

        handle(once)
