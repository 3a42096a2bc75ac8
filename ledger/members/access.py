"""`Members`: all acts together, the cards a member sees, and what a new master key changes."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ledger.errors import NotFound, Refused
from ledger.events import Fact
from ledger.identifiers import card_number, member_stream
from ledger.members import rows
from ledger.members.acts import Acting, Seal
from ledger.members.joining import Joining
from ledger.members.memberships import Memberships
from ledger.members.notice_choices import NoticeChoices
from ledger.members.passkeys import Passkeys
from ledger.members.phones import Phones
from ledger.members.reassignment import Reassignment
from ledger.members.requests import Requests
from ledger.members.rows import Link, LinkedCard
from ledger.members.state import Member, decide_link
from ledger.store.database import Transaction, Write
from ledger.store.log import Log
from ledger.store.master_key import Master
from ledger.store.vault import Vault


class Members(Phones, Requests, Memberships, NoticeChoices, Passkeys, Reassignment, Joining):
    """The members of a ledger."""

    @classmethod
    def open(cls, log: Log, vault: Vault) -> Members:
        """The members of a log."""
        return cls(log, vault)

    def use_link(self, token: str, acting: Acting) -> Link:
        """Do what a link was sent for: verify, confirm-login, deny-login, confirm-phone, deny-phone,
        confirm-contact, deny-contact, prove-contact.

        Raises Refused(link-used): unknown, over, used before, or for something that is no longer so.
        """
        acts: dict[str, Callable[[str, Link, Acting], None]] = {
            "verify": self._verify,
            "confirm-login": self._confirm_login,
            "deny-login": self._deny_login,
            "confirm-phone": self._confirm_phone,
            "deny-phone": self._deny_phone,
            "confirm-contact": self._confirm_contact,
            "deny-contact": self._deny_contact,
            "prove-contact": self._prove_contact,
        }
        link = self.look_at_link(token, acting.now)
        if link.purpose not in acts:
            raise Refused("link-used")
        acts[link.purpose](token, link, acting)
        return link

    # --- cards

    def cards(self, person: str) -> list[LinkedCard]:
        """The cards a member sees."""
        with self.log.database.read() as tx:
            return rows.cards_of(tx, person)

    def card_of(self, person: str, handle: str) -> int:
        """The card behind a member's own handle. Raises NotFound(card-unknown)."""
        for linked in self.cards(person):
            if linked.handle == handle:
                return linked.card
        raise NotFound("card-unknown")

    def link_card(self, person: str, kpj: str, acting: Acting) -> LinkedCard:
        """Show a member one more of the own cards. Raises Refused(card-not-yours)."""
        with self.log.database.read() as tx:
            holder = self.holder(tx, kpj=kpj)

        contact = self.contact_of(person)

        def decide(state: Member, key: Seal) -> tuple[list[Fact], Write]:
            fact = decide_link(state, kpj, holder)

            def show(tx: Transaction) -> None:
                if self.holder(tx, kpj=kpj) != person:
                    raise Refused("card-not-yours")  # it was given to another person meanwhile
                rows.put_card(tx, person, card_number(kpj))

            def write(tx: Transaction) -> None:
                show(tx)
                self.tell_known(tx, person, key.known(state, contact), "card-linked", acting, kpj=kpj[-4:])

            return ([], show) if fact is None else ([fact], write)

        self.act(person, acting, decide)
        card = card_number(kpj)
        return next(linked for linked in self.cards(person) if linked.card == card)

    # --- another master key

    def rotate(self, new_key: bytes) -> int:
        """`Vault.rotate` with all that members and outbox derive from the master key; the number of persons done."""
        return self.vault.rotate(new_key, also=[self._rehash], last=[self.outbox.reseal])

    def _rehash(self, tx: Transaction, keys: Mapping[str, bytes], new: Master) -> None:
        for person, key in keys.items():
            stream = member_stream(person)
            state = Member.of(person, self.log.streams_in(tx, [stream]).of(stream))
            opened = Seal(key, person, state.version)
            if state.access is not None:
                hashed = new.email(opened.address(state).looked_up.lower())
                tx.run("update member_logins set address = ? where person = ?", [hashed, person])
            for one in state.registrations:
                tx.run(
                    "update member_registrations set address = ? where person = ? and version = ?",
                    [new.email(opened.address_in(one.login).looked_up.lower()), person, one.version],
                )
            if state.phone is not None:
                hashed = new.phone(opened.open("phone", state.phone))
                tx.run("update member_phones set hash = ? where person = ?", [hashed, person])
            # Links to known contacts carry their hashes, and numbers are keyed: asking again makes new ones.
            tx.run("delete from member_links where person = ? and purpose like ?", [person, "%-login"])
            tx.run("delete from member_links where person = ? and purpose like ?", [person, "%-phone"])
            tx.run("delete from member_links where person = ? and purpose like ?", [person, "%-contact"])
            tx.run("delete from member_numbers where person = ?", [person])
