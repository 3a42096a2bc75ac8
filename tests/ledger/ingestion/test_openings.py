"""Opening balances' uploads, on both stores."""

from __future__ import annotations

from ledger.events import OpeningBalanceRecorded
from ledger.ingestion import openings, registrations
from ledger.log import Log
from ledger.vault import Vault
from tests.conftest import NOW, TODAY
from tests.ledger.ingestion.registered import (
    HEADER,
    opening,
    openings_table,
    registration,
    registrations_table,
    with_employer,
)


def test_an_opening_balance_is_recorded_once_and_others_are_refused_alone(log: Log) -> None:
    with_employer(log)
    registrations.ingest(log, Vault.open(log), registrations_table(registration()), HEADER, TODAY, NOW)
    rows = [
        opening(),
        opening(),
        opening(worker=1),
        opening(kpj="26000000099"),
        opening(as_of="2024-06-30"),
        opening(as_of="2026-12-31"),
    ]
    dry = openings.ingest(log, openings_table(*rows), HEADER, TODAY, NOW, dry_run=True)
    receipt = openings.ingest(log, openings_table(*rows), HEADER, TODAY, NOW)
    assert dry.totals == receipt.totals
    assert [told.problem.code for told in receipt.problems] == [
        "opening-conflict",
        "account-unknown",
        "opening-not-year-end",
        "date-in-future",
    ]
    assert (receipt.totals["posted"], receipt.totals["already"], receipt.totals["refused"]) == (1, 1, 4)
    assert log.events("account:26000000001")[-1].fact == OpeningBalanceRecorded(
        "2024-12-31", 3_700_000, 2_000_000, 120_000, 20, "2023-05-01", "old-system"
    )
    again = openings.ingest(log, openings_table(opening(source="elsewhere")), HEADER, TODAY, NOW)
    assert (again.totals["already"], again.last_position) == (1, 0)
