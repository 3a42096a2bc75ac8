"""The log's promises, on both stores."""

from __future__ import annotations

import threading
from datetime import timedelta

import numpy as np
import pytest

from ledger.decisions.card import after_fact
from ledger.errors import Refused
from ledger.events import (
    AccountOpened,
    EmployerRegistered,
    Event,
    Fact,
    Line,
    SuspendedLine,
)
from ledger.settings import Settings
from ledger.store import account_index
from ledger.store.codec import decode, state_json
from ledger.store.log import AccountIndexChanged, Log, VersionTaken, parse_position
from ledger.store.suspense import suspense_of, suspense_page
from tests import facts
from tests.conftest import NOW
from tests.facts import ended, started, suspended


def event(stream: str, version: int, fact: Fact) -> Event:
    return Event(stream=stream, version=version, fact=fact, by="test", channel="test")


def employer(npp: str, version: int = 1) -> Event:
    return event(f"employer:{npp}", version, EmployerRegistered(npp, "PT Satu", "2025-01-02"))


def posted(npp: str, version: int, *kpj: str) -> Event:
    lines = [Line(k, 5_000_000, 0, 185_000, 100_000) for k in kpj]
    return event(
        f"remittance-e:{npp}:2026-10",
        version,
        facts.posted(lines),
    )


def card(kpj: str) -> list[Event]:
    return [
        event(f"account:{kpj}", 1, AccountOpened(kpj, "f" * 32, "PU", "2025-01-02")),
        event(f"account:{kpj}", 2, started("PU", "2025-01", "10000001")),
    ]


def test_what_was_appended_is_read_back_in_order_with_its_header(log: Log) -> None:
    events = [employer("10000001"), employer("10000002"), posted("10000001", 1, *["12345678901"] * 40)]
    appended = log.append(events, NOW)
    rows = log.read(0, 10)
    assert [row.position for row in rows] == appended.positions
    assert appended.positions == sorted(set(appended.positions))
    decoded = [decode(row) for row in rows]
    assert [d.fact for d in decoded] == [e.fact for e in events]
    assert {d.recorded_at for d in decoded} == {"2026-11-21T03:00:00.000000Z"} == {appended.recorded_at}
    assert state_json(rows[2].state).startswith(b'{"recorded_at":"2026-11-21T03:00:00.000000Z","by":"test"')
    assert log.head() == appended.positions[-1]
    assert log.read(appended.positions[0], 1)[0].position == appended.positions[1]
    assert log.read(0, 10, upto=appended.positions[0])[-1].position == appended.positions[0]


def test_a_taken_version_is_refused_and_nothing_of_the_batch_stays(log: Log) -> None:
    log.append([employer("10000001")], NOW)
    with pytest.raises(VersionTaken):
        log.append([employer("10000002"), employer("10000001")], NOW)
    assert len(log.read(0, 10)) == 1
    with log.database.read() as tx:
        assert account_index.employers(tx, [10000001, 10000002]) == {10000001}


def test_recorded_at_never_runs_backwards(log: Log) -> None:
    log.append([employer("10000001")], NOW)
    late = log.append([employer("10000002")], NOW - timedelta(hours=5))
    assert late.recorded_at == "2026-11-21T03:00:00.000000Z"


def test_streams_come_back_whole_and_only_the_asked_ones(log: Log) -> None:
    log.append([*card("12345678901"), employer("10000001"), posted("10000001", 1, "12345678901")], NOW)
    found = log.streams(["account:12345678901", "account:99999999999", "employer:10000001"])
    assert {name: [e.version for e in events] for name, events in found.events.items()} == {
        "account:12345678901": [1, 2],
        "employer:10000001": [1],
    }
    assert log.events("account:99999999999") == []


def test_the_register_follows_the_accounts_of_the_log(log: Log) -> None:
    log.append(card("12345678901"), NOW)
    left = event("account:12345678901", 3, ended("PU", "2025-01", "2026-03", "10000001"))
    again = event("account:12345678901", 4, started("PU", "2026-05", "10000002"))
    last = log.append([left, again], NOW).positions[-1]
    with log.database.read() as tx:
        found = account_index.cards(tx, [12345678901, 5])[12345678901]
        assert found.membership(10000001, 2026 * 12 + 2) is not None
        assert found.membership(10000001, 2026 * 12 + 3) is None
        assert found.membership(10000002, 2026 * 12 + 4) is not None
        assert found.changed_at == last
        odd = account_index.not_plain(
            tx,
            np.array([12345678901, 12345678901, 5]),
            np.array([0, 1, 0]),
            [(10000002, 2026 * 12 + 4, 20000), (10000001, 2026 * 12 + 4, 20000)],
        )
    assert odd == {(12345678901, 1), (5, 0)}


def test_a_card_opened_at_once_is_registered_as_its_events_say(log: Log) -> None:
    opened, member = (one.fact for one in card("12345678901"))
    other = started("BPU", "2025-03")
    left = ended("PU", "2025-01", "2025-02", "10000001")
    histories = [
        [opened],
        [opened, member],
        [opened, member, left],
        [opened, member, other, left],
        [opened, left],
    ]
    for number, history in enumerate(histories, 12345678900):
        history[0] = AccountOpened(str(number), "f" * 32, "PU", "2025-01-02")
        events = [event(f"account:{number}", version, fact) for version, fact in enumerate(history, 1)]
        position = log.append([*events, *card(str(number + 1000))], NOW).positions[len(events) - 1]
        expected = None
        for one in events:
            expected = after_fact(expected, one.fact, position)
        with log.database.read() as tx:
            assert account_index.cards(tx, [number])[number] == expected
    assert log.check_account_index().differences == 0


def test_a_card_that_changed_after_the_look_up_stops_the_append(log: Log) -> None:
    before = log.head()
    log.append(card("12345678901"), NOW)
    with pytest.raises(AccountIndexChanged):
        log.append([posted("10000001", 1, "12345678901")], NOW, changed_since=before, cards=[12345678901])
    log.append([posted("10000001", 1, "12345678902")], NOW, changed_since=before, cards=[12345678902])
    log.append([posted("10000002", 1, "12345678901")], NOW, changed_since=log.head(), cards=[12345678901])


def test_a_suspended_line_waits_in_the_register(log: Log) -> None:
    fact = suspended([SuspendedLine("12345678901", 5_000_000, 0, 185_000, 100_000, reason="account-unknown")])
    log.append([event("remittance-e:10000001:2026-10", 1, fact)], NOW)
    with log.database.read() as tx:
        (case,) = suspense_of(tx, [12345678901])
        assert (case.npp, case.employer, case.worker, case.reason) == (
            10000001,
            185_000,
            100_000,
            "account-unknown",
        )
        assert suspense_page(tx, npps=[10000002]) == []
        assert suspense_page(tx, npps=[10000001]) == [case]


def test_many_writers_at_once_leave_one_order_without_loss(settings: Settings) -> None:
    logs = [Log.open(settings) for _ in range(3)]

    def write(number: int) -> None:
        for i in range(10):
            logs[number].append([employer(f"{number + 1}000000{i}")], NOW)

    threads = [threading.Thread(target=write, args=(n,)) for n in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    rows = logs[0].read(0, 100)
    assert len({row.stream for row in rows}) == 30
    for opened in logs:
        opened.close()


def test_a_missing_ledger_is_named_not_made(settings: Settings, tmp_path: object) -> None:
    missing = Settings(database_url=f"sqlite:///{tmp_path}/none.db", master_key="42" * 32)
    with pytest.raises(Refused, match="no ledger"):
        Log.open(missing)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("abc", "position-unreadable"),
        ("ffff-1", "position-foreign"),
        ("00-6", "position-ahead"),
        ("00--1", "position-unreadable"),
    ],
)
def test_a_position_of_elsewhere_is_refused_at_once(text: str, code: str) -> None:
    with pytest.raises(Refused) as refused:
        parse_position(text, "00", 5)
    assert refused.value.code == code
    assert parse_position("00-5", "00", 5) == 5


def test_the_register_made_again_is_equal_and_a_damaged_one_is_mended(log: Log) -> None:
    log.append([*card("12345678901"), *card("12345678902"), employer("10000001")], NOW)
    assert log.check_account_index().differences == 0
    with log.database.write() as tx:
        tx.run("update account_index_cards set npp = 10000009 where card = 12345678901")
        tx.run("delete from account_index_employers")
    assert log.check_account_index().differences == 3
    assert log.check_account_index().differences == 0
