"""A payment's reference as programs write it: zeros in front and capitals make no other payment, on both stores."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ledger.acts.reversal import Target
from ledger.decisions.remittance import Remittance
from ledger.receipt import Header
from ledger.store.log import Log
from tests.office import NPP, Office, line, nik, only, person, problems

A, B = "26000000017", "26000000025"
OWN = "26000000033"
SPELLINGS = [
    ("000123", "123"), ("123", "000123"), ("trx-0007a", "TRX-0007A"), ("0", "000"), ("00012.0", "12"), (" 77 ", "077"),
]  # fmt: skip
"""One reference as it was sent first, and as it came again."""
OTHERS = [("123", "1230"), ("TRX-007", "TRX-7"), ("0", ""), ("1/2", "12"), ("1-2", "1.2"), ("100", "1")]
"""References of two payments."""
KINDS = ("regular", "supplement", "correction")


@pytest.fixture
def office(log: Log) -> Iterator[Office]:
    opened = Office(log)
    opened.employers(NPP)
    opened.workers(A, B)
    opened.register(person(OWN, 3, segment="BPU", npp=""))
    yield opened
    opened.close()


def live(office: Office, month: str) -> list[tuple[str, str]]:
    """(KPJ, stored reference) of the month's live lines."""
    return [(one.line.kpj, one.under.reference) for one in Remittance.of("x", office.remittance(month)).live()]


def months() -> Iterator[str]:
    yield from (f"{year}-{month:02d}" for year in (2025, 2026) for month in range(1, 10))


@pytest.mark.parametrize("kind", KINDS)
def test_a_payment_sent_again_under_another_spelling_is_there_already(office: Office, kind: str) -> None:
    how = {"reason": "wrong-amount", "request": "r"}
    for month, (first, again) in zip(months(), SPELLINGS, strict=False):
        sent = line(A, kind=kind, month=month, reference=first, paid_on="2026-09-15")
        # Alone, beside a new worker and beside an amount that is settled line by line: each goes another way.
        assert office.contribute(sent, **how).totals["posted"] == 1
        for beside in ([], [line(B, kind=kind, month=month, reference=again, paid_on="2026-09-15")]):
            receipt = office.contribute(sent | {"reference": again}, *beside, **how)
            assert (receipt.totals["already"], receipt.totals["posted"]) == (1, len(beside)), (first, again)
        # What stands is what was sent.
        assert [told for kpj, told in live(office, month) if kpj == A] == [first.strip().removesuffix(".0")]


@pytest.mark.parametrize("kind", KINDS)
def test_other_amounts_under_another_spelling_are_a_conflict(office: Office, kind: str) -> None:
    how = {"reason": "wrong-amount", "request": "r"}
    for month, (first, again) in zip(months(), SPELLINGS, strict=False):
        sent = line(A, kind=kind, month=month, reference=first, paid_on="2026-09-15")
        office.contribute(sent, **how)
        receipt = office.contribute(sent | {"reference": again, "wage": 4_000_000}, **how)
        assert (only(receipt).code, receipt.totals["posted"]) == ("line-conflict", 0), (first, again)


@pytest.mark.parametrize("kind", KINDS)
def test_other_references_stay_other_payments(office: Office, kind: str) -> None:
    how = {"reason": "wrong-amount", "request": "r"}
    for month, (first, again) in zip(months(), OTHERS, strict=False):
        sent = line(A, kind=kind, month=month, reference=first, paid_on="2026-09-15")
        office.contribute(sent, **how)
        receipt = office.contribute(sent | {"reference": again}, **how)
        expected = {"already": 0, "suspended" if kind == "regular" else "posted": 1}
        assert {name: receipt.totals[name] for name in expected} == expected, (first, again)


def test_two_spellings_in_one_file_are_one_worker_twice(office: Office) -> None:
    for first, again in SPELLINGS:
        rows = [line(A, kind="supplement", reference=reference) for reference in (first, again)]
        codes = [code for _, code, _, _ in problems(office.contribute(*rows))]
        assert codes.count("worker-twice") == 1, (first, again)
    assert office.remittance() == []


def test_two_payments_whose_references_were_not_kept_are_not_taken_for_one(office: Office) -> None:
    receipt = office.contribute(*(line(A, kind="supplement", reference=nik(number)) for number in (7, 8)))
    assert "worker-twice" in {code for _, code, _, _ in problems(receipt)}
    assert receipt.totals["already"] == 0


def test_a_holders_own_payment_sent_again_under_another_spelling_is_there_already(office: Office) -> None:
    sent = line(OWN, 2_000_000, npp="", worker=40_000, reference="000123")
    assert office.contribute(sent).totals["posted"] == 1
    assert office.contribute(sent | {"reference": "123"}, request="r2").totals["already"] == 1


def test_what_waits_is_there_already_and_what_was_taken_back_is_not(office: Office) -> None:
    sent = line("26000000999", reference="000123")
    assert office.contribute(sent).totals["suspended"] == 1
    again = sent | {"reference": "123"}
    assert office.contribute(again, request="r2").totals["already"] == 1
    office.door.reverse(Target(receipt="r1"), Header("clerk", "office", "rev", "paid-twice"))
    assert office.contribute(again, request="r3").totals["suspended"] == 1
