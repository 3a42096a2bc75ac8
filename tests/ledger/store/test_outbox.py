"""The outbox: letters wait sealed, go to one sender at a time, and are gone when they were sent."""

from __future__ import annotations

from datetime import timedelta

import pytest

from ledger.members import Members
from ledger.store.log import Log
from ledger.store.outbox import KEPT, LEASE, Letter, Outbox
from ledger.store.vault import Vault
from tests.conftest import NOW

LETTER = Letter("verify", "siti@contoh.id", "id", {"token": "secret-token"})


@pytest.fixture
def outbox(log: Log) -> Outbox:
    return Members.open(log, Vault.open(log)).outbox


def put(log: Log, outbox: Outbox, letter: Letter = LETTER, way: str = "mail") -> None:
    with log.database.write() as tx:
        outbox.put(tx, letter, NOW, way)


def test_a_letter_is_taken_by_one_sender_and_gone_when_sent(log: Log, outbox: Outbox) -> None:
    put(log, outbox)
    (due,) = outbox.due(NOW)
    assert (due.way, due.letter, due.tries) == ("mail", LETTER, 0)
    assert outbox.due(NOW) == [], "a second sender gets nothing"
    outbox.done(due.id)
    assert outbox.due(NOW + LEASE) == []
    assert outbox.state() == (0, "", ())


def test_a_letter_whose_sender_died_is_taken_again(log: Log, outbox: Outbox) -> None:
    put(log, outbox)
    assert len(outbox.due(NOW)) == 1
    assert len(outbox.due(NOW + LEASE)) == 1


def test_a_failed_letter_waits_longer_each_time_and_is_dropped_when_its_links_are_over(
    log: Log, outbox: Outbox
) -> None:
    put(log, outbox)
    now, waits = NOW, []
    while due := outbox.due(now):
        outbox.failed(due[0].id, now, "ConnectionRefusedError")
        before = now
        while not outbox.due(now) and now < NOW + KEPT + timedelta(hours=1):
            now += timedelta(seconds=10)
        waits.append((now - before).total_seconds())
        now += LEASE
    assert waits[:4] == [10, 30, 60, 300]
    assert outbox.state().waiting == 0
    assert now > NOW + KEPT


def test_a_sender_takes_only_the_ways_it_knows(log: Log, outbox: Outbox) -> None:
    put(log, outbox, way="sms")
    assert outbox.due(NOW, ways=("mail",)) == []
    assert len(outbox.due(NOW, ways=("sms",))) == 1


def test_what_waits_is_sealed(log: Log, outbox: Outbox) -> None:
    put(log, outbox)
    with log.database.read() as tx:
        row = [bytes(cell) if isinstance(cell, memoryview) else cell for cell in tx.rows("select * from outbox")[0]]
    assert "siti" not in repr(row)
    assert "secret-token" not in repr(row)


def test_the_state_tells_error_classes_and_no_address(log: Log, outbox: Outbox) -> None:
    put(log, outbox)
    (due,) = outbox.due(NOW)
    outbox.failed(due.id, NOW, "SMTPRecipientsRefused")
    assert outbox.state() == (1, (NOW + timedelta(seconds=10)).isoformat(), ("SMTPRecipientsRefused",))
