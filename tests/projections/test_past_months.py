"""Months and statements of then: at every place in the log what a ledger that was stopped there says, after anything that
came later and after a rebuild; and what waits is what the account index says."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any, NamedTuple

import pytest
from msgspec.structs import replace

from ledger.acts import scheme as acts
from ledger.errors import JhtError
from ledger.events import Line
from ledger.identifiers import card_number
from ledger.receipt import Header
from ledger.settings import Settings
from ledger.store.known_at import KnownAt, at_position
from ledger.store.log import Log
from ledger.store.vault import Vault
from projections import card_statement, month_grid
from projections.card_months import months_at, months_of, waiting
from projections.generations import NAMES, Store
from projections.rebuild import rebuild
from projections.statement import Period, days, year_of
from tests.conftest import NOW, TODAY
from tests.projections.history import KPJS, NPPS, registered
from tests.projections.test_past_answer import declare, happen
from tests.projections.test_queries import CARDS
from tests.projections.test_scheme import WHO, Town

ROUNDS = 4
BACK = Header("clerk", "office", "r", "feed-incomplete")


@pytest.fixture
def town(settings: Settings, log: Log) -> Iterator[Town]:
    store = Store.open(settings)
    made = Town(log, store)
    made.add(*registered())
    acts.start(made.log, 2023, WHO, lambda: NOW)
    made.see()
    yield made
    made.reader.close()
    store.close()


class Asked(NamedTuple):
    """Of which card, of which days, as of which day."""

    i: int
    period: Period
    day: date


_vaults: dict[int, Vault] = {}


def vault(town: Town) -> Vault:
    if id(town) not in _vaults:
        _vaults.clear()
        _vaults[id(town)] = Vault.open(town.log)
    return _vaults[id(town)]


def told(town: Town, asked: Asked, known: KnownAt | None) -> Any:
    """Months and statement at a day, as known now or then; each, or its code."""
    given = town.log, town.reader, vault(town), CARDS[asked.i], NOW
    return _either(lambda: _bare(months_at(*given, asked.day, known)[:2])), _either(
        lambda: _bare(card_statement.read_at(*given, asked.period, asked.day, known))
    )


def told_now(town: Town, asked: Asked) -> Any:
    """The same of the present, from the account index and the directory."""
    given = town.log, town.reader, vault(town), CARDS[asked.i], NOW
    return _either(lambda: _bare(months_of(*given))), _either(lambda: _bare(card_statement.read(*given, asked.period)))


def _either(ask: Any) -> Any:
    try:
        return ask()
    except JhtError as error:
        return error.code, dict(error.problem.details)


def _bare(found: Any) -> Any:
    """Without what says how it was read: by which rows, and when they were written."""
    row, rest = found
    return replace(row, projected_at="", version=0, mark=""), rest


def wish(chance: random.Random) -> Asked:
    day = TODAY - timedelta(days=chance.choice((0, 0, 1, 90, 400, 900)))
    year = chance.randint(2023, day.year)
    some = year_of(year, day) if chance.random() < 0.7 else days(date(year, 1, 1), min(date(year, 6, 30), day), day)
    return Asked(chance.randrange(len(KPJS)), some, day)


def said(town: Town, chance: random.Random) -> None:
    """Until when payments are complete, or that statements were issued."""
    try:
        if chance.random() < 0.7:
            acts.complete(town.log, TODAY - timedelta(days=chance.randint(1, 1_000)), BACK, lambda: NOW)
        else:
            acts.issued(town.log, chance.choice((2023, 2024, 2025)), town.log.head(), WHO, lambda: NOW)
    except JhtError as error:
        if error.code not in {"statements-undeclared"}:
            raise
    town.see()


def check(town: Town, seed: int) -> None:
    chance = random.Random(seed)
    answers: list[tuple[Asked, KnownAt, Any]] = []
    for _ in range(ROUNDS):
        happen(town, chance)
        if chance.random() < 0.3 and (event := town.writer.release(chance.randrange(9), chance.choice(KPJS))):
            town.add(event)
        if chance.random() < 0.4:
            chance.choice((declare, said))(town, chance)
        here = at_position(town.log, town.log.head())
        assert town.reader.waited(CARDS, here.position, TODAY) == waiting(town.log, CARDS), seed
        for _ in range(2):
            asked = wish(chance)
            present = told(town, asked, None)
            assert told(town, asked, here) == present, (seed, asked)
            if asked.day == TODAY:
                assert told_now(town, asked) == present, (seed, asked)
            answers.append((asked, here, present))
        for asked, known, was in chance.sample(answers, min(len(answers), 3)):
            assert told(town, asked, known) == was, (seed, asked, known)
    for round_ in range(2):
        for asked, known, was in answers:
            assert told(town, asked, known) == was, (seed, asked, known)
        for asked, known, was in chance.sample(answers, 3):
            many = card_statement.read_many(
                town.log, town.reader, vault(town), CARDS, NOW, asked.period, asked.day, known.position
            )[CARDS[asked.i]]
            if isinstance(was[1], tuple) and isinstance(was[1][0], str):
                assert isinstance(many, JhtError)
            else:
                assert many == was[1][1], (seed, asked, known)
        if not round_:
            rebuild(town.log, town.store, NAMES)
            town.see()


@pytest.mark.parametrize("seed", range(2))
def test_months_and_statements_are_those_of_a_ledger_that_was_stopped_there(town: Town, seed: int) -> None:
    check(town, seed)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(100, 200))
def test_months_and_statements_of_then_in_many_histories(town: Town, seed: int) -> None:
    check(town, seed)


def states(town: Town, known: KnownAt | None, i: int = 0, day: date = TODAY) -> dict[str, int]:
    """State and amount of each part of January 2026."""
    facts = months_at(town.log, town.reader, vault(town), CARDS[i], NOW, day, known)[1]
    cells = [cell for year in month_grid.years([facts], day) for cell in year.cells if cell.month == 2026 * 12]
    return {part.state: part.amount for cell in cells for part in cell.parts if part.npp == NPPS[0]}


def test_a_month_is_told_as_missing_waiting_posted_and_taken_back_where_it_was(town: Town) -> None:
    acts.complete(town.log, date(2026, 3, 1), WHO, lambda: NOW)
    town.see()
    places = [at_position(town.log, town.log.head())]
    line = Line(KPJS[0], 5_000_000, 0, 185_000, 100_000)
    for act in (
        lambda: town.writer.suspend(NPPS[0], "2026-01", "2026-02-10", [line]),
        lambda: town.writer.release(0),
        lambda: town.writer.reverse(0),
    ):
        event = act()
        assert event is not None
        town.add(event)
        places.append(at_position(town.log, town.log.head()))
    wanted = [{"absent": 0}, {"held": 285_000}, {"posted": 285_000}, {"reversed": 285_000}]
    assert [states(town, place) for place in places] == wanted
    rebuild(town.log, town.store, NAMES)
    town.see()
    assert [states(town, place) for place in places] == wanted
    # Before it was paid, before it was due, and before anybody said that payments are complete.
    assert [states(town, places[1], day=day) for day in (date(2026, 2, 9), date(2026, 2, 10))] == [
        {"later": 0}, {"held": 285_000},
    ]  # fmt: skip
    assert states(town, at_position(town.log, places[0].position - 1)) == {"awaited": 0}


def test_money_that_waited_and_was_released_to_another_card_waits_for_neither(town: Town) -> None:
    waits = town.writer.suspend(
        NPPS[0], "2026-01", "2026-02-10", [Line(KPJS[0], 0, 0, 5, 5), Line(KPJS[2], 0, 0, 7, 7)]
    )
    town.add(waits)
    before = at_position(town.log, town.log.head())
    moved = town.writer.release(0, KPJS[1])
    assert moved is not None
    town.add(moved)
    assert [states(town, before, i).get("held") for i in range(3)] == [10, None, 14]
    assert [states(town, None, i).get("held") for i in range(3)] == [None, None, 14]
    assert states(town, None, 1)["posted"] == 10


def test_a_record_of_waiting_money_that_cannot_be_read_concerns_the_answers_that_knew_it(town: Town) -> None:
    known = at_position(town.log, town.log.head())
    event = town.writer.suspend(NPPS[0], "2026-01", "2026-02-10", [Line(KPJS[0], 0, 0, 5, 5)])
    position = town.log.append([event], NOW).positions[-1]
    with town.log.database.write() as tx:
        bad = [b'{"fact":{}}', position]
        tx.run(f"update {town.log.table} set state = ? where {town.log.key} = ?", bad)
    town.see()
    assert town.balance().total == 0
    asked = Asked(0, year_of(2026, TODAY), TODAY)
    assert [one[0] for one in told(town, asked, None)] == ["account-incomplete"] * 2
    assert states(town, known) == {"awaited": 0}
    report = rebuild(town.log, town.store, NAMES)
    assert len(report.broken) == 1
    town.see()
    assert [one[0] for one in told(town, asked, None)] == ["account-incomplete"] * 2


def test_a_card_of_more_lines_than_a_page_is_told_whole(town: Town) -> None:
    lines = [Line(KPJS[0], 0, 0, 1, 1, part=part) for part in range(700)]
    town.pay("2026-01", "2026-02-10", *lines)
    for asked in (told_now, lambda town, one: told(town, one, None)):
        months, statement = asked(town, Asked(0, year_of(2026, TODAY), TODAY))
        assert len(months[1].entries) == len(statement[1].lines) == 700
    assert card_number(KPJS[0]) == CARDS[0]
