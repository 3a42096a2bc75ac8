"""Why a month's money waits: which of the texts `saldo.held_...` says it, and who has to act."""

from __future__ import annotations

from projections.month_grid import Part

_OWN = frozenset({"no-membership", "second-payment", "wage-missing", "amounts-disagree"})
"""Reasons that are told otherwise when the holder pays."""


def held_key(part: Part) -> str:
    """Which of the texts `saldo.held_...` says why a month's money waits, and who has to act."""
    if part.reason == "amounts-disagree" and not part.expected:
        return f"{part.reason}_plain"
    return f"{part.reason}_own" if not part.npp and part.reason in _OWN else part.reason
