"""The stores of releases: opened, brought up, killed in the middle, read; what they said they still say."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from ledger.identifiers import card_number
from ledger.settings import Settings
from ledger.store import migrations
from ledger.store.log import Log
from ledger.store.suspense import suspense_page
from ledger.store.vault import Vault
from projections.generations import Store
from projections.projector import Projector
from projections.queries import Queries
from tests.conftest import MASTER_KEY, NOW, TODAY, postgres_database
from tests.upgrade.freeze import STORES, TOTALS, WAITS
from tests.upgrade.test_upgrade import _KILLED, ROOT, step  # noqa: F401

RELEASES = sorted(path.stem for path in STORES.glob("*.db"))


@pytest.fixture(params=RELEASES)
def frozen(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


@pytest.fixture(params=["sqlite", "postgres"])
def old(request: pytest.FixtureRequest, tmp_path: Path, frozen: str) -> Iterator[Settings]:
    """Settings of a copy of a release's store."""
    if request.param == "sqlite":
        shutil.copy(STORES / f"{frozen}.db", tmp_path / "jht.db")
        yield Settings(database_url=f"sqlite:///{tmp_path / 'jht.db'}", master_key=MASTER_KEY)
        return
    with postgres_database(request.getfixturevalue("postgres_server"), "template0") as url:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute((STORES / f"{frozen}.sql").read_text("utf-8").encode())
        yield Settings(database_url=url, master_key=MASTER_KEY)


def test_a_releases_store_is_brought_up_and_says_what_it_said(old: Settings) -> None:
    Log.upgrade(old)
    assert Log.upgrade(old)[1] == migrations.VERSION
    log = Log.open(old)
    Vault.open(log)
    assert log.check_account_index() == (0, [])
    store = Store.open(old)
    Projector(log, store, now=lambda: NOW).run_once()
    reader = Queries(log, store)
    assert {kpj: reader.balance(card_number(kpj), TODAY, NOW).total for kpj in TOTALS} == TOTALS
    with log.database.read() as tx:
        assert [(case.card, case.reason) for case in suspense_page(tx)] == WAITS
    for one in (reader, store, log):
        one.close()


def test_a_releases_store_survives_an_upgrade_that_is_killed(old: Settings, step: Path) -> None:  # noqa: F811
    Log.upgrade(old)
    done = subprocess.run([sys.executable, "-c", _KILLED, old.database_url, str(step)], cwd=ROOT, check=False)
    assert done.returncode == -signal.SIGKILL
    log = Log.open(old)
    assert log.head() > 0
    log.close()
    assert Log.upgrade(old, (migrations.FOLDER, step))[1] == migrations.VERSION + 1
