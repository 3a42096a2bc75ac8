"""The place in the log that a `known_at` names: a position, or the last one recorded at or before a moment."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from ledger.errors import Refused
from ledger.events import EmployerRegistered, Event
from ledger.store.known_at import SETTLED, KnownAt, known_at
from ledger.store.log import Log
from tests.conftest import NOW
from tests.projections.history import event

BEGAN = datetime(2026, 2, 9, 20, 0, tzinfo=UTC)
"""In Jakarta the tenth of February."""


def registered(npp: str) -> Event:
    return event(f"employer:{npp}", 1, EmployerRegistered(npp, "x", "2025-01-02"))


@pytest.fixture
def hours(log: Log) -> Log:
    """A log of twenty events: two in each of ten hours, at one moment."""
    for hour in range(10):
        npps = [f"{10_000_001 + 2 * hour + i}" for i in range(2)]
        log.append([registered(npp) for npp in npps], BEGAN + timedelta(hours=hour))
    return log


def refused(log: Log, text: str, now: datetime = NOW) -> str:
    with pytest.raises(Refused) as raised:
        known_at(log, text, now)
    return raised.value.code


def test_a_moment_is_the_last_position_recorded_at_or_before_it(hours: Log) -> None:
    for hour in range(10):
        moment = BEGAN + timedelta(hours=hour)
        for later in (timedelta(0), timedelta(microseconds=1), timedelta(minutes=59)):
            found = known_at(hours, (moment + later).isoformat(), NOW)
            assert (found.position, found.recorded_at) == (2 * hour + 2, hours.recorded_at(2 * hour + 1))
        if hour:
            before = moment - timedelta(microseconds=1)
            assert known_at(hours, before.isoformat(), NOW).position == 2 * hour
    assert known_at(hours, "2026-11-20T00:00Z", NOW).position == 20


@pytest.mark.parametrize(
    "text",
    ["2026-02-10T03:30+07:00", "2026-02-10T03:30 07:00", "2026-02-09T20:30:00Z", "2026-02-09T20:30:00.000000+00:00",
     "2026-02-09T13:30-07:00"],
)  # fmt: skip
def test_a_moment_may_be_written_in_any_zone_and_its_day_is_that_of_jakarta(hours: Log, text: str) -> None:
    assert known_at(hours, text, NOW) == KnownAt(2, "2026-02-09T20:00:00.000000Z", date(2026, 2, 10))


def test_a_position_names_itself_and_its_day_is_that_of_its_record(hours: Log) -> None:
    found = known_at(hours, f"{hours.log_id}-7", NOW)
    assert found == KnownAt(7, "2026-02-09T23:00:00.000000Z", date(2026, 2, 10))
    assert known_at(hours, f"{hours.log_id}-20", BEGAN).position == 20, "a position does not wait"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("2026-11-21T10:00:01+07:00", "known-at-in-future"),
        ("9999-12-31T23:59-14:00", "known-at-unreadable"),
        ("2027-01-01T00:00Z", "known-at-in-future"),
        ("2026-02-09T19:59:59.999999Z", "known-at-before-log"),
        ("0001-01-01T00:00+14:00", "known-at-unreadable"),
        ("2026-02-30T10:00Z", "known-at-unreadable"),
        ("2025-02-29T10:00Z", "known-at-unreadable"),
        ("2026-02-10T24:00Z", "known-at-unreadable"),
        ("2026-02-10T10:00+25:00", "known-at-unreadable"),
        ("2026-02-10T10:00:00", "known-at-without-zone"),
        ("2026-02-10T10:00", "known-at-without-zone"),
        ("2026-02-10", "known-at-without-zone"),
        ("yesterday", "known-at-unreadable"),
        ("１０２６-02-10T10:00Z", "known-at-unreadable"),
        ("20260210T100000Z", "known-at-unreadable"),
        ("2026-02-10 10:00Z", "known-at-unreadable"),
        ("7", "known-at-unreadable"),
        ("0123456789abcdef-7", "position-foreign"),
        ("0123456789abcdef-", "known-at-unreadable"),
        ("", "known-at-unreadable"),
    ],
)
def test_what_names_no_place_is_refused(hours: Log, text: str, code: str) -> None:
    assert refused(hours, text) == code


def test_positions_of_no_event_are_refused(hours: Log) -> None:
    assert refused(hours, f"{hours.log_id}-21") == "position-ahead"
    assert refused(hours, f"{hours.log_id}-0") == "known-at-before-log"


def test_an_empty_log_knew_nothing(log: Log) -> None:
    assert refused(log, "2026-02-10T10:00Z") == "known-at-before-log"
    assert refused(log, f"{log.log_id}-1") == "position-ahead"


def test_the_last_minutes_may_still_grow_so_they_are_no_place_yet(hours: Log) -> None:
    head = BEGAN + timedelta(hours=9)
    just = head + timedelta(minutes=2)
    for moment in (head, just):
        assert refused(hours, moment.isoformat(), just) == "known-at-not-settled"
        assert known_at(hours, moment.isoformat(), moment + SETTLED).position == 20
    # Something later stands in the log: nothing can be recorded before it any more.
    earlier = head - timedelta(microseconds=1)
    assert known_at(hours, earlier.isoformat(), just).position == 18
    # What was refused would have changed its answer.
    hours.append([registered("10000099")], just)
    assert known_at(hours, just.isoformat(), just + SETTLED).position == 21
