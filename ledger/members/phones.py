"""Phones that balances may be sent to: one person a phone, one phone a person."""

from __future__ import annotations

from msgspec import Struct

from ledger.acts.person import Contact
from ledger.errors import Refused
from ledger.events import Fact, PhoneAsked, PhoneBound, PhoneDenied, PhoneUnbound
from ledger.members import rows
from ledger.members.acts import Acting, Acts, Seal, Write, nothing
from ledger.members.rows import Link
from ledger.members.state import Member, matches
from ledger.store.database import Transaction
from ledger.store.outbox import Letter

BOUND, ASKED, UNKNOWN = "bound", "waiting", "unknown"


class Phone(Struct, frozen=True):
    """What a phone says of its owner, in clean form; `birth_date` yyyy-mm-dd, name and e-mail may be empty."""

    phone: str
    nik: str
    kpj: str
    birth_date: str = ""
    name: str = ""
    email: str = ""


class Phones(Acts):
    """Phones asked for, bound, unbound."""

    def ask_phone(self, asked: Phone, acting: Acting) -> str:
        """Ask that a phone be bound: `bound`, `waiting` (for the contact on file, or the branch), `unknown`."""
        with self.log.database.read() as tx:
            person = self.holder(tx, nik=asked.nik)
            if person is None or self.holder(tx, kpj=asked.kpj) != person:
                return UNKNOWN
            found = self.vault.data_of(tx, [person]).get(person)
        if found is None:
            return UNKNOWN
        identity, contact = found
        said = {"birth_date": asked.birth_date, "name": asked.name}
        if not matches(said, {"birth_date": identity.birth_date, "name": identity.name}):
            return UNKNOWN
        outcome = [BOUND]

        def decide(state: Member, key: Seal) -> tuple[list[Fact], Write]:
            outcome[:] = [BOUND]
            if key.open("phone", state.phone) == asked.phone:
                # Bound in the past, perhaps to another person since: who asks last has it.
                return [], lambda tx: self._bind(tx, person, asked.phone)
            if asked.phone == contact.phone:
                fact = PhoneBound(key.text("phone", asked.phone), "known-contact")
                return [fact], lambda tx: self._bind(tx, person, asked.phone)
            outcome[:] = [ASKED]
            if key.open("phone", state.waiting_phone) == asked.phone:
                return [], nothing  # its letter is out already; another one a message would be a way to annoy
            email = key.address(state).email or contact.email
            return [PhoneAsked(key.text("phone", asked.phone))], lambda tx: self._ask(
                tx, person, state.version + 1, email, contact, acting
            )

        self.act(person, acting, decide)
        return outcome[0]

    def _ask(
        self, tx: Transaction, person: str, version: int, email: str, contact: Contact, acting: Acting
    ) -> None:  # fmt: skip
        """Tell the contact on file that another phone asked."""
        if email:
            confirm = rows.put_link(tx, Link("confirm-phone", person, version), acting.now, rows.VALID_CONFIRM)
            deny = rows.put_link(tx, Link("deny-phone", person, version), acting.now, rows.VALID_CONFIRM)
            letter = Letter("phone-asked", email, acting.language, {"token": confirm, "deny": deny})
            self.outbox.put(tx, letter, acting.now)
        elif contact.phone:
            self.outbox.put(tx, Letter("phone-asked", contact.phone, acting.language), acting.now, "sms")

    def _bind(self, tx: Transaction, person: str, phone: str) -> None:
        rows.put_phone(tx, person, self.vault.phone_hash(tx, phone))

    def _confirm_phone(self, token: str, link: Link, acting: Acting) -> None:
        self._bound(link.person, "email", acting, link.version, lambda tx: rows.use_link(tx, token, "deny-phone"))

    def confirm_phone(self, person: str, acting: Acting) -> None:
        """The branch has seen who it is: the waiting phone is bound. Raises Refused(link-used) when none waits."""
        self._bound(person, "office", acting, 0, nothing)

    def _bound(self, person: str, how: str, acting: Acting, version: int, first: Write) -> None:
        def decide(state: Member, key: Seal) -> tuple[list[Fact], Write]:
            waiting = state.waiting_phone
            if waiting is None or version not in {0, waiting.version}:
                raise Refused("link-used")
            phone = key.open("phone", waiting)

            def write(tx: Transaction) -> None:
                first(tx)
                self._bind(tx, person, phone)

            return [PhoneBound(key.text("phone", phone), how)], write

        self.act(person, acting, decide)

    def _deny_phone(self, token: str, link: Link, acting: Acting) -> None:
        def decide(state: Member, key: Seal) -> tuple[list[Fact], Write]:
            if state.waiting_phone is None or state.waiting_phone.version != link.version:
                raise Refused("link-used")
            return [PhoneDenied()], lambda tx: rows.use_link(tx, token, "confirm-phone")

        self.act(link.person, acting, decide)

    def phone_owner(self, phone: str) -> str | None:
        """The person a phone is bound to."""
        with self.log.database.read() as tx:
            return rows.owner_of(tx, self.vault.phone_hash(tx, phone))

    def unbind_phone(self, phone: str, acting: Acting) -> bool:
        """No more balances to this phone; False when it was bound to nobody."""
        person = self.phone_owner(phone)
        if person is None:
            return False

        def decide(state: Member, key: Seal) -> tuple[list[Fact], Write]:
            def write(tx: Transaction) -> None:
                rows.drop_phone(tx, self.vault.phone_hash(tx, phone))

            return ([PhoneUnbound()] if key.open("phone", state.phone) == phone else []), write

        self.act(person, acting, decide)
        return True
