"""Cells of opening balances and of leaving: what is read, and the code of what is not."""

from __future__ import annotations

import json

import pytest

from ledger.events import Base, Payout
from ledger.fields import Bad, bases_of, payouts_of, read_cell
from ledger.ingestion.readers.reading import Source, read
from ledger.layouts import OPENING_BALANCES, REGISTRATIONS, Column

COLUMNS: dict[str, Column] = {column.name: column for column in (*OPENING_BALANCES, *REGISTRATIONS)}


@pytest.mark.parametrize(
    ("column", "text", "read_as"),
    [
        ("yield_through", "1977", 1977), ("yield_through", "", -1),
        ("bases", "2025:2 ", "2025:2"), ("bases", "2025:3:4; 2024:1:2", "2024:1:2;2025:3:4"), ("bases", "", ""),
        ("payouts", "2022-05-10:7:FULL;2021-01-01:1:partial", "2021-01-01:1:partial;2022-05-10:7:full"),
        ("left_why", "Meninggal Dunia", "died"), ("left_why", "laid_off", "laid-off"), ("left_why", "", ""),
    ],
)  # fmt: skip
def test_what_is_read(column: str, text: str, read_as: object) -> None:
    assert read_cell(COLUMNS[column], text) == read_as


@pytest.mark.parametrize(
    ("column", "text", "code"),
    [
        ("yield_through", "1976", "year-unreadable"), ("yield_through", "25", "year-unreadable"),
        ("bases", "2025", "bases-unreadable"), ("bases", "2025:1;2025:2", "bases-unreadable"),
        ("bases", "2025:-1", "bases-unreadable"), ("payouts", "2022-02-30:1:full", "payouts-unreadable"),
        ("payouts", "2022-02-03:1:gift", "payouts-unreadable"), ("left_why", "bosan", "leaving-unknown"),
    ],
)  # fmt: skip
def test_what_is_not(column: str, text: str, code: str) -> None:
    found = read_cell(COLUMNS[column], text)
    assert isinstance(found, Bad)
    assert found.code == code


def test_clean_cells_become_structures() -> None:
    assert bases_of("2024:1;2025:3:4") == ([Base(2024, 1), Base(2025, 3, 4)], False)
    assert bases_of("2025:3:4") == ([Base(2025, 3, 4)], True)
    assert payouts_of("2022-05-10:7:full") == [Payout("2022-05-10", 7, "full")]


def test_a_year_may_be_a_number_in_json() -> None:
    row = {
        "kpj": "26000000017", "as_of": "2025-12-31", "employer": 1, "worker": 1, "credited_yield": 0, "months": 1,
        "yield_through": 2024,
    }  # fmt: skip
    table = read(Source.of(json.dumps([row]).encode()), "opening-balances")
    assert (table.bad.tolist(), table.columns["yield_through"].tolist()) == ([False], [2024])
