"""kill -9 in the middle of an ingestion: nothing lost, nothing twice, the same command finishes the work."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ledger.events import AccountOpened, ContributionsPosted, Event, PersonRegistered, SuspenseReleased
from ledger.settings import Settings
from ledger.store.codec import decode
from ledger.store.log import Log
from ledger.store.vault import Vault
from tests.conftest import LONG
from tests.office import CONTRIBUTION, NPP, REGISTRATION, Office, csv_of, line, person
from tests.system.running import jht, killed_when, receipt

WORKERS = 200
MONTHS = [f"{year}-{month:02d}" for year in range(2016, 2024 if LONG else 2019) for month in range(1, 7)]
EMPLOYERS = [f"1000{n:04d}" for n in range(50)]
POINTS = 20 if LONG else 3


SMALLER = {"ledger.ingestion.contributions.batch.LINES_A_COMMIT": 4, "ledger.ingestion.registrations.ROWS": 20}
"""So that a file of some thousand lines is as many transactions as a national month."""


def _grown(log: Log, events: int, more: float) -> Callable[[], bool]:
    """Whether the log has grown by so many events, some seconds ago."""
    wanted = log.head() + events

    def reached() -> bool:
        if log.head() < wanted:
            return False
        time.sleep(more)
        return True

    return reached


def _kpj(number: int) -> str:
    return f"{40_000_000_000 + number}"


def _contributions(path: Path) -> int:
    """A file of many small remittances, so that an ingestion is many commits; its number of lines."""
    lines = [
        f"{EMPLOYERS[i % len(EMPLOYERS)]},{month},{_kpj(i)},5000000,{int(month[:4]) + 1}-01-14"
        for month in MONTHS
        for i in range(WORKERS)
    ]
    path.write_text("\n".join(["npp,month,kpj,wage,paid_on", *lines]) + "\n")
    return len(lines)


@pytest.mark.parametrize("seed", range(POINTS))
def test_a_killed_ingestion_is_finished_by_the_same_command(settings: Settings, tmp_path: Path, seed: int) -> None:
    _registered_since_2016(settings)
    file = tmp_path / "contributions.csv"
    total = _contributions(file)
    chance = random.Random(seed)
    remittances, log = total * len(EMPLOYERS) // WORKERS, Log.open(settings)
    for part in (3, 2):
        reached = _grown(log, chance.randint(1, remittances // part), chance.uniform(0, 0.01))
        assert killed_when(settings, reached, "ingest", "contributions", file, "--backdate", smaller=SMALLER)
    log.close()
    totals = receipt(settings, "contributions", file, "--backdate")
    assert totals["posted"] + totals["already"] == total
    assert 0 < totals["already"] < total
    assert receipt(settings, "contributions", file, "--backdate") == totals | {"posted": 0, "already": total}
    posted = Counter(
        (line.kpj, event.fact.month)
        for event in _events(settings)
        if isinstance(event.fact, ContributionsPosted)
        for line in event.fact.lines
    )
    assert len(posted) == total
    assert set(posted.values()) == {1}


@pytest.mark.parametrize("seed", range(POINTS if LONG else 1))
def test_a_killed_registration_is_finished_and_its_money_released(
    settings: Settings, tmp_path: Path, seed: int
) -> None:
    cards = 2_000
    log = Log.open(settings)
    office = Office(log)
    office.employers(NPP)
    # Money that came before anybody was registered: whatever is registered has to find it.
    held = office.ingest("contributions", csv_of(CONTRIBUTION, [line(_kpj(i)) for i in range(cards)]))
    assert held.totals["suspended"] == cards
    office.close()
    log.close()
    file = tmp_path / "registrations.csv"
    file.write_bytes(csv_of(REGISTRATION, [person(_kpj(i), i + 1) for i in range(cards)]))
    chance, log = random.Random(seed), Log.open(settings)
    for part in (6, 3):  # three events a card
        reached = _grown(log, chance.randint(1, 3 * cards // part), chance.uniform(0, 0.01))
        assert killed_when(settings, reached, "ingest", "registrations", file, smaller=SMALLER)
    log.close()
    totals = receipt(settings, "registrations", file)
    assert totals["posted"] + totals["already"] == cards
    assert 0 < totals["already"] < cards
    # What was killed between a registration and its release is released by the follower.
    jht(settings, "follow", "--once")
    persons, accounts, released = Counter[str](), Counter[str](), Counter[str]()
    for event in _events(settings):
        if isinstance(event.fact, PersonRegistered):
            persons[event.stream.partition(":")[2]] += 1
        elif isinstance(event.fact, AccountOpened):
            accounts[event.fact.kpj] += 1
            assert persons[event.fact.person] == 1
        elif isinstance(event.fact, SuspenseReleased):
            released.update(line.kpj for line in event.fact.lines)
    assert persons.total() == accounts.total() == len(accounts) == cards
    assert released == accounts
    log = Log.open(settings)
    vault = Vault.open(log)
    with log.database.read() as tx:
        assert len(vault.data_of(tx, list(persons)).data) == cards
    log.close()


def _events(settings: Settings) -> Iterator[Event]:
    log = Log.open(settings)
    after = 0
    while rows := log.read(after, 1000):
        after = rows[-1].position
        yield from map(decode, rows)
    log.close()


def _registered_since_2016(settings: Settings) -> None:
    log = Log.open(settings)
    office = Office(log)
    office.employers(*EMPLOYERS)
    office.register(
        *(person(_kpj(i), i + 1, npp=EMPLOYERS[i % len(EMPLOYERS)], registered_on="2016-01-02") for i in range(WORKERS))
    )
    office.close()
    log.close()
