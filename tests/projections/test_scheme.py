"""A declaration credits every account at once, touches no row, and is seen wherever a balance is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest

from ledger.acts import scheme as acts
from ledger.acts.scheme import scheme_of
from ledger.errors import Conflict, JhtError, Unavailable
from ledger.events import Base, Event, Line, OpeningBalanceReversed, Rates
from ledger.receipt import Header
from ledger.settings import Settings
from ledger.store.log import Log
from projections.generations import Store
from projections.queries import Queries
from projections.rebuild import rebuild
from projections.results import BalanceRow
from tests.conftest import NOW, TODAY
from tests.facts import opening
from tests.projections.conftest import Ledger
from tests.projections.history import KPJS, NPPS, event, registered
from tests.projections.test_queries import CARDS

WHO = Header("cli:1000", "cli")
AGAIN = Header("cli:1000", "cli", "", "rate-revised")
BASIS = "Perdir 1/2024"


class Town(Ledger):
    """A ledger whose scheme began in 2023."""

    def declare(self, year: int, rate: int, header: Header = WHO, tambahan: int | None = None) -> int:
        rates = Rates(rate, rate if tambahan is None else tambahan)
        done = acts.declare(self.log, year, rates, BASIS, header, lambda: NOW)
        self.see()
        return done.position

    def see(self) -> None:
        self.follower.run_once()
        self.reader.refresh()

    def earn(self, i: int = 0, as_of: date | None = None) -> tuple[int, int | None]:
        found = self.balance(i, as_of=as_of)
        return found.credited, found.estimated

    def rows(self) -> list[Any]:
        """Every row of the balances."""
        live = self.store.pointers().live["balances"]
        with self.store.database(live).read() as tx:
            return sorted(tx.rows(f"select * from {live.table}"))


@pytest.fixture
def town(settings: Settings, log: Log) -> Iterator[Town]:
    store = Store.open(settings)
    made = Town(log, store)
    made.add(*registered())
    made.add(event(f"account:{KPJS[0]}", 50, opening("2022-12-31", 50_000_000, 29_000_000, 1_000_000, 99)))
    for month in range(1, 13):
        made.pay(f"2023-{month:02d}", f"2023-{month:02d}-10", Line(KPJS[0], 5_000_000, 0, 185_000, 100_000))
    made.pay("2024-01", "2024-01-31", Line(KPJS[1], 0, 0, 700_000, 300_000, 0, 250_000))
    acts.start(log, 2023, WHO, lambda: NOW)
    made.see()
    yield made
    made.reader.close()
    store.close()


def test_one_declaration_credits_every_account_and_changes_no_row(town: Town) -> None:
    before, rows = town.balance(), town.rows()
    assert (before.credited, before.brought, before.estimated) == (1_000_000, 1_000_000, None)
    position = town.declare(2023, 57_000)
    assert position == town.log.head()
    after = town.balance()
    assert (after.credited, after.brought, after.total) == (5_649_348, 1_000_000, 88_069_348)
    assert (after.version, after.tag != before.tag) == (before.version, True)
    assert town.rows() == rows
    assert [len(one.terms.declared) for one in (before, after)] == [0, 1]


def test_the_estimate_stands_apart_and_names_its_rate_and_day(town: Town) -> None:
    town.declare(2023, 57_000)
    acts.set_provisional(town.log, date(2024, 1, 1), 50_000, BASIS, WHO, lambda: NOW)
    town.see()
    found = town.balance()
    assert found.total == 88_069_348
    # 2024 and 2025 whole, 2026 up to November.
    first = (50_000 * 12 * 88_069_348 + 6_000_000) // 12_000_000
    second = (50_000 * 12 * (88_069_348 + first) + 6_000_000) // 12_000_000
    third = (50_000 * 11 * (88_069_348 + first + second) + 6_000_000) // 12_000_000
    assert found.estimated == first + second + third
    assert (found.terms.provisional, found.terms.year, found.terms.month) == (50_000, 2026, 11)


def test_a_past_day_counts_the_years_that_had_ended_and_today_is_the_present(town: Town) -> None:
    for year, rate in ((2023, 57_000), (2024, 60_000)):
        town.declare(year, rate, tambahan=rate + 5_000)
    acts.set_provisional(town.log, date(2025, 1, 1), 50_000, BASIS, WHO, lambda: NOW)
    town.see()
    assert town.earn(as_of=date(2023, 12, 30)) == (1_000_000, None)
    assert town.earn(as_of=date(2023, 12, 31)) == (5_649_348, None)
    year_2024 = (60_000 * 12 * 88_069_348 + 6_000_000) // 12_000_000
    assert town.earn(as_of=date(2024, 12, 31)) == (5_649_348 + year_2024, None)
    assert town.earn(as_of=date(2025, 1, 1))[1] is not None
    with_second = (60_000 * 11 * 750_000 + 6_000_000) // 12_000_000 + (65_000 * 11 * 250_000 + 6_000_000) // 12_000_000
    assert town.earn(1, date(2024, 12, 31)) == (with_second, None)
    yesterday = TODAY - timedelta(days=1)
    for i in (0, 1):
        past, present = town.balance(i, as_of=yesterday), town.balance(i)
        assert (past.credited, past.estimated, past.terms) == (present.credited, present.estimated, present.terms)


def test_declared_again_and_back_is_as_if_it_had_never_been(town: Town) -> None:
    town.declare(2023, 57_000)
    before = town.balance()
    town.declare(2023, 59_000, AGAIN)
    between = town.balance()
    assert between.credited - before.credited == 163_135
    town.declare(2023, 57_000, AGAIN)
    after = town.balance()
    assert (after.total, after.credited, after.terms) == (before.total, before.credited, before.terms)
    assert len({before.tag, between.tag, after.tag}) == 3


def test_money_found_late_changes_the_year_it_was_paid_in_and_every_later_one(town: Town) -> None:
    for year in (2023, 2024, 2025):
        town.declare(year, 60_000)
    days = [date(year, 12, 31) for year in (2022, 2023, 2024, 2025)]
    before = [town.balance(as_of=day).credited for day in days]
    town.pay("2024-03", "2024-04-14", Line(KPJS[0], 0, 0, 1_000_000, 0))
    after = [town.balance(as_of=day).credited for day in days]
    of_2024 = 60_000 * 8 * 1_000_000 // 12_000_000
    of_2025 = 60_000 * (1_000_000 + of_2024) // 1_000_000
    assert [b - a for a, b in zip(before, after, strict=True)] == [0, 0, of_2024, of_2024 + of_2025]


def test_a_reversal_takes_the_yield_back_with_the_money(town: Town) -> None:
    town.declare(2023, 57_000)
    before = town.balance()
    made = town.writer.post(NPPS[0], "2023-05", "2023-06-14", [Line(KPJS[0], 0, 0, 9_000_000, 1_000_000)])
    town.add(made)
    assert town.balance().credited > before.credited
    back = town.writer.reverse(len(town.writer.posted) - 1)
    assert back is not None
    town.add(back)
    assert (town.balance().credited, town.balance().total) == (before.credited, before.total)


def test_an_opening_balance_earns_the_years_that_its_bases_stand_for(town: Town) -> None:
    fact = opening(
        "2024-12-31", 10_000_000, 5_000_000, 500_000, 9, tambahan=1_000_000, tambahan_yield=50_000, yield_through=2022,
        bases=(Base(2023, 120_000_000, 6_000_000), Base(2024, 180_000_000, 12_000_000)),
    )  # fmt: skip
    town.add(event(f"account:{KPJS[2]}", 50, fact))
    town.declare(2023, 60_000)
    town.declare(2024, 50_000)
    main = 600_000
    main += (50_000 * (12 * main + 180_000_000)) // 12_000_000
    second = 30_000
    second += (50_000 * (12 * second + 12_000_000)) // 12_000_000
    assert town.balance(2).credited == 500_000 + main + second
    assert town.balance(2, as_of=date(2025, 6, 1)).credited == 500_000 + main + second
    town.add(event(f"account:{KPJS[2]}", 51, OpeningBalanceReversed(event=50, **_fields(fact))))
    assert (town.balance(2).credited, town.balance(2).total) == (0, 0)


def _fields(fact: Any) -> dict[str, Any]:
    return {name: getattr(fact, name) for name in fact.__struct_fields__}


def test_every_process_sees_a_declaration_as_soon_as_the_read_side_has_passed_it(town: Town) -> None:
    other = Queries(town.log, town.store)

    def ask(reader: Queries) -> BalanceRow:
        return reader.balance(CARDS[0], TODAY, NOW)

    try:
        before = ask(other)
        acts.declare(town.log, 2023, Rates(57_000, 57_000), BASIS, WHO, lambda: NOW)
        assert ask(other).tag == before.tag
        town.follower.run_once()
        # Without looking anything up again: the answer itself says which scheme it is of.
        assert ask(other).credited == ask(town.reader).credited == 5_649_348
    finally:
        other.close()


def test_a_rebuild_makes_the_same_of_the_scheme_and_the_bases(town: Town) -> None:
    fact = opening("2024-12-31", 1_000_000, 0, 0, 9, yield_through=2023, bases=(Base(2024, 12_000_000, 7),))
    town.add(event(f"account:{KPJS[2]}", 50, fact))
    town.declare(2023, 57_000)
    town.declare(2024, 57_000)
    before = [town.balance(i) for i in range(3)]
    past = [town.balance(i, as_of=date(2025, 3, 1)) for i in range(3)]
    report = rebuild(town.log, town.store)
    assert [one.compared.differing for one in report.projections if one.compared] == [0, 0, 0]
    town.see()

    def told(rows: list[BalanceRow]) -> list[tuple[object, ...]]:
        return [(row.total, row.credited, row.tag, row.terms) for row in rows]

    assert told([town.balance(i) for i in range(3)]) == told(before)
    assert told([town.balance(i, as_of=date(2025, 3, 1)) for i in range(3)]) == told(past)


def test_a_scheme_that_was_tampered_with_is_found_by_the_comparison(town: Town) -> None:
    town.declare(2023, 57_000)
    live = town.store.pointers().live["balances"]
    with town.store.database(live).write() as tx:
        tx.run(
            f"update {live.table}_scheme set state = replace(state, '57000', '58000') where name = 'yield-declared.v1'"
        )
    with pytest.raises(Conflict) as differs:
        rebuild(town.log, town.store, ["balances"])
    assert differs.value.code == "rebuild-differs"


@pytest.mark.parametrize("what", ["unknown name", "unreadable"])
def test_a_record_of_the_scheme_that_cannot_be_read_stops_every_balance_and_no_statement(town: Town, what: str) -> None:
    acts.declare(town.log, 2023, Rates(57_000, 57_000), BASIS, WHO, lambda: NOW)
    head = town.log.head()
    changed = {"unknown name": ("topic", "scheme-merged.v1"), "unreadable": ("state", b'{"fact":{}}')}
    column, value = changed[what]
    with town.log.database.write() as tx:
        tx.run(f"update {town.log.table} set {column} = ? where {town.log.key} = ?", [value, head])
    past = date(2024, 1, 1)
    for make_again in (lambda: None, lambda: rebuild(town.log, town.store)):
        make_again()
        town.see()
        for ask in (lambda: town.balance(0), lambda: town.balance(1), lambda: town.balance(0, as_of=past)):
            with pytest.raises(Unavailable) as stopped:
                ask()
            told = stopped.value
            assert (told.code, told.problem.details["position"]) == ("scheme-unreadable", head)
        assert len(town.reader.entries(CARDS[0], NOW)) == 13


@pytest.mark.parametrize(("rate", "outcome"), [(57_000, "there already"), (59_000, "yield-declared")])
def test_two_officers_who_declare_at_once_are_decided_one_after_the_other(
    town: Town, monkeypatch: pytest.MonkeyPatch, rate: int, outcome: str
) -> None:
    real = town.log.append

    def overtaken(events: list[Event], *more: Any, **named: Any) -> Any:
        monkeypatch.setattr(town.log, "append", real)
        acts.declare(town.log, 2023, Rates(57_000, 57_000), BASIS, WHO, lambda: NOW)
        return real(events, *more, **named)

    monkeypatch.setattr(town.log, "append", overtaken)
    try:
        position = acts.declare(town.log, 2023, Rates(rate, rate), BASIS, WHO, lambda: NOW).position
        found = "there already" if position == 0 else "declared"
    except JhtError as error:
        found = error.code
    assert found == outcome
    assert {one.fact.rates.utama for one in scheme_of(town.log).declared.values()} == {57_000}
