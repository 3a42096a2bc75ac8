"""kill -9 in `jht follow` and `jht rebuild`: the next start goes on from where the last one was, and nothing differs."""

from __future__ import annotations

import random
import time
from pathlib import Path

import pytest

from ledger.settings import Settings
from ledger.store.log import Log
from projections.generations import NAMES, Store
from tests.conftest import LONG
from tests.office import NPP, OTHER_NPP, Office, line, person
from tests.system.running import Done, environment, jht, killed_after, run

CARDS = [f"{41_000_000_000 + number}" for number in range(60)]
LATE = [f"{42_000_000_000 + number}" for number in range(20)]
MONTHS = [f"{year}-{month:02d}" for year in (2024, 2025) for month in range(1, 13)]
POINTS = 20 if LONG else 2


@pytest.mark.parametrize("seed", range(POINTS))
def test_killed_following_and_rebuilding_loses_nothing(settings: Settings, tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    log = Log.open(settings)
    office = Office(log)
    office.employers(NPP, OTHER_NPP)
    office.register(*(person(kpj, n, registered_on="2024-01-02") for n, kpj in enumerate(CARDS, 1)))
    for month in MONTHS[:12]:
        _paid(office, month)
    killed_after(settings, chance.uniform(0.05, 0.6), "follow")
    for month in MONTHS[12:]:
        _paid(office, month)
    # From the other door: waiting money finds its card while nobody follows.
    office.register(*(person(kpj, 100 + n, registered_on="2024-01-02") for n, kpj in enumerate(LATE, 1)))
    killed_after(settings, chance.uniform(0.05, 0.6), "follow")
    for _ in range(2):
        killed_after(settings, chance.uniform(0.1, 1.2), "rebuild", *NAMES)
    office.close()
    _once_free(settings, "follow", "--once")
    report = _once_free(settings, "rebuild", *NAMES, "--json").json
    assert [one["compared"]["differing"] for one in report["projections"]] == [0, 0, 0]
    assert {one["position"] for one in report["projections"]} == {log.head()}
    assert report["broken"] == []
    for kpj in (CARDS[0], CARDS[-1], LATE[0], LATE[-1]):
        found = jht(settings, "balance", kpj, "--json").json
        assert (found["balance"], found["months_contributed"]) == (len(MONTHS) * 285_000, len(MONTHS))
    store = Store.open(settings)
    # What the killed left half made is gone: one generation is served, one kept.
    assert {len(store.generations(name)) for name in NAMES} == {2}
    store.close()
    log.close()


def _paid(office: Office, month: str) -> None:
    receipt = office.contribute(
        *(line(kpj, month=month, paid_on=f"{int(month[:4]) + 1}-02-14") for kpj in [*CARDS, *LATE]), request=month
    )
    assert receipt.totals["refused"] == 0


def _once_free(settings: Settings, *arguments: str) -> Done:
    """Run a command; PostgreSQL notices that a killed client is gone a moment later."""
    end = time.monotonic() + 20
    while True:
        done = run(environment(settings), *arguments)
        if done.code == 0:
            return done
        assert "elsewhere" in done.stderr, done
        assert time.monotonic() < end
        time.sleep(0.05)
