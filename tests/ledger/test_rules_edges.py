"""The edges of every rule and limit of `rules.toml`: before, at and after, made from the file itself.

A row that is added to the file is tested by being there: its months, bands, choices, rates and limits become cases. A
section that nobody here makes cases of fails the last test.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from functools import partial

import pytest

from ledger.days import years_after
from ledger.decisions.opening import Account, decide_opening
from ledger.decisions.person import Person, decide_erase, nik_warnings
from ledger.decisions.scheme import Scheme, decide_declare
from ledger.due_days import due_day, holidays_known
from ledger.errors import Refused
from ledger.events import PersonErased, Rates
from ledger.identifiers import month_text
from tests import facts
from tests.conftest import TODAY
from tests.ledger.ingestion.contributions.verdict import card
from tests.ledger.payment_edges import SEGMENT, TABLE, Edge, allowance, backdate, bpu, limits, pmi, pu
from tests.office import NPP

HOLIDAYS = {row["year"]: row["days"] for row in TABLE["holidays"]}


def retention() -> Iterator[Edge]:
    """A person may be erased from the day on that lies so many years after the last activity."""
    years = TABLE["retention"]["years"]
    for last_activity in (TODAY, date(2024, 2, 29)):
        until = years_after(last_activity, years)
        for off in (-1, 0, 1):
            today = until + timedelta(off)
            expected = "erase-retention" if off < 0 else PersonErased("")
            yield Edge(f"erased {today}", partial(erased, last_activity, today), expected)


def erased(last_activity: date, today: date) -> PersonErased | str:
    state = Person("a" * 32, version=1)
    try:
        return decide_erase(state, has_money=False, last_activity=last_activity, order="", today=today)
    except Refused as refused:
        return refused.code


def nik() -> Iterator[Edge]:
    """Every province of the list, and the codes beside it that are not."""
    known = {code for code, _, _ in TABLE["nik"]["provinces"]}
    around = {f"{int(code) + off:02d}" for code in known for off in (-1, 0, 1)}
    for code in sorted(around):
        yield Edge(
            f"province {code}",
            partial(nik_warnings, f"{code}01015203900001", date(1990, 3, 12), "P", TODAY),
            [] if code in known else ["nik-structure"],
        )


def due() -> Iterator[Edge]:
    """The due day of each segment in every month of the years around the holidays' tables: the rule's day, or the next
    working day."""
    years = sorted(HOLIDAYS)
    for segment in SEGMENT.values():
        rule = TABLE["due"].get(segment)
        for month in range((years[0] - 1) * 12, (years[-1] + 2) * 12):
            day = None
            if rule is not None:
                day = date.fromisoformat(f"{month_text(month + rule[0])}-{rule[1]:02d}")
                while day.isoweekday() > 5 or f"{day:%m-%d}" in HOLIDAYS.get(day.year, ()):
                    day += timedelta(1)
            yield Edge(f"{segment} due for {month_text(month)}", partial(due_day, segment, month), day)


def holidays() -> Iterator[Edge]:
    """What is known of the years with a table and of those beside it; every row is a day of its year."""
    for year in sorted({year + off for year in HOLIDAYS for off in (-1, 0, 1)}):
        yield Edge(f"holidays of {year}", partial(holidays_known, year), year in HOLIDAYS)
        for day in HOLIDAYS.get(year, ()):
            yield Edge(f"{year}-{day}", partial(_is_a_day, f"{year}-{day}"), expected=True)


def yields() -> Iterator[Edge]:
    """A year's rate at the ends of its range and beside them; the first year with a range, and the one before it."""
    rows = TABLE["yield"]
    for row in rows:
        year = int(row["from"][:4])
        for rate in (row["low"], row["high"]):
            for off in (-1, 0, 1):
                inside = row["low"] <= rate + off <= row["high"]
                yield Edge(
                    f"yield of {year} at {rate + off}",
                    partial(declared, year, rate + off),
                    "" if inside else "yield-rate-out-of-range",
                )
    first = min(int(row["from"][:4]) for row in rows)
    yield Edge(f"yield of {first - 1}", partial(declared, first - 1, 50_000), "yield-year-without-rule")


def declared(year: int, rate: int) -> str:
    """What refuses a scheme's first year's rate, or ''."""
    try:
        decide_declare(Scheme(first_year=year), year, Rates(rate, rate), "made up", TODAY)
    except Refused as refused:
        return refused.code
    return ""


def _is_a_day(text: str) -> bool:
    return date.fromisoformat(text).isoformat() == text


def opening() -> Iterator[Edge]:
    """An opening balance at the limit and one more; the last month in which it may be taken over, and the next."""
    limit, months = TABLE["opening"]["limit"], TABLE["opening"]["months"]
    for off in (-1, 0, 1):
        yield Edge(f"opening of {limit + off}", partial(opened, TODAY, limit + off), "amount-absurd" if off > 0 else "")
        last_month = date.fromisoformat(f"{month_text(2023 * 12 + 11 + months + off)}-28")
        yield Edge(
            f"opening of 2023 in {last_month}", partial(opened, last_month), "opening-too-old" if off > 0 else ""
        )


def opened(today: date, amount: int = 1_000) -> str:
    """What refuses an opening balance, or ''."""
    year = 2023 if today != TODAY else TODAY.year - 1
    try:
        decide_opening(Account(card("PU", int(NPP)), 1), facts.opening(f"{year}-12-31", amount), today)
    except Refused as refused:
        return refused.code
    return ""


SECTIONS: dict[str, Callable[[], Iterator[Edge]]] = {
    "pu": pu, "bpu": bpu, "pmi": pmi, "allowance": allowance, "limits": limits, "retention": retention, "nik": nik,
    "due": due, "holidays": holidays, "yield": yields, "backdate": backdate, "opening": opening,
    "tolerance": lambda: iter(()),  # the tolerance's edges are asked of every rule above
}  # fmt: skip


@pytest.mark.parametrize(
    "edge", [edge for section in SECTIONS.values() for edge in section()], ids=lambda edge: edge.name.replace(" ", "-")
)
def test_before_at_and_after_every_edge_of_the_rules(edge: Edge) -> None:
    assert edge.ask() == edge.expected


def test_every_section_of_the_rules_has_its_edges() -> None:
    assert set(SECTIONS) == set(TABLE)
