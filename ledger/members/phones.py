"""Phones that balances may be sent to: one person a phone, one phone a person."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime

from msgspec import Struct

from ledger.acts import person as persons
from ledger.decisions.person import Contact
from ledger.errors import NotFound, Refused
from ledger.events import Fact, PhoneAsked, PhoneBound, PhoneDenied, PhoneUnbound
from ledger.members import numbers, rows
from ledger.members.acts import Acting, Seal, nothing
from ledger.members.contacts import Contacts
from ledger.members.numbers import NUMBER_VALID
from ledger.members.passwords import Passwords
from ledger.members.rows import Link
from ledger.members.shown import whole_phone
from ledger.members.state import BY_EMAIL, BY_NUMBER, KNOWN, OFFICE, Known, Member, matches
from ledger.store.database import Transaction, Write
from ledger.store.log import Appended

BOUND, ASKED, UNKNOWN = "bound", "waiting", "unknown"
LOGIN_CONFIRMED = "login-confirmed"
CONTACT_AGREED = "contact-agreed"
_First = Callable[[Transaction, Member, Seal], None]


class Phone(Struct, frozen=True):
    """What a phone says of its owner, in clean form; `birth_date` yyyy-mm-dd, the name may be empty."""

    phone: str
    nik: str
    kpj: str
    birth_date: str = ""
    name: str = ""


class Phones(Passwords, Contacts):
    """Phones asked for, bound, unbound."""

    def ask_phone(self, asked: Phone, acting: Acting) -> str:
        """Ask that a phone be bound: `bound`, `waiting` (for a known contact, or the branch), `unknown`.

        A sender can be forged, but what is told goes to the phone that is bound, never back to who pretended to be it.
        """
        with self.log.database.read() as tx:
            person = self.holder(tx, nik=asked.nik)
            if person is None or self.holder(tx, kpj=asked.kpj) != person:
                return UNKNOWN
            found = self.vault.data_of(tx, [person]).of(person)
        if found is None:
            return UNKNOWN
        identity, contact = found
        said = {"birth_date": asked.birth_date, "name": asked.name}
        if not matches(said, {"birth_date": identity.birth_date, "name": identity.name}):
            return UNKNOWN
        outcome = [BOUND]
        before: list[str] = []

        def decide(state: Member, key: Seal) -> tuple[list[Fact], Write]:
            outcome[:], before[:] = [BOUND], []
            known = key.known(state, contact)
            if key.open("phone", state.phone) == asked.phone and self.phone_owner(asked.phone) == person:
                return [], nothing
            if known.phone_proof(asked.phone) == KNOWN:
                # Who asks last has it.
                fact = PhoneBound(key.text("phone", asked.phone), KNOWN)
                return [fact], lambda tx: before.append(self._bind_and_tell(tx, person, known, asked.phone, acting))
            outcome[:] = [ASKED]
            if self._asked_just_now(state, key, asked.phone, acting.now) or not state.may_try(acting.now):
                return [], nothing  # another letter a message would be a way to annoy
            version = state.version + 1
            return [PhoneAsked(key.text("phone", asked.phone))], lambda tx: self._ask_known(
                tx, numbers.PHONE, person, version, known, asked.phone, acting
            )

        self.act(person, acting, decide)
        self._taken_from(before, asked.phone, acting)
        return outcome[0]

    def _asked_just_now(self, state: Member, key: Seal, phone: str, now: datetime) -> bool:
        """Whether a phone waits already, and the number that was sent for it still counts."""
        since = now - NUMBER_VALID
        newest = max((datetime.fromisoformat(at) for at in state.unknown if at), default=since)
        return newest > since and any(key.open("phone", one) == phone for one in state.waiting_phones)

    def _bind_and_tell(self, tx: Transaction, person: str, known: Known, phone: str, acting: Acting) -> str:
        """The person who had the phone before, or ""."""
        before = rows.put_phone(tx, person, self.vault.phone_hash(tx, phone))
        self.tell_known(tx, person, known, "phone-bound", acting, but=phone, phone=whole_phone(phone))
        return before

    def _taken_from(self, before: Sequence[str], phone: str, acting: Acting) -> None:
        """A phone went from somebody else, whose it is no more: nothing is sent there about them or asked, and their
        other contacts are told."""
        for person in filter(None, before):
            with suppress(NotFound):  # erased meanwhile
                self._end_binding(person, phone, acting, but=phone)

    def _end_binding(self, person: str, phone: str, acting: Acting, but: str = "") -> None:
        """A phone that was bound is not the person's any more. Raises NotFound(member-unknown)."""
        contact = self.contact_of(person)

        def decide(state: Member, key: Seal) -> tuple[list[Fact], Write]:
            if key.open("phone", state.phone) != phone or (but and self.phone_owner(phone) == person):
                return [], nothing  # bound anew meanwhile

            def write(tx: Transaction) -> None:
                hashed = self.vault.phone_hash(tx, phone)
                if rows.owner_of(tx, hashed) == person:
                    rows.drop_phone(tx, hashed)
                self._tell_unbound(tx, person, key.known(state, contact), phone, acting, but=but)

            return [PhoneUnbound()], write

        self.act(person, acting._replace(seen=None), decide)

    def correct(self, person: str, changes: Mapping[str, str], acting: Acting, reason: str) -> Appended | None:
        """Record corrected data, tell every contact of a changed one, and end the binding of a phone that is on file no
        more. Raises as `acts.person.correct`.
        """
        gone: list[str] = []
        check_and_tell = self.after_correction(person, acting)

        def also(tx: Transaction, before: Contact, after: Contact) -> None:
            check_and_tell(tx, before, after)
            gone[:] = [before.phone] if before.phone != after.phone else []

        done = persons.correct(
            self.log, self.vault, person, changes, acting.by, acting.channel, acting.now, reason=reason,
            seen=acting.seen and acting.seen.person, also=also,
        )  # fmt: skip
        for phone in filter(None, gone if done else ()):
            self._end_binding(person, phone, acting)
        return done

    def _confirm_phone(self, token: str, link: Link, acting: Acting) -> None:
        def first(tx: Transaction, state: Member, key: Seal) -> None:
            self._must_be_known(tx, link.person, state, key, link.sent_to)
            rows.use_link(tx, token)

        self._bound(link.person, BY_EMAIL, link.version, acting, first)

    def confirm_phone(self, person: str, asked: int, acting: Acting) -> None:
        """The branch has seen who it is: the phone of a request is bound. Raises Refused(link-used)."""
        self._bound(person, OFFICE, asked, acting, lambda tx, state, key: None)

    def confirm_by_phone(self, phone: str, number: str, acting: Acting) -> str:
        """A number came back by SMS: `bound` for a phone, `login-confirmed` for a registration, `contact-agreed`
        for a contact on file. A new phone is proven on the account page only: a mistyped one is somebody else's.

        Raises Refused(number-wrong).
        """
        clean = numbers.plain_number(number)
        with self.log.database.write() as tx:
            hashed = self.vault.phone_hash(tx, phone)
            found = numbers.by_phone(tx, self._number_key(), hashed, clean, acting.now) if clean else None
        if found is None or found.purpose == numbers.PROVE:
            raise Refused("number-wrong")
        if found.purpose == numbers.LOGIN:
            self._confirm_numbered(found, acting)
            return LOGIN_CONFIRMED

        if found.purpose == numbers.CONTACT:
            self._answered(found, acting)
            return CONTACT_AGREED

        def first(tx: Transaction, state: Member, key: Seal) -> None:
            self._must_be_known(tx, found.person, state, key, found.sent_to)

        try:
            self._bound(found.person, BY_NUMBER, found.version, acting, first)
        except Refused:
            raise Refused("number-wrong") from None
        return BOUND

    def _bound(self, person: str, how: str, asked: int, acting: Acting, first: _First) -> None:
        contact = self.contact_of(person)
        before: list[tuple[str, str]] = []

        def decide(state: Member, key: Seal) -> tuple[list[Fact], Write]:
            phone = key.open("phone", state.waiting_phone(asked))

            def write(tx: Transaction) -> None:
                first(tx, state, key)
                rows.end_asking(tx, person, asked)
                before[:] = [(phone, self._bind_and_tell(tx, person, key.known(state, contact), phone, acting))]

            return [PhoneBound(key.text("phone", phone), how, asked)], write

        self.act(person, acting, decide)
        for phone, other in before:
            self._taken_from([other], phone, acting)

    def _deny_phone(self, token: str, link: Link, acting: Acting) -> None:
        def decide(state: Member, key: Seal) -> tuple[list[Fact], Write]:
            state.waiting_phone(link.version)

            def write(tx: Transaction) -> None:
                self._must_be_known(tx, link.person, state, key, link.sent_to)
                rows.use_link(tx, token)

            return [PhoneDenied(link.version)], write

        self.act(link.person, acting, decide)

    def phone_owner(self, phone: str) -> str | None:
        """The person a phone is bound to."""
        with self.log.database.read() as tx:
            return rows.owner_of(tx, self.vault.phone_hash(tx, phone))

    def unbind_phone(self, phone: str, acting: Acting) -> bool:
        """No more balances to this phone; False when it was bound to nobody. Raises Refused(changed-since)."""
        person = self.phone_owner(phone)
        if person is None:
            return False
        contact: Contact = self.contact_of(person)

        def decide(state: Member, key: Seal) -> tuple[list[Fact], Write]:
            is_bound = key.open("phone", state.phone) == phone

            def write(tx: Transaction) -> None:
                rows.drop_phone(tx, self.vault.phone_hash(tx, phone))
                if is_bound:
                    told = phone if acting.channel == "sms" else ""
                    self._tell_unbound(tx, state.person, key.known(state, contact), phone, acting, but=told)

            return [PhoneUnbound()] if is_bound else [], write

        self.act(person, acting, decide)
        return True
