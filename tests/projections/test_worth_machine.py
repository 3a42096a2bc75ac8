"""Everything that may happen to savings, in any order, against a plain model: late files, reversals, openings, declarations
and redeclarations, merges, joins and reassignments together. What was answered is answered again after all of it and a
rebuild."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any, NamedTuple

import pytest
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from msgspec.structs import asdict

from ledger import events as facts
from ledger.acts import merge as acts
from ledger.errors import JhtError, Refused
from ledger.events import Line, Rates
from ledger.identifiers import card_number
from ledger.receipt import Header
from ledger.settings import Settings
from ledger.store.known_at import KnownAt, at_position
from ledger.store.log import Log
from projections import statement
from projections.difference import difference
from projections.generations import Store
from projections.month_grid import Facts
from projections.rebuild import rebuild
from projections.totals import totals
from tests.conftest import LONG, MASTER_KEY, NOW, TODAY
from tests.facts import opening, started
from tests.projections.conftest import Ledger
from tests.projections.history import NPPS, event
from tests.projections.worth_model import Base, Holder, Model, Paid, Pointer, Rate, Worth

WHY = Header("user:1", "office", "", "member-asked")
FIRST, LAST = 2022, 2025
HELD = 3
"""Cards of each of two persons."""

cards = st.integers(0, 2 * HELD - 1)
amounts = st.integers(0, 10**9)
rates = st.sampled_from((0, 1, 20_000, 56_300, 57_000, 123_457, 1_000_000))
years = st.integers(FIRST, LAST)
days = st.builds(
    lambda year, month, day: min(date(year, month, day), TODAY), st.integers(2020, 2026), st.integers(1, 12),
    st.sampled_from((1, 10, 28)),
)  # fmt: skip
"""Days of payment: late ones as well, for any year may be declared by then."""
asked = st.one_of(days, st.sampled_from([date(year, 12, 31) for year in range(2021, 2026)]), st.just(TODAY))


class World(NamedTuple):
    """A ledger with the model of all that ever happened on it."""

    ledger: Ledger
    model: Model


class Given(NamedTuple):
    """An answer, with what it was of."""

    card: int
    day: date
    known: KnownAt
    told: Any


def begun(log: Log, store: Store) -> World:
    """A ledger with two employers, whose scheme begins in FIRST."""
    ledger = Ledger(log, store)
    ledger.add(
        *[event(f"employer:{npp}", 1, facts.EmployerRegistered(npp, f"PT {npp}", "2015-01-02")) for npp in NPPS],
        event("scheme", 1, facts.SchemeStarted(first_year=FIRST)),
    )
    return World(ledger, Model(FIRST))


class Savings(RuleBasedStateMachine):
    """Two persons with cards; `fresh` gives the ledger of an example."""

    fresh: Callable[[], World]
    people = itertools.count(1)

    def __init__(self) -> None:
        super().__init__()
        self.world = type(self).fresh()
        self.ledger, self.model = self.world
        first = next(self.people) * 2
        self.persons = [f"{first + i:032x}" for i in range(2)]
        self.kpjs = [f"{28_000_000_000 + first * 100 + i}" for i in range(2 * HELD)]
        self.cards = [card_number(kpj) for kpj in self.kpjs]
        self.lines: list[Paid] = []
        """In the order of the writer's own list of what may be taken back."""
        self.waits: list[tuple[int, date, int, int, str]] = []
        self.openings: dict[int, tuple[int, facts.OpeningBalanceRecorded]] = {}
        self.joined = False
        self.issued: dict[int, dict[int, int | None]] = {}
        self.answers: list[Given] = []
        self.turn = 0
        self.ledger.writer.posted.clear()
        self.ledger.writer.waiting.clear()
        self.add(*[event(f"person:{person}", 1, facts.PersonRegistered("sealed", "sealed")) for person in self.persons])
        for i, kpj in enumerate(self.kpjs):
            person = self.persons[i // HELD]
            opened = facts.AccountOpened(kpj, person, "PU", "2015-01-02")
            memberships = [
                event(f"account:{kpj}", 2 + at, started("PU", "2015-01", npp)) for at, npp in enumerate(NPPS)
            ]
            place = self.add(event(f"account:{kpj}", 1, opened), *memberships)
            self.model.holders.append(Holder(place, self.cards[i], person))
        self.begun = self.head

    # --- ways to write

    def add(self, *given: object) -> int:
        return self.ledger.add(*given)

    def seen(self) -> None:
        self.ledger.follower.run_once()
        self.ledger.reader.refresh()

    def after(self, stream: str, fact: Any) -> Any:
        """The event that comes next in a stream."""
        return event(stream, self.ledger.log.events(stream)[-1].version + 1, fact)

    def holder(self, i: int) -> str:
        return next(p for p in self.persons if self.cards[i] in self.model.held_by(p, self.head))

    @property
    def head(self) -> int:
        return self.ledger.log.head()

    def pointed(self, i: int) -> bool:
        standing = self.model.standing(self.head)
        return self.cards[i] in {*standing, *standing.values()}

    # --- money

    @rule(
        i=cards,
        on=days,
        employer=amounts,
        worker=amounts,
        second=st.sampled_from((0, 0, 99, 10**12)),
        epoch=st.sampled_from((0, 0, 0, 1)),
        npp=st.sampled_from(NPPS),
    )
    def pay(self, i: int, on: date, employer: int, worker: int, second: int, epoch: int, npp: str) -> None:
        tambahan = min(second, employer + worker)
        line = Line(self.kpjs[i], 0, 0, employer, worker, epoch, tambahan)
        place = self.add(self.ledger.writer.post(npp, f"{on:%Y-%m}", on.isoformat(), [line]))
        self.put(Paid(place, self.cards[i], on, epoch, employer + worker - tambahan, tambahan, npp))

    def put(self, paid: Paid) -> None:
        self.lines.append(paid)
        self.model.paid.append(paid)

    @rule(i=cards, on=days, employer=amounts, npp=st.sampled_from(NPPS))
    def suspend(self, i: int, on: date, employer: int, npp: str) -> None:
        self.add(
            self.ledger.writer.suspend(npp, f"{on:%Y-%m}", on.isoformat(), [Line(self.kpjs[i], 0, 0, employer, 7)])
        )
        self.waits.append((self.cards[i], on, employer, 7, npp))

    @precondition(lambda self: self.waits)
    @rule(which=st.integers(0, 9), to=st.one_of(st.none(), cards))
    def release(self, which: int, to: int | None) -> None:
        card, on, employer, worker, npp = self.waits.pop(which % len(self.waits))
        place = self.add(self.ledger.writer.release(which, self.kpjs[to] if to is not None else ""))
        self.put(Paid(place, card if to is None else self.cards[to], on, 0, employer + worker, 0, npp))

    @precondition(lambda self: self.waits)
    @rule(which=st.integers(0, 9))
    def take_back_what_waits(self, which: int) -> None:
        self.waits.pop(which % len(self.waits))
        self.add(self.ledger.writer.reverse(which, held=True))

    @precondition(lambda self: self.lines)
    @rule(which=st.integers(0, 9))
    def take_back(self, which: int) -> None:
        gone = self.lines.pop(which % len(self.lines))
        place = self.add(self.ledger.writer.reverse(which))
        self.model.paid.append(gone._replace(place=place, utama=-gone.utama, tambahan=-gone.tambahan))

    @rule(
        i=cards,
        year=st.integers(2019, 2024),
        amount=st.integers(1, 10**9),
        credited=amounts,
        second=st.integers(0, 50),
        open_years=st.integers(0, 2),
        base=st.integers(0, 10**10),
    )
    def open(self, i: int, year: int, amount: int, credited: int, second: int, open_years: int, base: int) -> None:
        if self.cards[i] in self.openings:
            return
        tambahan, brought = amount * second // 100, credited * second // 200
        bases = tuple(facts.Base(one, base, base // 3) for one in range(year - open_years + 1, year + 1))
        fact = opening(
            f"{year}-12-31", amount, 0, credited, 12, tambahan=tambahan, tambahan_yield=brought,
            yield_through=year - open_years, bases=bases,
        )  # fmt: skip
        made = self.after(f"account:{self.kpjs[i]}", fact)
        self.opened(self.add(made), i, fact, 1)
        self.openings[self.cards[i]] = made.version, fact

    @precondition(lambda self: self.openings)
    @rule(which=st.integers(0, 9))
    def take_opening_back(self, which: int) -> None:
        card = sorted(self.openings)[which % len(self.openings)]
        version, fact = self.openings.pop(card)
        i = self.cards.index(card)
        back = facts.OpeningBalanceReversed(event=version, **asdict(fact))
        self.opened(self.add(self.after(f"account:{self.kpjs[i]}", back)), i, fact, -1)

    def opened(self, place: int, i: int, fact: facts.OpeningBalanceRecorded, sign: int) -> None:
        on, second = date.fromisoformat(fact.as_of), fact.tambahan + fact.tambahan_yield
        first = fact.employer + fact.worker + fact.credited_yield - second
        self.model.paid.append(Paid(place, self.cards[i], on, 0, sign * first, sign * second, opening=True))
        self.model.bases += [
            Base(place, self.cards[i], on, one.year, sign * one.utama, sign * one.tambahan) for one in fact.bases
        ]

    # --- the scheme

    @rule(year=years, utama=rates, tambahan=rates)
    def declare(self, year: int, utama: int, tambahan: int) -> None:
        """The next year, or one that is declared already another time; never a year beyond the next one."""
        known = {one.year for one in self.model.rates if one.year}
        year = min(year, FIRST + len(known), LAST)
        before = [one.version for one in self.ledger.log.events("scheme") if getattr(one.fact, "rates", None)]
        fact = facts.YieldDeclared(
            year=year, rates=Rates(utama, tambahan), policy="monthly-simple.v1", rule="r", basis="b",
            instead_of=before[-1] if year in known else 0,
        )  # fmt: skip
        self.model.rates.append(Rate(self.add(self.after("scheme", fact)), year, utama, tambahan))

    @rule(since=days, rate=rates)
    def estimate(self, since: date, rate: int) -> None:
        since = max(since, date(FIRST, 1, 1))
        fact = facts.ProvisionalRateSet(since=since.isoformat(), rate=rate, rule="r", basis="b")
        self.model.rates.append(Rate(self.add(self.after("scheme", fact)), 0, rate, rate, since))

    @rule(year=years)
    def issue_statements(self, year: int) -> None:
        """Everybody's statement of a declared year, from what is known now; a card without money gets none."""
        place = self.head
        if year not in {one.year for one in self.model.declared(date(year, 12, 31), place)}:
            return
        last = date(year, 12, 31)
        self.issued[year] = {
            card: self.model.worth(card, last, place).total if self.is_stated(card, year, place) else None
            for card in self.cards
        }
        self.add(self.after("scheme", facts.StatementsIssued(year=year, position=place)))

    def is_stated(self, card: int, year: int, place: int) -> bool:
        hidden = self.model.hides(card, date(year, 1, 1) - timedelta(days=1), place)
        return bool(self.model.known(card, date(year, 12, 31), place)) and not hidden

    # --- whose the cards are

    @rule(old=cards, new=cards)
    def merge(self, old: int, new: int) -> None:
        one, other = self.cards[old], self.cards[new]
        standing = self.model.standing(self.head)
        circle = one in self.model.group(other, self.head) and one not in standing
        allowed = one != other and one not in standing and not circle and self.holder(old) == self.holder(new)
        assert self.done(lambda: acts.merge(self.ledger.log, one, other, WHY, lambda: NOW)) == allowed
        if allowed:
            self.model.pointers.append(Pointer(self.head, one, other))

    @rule(old=cards)
    def unmerge(self, old: int) -> None:
        one = self.cards[old]
        allowed = one in self.model.standing(self.head)
        assert self.done(lambda: acts.unmerge(self.ledger.log, one, WHY, lambda: NOW)) == allowed
        if allowed:
            self.model.pointers.append(Pointer(self.head, one, 0))

    def done(self, act: Callable[[], object]) -> bool:
        try:
            act()
        except JhtError:
            return False
        self.seen()
        return True

    @rule(i=cards)
    def reassign(self, i: int) -> None:
        """A card that hangs on the wrong person; a merged one has to be taken out of its group first."""
        if self.joined or self.pointed(i):
            return
        before = self.holder(i)
        (person,) = (one for one in self.persons if one != before)
        self.move([i], person, before)

    def move(self, which: list[int], person: str, before: str, *more: object) -> None:
        moved = [self.after(f"account:{self.kpjs[i]}", facts.AccountReassigned(person, before)) for i in which]
        if moved or more:
            place = self.add(*more, *moved)
            self.model.holders += [Holder(place, self.cards[i], person) for i in which]

    @rule()
    def join_or_part(self) -> None:
        """Both records are one person's; taken back, what the first one brought goes back to it."""
        ends, stays = self.persons
        if not self.joined:
            brought = [i for i in range(2 * HELD) if self.holder(i) == ends]
            fact: Any = facts.PersonsJoined(stays, tuple(self.kpjs[i] for i in brought))
            self.move(brought, stays, ends, self.after(f"person:{ends}", fact))
            self.joined, self.brought = True, brought
            return
        back = {self.cards[i] for i in self.brought}
        if any((old in back) != (new in back) for old, new in self.model.standing(self.head).items()):
            return
        fact = facts.PersonsParted(stays, tuple(self.kpjs[i] for i in self.brought))
        self.move(self.brought, ends, stays, self.after(f"person:{ends}", fact))
        self.joined = False

    # --- what is asked

    def of(self, card: int, day: date, known: KnownAt | None) -> Any:
        """What is told of a card, without when this read side confirmed it; or the code."""
        reader = self.ledger.reader
        try:
            found = reader.explanation(card, TODAY, NOW, day, known)
            group = reader.group(card, TODAY, NOW, day, known)
        except JhtError as error:
            return error.code
        row, entries = found.row, reader.entries(card, NOW, upto=found.row.position, paid_by=day)
        earned = sum(one.earned for account in found.accounts for one in account.years)
        assert earned == row.credited - row.brought + (row.estimated or 0), "the working is that of the balance"
        return (
            row.total, row.employer, row.worker, row.brought, row.credited, row.estimated, row.months, row.last,
            row.person, row.grouped, found.accounts, entries, group.into, group.pointers, [one.total for one in group.rows],
        )  # fmt: skip

    @invariant()
    def every_card_is_worth_what_the_loop_over_months_says(self) -> None:
        for card in self.cards:
            if not self.model.hides(card, TODAY, self.head):
                row = self.ledger.reader.balance(card, TODAY, NOW)
                money = row.employer + row.worker + row.brought
                assert Worth(money, row.credited - row.brought, row.estimated) == self.model.worth(
                    card, TODAY, self.head
                )

    @invariant()
    def cards_are_held_and_merged_as_they_were(self) -> None:
        head = self.head
        for person in self.persons:
            if self.joined and person == self.persons[0]:
                continue
            assert set(self.ledger.reader.person_cards(person)) == self.model.held_by(person, head)
        for card in self.cards:
            found = self.ledger.reader.group(card, TODAY, NOW)
            assert {row.card for row in found.rows} == self.model.group(card, head)
            assert found.total == sum(self.model.worth(row.card, TODAY, head).total for row in found.rows)

    @rule(i=cards, day=asked, back=st.integers(0, 20))
    def ask(self, i: int, day: date, back: int) -> None:
        """A past day as it was known at some place; the answer is kept."""
        card, place = self.cards[i], max(self.head - back, self.model.holders[-1].place if back == 20 else 1)
        known = at_position(self.ledger.log, place)
        told = self.of(card, day, known)
        self.answers.append(Given(card, day, known, told))
        group = self.model.group(card, place)
        if isinstance(told, str):
            was_held = any(one.card == card and one.place <= place for one in self.model.holders)
            hidden = was_held and any(self.model.hides(one, day, place) for one in group)
            assert told == ("as-of-before-opening" if hidden else "account-not-yet-known")
            return
        was = self.model.worth(card, day, place)
        assert (told[0], told[5]) == (was.total, was.estimated)
        assert card in self.model.held_by(told[8], place) or place < self.begun
        assert (told[9], set(told[13]) <= group) == (len(group) > 1, True)
        assert sum(told[14]) == sum(self.model.worth(one, day, place).total for one in group)

    @precondition(lambda self: len(self.answers) > 1)
    @rule(one=st.integers(0, 99), other=st.integers(0, 99))
    def compare(self, one: int, other: int) -> None:
        """Why two answers of a card differ: the causes add up, or the function itself fails."""
        first = self.answers[one % len(self.answers)]
        mine = [given for given in self.answers if given.card == first.card]
        second = mine[other % len(mine)]
        then, now = sorted((first, second), key=lambda given: (given.known.position, given.day))
        if isinstance(then.told, str) or isinstance(now.told, str) or now.day < then.day:
            return
        found = difference(self.ledger.reader, first.card, NOW, then.day, then.known, now.day, now.known)
        assert (found.then.total, found.now.total) == (then.told[0], now.told[0])
        assert sum(cause.amount for cause in found.causes) == now.told[0] - then.told[0]
        assert all(cause.money or cause.earned for cause in found.causes)
        if then.day == now.day:
            places = [cause.position for cause in found.causes]
            assert places == sorted(places)
            assert all(then.known.position < place <= now.known.position for place in places)

    @rule(i=cards, year=st.integers(2021, 2026))
    def state(self, i: int, year: int) -> None:
        """A year's statement: it begins and ends as the model says, and with what was printed and corrected since."""
        card, reader = self.cards[i], self.ledger.reader
        past, entries = reader.past(card, NOW), reader.entries(card, NOW, limit=500)
        period = statement.year_of(year, TODAY)
        given = past, Facts(card, tuple(entries), (), {}), period, TODAY
        if self.model.hides(card, period.since - timedelta(days=1), self.head):
            with pytest.raises(Refused) as refused:
                statement.statement(*given)
            assert refused.value.code == "statement-before-opening"
            return
        found = statement.statement(*given)
        before = self.model.worth(card, period.since - timedelta(days=1), self.head)
        after = self.model.worth(card, period.until, self.head)
        assert (found.opening.total, found.closing.total) == (before.total, after.total)
        assert before.total + sum(line.amount for line in found.lines) + found.earned == after.total
        printed = self.issued.get(year - 1, {}).get(card)
        assert (found.stated.amount if found.stated else None) == printed
        if found.stated is not None:
            assert found.stated.amount + sum(one.amount for one in found.stated.corrections) == found.opening.total

    @rule(day=asked, back=st.integers(0, 9))
    def sum_up(self, day: date, back: int) -> None:
        """All cards together, and the parts of each employer."""
        place = max(self.head - back, 1)
        known, reader, store = at_position(self.ledger.log, place), self.ledger.reader, self.ledger.store
        found = totals(reader, store, NOW, day, known)
        every = {one.card for one in self.model.holders}
        worth = [self.model.worth(card, day, place) for card in every]
        assert found.contributed.total + (found.credited or 0) == sum(one.total for one in worth)
        paid = [one for one in self.model.paid if one.place <= place and one.on <= day and not one.opening]
        parts = [totals(reader, store, NOW, day, known, int(npp)).contributed.total for npp in NPPS]
        assert parts == [sum(one.amount for one in paid if one.npp == npp) for npp in NPPS]
        assert found.employers.total == sum(parts)

    def teardown(self) -> None:
        for rebuilt in (False, True):
            if rebuilt:
                report = rebuild(self.ledger.log, self.ledger.store)
                self.ledger.reader.refresh()
                assert [one.compared.differing for one in report.projections if one.compared] == [0, 0, 0]
            for given in self.answers:
                assert self.of(given.card, given.day, given.known) == given.told
        assert self.ledger.log.check_account_index() == (0, [])


@pytest.fixture
def worlds(settings: Settings, tmp_path: Any) -> Iterator[Callable[[], World]]:
    """On SQLite a ledger for each example; on PostgreSQL one for all, on which everything that happened before stands."""
    opened: list[World] = []

    def close() -> None:
        while opened:
            ledger = opened.pop().ledger
            ledger.reader.close()
            ledger.store.close()
            ledger.log.close()

    def fresh() -> World:
        if opened and settings.sqlite_path is None:
            return opened[0]
        close()
        if settings.sqlite_path is None:
            log = Log.open(settings)
        else:
            path = tmp_path / f"{next(Savings.people)}.db"
            log = Log.open(Settings(database_url=f"sqlite:///{path}", master_key=MASTER_KEY), create=True)
        opened.append(begun(log, Store.open(log.settings)))
        return opened[0]

    yield fresh
    close()


def test_savings_are_what_a_plain_model_says_whatever_happens(worlds: Callable[[], World]) -> None:
    class Machine(Savings):
        fresh = staticmethod(worlds)

    profile = hypothesis_settings(max_examples=150 if LONG else 5, stateful_step_count=25, deadline=None)
    run_state_machine_as_test(Machine, settings=profile)  # type: ignore[no-untyped-call]
