"""Totals: sums over any filter equal the sum of their parts, of any day and as known at any place."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date, timedelta

import pytest

from ledger.acts import scheme as acts
from ledger.errors import Refused
from ledger.events import Line
from ledger.settings import Settings
from ledger.store.known_at import KnownAt, at_position
from ledger.store.log import Log
from projections import totals as module
from projections.generations import Store
from projections.rebuild import rebuild
from projections.totals import Totals, totals
from tests.conftest import NOW, TODAY
from tests.facts import opening, posted
from tests.projections.history import KPJS, NPPS, RULES, event, registered
from tests.projections.test_past_answer import ROUNDS, declare, happen
from tests.projections.test_queries import CARDS, code_of
from tests.projections.test_scheme import WHO, Town


@pytest.fixture
def town(settings: Settings, log: Log, monkeypatch: pytest.MonkeyPatch) -> Iterator[Town]:
    # Slices smaller than what some cards have.
    monkeypatch.setattr(module, "SLICE", 3)
    store = Store.open(settings)
    made = Town(log, store)
    made.add(*registered())
    acts.start(log, 2023, WHO, lambda: NOW)
    made.see()
    yield made
    made.reader.close()
    store.close()


def ask(town: Town, day: date = TODAY, known: KnownAt | None = None, npp: int | None = None) -> Totals:
    return totals(town.reader, town.store, NOW, day, known, npp)


def check(town: Town, day: date, known: KnownAt) -> Totals:
    """The scheme's totals are the sum of the cards' balances and of the payers' totals."""
    whole = ask(town, day, known)
    assert whole.reached[0] == known.position
    employer = worker = months = credited = 0
    for card in CARDS:
        past = town.reader.past_until(card, TODAY, NOW, day, known)
        row = town.reader.row_of_past(card, past, day)
        employer, worker, months = employer + row.employer, worker + row.worker, months + row.months
        credited += row.credited
    assert (*whole.contributed, whole.credited) == (employer, worker, months, credited)
    paid = [ask(town, day, known, int(npp)) for npp in NPPS]
    for one in paid:
        assert (one.credited, one.participants, one.openings) == (None, (0, 0, 0), (0, 0, 0))
    assert tuple(map(sum, zip(*(one.employers for one in paid), strict=True))) == whole.employers
    return whole


def test_sums_over_any_filter_are_the_sums_of_their_parts(town: Town) -> None:
    chance, kept = random.Random(7), list[tuple[date, KnownAt, Totals]]()
    town.pay("2023-01", "2023-02-10", *[Line(kpj, 0, 0, 10**6, 10**6) for kpj in KPJS])
    own = posted([Line(KPJS[4], 0, 0, 0, 20_000)], "2023-03", "2023-03-20", rules=RULES, segment="BPU")
    town.add(event(f"remittance-p:{KPJS[4]}:2023-03", 1, own))
    town.declare(2023, 57_000)
    began = town.log.head()
    for _ in range(2 * ROUNDS):
        happen(town, chance)
        if chance.random() < 0.4:
            declare(town, chance)
        # From a day on that no opening balance is later than: before, single cards refuse.
        day = chance.choice((TODAY, TODAY - timedelta(days=500), date(2023, 12, 31), date(2022, 6, 1)))
        known = at_position(town.log, chance.randint(began, town.log.head()))
        kept.append((day, known, check(town, day, known)))
    assert any(one.participants.worker for _, _, one in kept)
    assert any(one.openings.total for _, _, one in kept)
    assert len({one.credited for _, _, one in kept}) > 3
    rebuild(town.log, town.store)
    town.see()
    for day, known, was in kept:
        again = ask(town, day, known)
        assert again[1:] == was[1:]
        assert again.reached[:2] == was.reached[:2]


def test_totals_of_now_are_those_at_the_head(town: Town) -> None:
    town.pay("2023-01", "2023-02-10", Line(KPJS[0], 0, 0, 500, 700))
    town.declare(2023, 57_000)
    found = ask(town)
    assert found == check(town, TODAY, at_position(town.log, town.log.head()))
    assert found.contributed == (500, 700, 1)


def test_nothing_is_nothing_and_an_unknown_employer_is_no_zero(town: Town) -> None:
    found = ask(town)
    assert (*found.contributed, found.credited) == (0, 0, 0, 0)
    assert ask(town, npp=int(NPPS[0])).employers == (0, 0, 0)
    assert code_of(lambda: ask(town, npp=99_999_999)) == "employer-not-found"
    before = at_position(town.log, 1)
    assert ask(town, known=before, npp=int(NPPS[0])).employers == (0, 0, 0)
    assert code_of(lambda: ask(town, known=before, npp=int(NPPS[1]))) == "employer-not-found", "not yet"
    with pytest.raises(Refused, match="future"):
        ask(town, TODAY + timedelta(days=1))


def test_a_card_with_more_lines_than_a_slice_and_one_with_bases_are_whole(town: Town) -> None:
    town.add(event(f"account:{KPJS[1]}", 50, opening("2024-12-31", 5_000_000, 0, 70_000, 24)))
    for month in range(1, 10):
        town.pay(f"2023-{month:02d}", f"2023-{month:02d}-10", Line(KPJS[0], 0, 0, 10_000, 0), Line(KPJS[2], 0, 0, 0, 5))
    town.declare(2023, 57_000)
    town.declare(2024, 57_000)
    check(town, TODAY, at_position(town.log, town.log.head()))


def test_totals_are_not_told_while_a_record_cannot_be_read(town: Town) -> None:
    town.pay("2023-01", "2023-02-10", Line(KPJS[0], 0, 0, 500, 700))
    known = at_position(town.log, town.log.head())
    town.log.append([town.writer.post(NPPS[0], "2026-02", "2026-03-10", [Line(KPJS[0], 0, 0, 5, 5)])], NOW)
    bad = [b'{"fact":{}}', town.log.head()]
    with town.log.database.write() as tx:
        tx.run(f"update {town.log.table} set state = ? where {town.log.key} = ?", bad)
    town.see()
    for npp in (None, int(NPPS[1])):
        assert code_of(lambda: ask(town, npp=npp)) == "totals-incomplete"  # noqa: B023
    assert ask(town, known=known).contributed == (500, 700, 1)
