"""Rows of employers and registrations uploads as tables, and the facts a log then holds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date
from typing import Any

import msgspec
import numpy as np

from ledger.days import day_number
from ledger.errors import Problem
from ledger.events import EmployerRegistered
from ledger.fields import SEXES
from ledger.identifiers import SEGMENTS, card_number
from ledger.ingestion import employers
from ledger.ingestion.readers.table import Coded, Table
from ledger.receipt import Header
from ledger.store.codec import decode
from ledger.store.employer_names import SealedName
from ledger.store.log import Log
from ledger.store.vault import Vault
from tests.conftest import NOW, TODAY

HEADER = Header("tester", "test", "upload-1")
NPP = 10000001


def _day(text: str) -> int:
    return day_number(text) if text else -1


def table(layout: str, columns: dict[str, Any], bad: Sequence[int] = ()) -> Table:
    size = len(next(iter(columns.values())))
    mask = np.zeros(size, np.bool_)
    mask[list(bad)] = True
    problems = [Problem("nik-unreadable", row + 2, "nik") for row in bad]
    counts = {"nik-unreadable": len(bad)} if len(bad) else {}
    return Table(layout, np.arange(2, size + 2), columns, problems, mask, counts)


def employers_table(*rows: tuple[int, str, str]) -> Table:
    return table(
        "employers",
        {
            "npp": np.array([row[0] for row in rows]),
            "name": [row[1] for row in rows],
            "registered_on": np.array([_day(row[2]) for row in rows]),
        },
    )


def registration(**changes: Any) -> dict[str, Any]:
    return {
        "kpj": "26000000001", "nik": "3174015203900001", "name": "Siti Aminah", "birth_date": "1990-03-12", "sex": "P",
        "segment": "PU", "npp": NPP, "email": "siti@contoh.id", "phone": "+6281200000001",
        "registered_on": "2025-01-15", "left_on": "", "left_why": "", "old_card": 0,
    } | changes  # fmt: skip


def registrations_table(*rows: dict[str, Any], bad: Sequence[int] = ()) -> Table:
    columns: dict[str, Any] = {name: [row[name] for row in rows] for name in registration()}
    columns["kpj"] = np.array([card_number(kpj) for kpj in columns["kpj"]], np.int64)
    columns["npp"] = np.array(columns["npp"], np.int64)
    columns["sex"] = np.array([SEXES.index(sex) for sex in columns["sex"]])
    columns["segment"] = np.array([SEGMENTS.index(segment) for segment in columns["segment"]])
    for name in ("birth_date", "registered_on", "left_on"):
        columns[name] = np.array([_day(text) for text in columns[name]], np.int64)
    columns["old_card"] = np.array(columns["old_card"], np.int8)
    return table("registrations", columns, bad)


def opening(**changes: Any) -> dict[str, Any]:
    return {
        "kpj": "26000000001", "as_of": "2024-12-31", "employer": 3_700_000, "worker": 2_000_000,
        "credited_yield": 120_000, "months": 20, "member_since": "2023-05-01", "source": "old-system", "tambahan": -1,
        "tambahan_yield": -1, "yield_through": -1, "bases": "", "payouts": "",
    } | changes  # fmt: skip


def openings_table(*rows: dict[str, Any]) -> Table:
    columns: dict[str, Any] = {name: [row[name] for row in rows] for name in opening()}
    columns["kpj"] = np.array([card_number(kpj) for kpj in columns["kpj"]], np.int64)
    for name in ("as_of", "member_since"):
        columns[name] = np.array([_day(text) for text in columns[name]], np.int64)
    for name in ("employer", "worker", "credited_yield", "months", "tambahan", "tambahan_yield", "yield_through"):
        columns[name] = np.array(columns[name], np.int64)
    texts = sorted(set(columns["source"]))
    columns["source"] = Coded(np.array([texts.index(text) for text in columns["source"]], np.int32), texts)
    return table("opening-balances", columns)


def with_employer(log: Log, today: date = TODAY) -> None:
    employers.ingest(log, Vault.open(log), employers_table((NPP, "PT Satu", "2020-01-02")), HEADER, today, NOW)


def facts(log: Log, vault: Vault) -> Counter[str]:
    """All facts, comparable between ledgers: a random person id reads as the person's data, a sealed text as its text."""
    events = [decode(row) for row in log.read(0, 1_000_000)]
    persons = sorted({e.stream.partition(":")[2] for e in events if e.stream.startswith("person:")})
    with log.database.read() as tx:
        data = vault.data_of(tx, persons).data
    names = vault.employers.open(
        {
            int(event.fact.npp): SealedName(event.fact.name, event.version)
            for event in events
            if isinstance(event.fact, EmployerRegistered)
        }
    )
    found: Counter[str] = Counter()
    for event in events:
        fact = msgspec.to_builtins(event.fact)
        stream = event.stream
        kind, _, person = stream.partition(":")
        if kind == "person":
            stream, fact = f"person:{data[person]}", {}
        elif kind == "employer":
            fact["name"] = names[int(fact["npp"])]
        elif "person" in fact:
            fact["person"] = str(data[fact["person"]])
        found[f"{stream} {event.version} {event.fact.NAME} {fact}"] += 1
    return found
