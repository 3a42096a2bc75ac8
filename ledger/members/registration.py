"""Asking for access, the links that go out, the answers that come back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import msgspec
from msgspec import Struct

from ledger.decisions.person import Contact
from ledger.errors import NotFound, Refused
from ledger.events import Fact, MemberRegistered
from ledger.identifiers import card_number
from ledger.members import numbers, rows
from ledger.members.acts import Acting, Address, Seal
from ledger.members.confirming import Confirming
from ledger.members.rows import Link, Login, Waiting
from ledger.members.shown import masked_email
from ledger.members.state import (
    ACTIVE,
    BY_EMAIL,
    BY_NUMBER,
    KNOWN,
    OFFICE,
    SENT,
    WAITING,
    Known,
    Member,
    Registration,
    decide_close,
    decide_confirm,
    decide_deny,
    decide_verify,
)
from ledger.store import account_index
from ledger.store.database import Transaction, Write
from ledger.store.outbox import Letter


class Claim(Struct, frozen=True):
    """Who somebody says to be, all in clean form; `birth_date` yyyy-mm-dd."""

    nik: str
    birth_date: str
    kpj: str
    segment: str
    email: str
    language: str = "id"


_First = Callable[[Transaction, Member, Seal], None]
"""What a confirmation checks and uses up before it counts."""


class Registrations(Confirming):
    """Access asked for, confirmed, denied, proven, ended."""

    def _matching(self, tx: Transaction, claim: Claim) -> tuple[str, Contact] | None:
        """The person that all of a claim fits, and the contact on file."""
        person = self.holder(tx, nik=claim.nik)
        if person is None or self.holder(tx, kpj=claim.kpj) != person:
            return None
        card = card_number(claim.kpj)
        if account_index.cards(tx, [card])[card].segment != claim.segment:
            return None
        found = self.vault.data_of(tx, [person]).of(person)
        if found is None or found[0].birth_date != claim.birth_date:
            return None
        return person, found[1]

    def register(self, claim: Claim, password: str, acting: Acting, ticket: str = "") -> None:
        """Ask for access. Neither the answer nor the letter to an address that is not known tells what came of it.

        `password`: an argon2 text, made before it was known whether anything matched. `ticket`: a secret of the browser,
        with which it can bring the number that a phone on file gets.
        """
        self._register(claim, password, Address(claim.email), acting, ticket)

    def register_issuer(self, claim: Claim, issuer: str, subject: str, acting: Acting, ticket: str = "") -> bool:
        """Bind an identity provider's subject to the person that fits; False when nobody does, or it must wait.

        `claim.email` is the address the provider has verified.
        """
        self._register(claim, "", Address(claim.email, issuer, subject), acting, ticket)
        return self.of_issuer(issuer, subject) is not None

    def of_issuer(self, issuer: str, subject: str) -> Login | None:
        """The login bound to a provider's subject."""
        with self.log.database.read() as tx:
            return rows.login_by_address(tx, self._hash(tx, Address("", issuer, subject)))

    def is_waiting(self, issuer: str, subject: str, now: datetime) -> bool:
        """Whether a provider's subject has asked for access and waits for its confirmation."""
        with self.log.database.read() as tx:
            return rows.registration_by_address(tx, self._hash(tx, Address("", issuer, subject)), now) is not None

    def _hash(self, tx: Transaction, address: Address) -> bytes:
        return self.vault.address_hash(tx, address.looked_up)

    def _register(self, claim: Claim, password: str, address: Address, acting: Acting, ticket: str) -> None:
        """What is written to the given address is the same whether it fits nobody or is not known, or too many came."""
        neutral = Letter("register-received", claim.email, claim.language)
        with self.log.database.read() as tx:
            found = self._matching(tx, claim)
            owner = rows.login_by_address(tx, self._hash(tx, address))
        if found is None:
            self.post(neutral, acting)
            return
        person, contact = found

        def decide(state: Member, key: Seal) -> tuple[list[Fact], Write]:
            known = key.known(state, contact)
            proof = known.proof(claim.email)
            if state.state == ACTIVE or (owner is not None and owner.person != person):
                taken = Letter("already-registered", claim.email, claim.language)
                return [], self.letter(person, taken if proof == KNOWN else neutral, acting)
            if proof != KNOWN and not state.may_try(acting.now):
                return [], self.letter(person, neutral, acting)
            login = key.text("login", msgspec.json.encode(address))
            facts: list[Fact] = [MemberRegistered(login, claim.segment, claim.kpj, proof)]
            version = state.version + 1
            opens = bool(address.issuer) and proof == KNOWN
            if opens:
                facts.append(decide_verify(state.after(*facts), version))

            def write(tx: Transaction) -> None:
                waiting = Waiting(person, version, self._hash(tx, address), password)
                rows.put_registration(tx, waiting, ticket, acting.now)
                if opens:
                    self._open(tx, waiting, state.after(*facts), known, claim.email, acting)
                elif proof == KNOWN:
                    self._send_link(tx, "verify", "verify", person, version, claim.email, acting)
                else:
                    self.outbox.put(tx, neutral, acting.now, person=person)
                    self._ask_known(tx, numbers.LOGIN, person, version, known, claim.email, acting)

            return facts, write

        self.act(person, acting, decide)

    def _send_link(
        self, tx: Transaction, purpose: str, kind: str, person: str, version: int, email: str, acting: Acting
    ) -> None:
        link = Link(purpose, person, version, self.vault.address_hash(tx, email))
        secret = rows.put_link(tx, link, acting.now)
        self.outbox.put(tx, Letter(kind, email, acting.language, {"token": secret}), acting.now, person=person)

    def _open(self, tx: Transaction, waiting: Waiting, after: Member, known: Known, email: str, acting: Acting) -> None:
        """An address was proven: the access is open, and every other contact is told. Raises Refused(link-used)."""
        owner = rows.login_by_address(tx, waiting.address)
        if owner is not None and owner.person != waiting.person:
            raise Refused("link-used")  # the address was proven for somebody else meanwhile
        rows.put_login(tx, waiting)
        # A card may have been found to be another person's since the registration named it.
        for kpj in (kpj for kpj in after.cards if self.holder(tx, kpj=kpj) == waiting.person):
            rows.put_card(tx, waiting.person, card_number(kpj))
        self.tell_known(tx, waiting.person, known, "access-opened", acting, but=email)

    # --- links

    def look_at_link(self, token: str, now: datetime) -> Link:
        """What a link is for, without using it. Raises Refused(link-used)."""
        with self.log.database.read() as tx:
            return rows.link_of(tx, token, now)

    def asked_by(self, link: Link) -> str:
        """The e-mail address or phone that a link asks about, "" when it asks about none.

        Raises Refused(link-used): it was answered.
        """
        with self.log.database.read() as tx:
            state, key = self.state_of(tx, link.person)
        if link.purpose.endswith("-login"):
            found = next((one for one in state.registrations if one.version == link.version), None)
            if found is None:
                raise Refused("link-used")
            return key.address_in(found.login).email
        if link.purpose.endswith("-contact"):
            expected = SENT if link.purpose.startswith("prove") else WAITING
            return key.open("contact", state.new_contact(link.version, expected).contact)
        return key.open("phone", state.waiting_phone(link.version)) if link.purpose.endswith("-phone") else ""

    def chosen_password(self, link: Link, now: datetime) -> str:
        """The argon2 text that a registration began with. Raises Refused(link-used)."""
        with self.log.database.read() as tx:
            return rows.registration_of(tx, link.person, link.version, now).password

    def _verify(self, token: str, link: Link, acting: Acting) -> None:
        contact = self.contact_of(link.person)

        def decide(state: Member, key: Seal) -> tuple[list[Fact], Write]:
            fact = decide_verify(state, link.version)

            def write(tx: Transaction) -> None:
                rows.use_link(tx, token)
                self._proven(tx, state, key, contact, link.version, fact, acting)

            return [fact], write

        self.act(link.person, acting, decide)

    def _proven(
        self, tx: Transaction, state: Member, key: Seal, contact: Contact, version: int, fact: Fact, acting: Acting,
        password: str = "",
    ) -> None:  # fmt: skip
        """The address of a registration was proven. Raises Refused(link-used): it rests on a contact that is no more."""
        registered = next(one for one in state.registrations if one.version == version)
        known, email = key.known(state, contact), key.address_in(registered.login).email
        if registered.proof == KNOWN and known.proof(email) != KNOWN:
            raise Refused("link-used")
        waiting = rows.registration_of(tx, state.person, version, acting.now)
        if password:
            waiting = waiting._replace(password=password)
        self._open(tx, waiting, state.after(fact), known, email, acting)

    def _confirm_login(self, token: str, link: Link, acting: Acting) -> None:
        def first(tx: Transaction, state: Member, key: Seal) -> None:
            self._must_be_known(tx, link.person, state, key, link.sent_to)
            rows.use_link(tx, token)

        self._confirm(link.person, BY_EMAIL, link.version, acting, first)

    def confirm(self, person: str, registered: int, acting: Acting) -> None:
        """The branch has seen who it is: the link to prove the address goes out. Raises Refused(link-used)."""
        self._confirm(person, OFFICE, registered, acting, _seen_in_person)

    def confirm_by_number(self, ticket: str, number: str, acting: Acting) -> None:
        """The number that the phone on file got was typed where the registration was made.

        Raises Refused(number-wrong): also for a registration that fits nobody, or too many wrong ones.
        """
        clean = numbers.plain_number(number)
        with self.log.database.write() as tx:
            waiting = rows.registration_by_ticket(tx, ticket, acting.now) if clean else None
            found = waiting and numbers.by_registration(
                tx, self._number_key(), waiting.person, waiting.version, clean, acting.now
            )
        if not found:
            raise Refused("number-wrong")
        self._confirm_numbered(found, acting)

    def _confirm_numbered(self, found: numbers.Confirmed, acting: Acting) -> None:
        def first(tx: Transaction, state: Member, key: Seal) -> None:
            self._must_be_known(tx, found.person, state, key, found.sent_to)

        try:
            self._confirm(found.person, BY_NUMBER, found.version, acting, first)
        except Refused:
            raise Refused("number-wrong") from None

    def _confirm(self, person: str, how: str, registered: int, acting: Acting, first: _First) -> None:
        contact = self.contact_of(person)

        def decide(state: Member, key: Seal) -> tuple[list[Fact], Write]:
            facts: list[Fact] = [decide_confirm(state, how, registered)]
            address = key.address_in(_named(state, registered).login)
            if address.issuer:  # the provider has proven it already
                facts.append(decide_verify(state.after(*facts), registered))

            def write(tx: Transaction) -> None:
                first(tx, state, key)
                rows.end_asking(tx, person, registered)
                if address.issuer:
                    self._proven(tx, state.after(facts[0]), key, contact, registered, facts[1], acting)
                    letter = Letter("confirmed", address.email, acting.language)
                    self.outbox.put(tx, letter, acting.now, person=person)
                else:
                    self._send_link(tx, "verify", "verify", person, registered, address.email, acting)

            return facts, write

        self.act(person, acting, decide)

    def _deny_login(self, token: str, link: Link, acting: Acting) -> None:
        def decide(state: Member, key: Seal) -> tuple[list[Fact], Write]:
            fact = decide_deny(state, link.version)

            def write(tx: Transaction) -> None:
                self._must_be_known(tx, link.person, state, key, link.sent_to)
                rows.use_link(tx, token)
                rows.drop_registration(tx, link.person, link.version)

            return [fact], write

        self.act(link.person, acting, decide)

    def close(self, person: str, why: str, acting: Acting) -> None:
        """End a member's access and whatever waits; all contacts are told. Raises NotFound(member-unknown)."""
        contact = self.contact_of(person)

        def decide(state: Member, key: Seal) -> tuple[list[Fact], Write]:
            def write(tx: Transaction) -> None:
                rows.clear(tx, person)
                if state.access is not None or state.phone is not None:
                    self.tell_known(tx, person, key.known(state, contact), "access-closed", acting)

            return [decide_close(state, why)], write

        self.act(person, acting, decide)

    # --- the branch

    def register_at_office(self, kpj: str, email: str, acting: Acting) -> None:
        """Assisted registration: the branch has seen the person, who gets a link to choose a password.

        Every other contact is told, for the branch can be deceived too.

        Raises NotFound(account-not-found); Refused: email-taken, member-active.
        """
        with self.log.database.read() as tx:
            person = self.holder(tx, kpj=kpj)
            owner = rows.login_by_address(tx, self.vault.address_hash(tx, email))
            card = account_index.cards(tx, [card_number(kpj)]).get(card_number(kpj)) if person else None
            found = self.vault.data_of(tx, [person]).of(person) if person else None
        if person is None or card is None or found is None:
            raise NotFound("account-not-found")
        if owner is not None and owner.person != person:
            raise Refused("email-taken")

        def decide(state: Member, key: Seal) -> tuple[list[Fact], Write]:
            if state.state == ACTIVE:
                raise Refused("member-active")
            login = key.text("login", msgspec.json.encode(Address(email)))
            version = state.version + 1

            def write(tx: Transaction) -> None:
                waiting = Waiting(person, version, self.vault.address_hash(tx, email), "")
                rows.put_registration(tx, waiting, "", acting.now)
                self._send_link(tx, "invite", "office-invite", person, version, email, acting)
                self.tell_known(
                    tx, person, key.known(state, found[1]), "access-assisted", acting, but=email,
                    masked=masked_email(email),
                )  # fmt: skip

            return [MemberRegistered(login, card.segment, kpj, OFFICE)], write

        self.act(person, acting, decide)


def _named(state: Member, registered: int) -> Registration:
    """Raises Refused(link-used)."""
    for one in state.registrations:
        if one.version == registered:
            return one
    raise Refused("link-used")


def _seen_in_person(tx: Transaction, state: Member, key: Seal) -> None:
    """Nothing more to check."""
