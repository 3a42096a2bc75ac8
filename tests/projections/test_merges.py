"""Merged cards on the read side: a sum more, and nothing else; an un-merge is as if there had been none."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from ledger.acts import merge as acts
from ledger.acts import scheme
from ledger.errors import JhtError, Refused, Unavailable
from ledger.events import AccountOpened, Line, PersonRegistered, Rates
from ledger.identifiers import card_number
from ledger.receipt import Header
from projections.rebuild import rebuild
from projections.results import BalanceRow
from tests.conftest import LONG, NOW, TODAY
from tests.facts import started
from tests.projections.conftest import Ledger
from tests.projections.history import NPPS, event
from tests.projections.test_queries import CARDS

WHY = Header("user:1", "office", "", "member-asked")
HELD = 4
"""Cards of a person in the machine; each has a twin, of another person, that is never merged."""


def follow(ledger: Ledger) -> None:
    ledger.follower.run_once()
    ledger.reader.refresh()


def merge(ledger: Ledger, old: int, new: int) -> int:
    position = acts.merge(ledger.log, old, new, WHY, lambda: NOW)
    follow(ledger)
    return position


def unmerge(ledger: Ledger, old: int) -> int:
    position = acts.unmerge(ledger.log, old, WHY, lambda: NOW)
    follow(ledger)
    return position


def totals(ledger: Ledger, card: int, as_of: date | None = None) -> tuple[int, dict[int, int]]:
    found = ledger.reader.group(card, TODAY, NOW, as_of)
    return found.total, {row.card: row.total for row in found.rows}


def test_both_cards_tell_the_sum_and_keep_their_own_balance(ledger: Ledger) -> None:
    one, two = CARDS[:2]
    ledger.pay("2026-09", "2026-10-14", Line("12345678901", 0, 0, 100, 20))
    ledger.pay("2026-10", "2026-11-14", Line("00000000007", 0, 0, 5, 7))
    assert not ledger.balance(0).grouped
    assert totals(ledger, one) == (120, {one: 120})
    merge(ledger, one, two)
    assert [ledger.balance(i).grouped for i in range(4)] == [True, True, False, False]
    assert [ledger.balance(i).total for i in range(2)] == [120, 12]
    for card in (one, two):
        assert totals(ledger, card) == (132, {one: 120, two: 12})
        assert totals(ledger, card, date(2026, 10, 31)) == (120, {one: 120, two: 0})
    # Late money to the old card shows in the group.
    ledger.pay("2026-08", "2026-11-20", Line("12345678901", 0, 0, 1_000, 0))
    assert totals(ledger, two) == (1_132, {one: 1_120, two: 12})
    unmerge(ledger, one)
    assert [ledger.balance(i).grouped for i in range(2)] == [False, False]
    assert totals(ledger, two) == (12, {two: 12})
    assert rebuilt(ledger) == [0, 0, 0]


def rebuilt(ledger: Ledger) -> list[int]:
    report = rebuild(ledger.log, ledger.store)
    ledger.reader.refresh()
    return [found.compared.differing if found.compared else -1 for found in report.projections]


def test_a_pointer_that_the_read_side_lost_is_found_by_the_rebuild(ledger: Ledger) -> None:
    merge(ledger, CARDS[0], CARDS[1])
    live = ledger.store.pointers().live["directory"]
    with ledger.store.database(live).write() as tx:
        tx.run(f"delete from {live.table}_merges")
    with pytest.raises(JhtError) as told:
        rebuild(ledger.log, ledger.store)
    assert told.value.code == "rebuild-differs"


def test_no_sum_is_told_without_one_of_the_cards(ledger: Ledger) -> None:
    merge(ledger, CARDS[0], CARDS[1])
    live = ledger.store.pointers().live["balances"]
    with ledger.store.database(live).write() as tx:
        tx.run(f"insert into {live.table}_incomplete values (?, 1)", [CARDS[1]])
    with pytest.raises(Unavailable) as told:
        totals(ledger, CARDS[0])
    assert told.value.code == "account-incomplete"


def same(row: BalanceRow) -> tuple[object, ...]:
    """What a card has, whoever holds it and wherever the log is."""
    return (
        row.total, row.employer, row.worker, row.credited, row.brought, row.estimated, row.paid_out, row.months, row.last,
        row.status,
    )  # fmt: skip


def test_merges_and_un_merges_among_payments_change_no_card_and_sum_what_leads_together(ledger: Ledger) -> None:
    header = Header("user:1", "cli")
    scheme.start(ledger.log, 2024, header, lambda: NOW)
    for year in (2024, 2025):
        scheme.declare(ledger.log, year, Rates(56_300, 56_300), "made up", header, lambda: NOW)
    scheme.set_provisional(ledger.log, date(2026, 1, 1), 50_000, "made up", header, lambda: NOW)
    follow(ledger)
    people = iter(range(100, 10_000))

    class Merging(RuleBasedStateMachine):
        """Cards of one person; money that comes for a card comes for its twin as well."""

        def __init__(self) -> None:
            super().__init__()
            first = next(people) * 2
            self.kpjs = [f"{27_000_000_000 + (first + twin) * 100 + i}" for twin in range(2) for i in range(HELD)]
            self.cards = [card_number(kpj) for kpj in self.kpjs]
            self.pointers: dict[int, int] = {}
            self.before = len(ledger.writer.posted)
            for twin in range(2):
                person = f"{first + twin:032x}"
                ledger.log.append([event(f"person:{person}", 1, PersonRegistered("sealed"))], NOW)
                for kpj in self.kpjs[HELD * twin : HELD * twin + HELD]:
                    opened = AccountOpened(kpj, person, "PU", "2015-01-02")
                    ledger.log.append(
                        [
                            event(f"account:{kpj}", 1, opened),
                            event(f"account:{kpj}", 2, started("PU", "2015-01", NPPS[0])),
                        ],
                        NOW,
                    )
            follow(ledger)

        @rule(which=st.integers(0, HELD - 1), year=st.integers(2024, 2026), amount=st.integers(1, 10**9))
        def pay(self, which: int, year: int, amount: int) -> None:
            lines = [Line(self.kpjs[i], 0, 0, amount, amount // 2) for i in (which, which + HELD)]
            ledger.pay(f"{year}-03", f"{year}-04-14", *lines)

        @rule(which=st.integers(0, 9))
        def take_back(self, which: int) -> None:
            """Both lines of a payment of this example, which stand one after the other."""
            own = len(ledger.writer.posted) - self.before
            if own:
                first = self.before + which % (own // 2) * 2
                ledger.add(ledger.writer.reverse(first), ledger.writer.reverse(first))

        @rule(old=st.integers(0, HELD - 1), new=st.integers(0, HELD - 1))
        def merge(self, old: int, new: int) -> None:
            one, other = self.cards[old], self.cards[new]
            allowed = one != other and one not in self.pointers and self._end(other) != one
            assert self._done(lambda: merge(ledger, one, other)) == allowed
            if allowed:
                self.pointers[one] = other

        @rule(old=st.integers(0, HELD - 1))
        def unmerge(self, old: int) -> None:
            one = self.cards[old]
            assert self._done(lambda: unmerge(ledger, one)) == (one in self.pointers)
            self.pointers.pop(one, None)

        @rule(which=st.integers(0, HELD - 1))
        def merge_with_a_stranger(self, which: int) -> None:
            assert not self._done(lambda: merge(ledger, self.cards[which], self.cards[which + HELD]))

        @staticmethod
        def _done(act: Callable[[], object]) -> bool:
            try:
                act()
            except Refused:
                return False
            return True

        def _end(self, card: int) -> int:
            while card in self.pointers:
                card = self.pointers[card]
            return card

        @invariant()
        def every_card_has_what_its_twin_has_and_a_group_their_sum(self) -> None:
            rows = [ledger.reader.balance(card, TODAY, NOW) for card in self.cards]
            for card, row, twin in zip(self.cards, rows, rows[HELD:], strict=False):
                assert same(row) == same(twin)
                together = {one for one in self.cards[:HELD] if self._end(one) == self._end(card)}
                assert row.grouped == (len(together) > 1)
                found = ledger.reader.group(card, TODAY, NOW)
                assert (found.into, {one.card for one in found.rows}) == (self._end(card), together)
                assert found.total == sum(one.total for one in rows if one.card in together)
                assert found.pointers == {one: self.pointers[one] for one in together if one in self.pointers}
            assert not any(row.grouped for row in rows[HELD:])

    hypothesis_settings.register_profile(
        "merging", max_examples=60 if LONG else 6, stateful_step_count=15, deadline=None
    )
    run_state_machine_as_test(Merging, settings=hypothesis_settings.get_profile("merging"))  # type: ignore[no-untyped-call]
    assert ledger.log.check_account_index() == (0, [])
    assert rebuilt(ledger) == [0, 0, 0]
