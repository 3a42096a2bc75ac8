"""Merged cards: a person's old card points to another of the same person; no money moves. Pure.

A group is the cards whose pointers lead to one card; nothing points in a circle. Money, and yield, stay on the card they
came for, so that taking a pointer away leaves every card as if it had never been there.
"""

from __future__ import annotations

from collections.abc import Mapping

from ledger.decisions.card import Card
from ledger.errors import Conflict, NotFound, Refused
from ledger.events import CardsMerged, CardsUnmerged
from ledger.identifiers import kpj_of


def decide_merge(cards: Mapping[int, Card], old: int, new: int, proposed_by: str = "") -> CardsMerged:
    """The fact that lets card `old` point to card `new`. `cards`: both, and every card that `new` leads to.

    Raises Refused: merge-with-itself, merge-two-persons, merge-circle; NotFound(account-not-found);
    Conflict(merge-already).
    """
    if old == new:
        raise Refused("merge-with-itself", column="new")
    for card, column in ((old, "old"), (new, "new")):
        if card not in cards:
            raise NotFound("account-not-found", column=column)
    if cards[old].person != cards[new].person:
        raise Refused("merge-two-persons", column="new")
    if into := cards[old].merged:
        raise Conflict("merge-already", column="old", kpj=kpj_of(into))
    if old in led_to(cards, new):
        raise Refused("merge-circle", column="new")
    return CardsMerged(kpj_of(new), proposed_by)


def decide_unmerge(card: Card | None, proposed_by: str = "") -> CardsUnmerged:
    """The fact that takes a card's pointer away. Raises NotFound(account-not-found), Conflict(merge-not-there)."""
    if card is None:
        raise NotFound("account-not-found", column="old")
    if not card.merged:
        raise Conflict("merge-not-there", column="old")
    return CardsUnmerged(kpj_of(card.merged), proposed_by)


def led_to(cards: Mapping[int, Card], card: int) -> list[int]:
    """The cards that a card's pointer leads to, one after the other; of a card that is not merged none."""
    found: list[int] = []
    while card in cards and (card := cards[card].merged):
        found.append(card)
    return found
