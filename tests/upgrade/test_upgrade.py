"""A ledger's schema is brought up by steps: killed in the middle, run twice, refused by a program that is too old."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ledger.errors import Refused
from ledger.events import EmployerRegistered, Event
from ledger.settings import Settings
from ledger.store import migrations
from ledger.store.database import open_database, table_exists
from ledger.store.log import Log
from tests.conftest import NOW

ROOT = Path(__file__).parents[2]
_KILLED = """
import os, signal, sys
from pathlib import Path
from ledger.settings import Settings
from ledger.store import database, migrations, postgres
from ledger.store.log import Log

SETTINGS = Settings(database_url=sys.argv[1])
cls = database.SqliteTransaction if SETTINGS.sqlite_path else postgres.PostgresTransaction
run = cls.run

def killed(self, sql, params=()):
    if "schema_version" in sql:
        os.kill(os.getpid(), signal.SIGKILL)  # the step's statements ran, its version did not
    return run(self, sql, params)

cls.run = killed
Log.upgrade(SETTINGS, (migrations.FOLDER, Path(sys.argv[2])))
"""


@pytest.fixture
def step(tmp_path: Path) -> Path:
    """A folder with the next step, as a later release brings one."""
    number = migrations.VERSION + 1
    for dialect in ("sqlite", "postgres"):
        folder = tmp_path / "steps" / dialect
        folder.mkdir(parents=True)
        (folder / f"{number:04d}_more.sql").write_text(
            "create table later (npp bigint primary key);"
            "insert into later select npp from account_index_employers;"
            "alter table account_index_employers add column more bigint not null default 7"
        )
    return tmp_path / "steps"


def later_rows(settings: Settings) -> list[tuple[object, ...]] | None:
    database = open_database(settings.sqlite_path or settings.database_url)
    try:
        with database.read() as tx:
            return tx.rows("select * from later") if table_exists(tx, "later") else None
    finally:
        database.close()


def test_a_step_that_is_killed_never_happened_and_the_next_run_goes_on(
    log: Log, settings: Settings, step: Path
) -> None:
    fact = EmployerRegistered("10000001", "PT Satu", "2025-01-02")
    log.append([Event(stream="employer:10000001", version=1, fact=fact, by="t", channel="t")], NOW)
    done = subprocess.run([sys.executable, "-c", _KILLED, settings.database_url, str(step)], cwd=ROOT, check=False)
    assert done.returncode == -signal.SIGKILL
    assert later_rows(settings) is None
    folders = (migrations.FOLDER, step)
    assert Log.upgrade(settings, folders) == (migrations.VERSION, migrations.VERSION + 1)
    assert Log.upgrade(settings, folders) == (migrations.VERSION + 1, migrations.VERSION + 1)
    assert later_rows(settings) == [(10000001,)]
    # This program is now too old for it, whatever it does: to open it, to append, to follow.
    for ask in (
        lambda: Log.open(settings), lambda: Log.upgrade(settings), log.head,
        lambda: log.append([Event(stream="employer:10000002", version=1, fact=fact, by="t", channel="t")], NOW),
    ):  # fmt: skip
        with pytest.raises(Refused) as told:
            ask()
        assert told.value.code == "program-too-old"


def test_an_older_schema_is_refused_with_the_way_out(log: Log, settings: Settings) -> None:
    with log.database.write() as tx:
        tx.run("update log_meta set value = '0' where name = 'schema_version'")
    for ask in (lambda: Log.open(settings), log.head):
        with pytest.raises(Refused, match="jht upgrade"):
            ask()


def test_both_stores_have_the_same_steps_and_tables() -> None:
    def tables(sql: str) -> set[str]:
        words = sql.replace("ledger_events", "stored_events").split()
        return {words[i + 2] for i in range(len(words)) if words[i : i + 2] == ["create", "table"]}

    sqlite, postgres = (migrations.migrations(dialect) for dialect in ("sqlite", "postgres"))
    assert [step.number for step in sqlite] == [step.number for step in postgres]
    assert [tables(step.sql) for step in sqlite] == [tables(step.sql) for step in postgres]
