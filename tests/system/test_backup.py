"""Backup and restore as an operator does them, on both stores, while others write."""

from __future__ import annotations

import json
import os
import secrets
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from ledger.settings import Settings
from ledger.store.codec import decode
from ledger.store.log import Log
from tests.conftest import MASTER_KEY, client_programs, database_url
from tests.office import CONTRIBUTION, Office, csv_of, line
from tests.system.conftest import CARD
from tests.system.running import environment, jht, run

MONTHS = [f"{year}-{month:02d}" for year in (2026, 2024) for month in range(1, 10)]
"""The card has its membership in the first ones; what is paid for the others is suspended."""
ONLY_SQLITE = pytest.mark.parametrize("settings", ["sqlite"], indirect=True)


@pytest.fixture
def filled(filled: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """The ledger with something in it, and the client programs of its store on the path."""
    if filled.sqlite_path is None:
        monkeypatch.setenv("PATH", f"{client_programs(filled.database_url)}:{os.environ['PATH']}")
    return filled


@pytest.fixture
def elsewhere(settings: Settings, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Settings]:
    """Where nothing is yet, on the same store."""
    if settings.sqlite_path is not None:
        (tmp_path / "elsewhere").mkdir()
        yield Settings(database_url=f"sqlite:///{tmp_path}/elsewhere/jht.db", master_key=MASTER_KEY)
        return
    server, name = request.getfixturevalue("postgres_server"), f"restored_{secrets.token_hex(6)}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"create database {name}".encode())
    try:
        yield Settings(database_url=database_url(server, name), master_key=MASTER_KEY)
    finally:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f"drop database {name} with (force)".encode())


class _Writer(threading.Thread):
    """Appends one remittance after another until it is stopped; `acknowledged` is the head after each."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self.settings = settings
        self.lines: list[dict[str, object]] = []
        self.acknowledged: list[int] = []
        self.enough = threading.Event()

    def run(self) -> None:
        log = Log.open(self.settings)
        office = Office(log)
        while not self.enough.is_set():
            month = MONTHS[len(self.lines) % len(MONTHS)]
            unknown = str(40_000_000_000 + len(self.lines))
            kpj = CARD if len(self.lines) < len(MONTHS) else unknown
            self.lines.append(line(kpj, month=month, paid_on=f"{month}-28"))
            office.contribute(self.lines[-1], request=f"r{len(self.lines)}")
            self.acknowledged.append(log.head())
        office.close()
        log.close()


def test_a_backup_under_a_writer_has_everything_that_was_acknowledged_and_nothing_torn(
    filled: Settings, elsewhere: Settings, tmp_path: Path
) -> None:
    writer = _Writer(filled)
    writer.start()
    before: list[int] = []
    after: list[int] = []
    for number in range(3):
        while len(writer.acknowledged) < 20 * (number + 1):
            assert writer.is_alive()
            time.sleep(0.001)
        before.append(writer.acknowledged[-1])
        jht(filled, "backup", tmp_path / f"backup-{number}")
        after.append(writer.acknowledged[-1])
    writer.enough.set()
    writer.join()
    assert all(one < other for one, other in zip(before, after, strict=True)), "nothing was written meanwhile"
    for number, acknowledged in enumerate(before):
        assert json.loads((tmp_path / f"backup-{number}" / "manifest.json").read_text())["position"] >= acknowledged

    jht(elsewhere, "restore", tmp_path / "backup-1")
    log, restored = Log.open(filled), Log.open(elsewhere)
    position = restored.head()
    assert before[1] <= position < log.head()
    rows = restored.read(0, 10_000)
    assert rows == log.read(0, 10_000, upto=position)
    assert [decode(row) for row in rows]
    assert not restored.check_account_index().differences
    log.close()
    restored.close()
    # What came after the backup is sent again, and everything else with it: the balances are the same.
    again = tmp_path / "again.csv"
    again.write_bytes(csv_of(CONTRIBUTION, writer.lines))
    jht(elsewhere, "rebuild")
    jht(elsewhere, "ingest", "contributions", again, "--backdate")
    balances = [jht(one, "balance", CARD, "--json").json["balance"] for one in (filled, elsewhere)]
    assert balances[0] == balances[1] > 285_000


def test_what_belongs_to_the_ledger_comes_back_and_old_positions_do_not(
    filled: Settings, elsewhere: Settings, tmp_path: Path
) -> None:
    key = jht(filled, "keys", "create", "branch", "read", "--json").json
    given = ("users", "create", "sari", "--role", "counter")
    jht(filled, *given, stdin=b"sawah hujan kopi\n")
    jht(filled, "follow", "--once")
    before = jht(filled, "balance", CARD, "--json").json
    jht(filled, "backup", tmp_path / "backup")
    assert MASTER_KEY.encode() not in b"".join(path.read_bytes() for path in (tmp_path / "backup").iterdir())
    for path in (tmp_path / "backup", *(tmp_path / "backup").iterdir()):
        assert path.name == "manifest.json" or not path.stat().st_mode & 0o077

    told = jht(elsewhere, "restore", tmp_path / "backup").stdout
    assert "jht rebuild" in told
    assert jht(elsewhere, "keys", "list", "--json").json[0]["id"] == key["id"]
    assert jht(elsewhere, "users", "list", "--json").json[0]["name"] == "sari"
    assert jht(elsewhere, "person", "export", CARD).json["identity"]["name"] == "Budi Santoso 1"
    assert jht(elsewhere, "rebuild", "--json").json["register_differences"] == 0
    after = jht(elsewhere, "balance", CARD, "--json").json
    assert after["balance"] == before["balance"]
    positions = [one["as_of"]["position"].partition("-") for one in (before, after)]
    assert positions[0][0] != positions[1][0]
    assert positions[0][2] == positions[1][2]


def test_a_ledger_that_only_moves_keeps_its_id(filled: Settings, elsewhere: Settings, tmp_path: Path) -> None:
    jht(filled, "backup", tmp_path / "backup")
    jht(elsewhere, "restore", tmp_path / "backup", "--keep-log-id")
    ids = [jht(settings, "status", "--json").json["log_id"] for settings in (filled, elsewhere)]
    assert ids[0] == ids[1]


def test_nothing_is_overwritten_and_nothing_damaged_is_restored(
    filled: Settings, elsewhere: Settings, tmp_path: Path
) -> None:
    folder = tmp_path / "backup"
    jht(filled, "backup", folder)
    assert run(environment(filled), "backup", folder).stderr.startswith("file-exists")
    assert run(environment(filled), "restore", folder).stderr.startswith("restore-place-taken")
    (whole,) = (path for path in folder.iterdir() if path.name != "manifest.json")
    content = whole.read_bytes()
    for torn in (content[:-1], content[:5000] + bytes([content[5000] ^ 1]) + content[5001:], b""):
        whole.write_bytes(torn)
        assert run(environment(elsewhere), "restore", folder).stderr.startswith("backup-damaged")
    whole.unlink()
    assert run(environment(elsewhere), "restore", folder).stderr.startswith("backup-damaged")
    whole.write_bytes(content)
    manifest = json.loads((folder / "manifest.json").read_text())
    other = {"sqlite": "postgres", "postgres": "sqlite"}[manifest["store"]]
    for change, code in (
        ({"store": other}, "backup-other-store"),
        ({"format": 2}, "backup-unreadable"),
        ({"files": {}}, "backup-unreadable"),
        ({"files": manifest["files"] | {"../jht.db": next(iter(manifest["files"].values()))}}, "backup-unreadable"),
    ):
        (folder / "manifest.json").write_text(json.dumps(manifest | change))
        assert run(environment(elsewhere), "restore", folder).stderr.startswith(code)
    (folder / "manifest.json").unlink()
    assert run(environment(elsewhere), "restore", folder).stderr.startswith("backup-unreadable")
    assert run(environment(elsewhere), "status").stderr.startswith("ledger-missing")
    (folder / "manifest.json").write_text(json.dumps(manifest))
    jht(elsewhere, "restore", folder)


@ONLY_SQLITE
def test_remains_of_another_ledger_are_not_taken_for_the_restored_ones(
    filled: Settings, elsewhere: Settings, tmp_path: Path
) -> None:
    jht(filled, "backup", tmp_path / "backup")
    for suffix in ("-wal", ".access", ".balances.3"):
        remains = Path(f"{elsewhere.sqlite_path}{suffix}")
        remains.write_bytes(b"of another ledger")
        told = run(environment(elsewhere), "restore", tmp_path / "backup")
        assert told.stderr.startswith("restore-place-taken")
        assert str(remains) in told.stderr
        remains.unlink()
    Path(f"{elsewhere.sqlite_path}.key").write_text(MASTER_KEY)
    jht(elsewhere, "restore", tmp_path / "backup")


@pytest.mark.parametrize("settings", ["postgres"], indirect=True)
def test_without_the_client_programs_it_says_what_to_run(
    filled: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    jht(filled, "backup", tmp_path / "backup")
    monkeypatch.setenv("PATH", str(tmp_path))
    told = run(environment(filled), "backup", tmp_path / "another")
    assert told.code == 2
    assert told.stderr.startswith("backup-tool-missing")
    assert "pg_dump --format=custom" in told.stderr
    assert not (tmp_path / "another").exists()
    # A program that fails leaves no folder that looks like a backup.
    (tmp_path / "pg_dump").write_text("#!/bin/sh\necho pg_dump: error: no space >&2\nexit 1\n")
    (tmp_path / "pg_dump").chmod(0o755)
    told = run(environment(filled), "backup", tmp_path / "another")
    assert (told.code, told.stderr.split()[0]) == (75, "backup-tool-failed")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["backup", "pg_dump"]
