"""Reversals by line, remittance and receipt, on both stores."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ledger.acts import scheme
from ledger.acts.reversal import Target
from ledger.errors import Refused
from ledger.events import ContributionsReversed, Rates, ReversedLine
from ledger.receipt import Header
from ledger.store.log import Log
from ledger.store.suspense import suspense_page
from tests.conftest import NOW
from tests.facts import taken_back
from tests.office import NPP, Office, line

A, B, C = "12345678901", "12345678902", "12345678903"
STREAM = f"remittance-e:{NPP}:2026-10"
WHY = Header("clerk", "office", "rev1", "wrong-amount")


@pytest.fixture
def office(log: Log) -> Iterator[Office]:
    opened = Office(log)
    opened.employers(NPP)
    opened.workers(A, B)
    opened.contribute(line(A), line(B), line(C))
    yield opened
    opened.close()


def test_a_line_is_taken_back_by_repeating_what_was_posted(office: Office) -> None:
    receipt = office.door.reverse(Target(stream=STREAM, kpj=A), WHY)
    event = office.remittance()[-1]
    assert event.fact == taken_back(
        [ReversedLine(A, 5_000_000, 0, 185_000, 100_000, months=-1, event=1, line=0)], reference="TRX-1"
    )
    assert (event.reason, event.by) == ("wrong-amount", "clerk")
    assert receipt.totals["posted"] == 1


def test_a_reversed_line_can_be_posted_again_with_other_amounts(office: Office) -> None:
    office.door.reverse(Target(stream=STREAM, kpj=A), WHY)
    receipt = office.contribute(line(A, 6_000_000))
    assert receipt.totals["posted"] == 1
    assert office.remittance()[-1].fact.lines[0].months == 1  # type: ignore[attr-defined]


def test_a_remittance_is_taken_back_whole_with_its_suspended_lines(office: Office) -> None:
    office.door.reverse(Target(stream=STREAM), WHY)
    with office.log.database.read() as tx:
        assert suspense_page(tx) == []
    held = {one.kpj: one.suspended for one in office.remittance()[-1].fact.lines}  # type: ignore[attr-defined]
    assert held == {A: False, B: False, C: True}


def test_a_line_of_a_declared_year_is_taken_back_with_the_scope_and_says_what_goes_with_it(office: Office) -> None:
    who = Header("test", "test")
    office.contribute(line(A, month="2025-05", paid_on="2025-06-20"), line(C, month="2025-05", paid_on="2025-06-20"))
    target = Target(stream=f"remittance-e:{NPP}:2025-05")
    scheme.start(office.log, 2025, who, lambda: NOW)
    assert office.door.reverse(target, WHY, dry_run=True).problems == []
    scheme.declare(office.log, 2025, Rates(57_000, 57_000), "x", who, lambda: NOW)
    head = office.log.head()
    with pytest.raises(Refused) as refused:
        office.door.reverse(target, WHY)
    assert refused.value.problem.details == {"paid_on": "2025-06-20", "year": 2025}
    assert (refused.value.code, office.log.head()) == ("paid-year-declared", head)
    # What waits earns nothing, and what was paid this year changes no declared one.
    assert office.door.reverse(target._replace(kpj=C), WHY).totals["posted"] == 1
    assert office.door.reverse(Target(stream=STREAM, kpj=B), WHY).problems == []
    done = office.door.reverse(target, WHY, backdate=True)
    assert [(one.problem.code, one.problem.details) for one in done.problems] == [
        ("taken-back-yield", {"lines": 1, "year": 2025, "earned": "Rp8.123"})
    ]
    assert office.door.reverse(target, WHY).totals["already"] == 2


def test_a_receipt_is_taken_back_and_nothing_else(office: Office) -> None:
    office.contribute(line(A, month="2026-09"), request="r2")
    receipt = office.door.reverse(Target(receipt="r2"), WHY)
    assert receipt.totals["posted"] == 1
    assert isinstance(office.remittance("2026-09")[-1].fact, ContributionsReversed)
    assert len(office.remittance()) == 2


def test_reversing_twice_changes_nothing(office: Office) -> None:
    office.door.reverse(Target(stream=STREAM), WHY)
    head = office.log.head()
    again = office.door.reverse(Target(stream=STREAM), WHY)
    assert (again.totals["posted"], again.totals["already"]) == (0, 3)
    assert office.log.head() == head


def test_a_months_supplement_keeps_the_month_counted_when_its_regular_line_goes(office: Office) -> None:
    office.contribute(line(A, 0, back_pay=1_000_000, kind="supplement"))
    office.door.reverse(Target(stream=STREAM, kpj=A, kind="regular"), WHY)
    assert office.remittance()[-1].fact.lines[0].months == 0  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("target", "reason", "code"),
    [
        (Target(stream=STREAM), "", "reason-missing"),
        (Target(stream=STREAM), "because", "reason-unknown"),
        (Target(), "wrong-amount", "reversal-unclear"),
        (Target(receipt="none"), "wrong-amount", "receipt-not-found"),
        (Target(stream="remittance-e:10000001:2020-01"), "wrong-amount", "remittance-not-found"),
        (Target(stream=STREAM, kpj="99999999999"), "wrong-amount", "line-not-found"),
        (Target(stream=STREAM, kpj=A, kind="supplement"), "wrong-amount", "line-not-found"),
        (Target(stream=STREAM, kind="correction"), "wrong-amount", "line-not-found"),
        (Target(stream=STREAM, kind="reguler"), "wrong-amount", "kind-unknown"),
        (Target(stream=STREAM, division="0A1"), "wrong-amount", "line-not-found"),
    ],
)
def test_an_unclear_reversal_is_refused(office: Office, target: Target, reason: str, code: str) -> None:
    with pytest.raises(Refused) as refused:
        office.door.reverse(target, Header("clerk", "office", "rev1", reason))
    assert refused.value.code == code
