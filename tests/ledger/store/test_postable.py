"""The store's look at many lines says what a card says of one: edges of memberships and opening balances, on both stores."""

from __future__ import annotations

import itertools

import numpy as np

from ledger.days import day_number
from ledger.decisions.card import Card
from ledger.events import AccountOpened, Event, Fact
from ledger.identifiers import month_number
from ledger.store import account_index
from ledger.store.log import AccountIndexChanged, Log
from tests import facts
from tests.conftest import NOW
from tests.facts import ended, started

NPP, OTHER = 10000001, 10000002
LASTING, LEFT, TAKEN_OVER, HELD, STRANGER = range(26_000_000_001, 26_000_000_006)
MONTHS = ("2024-12", "2025-01", "2025-02", "2025-05", "2025-06", "2025-07")
DAYS = ("2024-12-30", "2024-12-31", "2025-01-01", "2026-01-01")


def _filled(log: Log) -> dict[int, Card]:
    begun = started("PU", "2025-01", str(NPP))
    histories: dict[int, list[Fact]] = {
        LASTING: [begun],
        LEFT: [begun, ended("PU", "2025-01", "2025-06", str(NPP))],
        TAKEN_OVER: [begun, facts.opening("2024-12-31", 1_000)],
        HELD: [begun],
    }
    events = [
        Event(stream=f"account:{card}", version=number, fact=fact, by="t", channel="t")
        for card, history in histories.items()
        for number, fact in enumerate([AccountOpened(str(card), "a" * 32, "PU", "2025-01-02"), *history], 1)
    ]
    log.append(events, NOW)
    with log.database.write() as tx:
        # Nothing sets the column for holds yet; what it does is the store's promise.
        tx.run("update account_index_cards set plain = 0 where card = ?", [HELD])
    with log.database.read() as tx:
        return account_index.cards(tx, [*histories, STRANGER])


def test_the_store_finds_the_lines_that_a_card_would_not_simply_take(log: Log) -> None:
    cards = _filled(log)
    assert set(cards) == {LASTING, LEFT, TAKEN_OVER, HELD}
    groups = [(npp, month_number(m) or 0, day_number(d)) for npp, m, d in itertools.product((NPP, OTHER), MONTHS, DAYS)]
    asked = [(card, group) for group in range(len(groups)) for card in (LASTING, LEFT, TAKEN_OVER, HELD, STRANGER)]
    expected = set()
    for card, group in asked:
        npp, month, paid = groups[group]
        known = cards.get(card)
        takes = known is not None and known.plain and known.membership(npp, month) and known.opening < paid
        if not takes:
            expected.add((card, group))
    with log.database.read() as tx:
        found = account_index.not_plain(
            tx, np.array([card for card, _ in asked]), np.array([group for _, group in asked]), groups
        )
    assert found == expected
    assert (LEFT, groups.index((NPP, 2025 * 12 + 5, day_number("2026-01-01")))) not in found, "the last month"
    assert (LEFT, groups.index((NPP, 2025 * 12 + 6, day_number("2026-01-01")))) in found
    assert (LASTING, groups.index((NPP, 2025 * 12, day_number("2026-01-01")))) not in found, "the first month"
    assert (LASTING, groups.index((NPP, 2025 * 12 - 1, day_number("2026-01-01")))) in found
    assert (TAKEN_OVER, groups.index((NPP, 2025 * 12, day_number("2024-12-31")))) in found
    assert (TAKEN_OVER, groups.index((NPP, 2025 * 12, day_number("2025-01-01")))) not in found


def test_an_append_is_refused_only_when_one_of_its_cards_changed_after_the_look(log: Log) -> None:
    _filled(log)
    with log.database.read() as tx:
        changed = {card: at.changed_at for card, at in account_index.cards(tx, [LASTING, LEFT]).items()}
        assert account_index.changed_since(tx, [LASTING], changed[LASTING] - 1)
        assert not account_index.changed_since(tx, [LASTING], changed[LASTING])
        assert not account_index.changed_since(tx, [STRANGER], 0)
        # Later changes of other cards do not count.
        assert changed[LEFT] > changed[LASTING]
    line = [facts.posted([facts.Line(str(LASTING), 5_000_000, 0, 185_000, 100_000)])]
    event = Event(stream=f"remittance-e:{NPP}:2026-10", version=1, fact=line[0], by="t", channel="t")
    head = log.head()
    try:
        log.append([event], NOW, changed_since=changed[LASTING] - 1, cards=[LASTING])
    except AccountIndexChanged:
        assert log.head() == head
    else:
        raise AssertionError("a card changed and nobody said so")
    log.append([event], NOW, changed_since=changed[LASTING], cards=[LASTING])
    assert log.head() == head + 1
