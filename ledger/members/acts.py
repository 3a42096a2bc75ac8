"""What every act of a member has in common: the stream's state, its key, and facts with rows in one transaction."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

import msgspec
from msgspec import Struct

from ledger.acts.person import Contact, Identity
from ledger.errors import NotFound, StoreFailed
from ledger.events import Event, Fact
from ledger.identifiers import card_number, clean_kpj, member_stream
from ledger.members import rows
from ledger.members.rows import Login
from ledger.members.state import Member, Sealed, told_at
from ledger.store import account_index
from ledger.store.database import Transaction
from ledger.store.log import Log, VersionTaken
from ledger.store.outbox import Letter, Outbox
from ledger.store.sealing import seal, unseal
from ledger.store.vault import Vault

_TRIES = 5


class Acting(NamedTuple):
    """Who acts (`member`, `user:<name>`, `sms`), by which door, when, and in which language letters are to be."""

    by: str
    channel: str
    now: datetime
    language: str = "id"


class About(NamedTuple):
    """What a member's own page and the branch may show, unsealed. `email`: the login's; `phone`: the bound one."""

    identity: Identity
    contact: Contact
    email: str
    phone: str
    waiting_phone: str
    state: str
    segment: str

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
        """What the member comes in with, empty without a registration."""
        text = self.open("login", state.login)
        return msgspec.json.decode(text, type=Address) if text else Address("")


Write = Callable[[Transaction], None]
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
        """Who a person is and how reached. Raises NotFound(person-unknown) also when the person was erased."""
        with self.log.database.read() as tx:
            found = self.vault.data_of(tx, [person]).get(person)
            if found is None:
                raise NotFound("person-unknown")
            state, key = self.state_of(tx, person)
        return About(
            *found, key.address(state).email, key.open("phone", state.phone),
            key.open("phone", state.waiting_phone), state.state, state.segment,
        )  # fmt: skip

    def tell(self, person: str, kind: str, acting: Acting, **details: str) -> None:
        """Send a member a notice."""
        with self.log.database.read() as tx:
            state, key = self.state_of(tx, person)
        email = key.address(state).email
        if email:
            self.post(Letter(kind, email, acting.language, details), acting)

    def letter(self, letter: Letter, acting: Acting) -> Write:
        return lambda tx: self.outbox.put(tx, letter, acting.now) if letter.to else None

    def post(self, letter: Letter, acting: Acting) -> None:
        with self.log.database.write() as tx:
            self.outbox.put(tx, letter, acting.now)

    def state_of(self, tx: Transaction, person: str) -> tuple[Member, Seal]:
        key = self.vault.keys_of(tx, [person]).get(person)
        if key is None:
            raise NotFound("member-unknown")
        stream = member_stream(person)
        state = Member.of(person, self.log.streams_in(tx, [stream]).get(stream, []))
        return state, Seal(key, person, state.version)

    def act(self, person: str, acting: Acting, decide: Decide) -> None:
        """Decide on the stream's present state and write facts and rows in one transaction."""
        for _ in range(_TRIES):
            with self.log.database.read() as tx:
                state, key = self.state_of(tx, person)
            facts, write = decide(state, key)
            if not facts:
                with self.log.database.write() as tx:
                    write(tx)
                return
            events = [
                Event(
                    stream=member_stream(person), version=state.version + i, fact=fact, by=acting.by,
                    channel=acting.channel,
                )
                for i, fact in enumerate(facts, 1)
            ]  # fmt: skip
            try:
                self.log.append(events, acting.now, writes=[write])
            except VersionTaken:
                continue  # the member acted elsewhere meanwhile: look again
            return
        raise StoreFailed("store-failed", what="MemberContended")
