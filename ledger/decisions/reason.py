"""Reasons are codes of closed lists, because free text could hold personal data. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from ledger.errors import Refused

MERGE, UNMERGE, REASSIGN, JOIN, PART = "merge", "unmerge", "reassign", "join", "part"
REASONS = {
    MERGE: ("member-asked", "card-of-former-employer", "card-issued-twice", "legal-order"),
    UNMERGE: ("merged-by-mistake", "member-asked", "legal-order"),
    REASSIGN: ("wrong-person", "registered-twice", "legal-order"),
    JOIN: ("registered-twice", "nik-mistyped", "legal-order"),
    PART: ("joined-by-mistake", "legal-order"),
}
"""Why a person's cards are merged, a merge is taken back, a card gets another holder, two records become one, and one of
them stands again. What takes an act back is no reason for the act."""


def check_reason(act: str, reason: str) -> None:
    """Raises Refused: reason-missing, reason-unknown."""
    must_be_known(reason, REASONS[act], "reason")


def must_be_known(reason: str, known: Sequence[str], column: str = "") -> None:
    """Raises Refused: reason-missing, reason-unknown; `column`: where it was said."""
    if reason not in known:
        raise Refused("reason-unknown" if reason else "reason-missing", column=column, known=", ".join(known))
