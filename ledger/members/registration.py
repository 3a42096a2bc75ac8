"""Asking for access, the links that go out, the answers that come back."""

from __future__ import annotations

from datetime import datetime

import msgspec
from msgspec import Struct

from ledger.acts.person import Contact
from ledger.errors import NotFound, Refused
from ledger.events import Fact, MemberRegistered, PasswordChanged
from ledger.identifiers import card_number
from ledger.members import rows
from ledger.members.acts import Acting, Acts, Address, Seal, Write, nothing
from ledger.members.rows import Link, Login
from ledger.members.state import (
    ACTIVE,
    OFFICE,
    WAITING,
    Member,
    decide_close,
    decide_confirm,
    decide_verify,
    may_register,
    proof_of,
)
from ledger.store import account_index
from ledger.store.database import Transaction
from ledger.store.outbox import Letter


class Claim(Struct, frozen=True):
    """Who somebody says to be, all in clean form; `birth_date` yyyy-mm-dd."""

    nik: str
    birth_date: str
    kpj: str
    segment: str
    email: str
    language: str = "id"


def masked_email(email: str) -> str:
    """Enough of an address to know it again: `w***n@contoh.id`."""
    name, _, domain = email.partition("@")
    return f"{name[:1]}***{name[-1:] if len(name) > 2 else ''}@{domain}"


class Registrations(Acts):
    """Access asked for, proven, confirmed, denied, ended; passwords."""

    def _matching(self, tx: Transaction, claim: Claim) -> tuple[str, Contact] | None:
        """The person that all of a claim fits, and the contact on file."""
        person = self.holder(tx, nik=claim.nik)
        if person is None or self.holder(tx, kpj=claim.kpj) != person:
            return None
        card = card_number(claim.kpj)
        if account_index.cards(tx, [card])[card].segment != claim.segment:
            return None
        found = self.vault.data_of(tx, [person]).get(person)
        if found is None or found[0].birth_date != claim.birth_date:
            return None
        return person, found[1]

    def register(self, claim: Claim, password: str, acting: Acting) -> None:
        """Ask for access. The answer is always the same; what came of it a letter tells (`state.py`).

        `password`: an argon2 text, made before it was known whether anything matched.
        """
        self._register(claim, password, Address(claim.email), acting)

    def register_issuer(self, claim: Claim, issuer: str, subject: str, acting: Acting) -> bool:
        """Bind an identity provider's subject to the person that fits; False when nobody does, or it must wait.

        `claim.email` is the address the provider has verified.
        """
        person = self._register(claim, "", Address(claim.email, issuer, subject), acting)
        login = self.login_of(person) if person else None
        return login is not None and login.state == ACTIVE

    def of_issuer(self, issuer: str, subject: str) -> Login | None:
        """The login bound to a provider's subject."""
        with self.log.database.read() as tx:
            return rows.login_by_address(tx, self._hash(tx, Address("", issuer, subject)))

    def _hash(self, tx: Transaction, address: Address) -> bytes:
        return self.vault.address_hash(tx, address.looked_up)

    def _register(self, claim: Claim, password: str, address: Address, acting: Acting) -> str:
        """The person that fits, "" when nobody does. An address of a provider is proven already."""
        with self.log.database.read() as tx:
            found = self._matching(tx, claim)
            owner = rows.login_by_address(tx, self._hash(tx, address))
        if found is None or (owner is not None and owner.person != found[0]):
            self.post(Letter("already-registered" if found else "not-matched", claim.email, claim.language), acting)
            return ""
        person, contact = found
        proof = proof_of(claim.email, contact.email)

        def decide(state: Member, key: Seal) -> tuple[list[Fact], Write]:
            if not may_register(state):
                known = key.address(state).email
                return [], self.letter(Letter("already-registered", known, claim.language), acting)
            fact = MemberRegistered(key.text("login", msgspec.json.encode(address)), claim.segment, claim.kpj, proof)
            facts: list[Fact] = [fact]
            if address.issuer:
                facts.append(decide_verify(state.after(fact), state.version + 1))
            after = state.after(*facts)

            def write(tx: Transaction) -> None:
                self._put(tx, after, self._hash(tx, address), password)
                if not address.issuer:
                    secret = rows.put_link(tx, Link("verify", person, state.version + 1), acting.now)
                    self.outbox.put(tx, Letter("verify", claim.email, claim.language, {"token": secret}), acting.now)
                else:
                    self._opened(tx, person, after, claim.email, contact, acting)

            return facts, write

        self.act(person, acting, decide)
        return person

    def _put(self, tx: Transaction, state: Member, address: bytes, password: str) -> None:
        """The rows of a registration; the links of an earlier one are over."""
        rows.end_links(tx, state.person, "verify", "invite", "reset", "confirm-login", "deny-login")
        rows.put_login(tx, state.person, address, password, state.state)
        for kpj in state.cards:
            rows.put_card(tx, state.person, card_number(kpj))

    def _opened(
        self, tx: Transaction, person: str, state: Member, email: str, contact: Contact, acting: Acting
    ) -> None:
        """After an address was proven: ask the contact on file when it is another one, or tell it."""
        if state.state == WAITING:
            version = state.registered
            confirm = rows.put_link(tx, Link("confirm-login", person, version), acting.now, rows.VALID_CONFIRM)
            deny = rows.put_link(tx, Link("deny-login", person, version), acting.now, rows.VALID_CONFIRM)
            details = {"token": confirm, "deny": deny, "masked": masked_email(email)}
            self.outbox.put(tx, Letter("confirm-old", contact.email, acting.language, details), acting.now)
        elif state.proof != OFFICE and contact.phone:
            self.outbox.put(tx, Letter("access-opened", contact.phone, acting.language), acting.now, "sms")

    # --- links

    def look_at_link(self, token: str, now: datetime) -> Link:
        """What a link is for, without using it. Raises Refused(link-used)."""
        with self.log.database.read() as tx:
            return rows.link_of(tx, token, now)

    def _verify(self, token: str, link: Link, acting: Acting) -> None:
        with self.log.database.read() as tx:
            found = self.vault.data_of(tx, [link.person]).get(link.person)
        contact = found[1] if found else Contact()

        def decide(state: Member, key: Seal) -> tuple[list[Fact], Write]:
            fact = decide_verify(state, link.version)
            email = key.address(state).email
            after = state.after(fact)

            def write(tx: Transaction) -> None:
                rows.use_link(tx, token)
                owner = rows.login_by_address(tx, self._hash(tx, key.address(state)))
                if owner is not None and owner.person != link.person:
                    raise Refused("link-used")  # the address was proven for somebody else meanwhile
                rows.set_state(tx, link.person, after.state)
                self._opened(tx, link.person, after, email, contact, acting)

            return [fact], write

        self.act(link.person, acting, decide)

    def _confirm_login(self, token: str, link: Link, acting: Acting) -> None:
        def first(tx: Transaction) -> None:
            rows.use_link(tx, token, "deny-login")

        self._confirm(link.person, "old-contact", acting, link.version, first)

    def confirm(self, person: str, acting: Acting) -> None:
        """The branch has seen who it is: a waiting registration opens. Raises Refused(link-used) when none waits."""
        self._confirm(person, "office", acting, 0, nothing)

    def _confirm(self, person: str, how: str, acting: Acting, registered: int, first: Write) -> None:
        def decide(state: Member, key: Seal) -> tuple[list[Fact], Write]:
            fact, email = decide_confirm(state, how, registered), key.address(state).email

            def write(tx: Transaction) -> None:
                first(tx)
                rows.set_state(tx, person, ACTIVE)
                self.outbox.put(tx, Letter("confirmed", email, acting.language), acting.now)

            return [fact], write

        self.act(person, acting, decide)

    def _deny_login(self, token: str, link: Link, acting: Acting) -> None:
        def first(tx: Transaction) -> None:
            rows.use_link(tx, token, "confirm-login")

        self._close(link.person, "denied", acting, link.version, first)

    def close(self, person: str, why: str, acting: Acting) -> None:
        """End a member's access. Raises NotFound(member-unknown)."""
        self._close(person, why, acting, 0, nothing)

    def _close(self, person: str, why: str, acting: Acting, registered: int, first: Write) -> None:
        def decide(state: Member, key: Seal) -> tuple[list[Fact], Write]:
            def write(tx: Transaction) -> None:
                first(tx)
                rows.clear(tx, person)

            return [decide_close(state, why, registered)], write

        self.act(person, acting, decide)

    # --- passwords

    def ask_reset(self, identifier: str, acting: Acting) -> None:
        """Send a link for another password to the address of the login, if there is one. The answer never tells."""
        login = self.find(identifier)
        if login is None or login.state not in {ACTIVE, WAITING}:
            return

        def decide(state: Member, key: Seal) -> tuple[list[Fact], Write]:
            address = key.address(state)

            def write(tx: Transaction) -> None:
                secret = rows.put_link(tx, Link("reset", login.person, state.registered), acting.now, rows.VALID_RESET)
                self.outbox.put(tx, Letter("reset", address.email, acting.language, {"token": secret}), acting.now)

            return [], write if not address.issuer else nothing

        self.act(login.person, acting, decide)

    def reset(self, token: str, password: str, acting: Acting) -> str:
        """Another password by a `reset` or `invite` link; every session ends. The person.

        Raises Refused(link-used).
        """
        link = self.look_at_link(token, acting.now)
        if link.purpose not in {"reset", "invite"}:
            raise Refused("link-used")

        def decide(state: Member, key: Seal) -> tuple[list[Fact], Write]:
            if state.registered != link.version:
                raise Refused("link-used")
            facts: list[Fact] = [PasswordChanged("reset")]
            if link.purpose == "invite":
                facts.insert(0, decide_verify(state, link.version))
            email = key.address(state).email

            def write(tx: Transaction) -> None:
                rows.use_link(tx, token)
                rows.set_password(tx, link.person, password)
                if link.purpose == "invite":
                    rows.set_state(tx, link.person, ACTIVE)
                else:
                    self.outbox.put(tx, Letter("password-changed", email, acting.language), acting.now)

            return facts, write

        self.act(link.person, acting, decide)
        return link.person

    def change_password(self, person: str, password: str, acting: Acting) -> None:
        """Another password, chosen by the member; every session ends. Raises NotFound(member-unknown)."""

        def decide(state: Member, key: Seal) -> tuple[list[Fact], Write]:
            email = key.address(state).email

            def write(tx: Transaction) -> None:
                rows.set_password(tx, person, password)
                self.outbox.put(tx, Letter("password-changed", email, acting.language), acting.now)

            return [PasswordChanged("chosen")], write

        self.act(person, acting, decide)

    def end_sessions(self, person: str) -> None:
        """Log out everywhere."""
        with self.log.database.write() as tx:
            rows.end_sessions(tx, person)

    # --- the branch

    def register_at_office(self, kpj: str, email: str, acting: Acting) -> None:
        """Assisted registration: the branch has seen the person, who gets a link to choose a password.

        Another address or the phone on file is told, for the branch can be deceived too.

        Raises NotFound(account-not-found); Refused: email-taken, member-active.
        """
        with self.log.database.read() as tx:
            person = self.holder(tx, kpj=kpj)
            owner = rows.login_by_address(tx, self.vault.address_hash(tx, email))
            card = account_index.cards(tx, [card_number(kpj)]).get(card_number(kpj)) if person else None
            known = self.vault.data_of(tx, [person]).get(person) if person else None
        if person is None or card is None or known is None:
            raise NotFound("account-not-found")
        if owner is not None and owner.person != person:
            raise Refused("email-taken")

        def decide(state: Member, key: Seal) -> tuple[list[Fact], Write]:
            if not may_register(state):
                raise Refused("member-active")
            login = key.text("login", msgspec.json.encode(Address(email)))
            fact = MemberRegistered(login, card.segment, kpj, OFFICE)

            def write(tx: Transaction) -> None:
                self._put(tx, state.after(fact), self.vault.address_hash(tx, email), "")
                link = Link("invite", person, state.version + 1)
                secret = rows.put_link(tx, link, acting.now, rows.VALID)
                self.outbox.put(tx, Letter("office-invite", email, acting.language, {"token": secret}), acting.now)
                self._assisted(tx, known[1], email, acting)

            return [fact], write

        self.act(person, acting, decide)

    def _assisted(self, tx: Transaction, contact: Contact, email: str, acting: Acting) -> None:
        if contact.email and contact.email.lower() != email.lower():
            letter = Letter("access-assisted", contact.email, acting.language, {"masked": masked_email(email)})
            self.outbox.put(tx, letter, acting.now)
        elif contact.phone and not contact.email:
            self.outbox.put(tx, Letter("access-opened", contact.phone, acting.language), acting.now, "sms")
