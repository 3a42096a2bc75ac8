"""What a large remittance takes in memory while it is decided: of a line its numbers, not objects."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator

import pytest

from ledger.ingestion.contributions import batch, decide, line, lookup
from ledger.ingestion.readers.reading import Source
from ledger.receipt import Header
from ledger.store import account_index, suspense
from ledger.store.log import Log
from tests.office import NPP, Office

FEW_AND_MANY = (3_000, 9_000)
MOST = 500
"""Bytes a line, as the interpreter counts them: in objects a line took 1,900."""
HEAD = "npp,month,kpj,wage,employer,worker,paid_on,reference\n"


@pytest.fixture
def office(log: Log, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    """An office to which some hundreds of lines are what fifty thousand are to another."""
    for module, name in ((batch, "_KEPT_ROWS"), (decide, "LARGE"), (line, "AT_ONCE"), (lookup, "AT_ONCE")):
        monkeypatch.setattr(module, name, 500)
    monkeypatch.setattr(account_index, "AT_ONCE", 500)
    monkeypatch.setattr(suspense, "_CASES_AT_ONCE", 500)
    monkeypatch.setattr("ledger.ingestion.contributions.line_problems.REMEMBERED", 500)
    monkeypatch.setattr("ledger.receipt.REMEMBERED", 500)
    monkeypatch.setattr("ledger.receipt.LISTED", 500)
    made = Office(log)
    made.employers(NPP)
    yield made
    made.close()


@pytest.mark.parametrize("dry_run", [True, False])
@pytest.mark.parametrize(
    "row",
    ["{npp},2026-10,{kpj},{wage},,,2026-11-14,R", "{npp},2026-10,{kpj},{wage},{share},{share},2026-11-14,R"],
    ids=["of strangers", "amounts that disagree"],
)
def test_a_line_of_a_large_remittance_is_a_few_hundred_bytes(office: Office, row: str, dry_run: bool) -> None:
    few, many = (peak(office, row, lines, dry_run) for lines in FEW_AND_MANY)
    assert (many - few) / (FEW_AND_MANY[1] - FEW_AND_MANY[0]) < MOST


def peak(office: Office, row: str, lines: int, dry_run: bool) -> int:
    """The most bytes at once while a remittance of so many lines is taken."""
    month = f"2026-{lines // FEW_AND_MANY[0]:02d}"
    rows = (
        row.format(npp=NPP, kpj=f"{27 * 10**9 + number:011d}", wage=5_000_000 + number, share=number + 1)
        for number in range(lines)
    )
    body = (HEAD + "\n".join(rows)).replace(",2026-10,", f",{month},").encode()
    header = Header("t", "t", "a" * 32, wants_rejects=False)
    tracemalloc.start()
    try:
        receipt = office.door.ingest("contributions", Source.of(body), header, dry_run=dry_run, backdate=True)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert receipt.totals["suspended"] == lines
    return most
