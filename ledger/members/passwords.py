"""Passwords of members: forgotten, chosen anew. The hash stands in a row, never in an event."""

from __future__ import annotations

from ledger.errors import Refused
from ledger.events import Fact, PasskeyRemoved, PasswordChanged
from ledger.members import passkey_rows, rows
from ledger.members.acts import Acting, Seal, nothing
from ledger.members.registration import Registrations
from ledger.members.rows import Link
from ledger.members.state import Member, decide_verify
from ledger.store.database import Transaction, Write
from ledger.store.outbox import Letter


class Passwords(Registrations):
    """Another password; every session ends and every contact is told."""

    def ask_reset(self, identifier: str, acting: Acting) -> None:
        """Send a link for another password to the address of the login, if there is one. The answer never tells."""
        login = self.find(identifier)
        if login is None:
            return

        def decide(state: Member, key: Seal) -> tuple[list[Fact], Write]:
            address, version = key.address(state), state.access.version if state.access else 0

            def write(tx: Transaction) -> None:
                link = Link("reset", login.person, version, self.vault.address_hash(tx, address.email))
                secret = rows.put_link(tx, link, acting.now, rows.VALID_RESET)
                letter = Letter("reset", address.email, acting.language, {"token": secret})
                self.outbox.put(tx, letter, acting.now, person=login.person)

            return [], write if version and not address.issuer else nothing

        self.act(login.person, acting, decide)

    def reset(self, token: str, password: str, acting: Acting) -> str:
        """Another password by a `reset` link, or the first one by an `invite` link; every session ends. The person.

        Passkeys go with a `reset`: whoever made one unasked keeps no way in.

        Raises Refused(link-used).
        """
        link = self.look_at_link(token, acting.now)
        if link.purpose not in {"reset", "invite"}:
            raise Refused("link-used")
        if link.purpose == "invite":
            self._accept_invite(token, link, password, acting)
            return link.person
        contact = self.contact_of(link.person)

        def decide(state: Member, key: Seal) -> tuple[list[Fact], Write]:
            if state.access is None or state.access.version != link.version:
                raise Refused("link-used")

            def write(tx: Transaction) -> None:
                rows.use_link(tx, token)
                rows.set_password(tx, link.person, password)
                self.tell_known(tx, link.person, key.known(state, contact), "password-changed", acting)
                for added in state.passkeys:
                    passkey_rows.drop(tx, link.person, added)
                if state.passkeys:
                    self.tell_known(tx, link.person, key.known(state, contact), "passkey-removed", acting)

            gone = [PasskeyRemoved(added, "reset") for added in state.passkeys]
            return [PasswordChanged("reset"), *gone], write

        self.act(link.person, acting, decide)
        return link.person

    def _accept_invite(self, token: str, link: Link, password: str, acting: Acting) -> None:
        contact = self.contact_of(link.person)

        def decide(state: Member, key: Seal) -> tuple[list[Fact], Write]:
            fact = decide_verify(state, link.version)

            def write(tx: Transaction) -> None:
                rows.use_link(tx, token)
                self._proven(tx, state, key, contact, link.version, fact, acting, password)

            return [fact, PasswordChanged("chosen")], write

        self.act(link.person, acting, decide)

    def change_password(self, person: str, password: str, acting: Acting) -> None:
        """Another password, chosen by the member; every session ends. Raises Refused(link-used) without an access."""
        contact = self.contact_of(person)

        def decide(state: Member, key: Seal) -> tuple[list[Fact], Write]:
            if state.access is None:
                raise Refused("link-used")

            def write(tx: Transaction) -> None:
                rows.set_password(tx, person, password)
                self.tell_known(tx, person, key.known(state, contact), "password-changed", acting)

            return [PasswordChanged("chosen")], write

        self.act(person, acting, decide)

    def end_sessions(self, person: str) -> None:
        """Log out everywhere."""
        with self.log.database.write() as tx:
            rows.end_sessions(tx, person)
