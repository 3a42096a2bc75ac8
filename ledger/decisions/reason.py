"""Reasons are codes of closed lists, because free text could hold personal data. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from ledger.errors import Refused


def must_be_known(reason: str, known: Sequence[str], column: str = "") -> None:
    """Raises Refused: reason-missing, reason-unknown; `column`: where it was said."""
    if reason not in known:
        raise Refused("reason-unknown" if reason else "reason-missing", column=column, known=", ".join(known))
