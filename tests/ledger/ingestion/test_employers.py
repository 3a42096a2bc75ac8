"""Employers' uploads, on both stores."""

from __future__ import annotations

from ledger.ingestion import employers
from ledger.store.log import Log
from tests.conftest import NOW, TODAY
from tests.ledger.ingestion.registered import HEADER, employers_table

ROWS = [(10000001, "PT Satu", "2025-01-02"), (10000002, "PT Dua", "2025-01-02")]


def test_employers_are_registered_once_whatever_is_repeated(log: Log) -> None:
    first = employers.ingest(log, employers_table(*ROWS, ROWS[0]), HEADER, TODAY, NOW)
    assert (first.totals["posted"], first.totals["already"]) == (2, 1)
    again = employers.ingest(log, employers_table(*ROWS), HEADER, TODAY, NOW)
    assert (again.totals["posted"], again.totals["already"], again.last_position) == (0, 2, 0)
    assert len(log.read(0, 10)) == 2


def test_a_conflict_and_a_future_date_are_refused_alone(log: Log) -> None:
    rows = [ROWS[0], (10000001, "PT Lain", "2025-01-02"), (10000003, "PT Esok", "2026-11-22")]
    receipt = employers.ingest(log, employers_table(*rows), HEADER, TODAY, NOW)
    assert [(told.problem.code, told.problem.line) for told in receipt.problems] == [
        ("employer-conflict", 3),
        ("date-in-future", 4),
    ]
    assert (receipt.totals["posted"], receipt.totals["refused"]) == (1, 2)


def test_a_dry_run_writes_nothing(log: Log) -> None:
    receipt = employers.ingest(log, employers_table(*ROWS, ROWS[0]), HEADER, TODAY, NOW, dry_run=True)
    assert (receipt.totals["posted"], receipt.totals["already"], log.head()) == (2, 1, 0)
