"""Passkeys: a key pair that an authenticator (a phone, a computer, a stick) keeps for a member, instead of the password.

What is kept is the public half, in a row that goes with the person; the member stream says only that a passkey came and
went. Who sets one up or removes one ends every session, and every known contact is told. Another password by a link
(`Passwords.reset`) removes all of them, so that whoever reads "was it not you?" has one way out that is enough.
"""

from __future__ import annotations

from typing import NamedTuple

from ledger.errors import NotFound, Refused
from ledger.events import Fact, PasskeyAdded, PasskeyRemoved
from ledger.members import passkey_rows, rows
from ledger.members.acts import Acting, Acts, Seal
from ledger.members.passkey_rows import Passkey
from ledger.members.state import Member
from ledger.store.database import Transaction, Write

MOST_PASSKEYS = 10


class NewPasskey(NamedTuple):
    """What an authenticator made: the id it is found by, the public key (COSE), and how often it says it was used."""

    credential: bytes
    public_key: bytes
    sign_count: int


class Passkeys(Acts):
    """Passkeys added, used, removed."""

    def passkeys_of(self, person: str) -> list[Passkey]:
        """A member's passkeys, the oldest first."""
        with self.log.database.read() as tx:
            return passkey_rows.of(tx, person)

    def passkey(self, credential: bytes) -> Passkey | None:
        """The passkey of a credential id, None when nobody has it."""
        with self.log.database.read() as tx:
            return passkey_rows.find(tx, credential)

    def add_passkey(self, person: str, made: NewPasskey, acting: Acting) -> None:
        """One more passkey. Raises Refused: link-used (there is no access), passkey-too-many, passkey-not-kept
        (it is registered already, for whomever).
        """
        contact = self.contact_of(person)

        def decide(state: Member, key: Seal) -> tuple[list[Fact], Write]:
            if state.access is None:
                raise Refused("link-used")
            if len(state.passkeys) >= MOST_PASSKEYS:
                raise Refused("passkey-too-many", most=MOST_PASSKEYS)
            moment = acting.now.isoformat()
            row = Passkey(
                made.credential, person, state.version + 1, made.public_key, made.sign_count, moment, moment
            )  # fmt: skip

            def write(tx: Transaction) -> None:
                if passkey_rows.find(tx, made.credential) is not None:
                    raise Refused("passkey-not-kept")
                passkey_rows.put(tx, row)
                rows.end_sessions(tx, person)
                self.tell_known(tx, person, key.known(state, contact), "passkey-added", acting)

            return [PasskeyAdded()], write

        self.act(person, acting, decide)

    def remove_passkey(self, person: str, added: int, acting: Acting) -> None:
        """The passkey of event `added` opens nothing any more. Raises NotFound(passkey-unknown)."""
        contact = self.contact_of(person)

        def decide(state: Member, key: Seal) -> tuple[list[Fact], Write]:
            if added not in state.passkeys:
                raise NotFound("passkey-unknown")

            def write(tx: Transaction) -> None:
                passkey_rows.drop(tx, person, added)
                rows.end_sessions(tx, person)
                self.tell_known(tx, person, key.known(state, contact), "passkey-removed", acting)

            return [PasskeyRemoved(added, "chosen")], write

        self.act(person, acting, decide)

    def use_passkey(self, used: Passkey, sign_count: int, acting: Acting) -> bool:
        """A passkey was used, and says how often by now; False when it says no more than it did before, as a copy of it
        would, also when both are used at once. Authenticators that do not count say 0 always.
        """
        with self.log.database.write() as tx:
            return passkey_rows.count(tx, used.credential, sign_count, acting.now)

    def tell_of_copy(self, person: str, acting: Acting) -> None:
        """Every known contact is told that a passkey may have been copied."""
        contact = self.contact_of(person)
        with self.log.database.write() as tx:
            state, key = self.state_of(tx, person)
            self.tell_known(tx, person, key.known(state, contact), "passkey-copied", acting)
