"""A statement adds up: opening + lines + yield - payouts = closing, and one period's closing is the next one's opening."""

from __future__ import annotations

import random
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.days import day_text
from ledger.decisions.scheme import Scheme
from ledger.errors import Refused
from ledger.events import Event, Fact, Line, Rates, SchemeStarted, StatementsIssued, YieldDeclared
from ledger.identifiers import card_number, month_text
from ledger.store.codec import state_json
from projections import card_lines, statement
from projections.event_batch import BASE, TYPES, Lines, read_batch
from projections.history import Past
from projections.month_grid import Facts
from projections.results import Entry, MembershipRow, npp_text
from projections.scheme import Known, known_of
from projections.statement import Period, Statement
from tests.facts import opening, posted
from tests.projections.history import STAMP, event, rows_of
from tests.projections.test_yield_oracle import KPJ, LAST, History

TODAY = date(LAST, 11, 28)
NPP = "10000001"


def entries_of(lines: Lines) -> tuple[Entry, ...]:
    """The lines as the table of entries would give them."""
    rows = zip(*(column.tolist() for column in lines.at(lines.type != BASE)), strict=True)
    return tuple(
        Entry(
            (one.month, one.position, one.line), TYPES[one.type], "regular", month_text(one.month), day_text(one.paid_on),
            npp_text(one.npp), one.wage, one.back_pay, one.employer, one.worker, one.credited, one.tambahan, one.epoch,
            one.months, "", STAMP,
        )
        for one in (Lines(*row) for row in rows)
    )  # fmt: skip


def scheme_of(first: int, *rates: int) -> Known:
    scheme = Scheme().after(SchemeStarted(first_year=first), 1)
    for year, rate in enumerate(rates, first):
        fact = YieldDeclared(year=year, rates=Rates(rate, rate), policy="monthly-simple.v1", rule="r", basis="b")
        scheme = scheme.after(fact, scheme.version + 1)
    return Known(scheme, "1")


def past_of(lines: Lines, known: Known) -> Past:
    return Past("a" * 32, "PU", 1, (10**6, STAMP, STAMP), lines, known, False, [])


def made(lines: Lines, known: Known, period: Period, *memberships: MembershipRow) -> Statement:
    facts = Facts(card_number(KPJ), entries_of(lines), memberships, {NPP: "PT Satu"}, complete=TODAY)
    return statement.statement(past_of(lines, known), facts, period, TODAY)


def added(found: Statement) -> int:
    """The opening and everything in the statement, line by line."""
    lines = sum(line.employer + line.worker + line.brought for line in found.lines)
    return found.opening.total + lines + sum(one.amount for one in found.yields) - found.paid_out


@given(st.integers(0, 2**63), st.integers(0, 8), st.data())
def test_it_adds_up_and_goes_on_where_the_one_before_ended(seed: int, years: int, data: st.DataObject) -> None:
    chance = random.Random(seed)
    history = History(chance, TODAY)
    lines = read_batch(rows_of(history.events)).lines if history.events else None
    if lines is None:
        return
    rates = [chance.randint(20_000, 150_000) for _ in range(min(years, LAST - history.first))]
    known = scheme_of(history.first, *rates)
    stands = card_lines.opening_day(lines)
    first = date(2014, 1, 1) if stands is None else date(1970, 1, 1) + timedelta(stands + 1)
    cuts = sorted([*data.draw(st.lists(st.dates(first, TODAY), min_size=1, max_size=4)), TODAY])
    since, closing = first, statement.worth(lines, known, first - timedelta(1))[0].total
    seen = 0
    for until in cuts:
        if until < since:
            continue
        found = made(lines, known, Period(since, until))
        assert found.opening.total == closing
        closing = found.closing.total
        assert added(found) == closing == statement.worth(lines, known, until)[0].total
        seen += len(found.lines)
        since = until + timedelta(1)
    assert seen == sum(entry.paid_on >= first.isoformat() for entry in entries_of(lines))


WORKED = [
    event(f"remittance-e:{NPP}:{month}", 1, posted([Line(KPJ, 5_000_000, 0, 185_000, 100_000)], month, paid_on))
    for month, paid_on in (
        ("2024-12", "2025-01-10"), ("2025-01", "2025-02-07"), ("2025-02", "2025-03-07"), ("2025-04", "2025-05-09"),
        ("2025-12", "2026-01-09"),
    )
]  # fmt: skip
MEMBER = MembershipRow(NPP, "PU", "2024-12", "2025-12", "2024-12-02", "2025-12-31", "resigned")


def test_a_year_says_what_came_what_it_earned_and_what_is_missing() -> None:
    lines = read_batch(rows_of(WORKED)).lines
    found = made(lines, scheme_of(2025, 54_000), statement.year_of(2025, TODAY), MEMBER)
    assert [line.month for line in found.lines] == ["2024-12", "2025-01", "2025-02", "2025-04"]
    assert [line.paid_on for line in found.lines] == ["2025-01-10", "2025-02-07", "2025-03-07", "2025-05-09"]
    assert {line.posted_on for line in found.lines} == {"2026-11-21"}
    assert (found.opening.total, found.employer, found.worker) == (0, 740_000, 400_000)
    # 285,000 x (11 + 10 + 9 + 7) months at 5.4 %.
    assert [(one.year, one.amount) for one in found.yields] == [(2025, 47_453)]
    assert found.closing.total == 1_187_453
    missing = {gap.month: gap for gap in found.gaps}
    assert sorted(missing) == ["2025-03", *(f"2025-{month:02d}" for month in range(5, 12))]
    assert {gap.reason for gap in found.gaps} == {"not-received"}
    assert (missing["2025-03"].due_on, missing["2025-03"].estimate) == ("2025-04-15", 285_000)
    # December was paid in time, in the next year: no gap, and not this year's.
    next_year = made(lines, scheme_of(2025, 54_000), statement.year_of(2026, TODAY), MEMBER)
    assert next_year.opening.total == found.closing.total
    assert [line.month for line in next_year.lines] == ["2025-12"]
    assert next_year.period == Period(date(2026, 1, 1), TODAY, 2026)


def test_a_month_that_was_paid_after_the_period_is_told_as_such() -> None:
    found = made(
        read_batch(rows_of(WORKED)).lines, scheme_of(2025), statement.days(date(2025, 1, 1), date(2025, 4, 30), TODAY),
        MEMBER,
    )  # fmt: skip
    assert [(gap.month, gap.reason) for gap in found.gaps] == [("2025-03", "not-received")]
    late = [
        event(f"remittance-e:{NPP}:2025-03", 1, posted([Line(KPJ, 5_000_000, 0, 1, 1)], "2025-03", "2026-02-01")),
        *WORKED,
    ]
    told = made(read_batch(rows_of(late)).lines, scheme_of(2025), statement.year_of(2025, TODAY), MEMBER)
    (later,) = [gap for gap in told.gaps if gap.reason == "paid-after-period"]
    assert (later.month, later.paid_on, later.amount) == ("2025-03", "2026-02-01", 2)
    assert told.undeclared == (2025,)


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ((LAST + 1, None, None), "statement-year-ahead"),
        ((None, date(2025, 2, 1), date(2025, 1, 31)), "statement-ends-early"),
        ((None, TODAY, TODAY + timedelta(1)), "statement-ahead"),
        ((None, TODAY, None), "statement-period-unclear"),
        ((None, None, TODAY), "statement-period-unclear"),
        ((None, None, None), "statement-period-unclear"),
        ((2025, TODAY, TODAY), "statement-period-unclear"),
    ],
)
def test_days_that_are_none_are_refused(asked: tuple[int | None, date | None, date | None], code: str) -> None:
    with pytest.raises(Refused) as refused:
        statement.period_of(*asked, TODAY)
    assert refused.value.code == code


def test_what_was_before_an_opening_balance_is_not_known() -> None:
    chance = random.Random(1)
    history = History(chance, TODAY)
    history.events.clear()
    history.open()
    lines = read_batch(rows_of(history.events)).lines
    stands = card_lines.opening_day(lines)
    assert stands is not None
    first = date(1970, 1, 1) + timedelta(stands + 1)
    assert made(lines, scheme_of(2025), Period(first, TODAY)).opening.total > 0
    with pytest.raises(Refused) as refused:
        made(lines, scheme_of(2025), Period(first - timedelta(1), TODAY))
    assert refused.value.code == "statement-before-opening"
    assert refused.value.problem.details["first"] == first.isoformat()


def scheme_rows(*facts: Fact, first: int = 1) -> list[tuple[int, int, str, str]]:
    """Rows of the scheme's table, the first at a log position."""
    rows = rows_of([event("scheme", number, fact) for number, fact in enumerate(facts, 1)], first)
    return [(row.position, row.version, row.name, state_json(row.state).decode()) for row in rows]


def rate_of(year: int, rate: int) -> YieldDeclared:
    return YieldDeclared(year=year, rates=Rates(rate, rate), policy="monthly-simple.v1", rule="r", basis="b")


def told(events: list[Event], rows: list[tuple[int, int, str, str]], first: int, year: int) -> Statement:
    """The statement of a year from money events (the first at a position) and the scheme's rows."""
    lines = read_batch(rows_of(events, first)).lines
    past = past_of(lines, known_of(rows, ""))._replace(declared=list(rows))
    facts = Facts(card_number(KPJ), entries_of(lines), (), {NPP: "PT Satu"})
    return statement.statement(past, facts, statement.year_of(year, TODAY), TODAY)


@given(st.integers(0, 2**63))
def test_what_was_printed_and_what_was_corrected_since_is_the_next_opening(seed: int) -> None:
    chance = random.Random(seed)
    history = History(chance, date(LAST, 1, 28))
    year, count = LAST - 1, len(history.events)
    cut = chance.randint(0, count)
    # The scheme's facts stand first in the log, then the money; the statements were made in the middle of it.
    rates = [rate_of(one, chance.randint(20_000, 150_000)) for one in range(history.first, LAST)]
    begun = [SchemeStarted(first_year=history.first), *rates]
    position = 100 + cut - 1
    if not history.events or not rates:
        return
    redeclared = [rate_of(chance.randint(history.first, year), chance.randint(20_000, 150_000))] * chance.randint(0, 1)
    issued = StatementsIssued(year=year, position=position)
    early, late = scheme_rows(*begun), scheme_rows(*begun, issued, *redeclared)
    later = [(1_000 + at, *row[1:]) for at, row in enumerate(late[len(begun) :])]
    if (stands := card_lines.opening_day(read_batch(rows_of(history.events, 100)).lines)) is not None and (
        date(1970, 1, 1) + timedelta(stands)
    ).year >= year:
        return
    printed = told(history.events[:cut], early, 100, year).closing.total if cut else 0
    now = told(history.events, [*early, *later], 100, LAST)
    lines = read_batch(rows_of(history.events[:cut], 100)).lines if cut else None
    if lines is None or not len(card_lines.paid_by(lines, date(year, 12, 31)).card):
        # Who had nothing was sent no paper.
        assert now.stated is None
        return
    assert now.stated is not None
    assert now.stated.amount == printed
    assert now.stated.on == "2026-11-21"
    assert printed + sum(one.amount for one in now.stated.corrections) == now.opening.total


def test_corrections_are_a_late_file_and_another_rate_each_with_its_amount() -> None:
    late = event(
        f"remittance-e:{NPP}:2025-11", 1, posted([Line(KPJ, 5_000_000, 0, 185_000, 100_000)], "2025-11", "2025-12-20")
    )
    early = scheme_rows(SchemeStarted(first_year=2025), rate_of(2025, 54_000))
    issued = StatementsIssued(year=2025, position=104)
    all_rows = scheme_rows(SchemeStarted(first_year=2025), rate_of(2025, 54_000), issued, rate_of(2025, 57_000))
    later = [(1_000 + at, *row[1:]) for at, row in enumerate(all_rows[2:])]
    found = told([*WORKED, late], [*early, *later], 100, 2026).stated
    assert found is not None
    assert found.amount == told(WORKED, early, 100, 2025).closing.total == 1_187_453
    # Paid in December it earns nothing in 2025; the rate is 0.3 % more for 285,000 x 37 months.
    assert [(one.type, one.month, one.year, one.amount) for one in found.corrections] == [
        ("posted", "2025-11", 0, 285_000), ("yield", "", 2025, 2_636),
    ]  # fmt: skip
    assert told([*WORKED, late], early, 100, 2026).stated is None


def test_nothing_was_stated_of_a_card_that_had_no_statement() -> None:
    """Its first money came after the others' statements were made, or its opening balance lies at the end of that year."""
    begun = SchemeStarted(first_year=2025), rate_of(2025, 54_000)
    rows = [*scheme_rows(*begun), *scheme_rows(*begun, StatementsIssued(year=2025, position=99), first=900)[2:]]
    found = told(WORKED, rows, 100, 2026)
    assert found.opening.total == 1_187_453
    assert found.stated is None
    brought = event(f"account:{KPJ}", 3, opening("2025-12-31", 1_000_000, yield_through=2025))
    rows = [*scheme_rows(*begun), *scheme_rows(*begun, StatementsIssued(year=2025, position=100), first=900)[2:]]
    assert told([brought], rows, 100, 2026).stated is None
    # One that lies a year further back had its paper.
    before = event(f"account:{KPJ}", 3, opening("2024-12-31", 1_000_000))
    stated = told([before], rows, 100, 2026).stated
    assert stated is not None
    assert (stated.amount, stated.corrections) == (1_054_000, ())


def test_what_there_was_of_a_year_is_stated_as_the_year_and_can_be_told_again() -> None:
    """However it was asked for: the days are all that an answer code holds."""
    asked = statement.year_of(LAST, TODAY)
    assert statement.days(asked.since, asked.until, TODAY) == asked
    assert statement.period_again(asked.since, asked.until, TODAY) == asked
    whole = statement.year_of(2025, TODAY)
    assert statement.days(whole.since, whole.until, TODAY) == whole
    assert statement.period_again(whole.since, whole.until, TODAY) == whole
    for since, until in ((date(2025, 1, 1), date(2025, 12, 30)), (date(2025, 1, 2), date(2025, 12, 31))):
        assert statement.days(since, until, TODAY).year == 0
    # A part of a year that begins with it begins with what was printed, too.
    begun = SchemeStarted(first_year=2025), rate_of(2025, 54_000)
    rows = [*scheme_rows(*begun), *scheme_rows(*begun, StatementsIssued(year=2025, position=104), first=900)[2:]]
    lines = read_batch(rows_of(WORKED, 100)).lines
    past = past_of(lines, known_of(rows, ""))._replace(declared=list(rows))
    facts = Facts(card_number(KPJ), entries_of(lines), (), {NPP: "PT Satu"})
    for since, is_stated in ((date(2026, 1, 1), True), (date(2026, 1, 2), False)):
        found = statement.statement(past, facts, statement.days(since, date(2026, 6, 30), TODAY), TODAY)
        assert (found.stated is not None) == is_stated
