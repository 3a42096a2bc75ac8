"""A card that hangs on the wrong person gets its holder. Pure."""

from __future__ import annotations

from ledger.decisions.card import Card
from ledger.decisions.reason import must_be_known
from ledger.errors import Conflict, NotFound
from ledger.events import AccountReassigned

REASONS = ("wrong-person", "registered-twice", "legal-order")
"""Why a card gets another holder: a closed list, because free text could hold personal data."""


def check_reason(reason: str) -> None:
    """Raises Refused: reason-missing, reason-unknown."""
    must_be_known(reason, REASONS, "reason")


def decide_reassign(
    card: Card | None, person: str, *, person_known: bool, pointed_at: bool, proposed_by: str = ""
) -> AccountReassigned:  # fmt: skip
    """The fact that gives a card to `person`. `pointed_at`: another card is merged into it.

    Raises NotFound: account-not-found, person-unknown; Conflict: reassign-same-person, reassign-merged.
    """
    if card is None:
        raise NotFound("account-not-found", column="kpj")
    if not person_known:
        raise NotFound("person-unknown", column="to")
    if card.person == person:
        raise Conflict("reassign-same-person", column="to")
    if card.merged or pointed_at:
        # A group is one person's: a pointer would go from one person's money to another's.
        raise Conflict("reassign-merged", column="kpj")
    return AccountReassigned(person, card.person, proposed_by)
