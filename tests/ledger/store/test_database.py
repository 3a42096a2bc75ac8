"""Rows in bulk, on both stores: what goes in comes out, whatever the number of rows."""

from __future__ import annotations

import contextlib
import os
import threading
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from ledger.store.log import Log
from ledger.store.sqlite import SqliteDatabase

TEXTS = ["", "a", "null", "NULL", '"q"', "\\ {}, 'x'", "Siti Nur\u2019aini \U0001f600", "baris\nbaru\t"]
BYTES = [b"", b"\0", b"\\x00", bytes(range(256)), None]


@pytest.fixture
def table(log: Log) -> str:
    with log.database.write() as tx:
        tx.script("create table bulk (id bigint primary key, words text, data bytea, other bigint)")
    return "bulk"


def rows_of(count: int) -> list[tuple[Any, ...]]:
    return [(i, TEXTS[i % len(TEXTS)], BYTES[i % len(BYTES)], None if i % 3 == 0 else i - 2**40) for i in range(count)]


@pytest.mark.parametrize("count", [0, 1, 7, 8, 9, 63, 585, 4_681, 9_000])
def test_rows_in_bulk_come_back_as_they_were(log: Log, table: str, count: int) -> None:
    rows = rows_of(count)
    columns = dict(zip(("id", "words", "data", "other"), [list(column) for column in zip(*rows)] or [[]] * 4))
    with log.database.write() as tx:
        tx.insert(table, columns, "bigint text bytea bigint")
        tx.insert(table, columns, "bigint text bytea bigint", "on conflict (id) do update set words = excluded.words")
        found = [(a, b, None if c is None else bytes(c), d) for a, b, c, d in tx.rows("select * from bulk order by id")]
    assert found == rows


def test_columns_are_a_relation_of_their_own(log: Log) -> None:
    with log.database.read() as tx:
        given, params = tx.relation(words=("text", TEXTS), number=("bigint", list(range(len(TEXTS)))))
        assert tx.rows(f"select words, number from {given} q order by number", params) == list(
            zip(TEXTS, range(len(TEXTS)), strict=True)
        )
        given, params = tx.relation(words=("text", []))
        assert tx.rows(f"select words from {given} q", params) == []


def test_stream_names_sort_by_their_bytes(log: Log) -> None:
    names = ["a:1", "a:10", "a;", "b", "B", "a-b", "a:\u00e9"]
    with log.database.write() as tx:
        tx.insert(
            log.table,
            {
                "originator_id": names, "originator_version": [1] * 7, "topic": ["t"] * 7, "state": [b"x"] * 7,
                log.key: list(range(1, 8)),
            },
            "text bigint text bytea bigint",
        )  # fmt: skip
    with log.database.read() as tx:
        found = [row[0] for row in tx.rows(f"select originator_id from {log.table} order by originator_id")]
        under = [row.stream for row in log.rows_under(tx, ["a:"], ["t"])]
    assert all(one.encode() < two.encode() for one, two in pairwise(found))
    assert sorted(under) == ["a:1", "a:10", "a:\u00e9"]


def test_a_thread_that_has_ended_leaves_no_connection_behind(tmp_path: Path) -> None:
    database = SqliteDatabase(tmp_path / "one.db")

    def look() -> None:
        with database.read() as tx:
            assert tx.rows("select 1") == [(1,)]

    def open_files() -> int:
        return sum(str(tmp_path) in where for where in open_paths())

    look()
    before = open_files()
    for _ in range(20):
        thread = threading.Thread(target=look)
        thread.start()
        thread.join()
    # SQLite itself keeps a file or two open for the next connection while another one has locks.
    assert open_files() <= before + 3
    database.close()
    assert open_files() == 0


def open_paths() -> list[str]:
    """The process's open files."""
    found = []
    for number in os.listdir("/proc/self/fd"):
        with contextlib.suppress(FileNotFoundError):  # the folder itself, while it was listed
            found.append(os.readlink(f"/proc/self/fd/{number}"))
    return found
