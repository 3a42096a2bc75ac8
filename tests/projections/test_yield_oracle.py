"""The additive rows and the formula against an independent oracle: any history, in any cut, gives the same rupiah."""

from __future__ import annotations

import random
from collections import defaultdict
from datetime import date

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.decisions.scheme import Scheme
from ledger.events import (
    Base,
    Event,
    Line,
    OpeningBalanceReversed,
    ProvisionalRateSet,
    Rates,
    ReversedLine,
    SchemeStarted,
    YieldDeclared,
)
from ledger.yields import Sums, sums
from projections import balances, card_lines
from projections.event_batch import read_batch
from tests.facts import opening, posted, taken_back
from tests.ledger.yield_oracle import Declared, Payment, yields
from tests.projections.history import event, rows_of

KPJ = "26000000017"
LAST = 2026
SHARDS = 20
"""Of the histories of a long run: the workers share them, and one that fails is named soon."""


class History:
    """A card's random history: the events, and beside them each payment of each epoch and sub-account."""

    def __init__(self, chance: random.Random, day: date) -> None:
        self.chance, self.day = chance, day
        self.events: list[Event] = []
        self.payments: dict[tuple[int, int], list[Payment]] = defaultdict(list)
        self.bases: dict[int, dict[int, int]] = {0: {}, 1: {}}
        self.first = chance.randint(2015, LAST)
        if chance.random() < 0.5:
            self.open()
        for _ in range(chance.randint(0, 12)):
            self.pay()

    def open(self) -> None:
        chance, year = self.chance, self.chance.randint(2014, LAST - 1)
        through = year - chance.choice((0, 0, 1, 2))
        employer, worker, credited = (chance.choice((0, chance.randint(0, 10**9))) for _ in range(3))
        tambahan, second = chance.randint(0, employer + worker), chance.randint(0, credited)
        bases = tuple(
            Base(y, chance.randint(0, 10**11), chance.randint(0, 10**9)) for y in range(through + 1, year + 1)
        )
        fact = opening(
            f"{year}-12-31", employer, worker, credited, 9, tambahan=tambahan, tambahan_yield=second, yield_through=through,
            bases=bases,
        )  # fmt: skip
        stream = f"account:{KPJ}"
        self.events.append(event(stream, 3, fact))
        if chance.random() < 0.2:
            self.events.append(event(stream, 4, OpeningBalanceReversed(event=3, **msgspec.structs.asdict(fact))))
            return
        self.payments[0, 0].append(Payment(year, 12, employer + worker - tambahan + credited - second))
        self.payments[0, 1].append(Payment(year, 12, tambahan + second))
        for base in bases:
            self.bases[0][base.year], self.bases[1][base.year] = base.utama, base.tambahan

    def pay(self) -> None:
        chance = self.chance
        year, month = chance.randint(2014, LAST), chance.randint(1, 12)
        if year == LAST:
            month = min(month, self.day.month)
        employer, worker, epoch = chance.randint(0, 10**7), chance.randint(0, 10**7), chance.choice((0, 0, 0, 1))
        tambahan = chance.choice((0, 0, chance.randint(0, employer + worker)))
        line = Line(KPJ, 0, 0, employer, worker, epoch, tambahan)
        version = len(self.events) + 10
        stream, paid_on = f"remittance-e:10000001:{year}-{month:02d}", f"{year}-{month:02d}-{chance.randint(1, 28):02d}"
        self.events.append(event(stream, version, posted([line], f"{year}-{month:02d}", paid_on)))
        signs = [1]
        if chance.random() < 0.25:
            back = ReversedLine(KPJ, 0, 0, employer, worker, epoch, tambahan, months=-1, event=version, line=0)
            self.events.append(event(stream, version + 1_000, taken_back([back], f"{year}-{month:02d}", paid_on)))
            signs.append(-1)
        for sign in signs:
            self.payments[epoch, 0].append(Payment(year, month, sign * (employer + worker - tambahan)))
            self.payments[epoch, 1].append(Payment(year, month, sign * tambahan))


def rows(events: list[Event], chance: random.Random) -> list[tuple[int, int, int, int]]:
    """What the fold makes of the events, read in a random cut and order."""
    stored = rows_of(events)
    chance.shuffle(stored)
    cut = chance.randint(0, len(stored))
    parts = [balances.fold(read_batch(part).lines) for part in (stored[:cut], stored[cut:]) if part]
    return card_lines.years(balances.merge(parts)) if parts else []


def check(seed: int) -> None:
    chance = random.Random(seed)
    day = date(LAST, chance.randint(1, 12), 28)
    history = History(chance, day)
    count = chance.randint(0, LAST - history.first)
    rates = [(chance.randint(0, 200_000), chance.randint(0, 200_000)) for _ in range(count)]
    provisional = chance.choice((None, chance.randint(0, 200_000)))
    scheme = Scheme().after(SchemeStarted(first_year=history.first), 1)
    if provisional is not None:
        scheme = scheme.after(ProvisionalRateSet(since="2015-01-01", rate=provisional, rule="r", basis="b"), 2)
    wrong = chance.random() < 0.5
    for year, pair in enumerate(rates, history.first):
        first = Rates(1, 2) if wrong else Rates(*pair)
        for chosen in (first, Rates(*pair)):
            fact = YieldDeclared(year=year, rates=chosen, policy="monthly-simple.v1", rule="r", basis="b")
            scheme = scheme.after(fact, scheme.version + 1)
    credited, estimated = 0, 0
    for (epoch, sub), payments in history.payments.items():
        declared = Declared(history.first, [pair[sub] for pair in rates], provisional)
        bases = history.bases[sub] if epoch == 0 else {}
        more, about = yields(payments, bases, declared, day.year, day.month)
        credited, estimated = credited + more, estimated + (about or 0)
    expected = Sums(credited, None if provisional is None else estimated)
    assert sums(rows(history.events, chance), scheme.terms(day)) == expected, seed


@given(st.integers(0, 2**63))
def test_the_formula_is_the_loop_over_months(seed: int) -> None:
    check(seed)


@pytest.mark.long
@pytest.mark.parametrize("shard", range(SHARDS))
def test_the_formula_is_the_loop_over_months_in_a_hundred_thousand_histories(shard: int) -> None:
    for seed in range(shard, 100_000, SHARDS):
        check(seed)
