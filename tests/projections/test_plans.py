"""PostgreSQL before its first statistics: no step of an agency's first day reads a whole table for each line it has."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from typing import Any

import pytest

from ledger.acts.reversal import Target, reverse
from ledger.receipt import Header
from ledger.settings import Settings
from ledger.store.log import Log
from ledger.store.postgres import PostgresTransaction
from projections.generations import Store
from projections.projector import Projector
from tests.conftest import NOW
from tests.office import NPP, OTHER_NPP, Office, line, person

WORKERS = 1_500
"""Enough for a planner to leave the indexes when it knows no better."""
_SCANS = ("Seq Scan", "Index Scan", "Index Only Scan", "Bitmap Index Scan")


def _inside(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for part in plan.get("Plans", []):
        yield from _inside(part)


def _again_and_again(plan: dict[str, Any]) -> list[str]:
    """What a plan reads whole, a table or an index, for each row of something else."""
    return [
        str(part.get("Index Name") or part["Relation Name"])
        for loop in _inside(plan) if loop["Node Type"] == "Nested Loop"
        for part in _inside(loop["Plans"][1]) if part["Node Type"] in _SCANS and "Index Cond" not in part
    ]  # fmt: skip


@pytest.fixture
def plans(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """Statement with a set in it -> what its plan reads again and again; asked before each is run."""
    seen: dict[str, list[str]] = {}

    def watched(run: Any) -> Any:
        def asked(self: PostgresTransaction, sql: str, params: Sequence[Any] = ()) -> Any:
            if "unnest(" in sql:
                ((told,),) = of_rows(self, f"explain (format json) {sql}", params)
                seen.setdefault(sql, []).extend(_again_and_again(told[0]["Plan"]))
            return run(self, sql, params)

        return asked

    of_rows = PostgresTransaction.rows
    for name in ("rows", "run", "send"):
        monkeypatch.setattr(PostgresTransaction, name, watched(getattr(PostgresTransaction, name)))
    return seen


@pytest.mark.parametrize("settings", ["postgres"], indirect=True)
def test_no_table_is_read_whole_for_each_line_before_it_has_statistics(
    settings: Settings, log: Log, plans: dict[str, list[str]]
) -> None:
    with log.database.write() as tx:
        for (table,) in tx.rows("select tablename from pg_tables where schemaname = 'public'"):
            tx.run(f"alter table {table} set (autovacuum_enabled = false)")
    office = Office(log)
    office.employers(NPP, OTHER_NPP)
    cards = [f"26{n:09d}" for n in range(1, WORKERS + 1)]
    office.workers(*cards)
    office.register(*(person(f"27{n:09d}", WORKERS + n) for n in range(1, WORKERS)), request="more")
    office.contribute(*(line(card) for card in cards), request="lines")
    office.contribute(*(line(card, reference="TRX-2") for card in cards), request="again")
    supplement = [line(card, "", back_pay=10_000, kind="supplement", reference="TRX-3") for card in cards]
    office.contribute(*supplement, request="back-pay")
    strangers = [f"28{n:09d}" for n in range(1, WORKERS)]
    office.contribute(*(line(card, npp=OTHER_NPP) for card in strangers), request="strangers")
    known = (person(card, 2 * WORKERS + n, npp=OTHER_NPP) for n, card in enumerate(strangers))
    office.register(*known, request="known")
    office.close()
    reverse(log, Target(receipt="lines"), Header("test", "test", "back", "paid-twice"), lambda: NOW)
    with closing(Store.open(settings)) as store:
        Projector(log, store, now=lambda: NOW).run_once()
    assert len(plans) > 5
    assert {sql: tables for sql, tables in plans.items() if tables} == {}
