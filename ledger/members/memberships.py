"""What a program that speaks for one employer records about a person is told to that person.

Such a key can register anybody whose NIK it knows as a worker of its employer, and then sees the lines that it posts for
them: only the person can notice that they never worked there.
"""

from __future__ import annotations

from collections.abc import Sequence

from ledger.acts.person import Joined
from ledger.decisions.person import Contact
from ledger.events import AccountOpened, Fact, MembershipEnded, MembershipStarted, SegmentChanged
from ledger.members.acts import Acting, Acts
from ledger.store.database import Transaction

TOLD: dict[type[Fact], str] = {
    MembershipStarted: "membership-started",
    MembershipEnded: "membership-ended",
    # These come with a membership that starts, whose letter says it.
    AccountOpened: "",
    SegmentChanged: "",
}
"""Fact of a registration -> the letter about it. A fact that is not here cannot be registered by such a key."""


class Memberships(Acts):
    """Telling people of their memberships."""

    def joined(self, acting: Acting) -> Joined:
        """What tells the holder, by all known contacts, of each row of a registration that adds something."""

        def tell(tx: Transaction, person: str, given: Contact | None, kpj: str, facts: Sequence[Fact]) -> None:
            state, key = self.state_of(tx, person)
            on_file = self.vault.data_of(tx, [person]).of(person)
            known = key.known(state, given or (on_file[1] if on_file else Contact()))
            for fact in facts:
                if kind := TOLD[type(fact)]:
                    npp: str = getattr(fact, "npp", "")
                    # In two groups: no letter holds a number that could be taken for a card or a balance.
                    self.tell_known(tx, person, known, kind, acting, kpj=kpj[-4:], npp=f"{npp[:4]} {npp[4:]}")

        return tell
