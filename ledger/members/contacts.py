"""Another e-mail address or phone on file, asked for by the member: a contact that is known agrees first, then the new one
is proven, by a link that wants the password, or by a one-time number. Only then it counts.

The e-mail address on file and the one that opens the access are one to the member: both change together. So are the phone
on file and the one that balances go to: another phone on file ends the binding of the old one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import msgspec

from ledger.decisions.person import Contact, contact_bytes
from ledger.errors import NotFound, Refused
from ledger.events import (
    ContactAsked,
    ContactConfirmed,
    ContactDenied,
    ContactReplaced,
    Fact,
    PersonCorrected,
    PhoneUnbound,
)
from ledger.identifiers import member_stream, person_stream
from ledger.members import numbers, rows
from ledger.members.acts import Acting, Address, Seal
from ledger.members.confirming import Confirming
from ledger.members.numbers import Confirmed
from ledger.members.rows import Link
from ledger.members.shown import whole_phone
from ledger.members.state import BY_EMAIL, BY_NUMBER, EMAIL, KNOWN, PHONE, SENT, WAITING, Known, Member
from ledger.store import notices
from ledger.store.database import Transaction, Write
from ledger.store.handle import handle
from ledger.store.outbox import Letter
from ledger.store.sealing import seal

_First = Callable[[Transaction, Member, Seal], None]
_ANOTHER_DAY = 24 * 60


class AskedContact(NamedTuple):
    """A contact that the member asked for; `is_agreed`: it has only to be proven."""

    asked: int
    what: str
    contact: str
    is_agreed: bool


class Contacts(Confirming):
    """Contacts on file, changed by the member."""

    def asked_contacts(self, person: str) -> list[AskedContact]:
        """The contacts that wait, oldest first."""
        with self.log.database.read() as tx:
            state, key = self.state_of(tx, person)
        return [
            AskedContact(one.version, one.what, key.open("contact", one.contact), one.state == SENT)
            for one in state.contacts
        ]

    def ask_contact(self, person: str, what: str, given: str, acting: Acting) -> None:
        """Ask that `given` (clean) be the e-mail address or phone on file.

        Raises Refused: contact-same; too-many-tries (for contacts that are not known); member-unknown as NotFound.
        """
        contact = self.contact_of(person)

        def decide(state: Member, key: Seal) -> tuple[list[Fact], Write]:
            if state.access is None:
                raise NotFound("member-unknown")
            if _is_there(what, given, contact, key.address(state)):
                raise Refused("contact-same")
            known = key.known(state, contact)
            proof = known.proof(given) if what == EMAIL else known.phone_proof(given)
            if proof != KNOWN and not state.may_try(acting.now):
                raise Refused("too-many-tries", minutes=_ANOTHER_DAY)
            version = state.version + 1

            def write(tx: Transaction) -> None:
                if proof == KNOWN:
                    self._ask_proof(tx, person, version, what, given, acting)
                else:
                    self._ask_known(tx, numbers.CONTACT, person, version, known, given, acting)

            return [ContactAsked(what, key.text("contact", given), proof)], write

        self.act(person, acting, decide)

    def _ask_proof(self, tx: Transaction, person: str, asked: int, what: str, given: str, acting: Acting) -> None:
        """Whoever has the new contact is asked to prove it: a link to an address, a number to a phone."""
        if what == EMAIL:
            link = Link("prove-contact", person, asked, self.vault.address_hash(tx, given))
            details = {"token": rows.put_link(tx, link, acting.now)}
            self.outbox.put(tx, Letter("prove-contact", given, acting.language, details), acting.now, person=person)
            return
        number = numbers.new_number()
        sent = Confirmed(numbers.PROVE, person, asked, self.vault.phone_hash(tx, given))
        numbers.put_number(tx, self._number_key(), sent, b"", number, acting.now)
        details = {"number": f"{number[:4]} {number[4:]}"}
        letter = Letter("prove-contact", given, acting.language, details)
        self.outbox.put(tx, letter, acting.now, "sms", person=person)

    def _confirm_contact(self, token: str, link: Link, acting: Acting) -> None:
        def first(tx: Transaction, state: Member, key: Seal) -> None:
            self._must_be_known(tx, link.person, state, key, link.sent_to)
            rows.use_link(tx, token)

        self._agree(link.person, BY_EMAIL, link.version, acting, first)

    def _agree(self, person: str, how: str, asked: int, acting: Acting, first: _First) -> None:
        def decide(state: Member, key: Seal) -> tuple[list[Fact], Write]:
            new = state.new_contact(asked, WAITING)

            def write(tx: Transaction) -> None:
                first(tx, state, key)
                rows.end_asking(tx, person, asked)
                self._ask_proof(tx, person, asked, new.what, key.open("contact", new.contact), acting)

            return [ContactConfirmed(how, asked)], write

        self.act(person, acting, decide)

    def _deny_contact(self, token: str, link: Link, acting: Acting) -> None:
        def decide(state: Member, key: Seal) -> tuple[list[Fact], Write]:
            state.new_contact(link.version, WAITING)

            def write(tx: Transaction) -> None:
                self._must_be_known(tx, link.person, state, key, link.sent_to)
                rows.use_link(tx, token)

            return [ContactDenied(link.version)], write

        self.act(link.person, acting, decide)

    def answer_contact(self, person: str, asked: int, number: str, acting: Acting) -> bool:
        """A number was typed for a contact that waits: one that a known phone was told agrees (False), one that the new
        phone was told proves it (True). Raises Refused(number-wrong).
        """
        clean = numbers.plain_number(number)
        with self.log.database.write() as tx:
            found = numbers.by_registration(tx, self._number_key(), person, asked, clean, acting.now) if clean else None
        return self._answered(found, acting)

    def _answered(self, found: Confirmed | None, acting: Acting) -> bool:
        if found is None or found.purpose not in {numbers.CONTACT, numbers.PROVE}:
            raise Refused("number-wrong")

        def first(tx: Transaction, state: Member, key: Seal) -> None:
            self._must_be_known(tx, found.person, state, key, found.sent_to)

        try:
            if found.purpose == numbers.PROVE:
                self._replace(found.person, found.version, found.sent_to, acting)
            else:
                self._agree(found.person, BY_NUMBER, found.version, acting, first)
        except Refused as refused:
            if refused.code == "link-used":
                raise Refused("number-wrong") from None
            raise
        return found.purpose == numbers.PROVE

    def _prove_contact(self, token: str, link: Link, acting: Acting) -> None:
        del token  # all that was asked about the request ends with it
        self._replace(link.person, link.version, link.sent_to, acting)

    def _replace(self, person: str, asked: int, sent_to: bytes, acting: Acting) -> None:
        """The new contact was proven: it stands on file, and old and new contacts are told.

        Raises Refused: link-used (answered, or the address is somebody else's login by now).
        """
        streams = member_stream(person), person_stream(person)

        def once() -> None:
            with self.log.database.read() as tx:
                state, key = self.state_of(tx, person)
                found = self.vault.data_of(tx, [person]).of(person)
                person_version = self._person_version(tx, person)
            if found is None or state.access is None:
                raise Refused("link-used")
            identity, before = found
            new = state.new_contact(asked, SENT)
            given = key.open("contact", new.contact)
            after = Contact(given, before.phone) if new.what == EMAIL else Contact(before.email, given)
            address = key.address(state)
            moved = msgspec.structs.replace(address, email=given) if new.what == EMAIL else address
            login = key.text("login", msgspec.json.encode(moved)) if moved != address else ""
            facts: list[tuple[str, int, Fact]] = [(streams[0], state.version, ContactReplaced(asked, login))]
            # A phone that is not the member's any more must not go on getting balances and questions.
            gone = before.phone if after.phone != before.phone == key.open("phone", state.phone) else ""
            if gone:
                facts.append((streams[0], state.version + 1, PhoneUnbound()))
            if after != before:
                sealed = seal(key.key, person, streams[1], person_version + 1, "contact", contact_bytes(after))
                facts.append((streams[1], person_version, PersonCorrected("", sealed)))

            def write(tx: Transaction) -> None:
                self._must_have_been_asked(tx, person, asked)
                rows.end_asking(tx, person, asked)
                for other in state.contacts:
                    if other.what == new.what:
                        rows.end_asking(tx, person, other.version)
                if new.what == EMAIL:
                    self._move_login(tx, person, moved, sent_to)
                if not self.vault.recorrect(tx, person, identity, after):
                    raise Refused("link-used")
                one, other_known = key.known(state, before), Known.of((given,) if new.what == EMAIL else (), ())
                phones = (*one.phones, given) if new.what == PHONE else one.phones
                told = Known.of((*one.emails, *other_known.emails), phones)
                self.tell_known(tx, person, told, "contact-replaced", acting)
                if gone:
                    hashed = self.vault.phone_hash(tx, gone)
                    if rows.owner_of(tx, hashed) == person:
                        rows.drop_phone(tx, hashed)
                    self._tell_unbound(tx, person, told, gone, acting, but="")

            self.log.append(
                [acting.event(stream, version + 1, fact) for stream, version, fact in facts],
                acting.now,
                writes=[write],
            )

        handle(once)

    def _tell_unbound(self, tx: Transaction, person: str, known: Known, phone: str, acting: Acting, but: str) -> None:
        """No balances or notices go to a phone of the person's any more; the known contacts except `but` are told."""
        notices.stop(tx, person, "sms")
        self.tell_known(tx, person, known, "phone-unbound", acting, but=but, phone=whole_phone(phone))

    def _must_have_been_asked(self, tx: Transaction, person: str, asked: int) -> None:
        """A link or number that was used up is no proof. Raises Refused(link-used)."""
        if not rows.is_asked(tx, person, asked):
            raise Refused("link-used")

    def _move_login(self, tx: Transaction, person: str, address: Address, sent_to: bytes) -> None:
        """The access opens with the new address from now on, and links to the old one are over."""
        hashed = self.vault.address_hash(tx, address.looked_up)
        owner = rows.login_by_address(tx, sent_to)
        if owner is not None and owner.person != person:
            raise Refused("link-used")  # the address is somebody else's login
        tx.run("update member_logins set address = ? where person = ?", [hashed, person])
        tx.run("delete from member_links where person = ? and purpose = 'reset'", [person])


def _is_there(what: str, given: str, contact: Contact, login: Address) -> bool:
    """Whether the contact is the one on file already."""
    if what == PHONE:
        return contact.phone == given
    return contact.email.lower() == given.lower() == login.email.lower()
