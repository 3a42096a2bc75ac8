"""A full disk: a code, nothing half done, and the work goes on once there is space again."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import sqlite3
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import psycopg
import pytest

from ledger.events import ContributionsPosted
from ledger.settings import Settings
from ledger.store.codec import decode
from ledger.store.log import Log
from projections.event_batch import Lines
from projections.generations import NAMES, Generation, Store
from projections.runs import Runs
from tests.conftest import MASTER_KEY, database_url, started_postgres
from tests.office import NPP, Office, person
from tests.system.running import jht, receipt, started

WORKERS = 400
MONTHS = [f"{year}-{month:02d}" for year in range(2018, 2024) for month in range(1, 13)]
LEFT_BYTES = 200 << 10
MIB = 48


@pytest.fixture
def disk() -> Iterator[Path]:
    """A small disk in memory, where PostgreSQL's own user may go too."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount the small disk that this test fills up")
    place = Path(tempfile.mkdtemp(prefix="jht-disk-"))
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={MIB}m", "jht-test", str(place)], capture_output=True, check=False
    )
    if mounted.returncode:
        place.rmdir()
        pytest.skip("this machine lets nobody mount the small disk that this test fills up")
    place.chmod(0o755)
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", str(place)], check=True)
        place.rmdir()


@contextlib.contextmanager
def full(disk: Path) -> Iterator[None]:
    """Something else takes nearly all space, for a while."""
    filler = disk / "filler"
    try:
        space = os.statvfs(disk)
        filler.write_bytes(bytes(max(space.f_bavail * space.f_frsize - LEFT_BYTES, 0)))
    except OSError as error:
        # Who works on the disk meanwhile was faster: it is full all the same.
        if error.errno != errno.ENOSPC:
            raise
    try:
        yield
    finally:
        filler.unlink()


@pytest.fixture
def postgres_url(disk: Path) -> Iterator[str]:
    """An empty database whose tables are on the small disk; the server's own log stays where it is.

    The server is this test's own: on a full disk its checkpoints fail, which other tests would notice.
    """
    data, place = Path(tempfile.gettempdir()) / f"jht-postgres-{secrets.token_hex(4)}", disk / "postgres"
    place.mkdir()
    with started_postgres(data) as server:
        owner = data.stat()
        os.chown(place, owner.st_uid, owner.st_gid)
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f"create tablespace small location '{place}'".encode())
            connection.execute(b"create database small tablespace small")
        yield database_url(server, "small")


@pytest.fixture(params=["sqlite", "postgres"])
def small(request: pytest.FixtureRequest, disk: Path) -> Settings:
    """A ledger on the small disk, with everybody registered."""
    url = f"sqlite:///{disk / 'jht.db'}" if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    made = Settings(database_url=url, master_key=MASTER_KEY)
    log = Log.open(made, create=True)
    office = Office(log)
    office.employers(NPP)
    office.register(*(person(_kpj(i), i + 1, registered_on="2018-01-02") for i in range(WORKERS)))
    office.close()
    log.close()
    return made


def _kpj(number: int) -> str:
    return f"{44_000_000_000 + number}"


def _file(path: Path) -> int:
    lines = [f"{NPP},{month},{_kpj(i)},{5_000_000 + i * 977},{month}-28" for month in MONTHS for i in range(WORKERS)]
    path.write_text("\n".join(["npp,month,kpj,wage,paid_on", *lines]) + "\n")
    return len(lines)


def test_an_ingestion_onto_a_full_disk_is_finished_later(small: Settings, disk: Path, tmp_path: Path) -> None:
    file = tmp_path / "contributions.csv"
    total = _file(file)
    with full(disk):
        failed = jht(small, "ingest", "contributions", file, "--backdate", code=75)
        assert "disk-full" in failed.stderr
        assert "Traceback" not in failed.stderr
        posted = _posted(small)
        assert 0 <= len(posted) < total
        assert _whole(small)
    totals = receipt(small, "contributions", file, "--backdate")
    assert (totals["posted"], totals["already"]) == (total - len(posted), len(posted))
    after = _posted(small)
    assert len(after) == total
    assert set(after.values()) == {1}


def test_a_follower_on_a_full_disk_goes_on_when_there_is_space(small: Settings, disk: Path, tmp_path: Path) -> None:
    file = tmp_path / "contributions.csv"
    total = _file(file)
    jht(small, "follow", "--once")
    assert receipt(small, "contributions", file, "--backdate")["posted"] == total
    with full(disk):
        failed = jht(small, "follow", "--once", code=75)
        assert "disk-full" in failed.stderr
        assert "Traceback" not in failed.stderr
    with started(small, "follow") as follower, full(disk):
        # It may or may not have got somewhere before the disk was full; it must not end.
        time.sleep(1)
        assert not follower.process.ended(), follower.told()
    jht(small, "follow", "--once")
    report = jht(small, "rebuild", "balances", "entries", "directory", "--json").json
    assert [one["compared"]["differing"] for one in report["projections"]] == [0, 0, 0]
    with full(disk):
        failed = jht(small, "rebuild", "balances", "entries", code=75)
        assert "disk-full" in failed.stderr
        # What was served before is served on.
        assert jht(small, "balance", _kpj(0), "--json").json["months_contributed"] == len(MONTHS)
        assert _leftovers(small) == []
    # The same again by way of the file of sorted runs, which a log of this size does not need.
    for _ in range(2):
        report = jht(small, "rebuild", "balances", "entries", "--json", smaller={"projections.runs.RUN": 5_000}).json
        assert [one["compared"]["differing"] for one in report["projections"]] == [0, 0]


def test_sorted_runs_on_a_full_disk_are_told_and_leave_nothing(disk: Path) -> None:
    count = 100_000
    column = np.arange(count) * 7_919
    runs = Runs(Lines._fields, disk, run=count)
    with full(disk), pytest.raises(OSError, match="No space left"):
        runs.add(Lines(*(column for _ in Lines._fields)))
    runs.close()
    assert list(disk.iterdir()) == []


def _leftovers(settings: Settings) -> list[Generation]:
    """Generations that are neither served nor kept to go back to."""
    store = Store.open(settings)
    pointers = store.pointers()
    known = {*pointers.live.values(), *pointers.previous.values()}
    found = [one for name in NAMES for one in store.generations(name) if one not in known]
    store.close()
    return found


def _posted(settings: Settings) -> Counter[tuple[str, str]]:
    log = Log.open(settings)
    found: Counter[tuple[str, str]] = Counter()
    after = 0
    while rows := log.read(after, 1000):
        after = rows[-1].position
        for fact in (decode(row).fact for row in rows):
            if isinstance(fact, ContributionsPosted):
                found.update((one.kpj, fact.month) for one in fact.lines)
    log.close()
    return found


def _whole(settings: Settings) -> bool:
    if settings.sqlite_path is None:
        return True  # reading every event is the test
    with contextlib.closing(sqlite3.connect(settings.sqlite_path)) as connection:
        return connection.execute("pragma integrity_check").fetchone() == ("ok",)
