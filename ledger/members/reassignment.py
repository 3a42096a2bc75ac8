"""A card that hung on the wrong person: the right one gets it, the other one sees it no more, both are told.

The fact about the card, the end of the link in the other one's member stream, the rows and the letters are one transaction:
website, app and SMS ask the register of links, so the card is gone there at once. Who gets the card links it as every other
one; nobody is shown a card without asking for it.
"""

from __future__ import annotations

from ledger.decisions.person import Contact
from ledger.decisions.reason import REASSIGN, check_reason
from ledger.decisions.reassign import decide_reassign
from ledger.errors import Refused
from ledger.events import CardUnlinked
from ledger.identifiers import account_stream, kpj_of, member_stream
from ledger.members import rows
from ledger.members.acts import Acting, Acts
from ledger.store import account_index
from ledger.store.database import Transaction, Write
from ledger.store.handle import handle


class Reassignment(Acts):
    """Giving a card to the person it belongs to."""

    def reassign(
        self, card: int, person: str, reason: str, acting: Acting, *, proposed_by: str = "", seen: str | None = None,
        also: Write | None = None,
    ) -> int:  # fmt: skip
        """Give a card to `person`; the position of the event. `seen`: the version of the card that was shown to who
        decides; `also`: what else is done in the transaction.

        Raises Refused: reason-missing, reason-unknown, changed-since; and as `decide_reassign`.
        """
        check_reason(REASSIGN, reason)
        kpj = kpj_of(card)
        stream = account_stream(kpj)

        def once() -> int:
            with self.log.database.read() as tx:
                position = self.log.head_in(tx)
                held = account_index.cards(tx, [card]).get(card)
                if seen is not None and seen != str(held.changed_at if held else 0):
                    raise Refused("changed-since")
                pointed_at = account_index.is_pointed_at(tx, card)
                holder = self.record_of(tx, person)
                fact = decide_reassign(held, holder, pointed_at=pointed_at, proposed_by=proposed_by)
                version = self.log.streams_in(tx, [stream]).of(stream)[-1].version
                events = [acting.event(stream, version + 1, fact, reason)]
                if fact.before in self.vault.keys_of(tx, [fact.before]):
                    state, _ = self.state_of(tx, fact.before)
                    if kpj in state.cards:
                        member = member_stream(fact.before)
                        events.append(acting.event(member, state.version + 1, CardUnlinked(kpj), reason))

            def write(tx: Transaction) -> None:
                if account_index.is_pointed_at(tx, card):
                    # A card was merged into this one after it was looked at.
                    decide_reassign(held, holder, pointed_at=True)
                rows.drop_card(tx, fact.before, card)
                self._tell_holder(tx, fact.before, "card-taken", kpj, acting)
                self._tell_holder(tx, person, "card-given", kpj, acting)
                if also is not None:
                    also(tx)

            return self.log.append(
                events, acting.now, changed_since=position, cards=[card], writes=[write]
            ).positions[0]  # fmt: skip

        return handle(once)

    def _tell_holder(self, tx: Transaction, person: str, kind: str, kpj: str, acting: Acting) -> None:
        """By every known contact; whoever was erased has none."""
        if person not in self.vault.keys_of(tx, [person]):
            return
        state, key = self.state_of(tx, person)
        recorded = self.vault.data_of(tx, [person]).data.get(person)
        self.tell_known(
            tx, person, key.known(state, recorded[1] if recorded else Contact()), kind, acting, kpj=kpj[-4:]
        )
