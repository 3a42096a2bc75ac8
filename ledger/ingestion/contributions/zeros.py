"""A number of fewer than eleven digits: an old card, or a card whose leading zeros a spreadsheet dropped.

Which of the two is meant, only the register can tell, and only where one of them belongs to the payer.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ledger.decisions.card import Card
from ledger.identifiers import kpj_of, zeros_lost

_FIRST_LEGACY = 10**11


def doubtful(cards: NDArray[np.int64]) -> list[int]:
    """The places of numbers that could also be canonical ones without their zeros."""
    return [place for place in np.flatnonzero(cards >= _FIRST_LEGACY).tolist() if zeros_lost(int(cards[place]))]


def others_of(cards: Sequence[int]) -> list[int]:
    """The cards that these numbers would be with their zeros."""
    found = (zeros_lost(card) for card in cards)
    return [card for card in found if card is not None]


def doubt(number: int, npp: int, card: Card | None, other: Card | None) -> tuple[str, dict[str, str | int]]:
    """(suspense code, details) when money for a number may be meant for the card with the zeros, else ('', {}).

    `card` and `other`: what is registered under the number as it stands and with its zeros. `npp`: the payer, 0 for an
    own payment.
    """
    if other is None or not _pays(other, npp):
        return "", {}
    code = "kpj-two-cards" if card is not None and _pays(card, npp) else "kpj-zero-short"
    return code, {"kpj": kpj_of(number), "candidate": kpj_of(other.card)}


def _pays(card: Card, npp: int) -> bool:
    return any(membership.npp == npp for membership in card.memberships)
