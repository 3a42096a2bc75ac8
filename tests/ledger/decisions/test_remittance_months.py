"""What one employer remitted: every line once, in the state the log gives it now."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.acts.remittance_months import months_of, read_lines
from ledger.acts.reversal import Target
from ledger.decisions.remittance_months import HELD, POSTED, REVERSED, MonthLine, lines_of, totals_of
from ledger.events import Event, Fact, Line, ReversedLine, SuspendedLine
from ledger.receipt import Header
from ledger.store.log import Log
from tests import facts as made
from tests.office import NPP, OTHER_NPP, Office, line

ONE, TWO, LATE = "26000000017", "26000000025", "26000000033"
STREAM = f"remittance-e:{NPP}:2026-10"


@pytest.fixture
def office(log: Log) -> Iterator[Office]:
    opened = Office(log)
    opened.employers(NPP, OTHER_NPP, "10000010")
    opened.workers(ONE, TWO)
    yield opened
    opened.close()


def states(log: Log, month: str = "2026-10") -> list[tuple[str, str, str, int]]:
    return [
        (one.kpj, one.kind, one.state, one.employer + one.worker)
        for one in read_lines(log, months_of(log, NPP).get(month, {}))
    ]


def test_months_are_the_employers_own_newest_first_with_all_divisions(office: Office) -> None:
    office.contribute(
        line(ONE), line(ONE, month="2025-12", paid_on="2026-01-10"), line(TWO, division="A1"),
        line(LATE, npp=OTHER_NPP), line(LATE, npp="10000010"),
    )  # fmt: skip
    found = months_of(office.log, NPP)
    assert list(found) == ["2026-10", "2025-12"]
    assert found["2026-10"] == {STREAM: 2}
    lines = read_lines(office.log, found["2026-10"])
    assert [(one.place, one.division) for one in lines] == [((1, 0), "000"), ((2, 0), "0A1")]
    assert months_of(office.log, "99999999") == {}


def test_a_line_is_posted_held_released_or_reversed_as_the_log_says_now(office: Office) -> None:
    office.contribute(line(ONE), line(LATE))
    assert states(office.log) == [(ONE, "regular", POSTED, 285_000), (LATE, "regular", HELD, 285_000)]
    office.workers(ONE, TWO, LATE)
    assert states(office.log) == [(ONE, "regular", POSTED, 285_000), (LATE, "regular", POSTED, 285_000)]
    office.door.reverse(Target(stream=STREAM, kpj=ONE), Header("test", "test", "r2", "wrong-amount"))
    office.contribute(line(ONE, 4_000_000), request="r3")
    assert sorted(states(office.log)) == [
        (ONE, "regular", POSTED, 228_000), (ONE, "regular", REVERSED, 285_000), (LATE, "regular", POSTED, 285_000),
    ]  # fmt: skip


def test_totals_count_workers_once_and_only_posted_money(office: Office) -> None:
    office.contribute(line(ONE), line(ONE, 1_000_000, kind="supplement", paid_on="2026-11-16"), line(LATE))
    totals = totals_of("2026-10", read_lines(office.log, months_of(office.log, NPP)["2026-10"]))
    assert totals == ("2026-10", 1, 6_000_000, 222_000, 120_000, 1, 285_000, 0, 0, ("2026-11-14", "2026-11-16"))
    assert totals.total == 342_000


amounts = st.integers(0, 10**9)
cards = st.lists(st.sampled_from([f"2600000{n:04d}" for n in range(30)]), unique=True, min_size=1)


@given(cards, st.data())
def test_posted_held_and_reversed_money_together_is_what_came_in(kpjs: list[str], data: st.DataObject) -> None:
    held = {kpj for kpj in kpjs if data.draw(st.booleans())}
    lines = [Line(kpj, 1, 0, data.draw(amounts), data.draw(amounts)) for kpj in kpjs]
    credited = [one for one in lines if one.kpj not in held]
    waiting = [
        SuspendedLine(one.kpj, 1, 0, one.employer, one.worker, reason="account-unknown")
        for one in lines
        if one.kpj in held
    ]
    back = [one for one in credited if data.draw(st.booleans())]
    facts: list[Fact] = [
        made.posted(credited),
        made.suspended(waiting),
        made.taken_back(
            [ReversedLine(one.kpj, 1, 0, one.employer, one.worker, event=1, line=credited.index(one)) for one in back]
        ),
    ]
    events = [
        Event(stream=STREAM, version=number, fact=fact, by="t", channel="t") for number, fact in enumerate(facts, 1)
    ]
    found: list[MonthLine] = lines_of({STREAM: events})
    totals = totals_of("2026-10", found)
    assert totals.total + totals.held + totals.reversed == sum(one.employer + one.worker for one in lines)
    assert totals.workers == len(credited) - len(back)
    assert len({one.place for one in found}) == len(found) == len(lines)
    assert found == sorted(found)
