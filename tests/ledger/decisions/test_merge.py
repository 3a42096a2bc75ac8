"""Merging cards: which card may point to which."""

from __future__ import annotations

import pytest
from hypothesis import given as drawn
from hypothesis import strategies as st

from ledger.decisions.card import Card, after_fact
from ledger.decisions.merge import decide_merge, decide_unmerge, led_to
from ledger.errors import Refused
from ledger.events import CardsMerged, CardsUnmerged
from ledger.identifiers import kpj_of
from tests.scenario import given

ANI, BUDI = "a" * 32, "b" * 32
OLD, NEW, THIRD, HIS = 26000000017, 26000000025, 26000000033, 26000000041


def cards(**merged: int) -> dict[int, Card]:
    """Three cards of one person and one of another; `merged`: which of them points to which."""
    names = {"old": OLD, "new": NEW, "third": THIRD}
    found = {card: Card(card, ANI, "PU", merged=merged.get(name, 0)) for name, card in names.items()}
    return found | {HIS: Card(HIS, BUDI, "PU")}


def test_an_old_card_points_to_another_of_the_same_person() -> None:
    given(cards()).when(decide_merge, OLD, NEW, "user:1").then(CardsMerged(kpj_of(NEW), "user:1"))
    given(cards()[OLD]).when(decide_unmerge).refused("merge-not-there")
    pointed = after_fact(cards()[OLD], CardsMerged(kpj_of(NEW)), 7)
    assert pointed is not None
    assert (pointed.merged, pointed.changed_at) == (NEW, 7)
    given(pointed).when(decide_unmerge, "user:2").then(CardsUnmerged(kpj_of(NEW), "user:2"))
    again = after_fact(pointed, CardsUnmerged(kpj_of(NEW)), 8)
    assert again is not None
    assert again.merged == 0


def test_chains_may_grow_at_both_ends() -> None:
    given(cards(old=NEW)).when(decide_merge, NEW, THIRD).then(CardsMerged(kpj_of(THIRD)))
    given(cards(old=NEW)).when(decide_merge, THIRD, OLD).then(CardsMerged(kpj_of(OLD)))


@pytest.mark.parametrize(
    ("state", "old", "new", "code"),
    [
        (cards(), OLD, OLD, "merge-with-itself"),
        (cards(), OLD, HIS, "merge-two-persons"),
        (cards(), HIS, OLD, "merge-two-persons"),
        (cards(), 26000000058, OLD, "account-not-found"),
        (cards(), OLD, 26000000058, "account-not-found"),
        (cards(old=THIRD), OLD, NEW, "merge-already"),
        (cards(old=NEW), OLD, NEW, "merge-already"),
        (cards(new=OLD), OLD, NEW, "merge-circle"),
        (cards(new=THIRD, third=OLD), OLD, NEW, "merge-circle"),
    ],
)
def test_what_is_refused(state: dict[int, Card], old: int, new: int, code: str) -> None:
    given(state).when(decide_merge, old, new).refused(code)


def test_an_unknown_card_and_a_card_that_is_not_merged_stay_apart() -> None:
    given(None).when(decide_unmerge).refused("account-not-found")
    given(cards()[NEW]).when(decide_unmerge).refused("merge-not-there")


@drawn(st.lists(st.tuples(st.integers(1, 6), st.integers(0, 6)), max_size=30))
def test_whatever_is_asked_nothing_ever_points_in_a_circle(wishes: list[tuple[int, int]]) -> None:
    state = {n: Card(n + 26000000000, ANI, "PU") for n in range(1, 7)}
    by_card = {card.card: card for card in state.values()}
    for old, new in wishes:
        one = old + 26000000000
        try:
            fact: CardsMerged | CardsUnmerged = (
                decide_merge(by_card, one, new + 26000000000) if new else decide_unmerge(by_card[one])
            )
        except Refused:
            continue
        after = after_fact(by_card[one], fact, 1)
        assert after is not None
        by_card[one] = after
        for card in by_card:
            assert len(led_to(by_card, card)) == len(set(led_to(by_card, card))) < 6
