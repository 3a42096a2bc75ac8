"""Why two answers differ: the causes, each alone and all together, with amounts that add up."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import NamedTuple

import pytest

from ledger.acts import scheme as acts
from ledger.errors import JhtError
from ledger.events import Base, Line
from ledger.settings import Settings
from ledger.store.known_at import KnownAt, at_position
from ledger.store.log import Log
from projections.difference import CAUSES, Cause, Difference, difference
from projections.generations import Store
from tests.conftest import NOW, TODAY
from tests.facts import opening
from tests.projections.history import KPJS, NPPS, event, registered
from tests.projections.test_past_answer import ROUNDS, declare, happen
from tests.projections.test_queries import CARDS, code_of
from tests.projections.test_scheme import AGAIN, WHO, Town

DAY = date(2026, 2, 10)


class Told(NamedTuple):
    cause: str
    money: int
    earned: int


def here(town: Town) -> KnownAt:
    return at_position(town.log, town.log.head())


def told(causes: list[Cause]) -> list[Told]:
    return [Told(one.cause, one.money, one.earned) for one in causes]


@pytest.fixture
def town(settings: Settings, log: Log) -> Iterator[Town]:
    store = Store.open(settings)
    made = Town(log, store)
    yield made
    made.reader.close()
    store.close()


@pytest.fixture
def february(town: Town) -> Town:
    """What was known on 10 February 2026: 10,000,000 paid before 2025, the scheme begun, 2025 not declared."""
    town.add(*registered())
    acts.start(town.log, 2025, WHO, lambda: NOW)
    town.see()
    town.pay("2024-11", "2024-12-10", Line(KPJS[0], 0, 0, 6_000_000, 4_000_000))
    return town


def asked(town: Town, known: KnownAt, until: date | None = DAY, day: date = DAY) -> Difference:
    """From the answer of a day as it was known to that of the same day (or another) as it is known now."""
    found = difference(town.reader, CARDS[0], NOW, day, known, until)
    assert found.then.total + sum(one.amount for one in found.causes) == found.now.total
    return found


def test_the_worked_example_of_the_design(february: Town) -> None:
    known = here(february)
    assert february.reader.balance(CARDS[0], TODAY, NOW, DAY, known_at=known).total == 10_000_000
    february.declare(2025, 57_000)
    february.pay("2025-11", "2025-12-20", Line(KPJS[0], 5_000_000, 0, 185_000, 100_000))
    now = february.balance(as_of=DAY)
    assert (now.employer + now.worker, now.credited) == (10_285_000, 570_000)
    found = asked(february, known)
    assert (found.then.total, found.now.total) == (10_000_000, 10_855_000)
    assert told(found.causes) == [("yield-declared-later", 0, 570_000), ("recorded-later", 285_000, 0)]
    assert [one.say("en") for one in found.causes] == [
        "The yield of 2025 was declared on 2026-11-21: Rp570.000.",
        "The contribution for 2025-11 that was paid on 2025-12-20 was recorded only on 2026-11-21: Rp285.000, yield Rp0.",
    ]
    assert all(one.say("id") != one.say("en") for one in found.causes)
    again = february.reader.balance(CARDS[0], TODAY, NOW, DAY, known_at=known)
    assert again.total == 10_000_000


def _late(town: Town) -> None:
    town.pay("2025-05", "2025-06-20", Line(KPJS[0], 0, 0, 1_200_000, 0))


def _corrected(town: Town) -> None:
    line = Line(KPJS[0], 0, 0, 1_200_000, 0)
    town.add(town.writer.post(NPPS[0], "2025-05", "2025-06-20", [line], "correction"))


def _released(town: Town) -> None:
    town.add(town.writer.release(0))


def _reversed(town: Town) -> None:
    town.add(town.writer.reverse(0))


def _opened(town: Town) -> None:
    town.add(event(f"account:{KPJS[0]}", 50, opening("2024-12-31", 1_000_000, 0, 200_000)))


def _opened_and_taken_back(town: Town) -> None:
    town.add(town.writer.opening(KPJS[0], 2024, 1_000_000, 0, 200_000))
    town.add(town.writer.take_opening_back(KPJS[0]))


def _declared(town: Town) -> None:
    town.declare(2025, 57_000)


def _paid_later(town: Town) -> None:
    town.pay("2026-01", "2026-02-11", Line(KPJS[0], 0, 0, 1_200_000, 0))


@pytest.mark.parametrize(
    ("act", "declared", "expected"),
    [
        (_late, False, [("recorded-later", 1_200_000, 0)]),
        (_late, True, [("recorded-later", 1_200_000, 34_200)]),
        (_corrected, True, [("corrected-later", 1_200_000, 34_200)]),
        (_released, True, [("released-later", 2_400_000, 68_400)]),
        (_reversed, True, [("reversed-later", -10_000_000, -570_000)]),
        (_opened, True, [("opening-recorded-later", 1_200_000, 68_400)]),
        (
            _opened_and_taken_back, True,
            [("opening-recorded-later", 1_200_000, 68_400), ("opening-reversed-later", -1_200_000, -68_400)],
        ),
        (_declared, False, [("yield-declared-later", 0, 570_000)]),
        (_paid_later, True, []),
        (lambda town: town.declare(2025, 60_000, AGAIN), True, [("yield-redeclared-later", 0, 30_000)]),
    ],
)  # fmt: skip
def test_each_kind_of_later_event_alone(
    february: Town, act: Callable[[Town], object], declared: bool, expected: list[tuple[str, int, int]]
) -> None:
    february.add(february.writer.suspend(NPPS[0], "2025-05", "2025-06-20", [Line(KPJS[0], 0, 0, 2_400_000, 0)]))
    if declared:
        _declared(february)
    known = here(february)
    act(february)
    assert told(asked(february, known).causes) == expected
    assert asked(february, here(february)).causes == []
    for one in asked(february, known).causes:
        for language in ("id", "en"):
            assert "?" not in one.say(language)


def test_the_day_moves_on_after_everything_that_is_known_now_of_the_earlier_one(february: Town) -> None:
    known = here(february)
    _declared(february)
    _paid_later(february)
    _late(february)
    found = asked(february, known, None, date(2025, 12, 30))
    assert told(found.causes) == [
        ("recorded-later", 1_200_000, 0), ("paid-since", 1_200_000, 0), ("yield-since", 0, 604_200),
    ]  # fmt: skip
    assert found.now.total == february.balance().total
    # As it was known then, of a later day: nothing was recorded in between.
    then = difference(february.reader, CARDS[0], NOW, date(2025, 12, 30), known, DAY, known)
    assert told(then.causes) == []


def test_an_opening_balance_that_brings_bases_of_years_that_were_credited(february: Town) -> None:
    for year in (2025,):
        february.declare(year, 60_000)
    known = here(february)
    bases = (Base(2024, 12_000_000), Base(2025, 24_000_000))
    february.add(event(f"account:{KPJS[0]}", 50, opening("2025-12-31", 2_000_000, yield_through=2023, bases=bases)))
    found = asked(february, known, TODAY, date(2025, 6, 30))
    assert found.now.total == february.balance().total
    assert "opening-recorded-later" in {one.cause for one in found.causes}


def test_a_way_backwards_is_refused(february: Town) -> None:
    first = here(february)
    _late(february)
    second, reader = here(february), february.reader
    for day, one, until, other in ((DAY, second, DAY, first), (TODAY, first, DAY, second)):
        assert code_of(lambda: difference(reader, CARDS[0], NOW, day, one, until, other)) == "answers-out-of-order"  # noqa: B023


@pytest.mark.parametrize("seed", range(2))
def test_causes_add_up_between_any_two_answers(town: Town, seed: int) -> None:
    """The function itself refuses to tell what does not add up; here it never has to, and says a cause for each kind."""
    chance = random.Random(seed)
    town.add(*registered())
    acts.start(town.log, 2023, WHO, lambda: NOW)
    town.see()
    town.pay("2023-01", "2023-02-10", *[Line(kpj, 0, 0, 10**6, 10**6) for kpj in KPJS])
    town.declare(2023, 57_000)
    places, seen = [here(town)], set[str]()
    for _ in range(2 * ROUNDS):
        happen(town, chance)
        if chance.random() < 0.4:
            declare(town, chance)
        places.append(here(town))
    for _ in range(150):
        first, second = sorted(chance.sample(places, 2))
        days = sorted(TODAY - timedelta(days=chance.choice((1, 90, 400, 700, 1000))) for _ in range(2))
        card = CARDS[chance.randrange(len(CARDS))]
        try:
            found = difference(town.reader, card, NOW, days[0], first, days[1], second)
        except JhtError as error:
            if error.code != "as-of-before-opening":
                raise
            continue
        assert found.then.total + sum(one.amount for one in found.causes) == found.now.total
        if days[0] == days[1]:
            assert not {"paid-since", "yield-since"} & {one.cause for one in found.causes}
        assert all(first.position < one.position <= second.position for one in found.causes if one.position) or (
            days[0] != days[1]
        )
        seen |= {one.cause for one in found.causes}
    assert seen <= set(CAUSES)
    assert len(seen) >= 6, seen
