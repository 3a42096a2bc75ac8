"""Asking the known contacts about one that is not known, and what they answer: by a link, or by a one-time number.

Who is asked holds a contact that was known before; an answer counts only while it still is.
"""

from __future__ import annotations

from ledger.errors import Refused
from ledger.members import numbers, rows
from ledger.members.acts import Acting, Acts, Seal
from ledger.members.numbers import Confirmed
from ledger.members.rows import Link
from ledger.members.shown import whole_phone
from ledger.members.state import Known, Member
from ledger.store.database import Transaction
from ledger.store.outbox import Letter


class Confirming(Acts):
    """Questions to the contacts that are known."""

    def _ask_known(
        self, tx: Transaction, purpose: str, person: str, version: int, known: Known, asks: str, acting: Acting
    ) -> None:
        """Ask about the contact `asks`, of the registration or request `version`: links to the e-mail addresses, one
        number to the phones. `purpose`: LOGIN, PHONE or CONTACT of `numbers`.
        """
        shown = asks if "@" in asks else whole_phone(asks)
        for email in known.emails:
            to = self.vault.address_hash(tx, email)
            secrets = {
                name: rows.put_link(tx, Link(f"{act}-{purpose}", person, version, to), acting.now, rows.VALID_CONFIRM)
                for name, act in (("token", "confirm"), ("deny", "deny"))
            }
            details = secrets | {"asks": shown}
            letter = _question(purpose, email, acting.language, details)
            self.outbox.put(tx, letter, acting.now, person=person)
        number = numbers.new_number()
        asked_by = self.vault.phone_hash(tx, asks) if purpose == numbers.PHONE else b""
        for phone in known.phones:
            sent = Confirmed(purpose, person, version, self.vault.phone_hash(tx, phone))
            numbers.put_number(tx, self._number_key(), sent, asked_by, number, acting.now)
            details = {"number": f"{number[:4]} {number[4:]}"}
            letter = _question(purpose, phone, acting.language, details)
            self.outbox.put(tx, letter, acting.now, "sms", person=person)

    def _number_key(self) -> bytes:
        return self.vault.derived(b"one-time numbers")

    def _must_be_known(self, tx: Transaction, person: str, state: Member, key: Seal, sent_to: bytes) -> None:
        """Whether who answers still is a contact of the person. Raises Refused(link-used)."""
        found = self.vault.data_of(tx, [person]).of(person)
        if found is None:
            raise Refused("link-used")
        known = key.known(state, found[1])
        hashes = {
            *(self.vault.address_hash(tx, email) for email in known.emails),
            *(self.vault.phone_hash(tx, phone) for phone in known.phones),
        }
        if sent_to not in hashes:
            raise Refused("link-used")


def _question(purpose: str, to: str, language: str, details: dict[str, str]) -> Letter:
    is_login, is_phone = purpose == numbers.LOGIN, purpose == numbers.PHONE
    return Letter(
        "confirm-login" if is_login else "confirm-phone" if is_phone else "confirm-contact", to, language, details
    )  # fmt: skip
