"""The edges of a release: membership, opening balance, tolerance; and who comes between look-up and append. Both stores."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ledger.acts.release import Place, release_line
from ledger.errors import Refused
from ledger.events import SuspenseReleased
from ledger.ingestion.contributions import lookup, pipeline
from ledger.receipt import Header
from ledger.store.log import Log
from ledger.store.suspense import Case, suspense_of
from tests.office import NPP, OTHER_NPP, Office, csv_of, line, person

A, C, D = "26000000017", "26000000033", "26000000041"
OFFICER = Header("officer", "office", "rel1", "right-card")


@pytest.fixture
def office(log: Log) -> Iterator[Office]:
    opened = Office(log)
    opened.employers(NPP, OTHER_NPP)
    yield opened
    opened.close()


def waiting(office: Office, kpj: str) -> dict[int, Case]:
    """Month -> the line of the card that waits."""
    with office.log.database.read() as tx:
        return {case.month: case for case in suspense_of(tx, [int(kpj)])}


def month(text: str) -> int:
    return int(text[:4]) * 12 + int(text[5:]) - 1


def why_not(office: Office, case: Case) -> str:
    """Why an officer cannot release a line."""
    with pytest.raises(Refused) as refused:
        release_line(office.log, Place(case.stream, case.version, case.line), OFFICER, lambda: office.now)
    assert refused.value.code == "suspense-not-releasable"
    return str(refused.value.problem.details["why"])


def test_a_release_asks_everything_that_an_upload_asks(office: Office) -> None:
    office.register(person(C, 3, npp=OTHER_NPP))
    balance = {
        "kpj": C,
        "as_of": "2025-12-31",
        "employer": 1_000_000,
        "worker": 500_000,
        "credited_yield": 0,
        "months": 3,
    }
    assert office.ingest("opening-balances", csv_of(balance, [balance])).totals["posted"] == 1
    late = {"paid_on": "2026-11-14"}
    rows = {
        "2025-10": {"paid_on": "2026-01-05"},  # the month before the membership
        "2025-11": {"paid_on": "2025-12-31"},  # its first month, paid on the opening balance's day
        "2025-12": {"paid_on": "2026-01-01"},  # and on the day after it
        "2026-01": late,
        "2026-02": late | {"employer": 185_001},  # within the tolerance
        "2026-03": late | {"employer": 184_998},  # beyond it
        "2026-04": late | {"worker": 99_999},
        "2026-05": late | {"worker": 100_002},
        "2026-08": late,  # the last month of the membership
        "2026-09": late,  # and the one after it
    }
    receipt = office.contribute(*(line(C, month=when, **how) for when, how in rows.items()), request="r2")
    assert receipt.totals["suspended"] == len(rows)
    assert {case.reason for case in waiting(office, C).values()} == {"no-membership"}
    # The membership alone sets free what only waited for it.
    office.register(person(C, 3, registered_on="2025-11-03", left_on="2026-08-20"))
    still = waiting(office, C)
    expected = {
        "2025-10": "no-membership", "2025-11": "before-opening-balance", "2026-03": "amounts-disagree",
        "2026-05": "amounts-disagree", "2026-09": "no-membership",
    }  # fmt: skip
    assert sorted(still) == [month(when) for when in expected]
    assert {when: why_not(office, still[month(when)]) for when in expected} == expected
    for when in ("2025-12", "2026-01", "2026-02", "2026-04", "2026-08"):
        event = office.remittance(when)[-1]
        assert isinstance(event.fact, SuspenseReleased)
        assert (event.fact.paid_on, event.fact.rules.rates) == (rows[when]["paid_on"], "pu-pp46-2015")
        assert [one.months for one in event.fact.lines] == [1]


@pytest.mark.parametrize(
    ("segment", "wage", "paid", "free"),
    [
        ("BPU", 1_000_000, 19_998, False), ("BPU", 1_000_000, 19_999, True), ("BPU", 1_000_000, 20_001, True),
        ("BPU", 1_000_000, 20_002, False), ("PMI", "", 50_000, True), ("PMI", "", 50_001, True), ("PMI", "", 50_002, False),
        # No income was told: it may be of either segment, but no band can be looked up.
        ("BPU", "", 20_000, False),
    ],
)  # fmt: skip
def test_a_holders_own_payment_is_released_by_the_rule_of_the_segment(
    office: Office, segment: str, wage: object, paid: int, free: bool
) -> None:
    office.contribute(line(C, npp="", worker=paid) | {"wage": wage})
    assert len(waiting(office, C)) == 1
    office.register(person(C, 3, segment=segment, npp=""))
    assert (waiting(office, C) == {}) is free


@pytest.mark.parametrize(
    ("segment", "amounts", "posts"),
    [
        ("PU", {"employer": 185_001, "worker": 99_999}, True), ("PU", {"employer": 185_002, "worker": 100_000}, False),
        ("PU", {"wage": 0, "employer": 1, "worker": 1}, False), ("PU", {"wage": 0, "back_pay": 5_000_000}, True),
        ("BPU", {"wage": 1_000_000, "back_pay": 100_000, "worker": 24_000}, True),
        ("BPU", {"wage": 1_000_000, "back_pay": 100_000, "worker": 20_000}, False),
        ("BPU", {"wage": 1_000_000, "employer": 1, "worker": 20_000}, False),
        ("PMI", {"wage": "", "employer": 1, "worker": 50_000}, False), ("PMI", {"wage": "", "worker": 100_001}, True),
    ],
)  # fmt: skip
def test_amounts_are_judged_alike_when_they_come_and_after_they_waited(
    office: Office, segment: str, amounts: dict[str, object], posts: bool
) -> None:
    payer = {"npp": NPP if segment == "PU" else ""}
    office.contribute(line(C, month="2026-09") | payer | amounts, request="before")
    assert len(waiting(office, C)) == 1
    office.register(person(C, 3, segment=segment, **payer))
    office.contribute(line(C, month="2026-10") | payer | amounts, request="after")
    assert sorted(waiting(office, C)) == ([] if posts else [month("2026-09"), month("2026-10")])


def test_an_ending_between_an_officers_look_and_the_append_is_seen(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.register(person(A, 1))
    office.contribute(line(C))
    append = Log.append

    def late(log: Log, events: Any, *args: Any, **named: Any) -> Any:
        monkeypatch.setattr(Log, "append", append)
        office.register(person(A, 1, left_on="2026-08-31"))
        return append(log, events, *args, **named)

    monkeypatch.setattr(Log, "append", late)
    (case,) = waiting(office, C).values()
    with pytest.raises(Refused) as refused:
        release_line(office.log, Place(case.stream, case.version, case.line), OFFICER, lambda: office.now, A)
    assert refused.value.problem.details["why"] == "no-membership"
    assert len(waiting(office, C)) == 1


@pytest.mark.parametrize("large", [False, True])
def test_what_comes_between_again_and_again_is_seen_each_time(
    office: Office, monkeypatch: pytest.MonkeyPatch, large: bool
) -> None:
    """The first look-up meets a registration, the second one its ending."""
    from ledger.ingestion import door

    office.register(person(A, 1))
    acts: list[Callable[[], object]] = [
        lambda: office.register(person(C, 3)),
        lambda: office.register(person(C, 3, left_on="2026-08-31")),
    ]
    look_up = lookup.look_up

    def late(*args: Any, **named: Any) -> Any:
        found = look_up(*args, **named)
        if acts:
            acts.pop(0)()
        return found

    monkeypatch.setattr(door, "look_up", late)
    monkeypatch.setattr(pipeline, "look_up", late)
    extra = [line(f"2700000{n:04d}") for n in range(2_001 if large else 0)]
    receipt = office.contribute(line(C), line(A), *extra, request="r2")
    assert acts == []
    assert receipt.totals["posted"] == 1
    assert [case.reason for case in waiting(office, C).values()] == ["no-membership"]
