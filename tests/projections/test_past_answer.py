"""A past answer is the same before and after any later event and any rebuild, and it is what was answered then."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from ledger.acts import scheme as acts
from ledger.errors import JhtError
from ledger.events import AccountReassigned, CardsMerged, CardsUnmerged, Event, Line, Rates
from ledger.settings import Settings
from ledger.store.known_at import KnownAt, at_position
from ledger.store.log import Log
from projections.generations import Store
from projections.rebuild import rebuild
from tests.conftest import NOW, TODAY
from tests.facts import opening
from tests.projections.history import KPJS, NPPS, PERSON, event, registered
from tests.projections.test_queries import CARDS, code_of
from tests.projections.test_scheme import AGAIN, BASIS, WHO, Town

ROUNDS = 8


@pytest.fixture
def town(settings: Settings, log: Log) -> Iterator[Town]:
    store = Store.open(settings)
    made = Town(log, store)
    yield made
    made.reader.close()
    store.close()


def happen(town: Town, chance: random.Random) -> None:
    """Something at random: money, money taken back, released, openings, people, rates."""
    writer, events = town.writer, list[Event | None]()
    for _ in range(chance.randint(1, 4)):
        kpj, year, month = chance.choice(KPJS), chance.randint(2022, 2026), chance.randint(1, 9)
        lines = [
            Line(kpj, 0, 0, chance.randint(0, 10**7), chance.randint(0, 10**7), 0, chance.choice((0, 0, 99_999)))
            for _ in range(chance.randint(1, 2))
        ]
        paid_on = f"{year}-{month + 1:02d}-{chance.randint(1, 28):02d}"
        npp = chance.choice(NPPS)
        what = chance.randrange(10)
        if what < 4:
            events.append(writer.post(npp, f"{year}-{month:02d}", paid_on, lines))
        elif what == 4:
            events.append(writer.suspend(npp, f"{year}-{month:02d}", paid_on, lines))
        elif what == 5:
            events.append(writer.release(chance.randrange(9)))
        elif what == 6:
            events.append(writer.reverse(chance.randrange(9), held=chance.random() < 0.3))
        elif what == 7:
            events.append(
                writer.opening(kpj, chance.randint(2015, 2021), *(chance.randint(0, 10**7) for _ in range(3)))
            )
        elif what == 8:
            events.append(writer.take_opening_back(kpj))
        else:
            events.append(writer.people(chance.choice((3, 4, 5, 6)), kpj))
    if found := [one for one in events if one is not None]:
        town.add(*found)


def declare(town: Town, chance: random.Random) -> None:
    """A year is declared, declared again, or the provisional rate is another."""
    year, rate = chance.choice((2023, 2024, 2025)), chance.randint(20_000, 150_000)
    try:
        if chance.random() < 0.3:
            acts.set_provisional(town.log, date(year, 1, 1), rate, BASIS, WHO, lambda: NOW)
            town.see()
        else:
            town.declare(year, rate, AGAIN)
    except JhtError as error:
        if error.code != "yield-years-missing":
            raise


def told(town: Town, i: int, day: date, known: KnownAt | None) -> Any:
    """Everything that is answered about a card, but when this read side confirmed it; or the code."""
    reader, card = town.reader, CARDS[i]
    try:
        row = reader.balance(card, TODAY, NOW, day, known_at=known)
        explained = reader.explanation(card, TODAY, NOW, day, known)
    except JhtError as error:
        return error.code, dict(error.problem.details)
    assert explained.row == row
    entries = reader.entries(card, NOW, upto=row.position, paid_by=day, limit=500)
    money = sum(one.employer + one.worker + one.credited for one in entries)
    assert money == row.employer + row.worker + row.brought
    return replace(row, projected_at=""), explained.accounts, entries


def check_past(town: Town, seed: int) -> None:
    chance = random.Random(seed)
    town.add(*registered())
    acts.start(town.log, 2023, WHO, lambda: NOW)
    town.see()
    answers: list[tuple[int, date, KnownAt, Any]] = []
    for _ in range(ROUNDS):
        happen(town, chance)
        if chance.random() < 0.4:
            declare(town, chance)
        here = at_position(town.log, town.log.head())
        for _ in range(2):
            i, day = chance.randrange(len(KPJS)), TODAY - timedelta(days=chance.choice((1, 90, 400, 700, 1200, 3000)))
            present = told(town, i, day, None)
            assert told(town, i, day, here) == present, (seed, i, day)
            answers.append((i, day, here, present))
        for i, day, known, was in chance.sample(answers, min(len(answers), 5)):
            assert told(town, i, day, known) == was, (seed, i, day, known)
    for i, day, known, was in answers:
        assert told(town, i, day, known) == was, (seed, i, day, known)
    rebuild(town.log, town.store)
    town.see()
    for i, day, known, was in answers:
        assert told(town, i, day, known) == was, (seed, i, day, known)


@pytest.mark.parametrize("seed", range(2))
def test_a_past_answer_is_the_same_after_any_later_event_and_any_rebuild(town: Town, seed: int) -> None:
    check_past(town, seed)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(100, 300))
def test_past_answers_are_the_same_in_many_histories(town: Town, seed: int) -> None:
    check_past(town, seed)


def test_a_card_is_told_as_it_was_known_and_not_before(town: Town) -> None:
    town.add(*registered(KPJS[:2]))
    known = at_position(town.log, town.log.head())
    third = {f"account:{KPJS[2]}", f"person:{PERSON.format(1)}"}
    town.add(*[one for one in registered(KPJS[:3], ()) if one.stream in third])
    town.add(town.writer.people(5, KPJS[0]))
    assert town.balance(0).segment == "BPU"
    past = town.reader.balance(CARDS[0], TODAY, NOW, known_at=known)
    assert (past.segment, past.position, past.recorded_at) == ("PU", known.position, known.recorded_at)
    assert past.version < town.balance(0).version
    assert code_of(lambda: town.reader.balance(CARDS[2], TODAY, NOW, known_at=known)) == "account-not-yet-known"
    assert code_of(lambda: town.reader.balance(5, TODAY, NOW, known_at=known)) == "account-not-found"


def test_a_day_before_an_opening_balance_was_known_until_the_balance_was_recorded(town: Town) -> None:
    town.add(*registered())
    town.pay("2016-01", "2016-02-10", Line(KPJS[0], 0, 0, 5, 5))
    before = at_position(town.log, town.log.head())
    town.add(event(f"account:{KPJS[0]}", 50, opening("2016-12-31", 100)))
    day = date(2016, 6, 30)
    assert code_of(lambda: town.balance(as_of=day)) == "as-of-before-opening"
    assert town.reader.balance(CARDS[0], TODAY, NOW, day, known_at=before).total == 10


def test_what_the_read_side_has_not_reached_is_not_answered(town: Town) -> None:
    town.add(*registered())
    town.log.append([town.writer.post(NPPS[0], "2026-01", "2026-02-10", [Line(KPJS[0], 0, 0, 5, 5)])], NOW)
    known = at_position(town.log, town.log.head())
    assert code_of(lambda: town.reader.balance(CARDS[0], TODAY, NOW, known_at=known)) == "position-not-reached"


def test_a_record_that_cannot_be_read_concerns_only_answers_that_knew_it(town: Town) -> None:
    town.add(*registered())
    town.pay("2026-01", "2026-02-10", Line(KPJS[0], 0, 0, 5, 5))
    known = at_position(town.log, town.log.head())
    town.log.append([town.writer.post(NPPS[0], "2026-02", "2026-03-10", [Line(KPJS[0], 0, 0, 5, 5)])], NOW)
    bad = [b'{"fact":{}}', town.log.head()]
    with town.log.database.write() as tx:
        tx.run(f"update {town.log.table} set state = ? where {town.log.key} = ?", bad)
    town.see()
    assert code_of(town.balance) == "account-incomplete"
    assert town.reader.balance(CARDS[0], TODAY, NOW, known_at=known).total == 10
    assert len(town.reader.entries(CARDS[0], NOW, upto=known.position)) == 1


def test_the_rates_of_then_make_the_yield_of_then(town: Town) -> None:
    town.add(*registered())
    town.pay("2023-01", "2023-01-10", Line(KPJS[0], 0, 0, 1_200_000, 0))
    acts.start(town.log, 2023, WHO, lambda: NOW)
    town.see()
    places = [at_position(town.log, town.log.head())]
    for rate in (50_000, 60_000):
        town.declare(2023, rate, AGAIN)
        places.append(at_position(town.log, town.log.head()))
    rates = [Rates(50_000, 50_000), Rates(60_000, 60_000)]
    found = [town.reader.balance(CARDS[0], TODAY, NOW, known_at=place) for place in places]
    assert [one.credited for one in found] == [0, 55_000, 66_000]
    assert [one.terms.declared for one in found] == [(), *(((rate.utama, rate.tambahan),) for rate in rates)]
    assert len({one.tag for one in found}) == 3


def test_cards_that_were_merged_or_parted_later_are_told_as_they_were(town: Town) -> None:
    town.add(*registered())
    town.pay("2026-01", "2026-02-10", Line(KPJS[0], 0, 0, 5, 5), Line(KPJS[1], 0, 0, 7, 7))
    places = [at_position(town.log, town.log.head())]
    for fact in (CardsMerged(KPJS[1]), CardsUnmerged(KPJS[1])):
        town.add(event(f"account:{KPJS[0]}", 100 + len(places), fact))
        places.append(at_position(town.log, town.log.head()))
    rows = [town.reader.balance(CARDS[0], TODAY, NOW, known_at=place) for place in places]
    assert [row.grouped for row in rows] == [False, True, False]
    assert [row.total for row in rows] == [10, 10, 10]
    groups = [town.reader.group(CARDS[1], TODAY, NOW, None, place) for place in places]
    assert [group.total for group in groups] == [14, 24, 14]
    assert [len(group.rows) for group in groups] == [1, 2, 1]
    assert not town.balance().grouped


def test_cards_that_were_merged_once_stay_so_whoever_holds_them_now(town: Town) -> None:
    """Of a chain of three the two outer ones went to another person afterwards: the place knows them all."""
    town.add(*registered())
    held = [event(f"account:{KPJS[2]}", 100, AccountReassigned(PERSON.format(0), PERSON.format(1)))]
    town.add(*held)
    for old, new in ((0, 1), (1, 2)):
        town.add(event(f"account:{KPJS[old]}", 200 + old, CardsMerged(KPJS[new])))
    place = at_position(town.log, town.log.head())
    before = [town.reader.group(CARDS[i], TODAY, NOW, None, place) for i in range(3)]
    assert [[row.card for row in group.rows] for group in before] == [sorted(CARDS[:3])] * 3
    for old, new in ((0, 1), (1, 2)):
        town.add(event(f"account:{KPJS[old]}", 300 + old, CardsUnmerged(KPJS[new])))
    for i in (0, 2):
        town.add(event(f"account:{KPJS[i]}", 400, AccountReassigned(PERSON.format(2), PERSON.format(0))))
    for i, group in enumerate(before):
        again = town.reader.group(CARDS[i], TODAY, NOW, None, place)
        assert (again.into, again.pointers) == (group.into, group.pointers)
        assert [row.card for row in again.rows] == [row.card for row in group.rows]
        assert not town.balance(i).grouped
