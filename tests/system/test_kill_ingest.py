"""kill -9 in the middle of an ingestion: nothing lost, nothing twice, the same command finishes the work."""

from __future__ import annotations

import random
import time
from collections import Counter
from pathlib import Path

import pytest

from ledger.codec import decode
from ledger.events import ContributionsPosted
from ledger.log import Log
from ledger.settings import Settings
from tests.conftest import LONG
from tests.office import Office, person
from tests.system.running import killed_after, receipt

WORKERS, MONTHS = 400, ["2026-05", "2026-06", "2026-07", "2026-08", "2026-09", "2026-10"]
EMPLOYERS = [f"1000{n:04d}" for n in range(100)]
POINTS = 20 if LONG else 3


def _kpj(number: int) -> str:
    return f"{40_000_000_000 + number}"


def _file(path: Path) -> int:
    """A file of many small remittances, so that an ingestion is many commits; its number of lines."""
    lines = ["npp,month,kpj,wage,paid_on"]
    for copy in range(10):
        year = 2016 + copy
        lines += [
            f"{EMPLOYERS[i % len(EMPLOYERS)]},{year}{month[4:]},{_kpj(i)},5000000,{year + 1}-01-14"
            for month in MONTHS
            for i in range(WORKERS)
        ]
    path.write_text("\n".join(lines) + "\n")
    return len(lines) - 1


@pytest.mark.parametrize("seed", range(POINTS))
def test_a_killed_ingestion_is_finished_by_the_same_command(settings: Settings, tmp_path: Path, seed: int) -> None:
    _registered_since_2016(settings)
    file = tmp_path / "contributions.csv"
    total = _file(file)
    chance = random.Random(seed)
    started = time.monotonic()
    receipt(settings, "contributions", file, "--dry-run")
    whole = time.monotonic() - started
    for _ in range(2):
        killed_after(settings, chance.uniform(0.3, 1.0) * whole, "ingest", "contributions", file)
    totals = receipt(settings, "contributions", file)
    assert totals["posted"] + totals["already"] == total
    assert receipt(settings, "contributions", file) == totals | {"posted": 0, "already": total}
    log = Log.open(settings)
    posted: Counter[tuple[str, str]] = Counter()
    after = 0
    while rows := log.read(after, 1000):
        after = rows[-1].position
        for row in rows:
            fact = decode(row).fact
            if isinstance(fact, ContributionsPosted):
                posted.update((line.kpj, fact.month) for line in fact.lines)
    log.close()
    assert len(posted) == total
    assert set(posted.values()) == {1}


def _registered_since_2016(settings: Settings) -> None:
    log = Log.open(settings)
    office = Office(log)
    office.employers(*EMPLOYERS)
    office.register(
        *(person(_kpj(i), i, npp=EMPLOYERS[i % len(EMPLOYERS)], registered_on="2016-01-02") for i in range(WORKERS))
    )
    office.close()
    log.close()
