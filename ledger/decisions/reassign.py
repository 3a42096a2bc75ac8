"""A card that hangs on the wrong person gets its holder. Pure."""

from __future__ import annotations

from ledger.decisions.card import Card
from ledger.decisions.person import Person, must_be_there
from ledger.errors import Conflict, NotFound
from ledger.events import AccountReassigned


def decide_reassign(
    card: Card | None, holder: Person, *, pointed_at: bool, proposed_by: str = ""
) -> AccountReassigned:  # fmt: skip
    """The fact that gives a card to `holder`. `pointed_at`: another card is merged into it.

    Raises NotFound: account-not-found, person-unknown, person-erased, person-joined; Conflict: reassign-same-person,
    reassign-merged.
    """
    if card is None:
        raise NotFound("account-not-found", column="kpj")
    must_be_there(holder)
    if card.person == holder.person:
        raise Conflict("reassign-same-person", column="to")
    if card.merged or pointed_at:
        # A group is one person's: a pointer would go from one person's money to another's.
        raise Conflict("reassign-merged", column="kpj")
    return AccountReassigned(holder.person, card.person, proposed_by)
