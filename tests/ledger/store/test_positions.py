"""Positions without gaps, whoever writes and loses, and the clock that says when; on both stores."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from eventsourcing.persistence import IntegrityError, StoredEvent

from ledger.errors import Refused
from ledger.events import EmployerRegistered, Event
from ledger.store import log as log_module
from ledger.store.log import Log, iso
from ledger.store.postgres_recorder import PostgresRecorder
from tests.conftest import NOW

ROOT = Path(__file__).parents[3]
_WRITER = """
import sys, threading
from datetime import UTC, datetime
from ledger.events import EmployerRegistered, Event
from ledger.settings import Settings
from ledger.store.log import Log, VersionTaken

log = Log.open(Settings(database_url=sys.argv[1]))

def write(number):
    for i in range(6):
        # Everybody wants the same streams: of each version one append wins, the others leave nothing.
        stream = f"employer:1000000{i}"
        fact = EmployerRegistered(f"1000000{i}", "PT Satu", "2025-01-02")
        try:
            log.append([Event(stream=stream, version=1, fact=fact, by="t", channel="t")], datetime.now(UTC))
        except VersionTaken:
            own = f"employer:{sys.argv[2]}{number}0000{i:02d}"
            fact = EmployerRegistered(own.partition(":")[2], "PT Satu", "2025-01-02")
            log.append([Event(stream=own, version=1, fact=fact, by="t", channel="t")], datetime.now(UTC))

threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
"""


def registered(npp: str) -> Event:
    fact = EmployerRegistered(npp, "PT Satu", "2025-01-02")
    return Event(stream=f"employer:{npp}", version=1, fact=fact, by="test", channel="test")


def test_eight_writers_in_two_processes_with_lost_races_leave_no_gap(log: Log) -> None:
    arguments = [sys.executable, "-c", _WRITER, log.settings.database_url]
    running = [subprocess.Popen([*arguments, number], cwd=ROOT) for number in ("2", "3")]
    assert [one.wait(200) for one in running] == [0, 0]
    rows = log.read(0, 1000)
    assert [row.position for row in rows] == list(range(1, 49))
    moments = [event.recorded_at for row in rows for event in log.events(row.stream)]
    assert sorted(moments) == moments
    assert log.head() == 48


def test_the_way_in_of_the_library_keeps_the_order_too(log: Log) -> None:
    """The library's own way in: the same lock, the same positions, the same refusal."""
    first = StoredEvent("a:1", 1, "x.v1", b'{"recorded_at":"2026-11-21T03:00:00.000000Z","by":"t"}')
    assert log.recorder.insert_events([first]) == [1]
    with pytest.raises(IntegrityError):
        log.recorder.insert_events([StoredEvent("a:2", 1, "x.v1", first.state), first])
    assert log.recorder.insert_events([StoredEvent("a:2", 1, "x.v1", first.state)]) == [2]
    assert log.recorder.max_notification_id() == 2
    found = log.recorder.select_notifications(1, 10, topics=["x.v1"])
    assert [(one.id, one.originator_id, one.topic, one.state) for one in found] == [
        (1, "a:1", "x.v1", first.state), (2, "a:2", "x.v1", first.state),
    ]  # fmt: skip
    assert log.recorder.select_notifications(1, 10, inclusive_of_start=False)[0].id == 2
    assert log.recorder.select_notifications(1, 10, topics=["y.v1"]) == []
    assert log.recorder.select_events("a:1") == [first]


def test_the_clock_of_the_store_says_when(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Log, "clock", "store")
    before = iso(datetime.now(UTC) - timedelta(seconds=1))
    recorded = log.append([registered("10000001")], NOW).recorded_at
    assert before < recorded < iso(datetime.now(UTC) + timedelta(seconds=1))


@pytest.mark.parametrize("minutes", [-6, -4, 4, 6])
def test_a_process_whose_clock_differs_may_not_write(log: Log, minutes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Log, "clock", "store")
    real = datetime.now(UTC)
    monkeypatch.setattr(log_module, "read_now", lambda: real + timedelta(minutes=minutes))
    if isinstance(log.recorder, PostgresRecorder) and abs(minutes) > 5:
        with pytest.raises(Refused) as told:
            log.append([registered("10000001")], NOW)
        assert told.value.code == "clock-differs"
        assert log.head() == 0
        return
    recorded = log.append([registered("10000001")], NOW).recorded_at
    own = real + timedelta(minutes=0 if log.postgres else minutes)
    assert iso(own) <= recorded < iso(own + timedelta(minutes=1))


def test_a_log_ahead_of_the_clock_is_refused_until_an_operator_accepts_it_once(
    log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    ahead = datetime.now(UTC) + timedelta(days=2)
    log.append([registered("10000001")], ahead)
    monkeypatch.setattr(Log, "clock", "store")
    with pytest.raises(Refused) as told:
        log.append([registered("10000002")], NOW)
    assert told.value.code == "log-ahead"
    assert log.accept_clock("cli:test") == iso(ahead)
    assert log.append([registered("10000002")], NOW).recorded_at == iso(ahead)
    with log.database.read() as tx:
        assert tx.rows("select act, by_whom, detail from log_acts") == [("accept-clock", "cli:test", iso(ahead))]


def test_a_clock_that_is_not_behind_is_not_accepted(log: Log) -> None:
    log.append([registered("10000001")], datetime.now(UTC))
    with pytest.raises(Refused) as told:
        log.accept_clock("cli:test")
    assert told.value.code == "clock-not-behind"
