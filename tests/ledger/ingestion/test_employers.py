"""Employers' uploads, on both stores."""

from __future__ import annotations

from ledger.events import EmployerRegistered
from ledger.ingestion import employers
from ledger.store.employer_names import EmployerNames, SealedName
from ledger.store.log import Log
from ledger.store.vault import Vault
from tests.conftest import NOW, TODAY
from tests.ledger.ingestion.registered import HEADER, employers_table

ROWS = [(10000001, "PT Satu", "2025-01-02"), (10000002, "PT Dua", "2025-01-02")]


def test_employers_are_registered_once_whatever_is_repeated(log: Log) -> None:
    first = employers.ingest(log, Vault.open(log), employers_table(*ROWS, ROWS[0]), HEADER, TODAY, NOW)
    assert (first.totals["posted"], first.totals["already"]) == (2, 1)
    again = employers.ingest(log, Vault.open(log), employers_table(*ROWS), HEADER, TODAY, NOW)
    assert (again.totals["posted"], again.totals["already"], again.last_position) == (0, 2, 0)
    assert len(log.read(0, 10)) == 2


def test_a_conflict_and_a_future_date_are_refused_alone(log: Log) -> None:
    rows = [ROWS[0], (10000001, "PT Lain", "2025-01-02"), (10000003, "PT Esok", "2026-11-22")]
    receipt = employers.ingest(log, Vault.open(log), employers_table(*rows), HEADER, TODAY, NOW)
    assert [(told.problem.code, told.problem.line) for told in receipt.problems] == [
        ("employer-conflict", 3),
        ("date-in-future", 4),
    ]
    assert (receipt.totals["posted"], receipt.totals["refused"]) == (1, 2)


def test_a_dry_run_writes_nothing(log: Log) -> None:
    receipt = employers.ingest(log, Vault.open(log), employers_table(*ROWS, ROWS[0]), HEADER, TODAY, NOW, dry_run=True)
    assert (receipt.totals["posted"], receipt.totals["already"], log.head()) == (2, 1, 0)


def test_a_name_stands_sealed_in_the_log_and_opens_for_its_employer_only(log: Log) -> None:
    vault = Vault.open(log)
    employers.ingest(log, vault, employers_table(*ROWS), HEADER, TODAY, NOW)
    assert all(b"PT Satu" not in row.state for row in log.read(0, 10))
    sealed = {}
    for npp in (10000001, 10000002):
        (event,) = log.events(f"employer:{npp}")
        assert isinstance(event.fact, EmployerRegistered)
        sealed[npp] = SealedName(event.fact.name, event.version)
    assert vault.employers.open(sealed) == {10000001: "PT Satu", 10000002: "PT Dua"}
    moved = {10000001: sealed[10000002], 10000002: SealedName(sealed[10000002].text, 2), 10000003: sealed[10000001]}
    assert vault.employers.open(moved) == {}
    with log.database.read() as tx:
        held = tx.rows("select * from vault_employers order by npp")
    assert [row[0] for row in held] == [10000001, 10000002]
    assert b"PT" not in b"".join(bytes(row[1]) for row in held)


def test_names_are_looked_up_once_a_page_and_remembered_for_a_minute_at_most(log: Log) -> None:
    vault = Vault.open(log)
    employers.ingest(log, vault, employers_table(*ROWS), HEADER, TODAY, NOW)
    sealed = {}
    for npp in (10000001, 10000002):
        (event,) = log.events(f"employer:{npp}")
        assert isinstance(event.fact, EmployerRegistered)
        sealed[npp] = SealedName(event.fact.name, event.version)
    seconds = 100.0
    names = EmployerNames(log.database, lambda: vault._master, vault._must_be_current, lambda: seconds)
    assert len(names.open(sealed)) == 2
    with log.database.write() as tx:
        tx.run("delete from vault_employers where npp = 10000002")
    assert len(names.open(sealed)) == 2
    seconds += 60.0
    assert names.open(sealed) == {10000001: "PT Satu"}


def test_a_new_master_key_wraps_the_employers_keys_again(log: Log) -> None:
    vault = Vault.open(log)
    employers.ingest(log, vault, employers_table(*ROWS), HEADER, TODAY, NOW)
    with log.database.read() as tx:
        before = dict(tx.rows("select npp, wrapped from vault_employers"))
    new = b"\x07" * 32
    vault.rotate(new)
    with log.database.read() as tx:
        rows = tx.rows("select npp, wrapped, master from vault_employers")
    assert all(bytes(wrapped) != bytes(before[npp]) and master == 2 for npp, wrapped, master in rows)
    (event,) = log.events("employer:10000001")
    assert isinstance(event.fact, EmployerRegistered)
    fresh = Vault(log, new)
    assert fresh.employers.open({10000001: SealedName(event.fact.name, 1)}) == {10000001: "PT Satu"}
    again = employers.ingest(log, fresh, employers_table(*ROWS), HEADER, TODAY, NOW)
    assert again.totals["already"] == 2
