"""Access records: durable before the answer, many in one transaction, or no answer."""

from __future__ import annotations

import asyncio
import threading

import pytest

from api.access import log
from api.access.keys import open_store
from api.access.log import Record, Recorder
from ledger.errors import Unavailable
from ledger.settings import Settings
from tests.api.conftest import PAID, Api

BALANCE = f"/v1/accounts/{PAID}/balance"


def record(number: int) -> Record:
    return Record("2026-11-21T03:00:00+00:00", "key", "partner", "", "/x", f"card {number}", number, "")


def test_what_cannot_be_recorded_is_not_served(api: Api) -> None:
    headers = api.key("read", "suspense", "persons")
    table = "access.records" if api.access.dialect == "postgres" else "records"
    with api.access.write() as tx:
        tx.run(f"alter table {table} rename to gone")
    for path in (BALANCE, f"/v1/accounts/{PAID}/entries", "/v1/suspense", f"/v1/persons/{'a' * 32}/balance"):
        answer = api.client.get(path, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (503, "record-unavailable")
        assert "570000" not in answer.text
    with api.access.write() as tx:
        tx.run("alter table access.gone rename to records" if "." in table else "alter table gone rename to records")
    assert api.client.get(BALANCE, headers=headers).status_code == 200
    assert len(api.records()) == 1


def test_waiting_records_share_a_transaction_and_all_are_durable(settings: Settings) -> None:
    database = open_store(settings)
    commits = []

    async def run() -> None:
        recorder = Recorder(database)
        insert = recorder._insert
        recorder._insert = lambda batch: (commits.append(len(batch)), insert(batch))[1]  # type: ignore[method-assign, func-returns-value]
        recorder.start()
        await asyncio.gather(*(recorder.write(record(n)) for n in range(2_500)))
        await recorder.stop()
        assert recorder.written == 2_500
        with pytest.raises(Unavailable):
            await recorder.write(record(0))

    asyncio.run(run())
    assert sum(commits) == 2_500
    assert len(commits) < 20
    table = "access.records" if database.dialect == "postgres" else "records"
    with database.read() as tx:
        rows = tx.rows(f"select what, position from {table} order by position")
    assert rows == [(f"card {n}", n) for n in range(2_500)]
    database.close()


def test_a_full_queue_and_a_store_that_hangs_refuse(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "LONGEST_QUEUE", 3)
    monkeypatch.setattr(log, "WAIT_SECONDS", 0.2)
    database = open_store(settings)
    going = threading.Event()

    async def run() -> None:
        recorder = Recorder(database)
        insert = recorder._insert
        recorder._insert = lambda batch: (going.wait(), insert(batch))[1]  # type: ignore[method-assign, func-returns-value]
        recorder.start()
        first = asyncio.create_task(recorder.write(record(0)))
        await asyncio.sleep(0.05)
        others = [asyncio.create_task(recorder.write(record(n))) for n in range(1, 6)]
        ended = await asyncio.gather(first, *others, return_exceptions=True)
        assert [type(e).__name__ for e in ended] == ["Unavailable"] * 6
        with pytest.raises(Unavailable):
            await recorder.write(record(9))
        going.set()
        await asyncio.sleep(0.1)
        await recorder.stop()
        # The three that fitted into the queue were given up by their callers, not by the writer.
        assert recorder.written == 4

    asyncio.run(run())
    database.close()
