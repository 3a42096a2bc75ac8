"""Members' own reads are noted and durable within a second, or refused; and everybody's looks can be asked for."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator

import pytest

from api.access import log
from api.access.keys import open_store, schema_prefix
from api.access.log import Record, Recorder
from ledger.errors import Refused, Unavailable
from ledger.settings import Settings
from ledger.store.database import Database

MINE, OTHERS = "26000000017", "26000000033"


@pytest.fixture
def access(settings: Settings) -> Iterator[Database]:
    database = open_store(settings)
    yield database
    database.close()


def look(number: int, what: str = MINE, at: str = "") -> Record:
    moment = at or f"2026-11-21T03:{number // 60:02d}:{number % 60:02d}+00:00"
    return Record(moment, "member", "website", "", "/saldo", what, number, f"r{number}")


def written(access: Database) -> list[int]:
    with access.read() as tx:
        return [row[0] for row in tx.rows(f"select position from {schema_prefix(access)}records order by position")]


def rename(access: Database, there: bool) -> None:
    prefix = schema_prefix(access)
    names = ("gone", "records") if there else ("records", "gone")
    with access.write() as tx:
        tx.run(f"alter table {prefix}{names[0]} rename to {names[1]}")


def test_notes_gather_and_are_durable_within_a_second(access: Database) -> None:
    async def act() -> None:
        recorder = Recorder(access)
        recorder.start()
        begun = time.monotonic()
        for number in range(20):
            await recorder.note(look(number))
        assert time.monotonic() - begun < 0.2, "nobody waits for a note"
        while recorder.written < 20:
            assert time.monotonic() - begun < 1
            await asyncio.sleep(0.01)
        assert written(access) == list(range(20))
        await recorder.note(look(20))
        await recorder.write(look(21))
        assert written(access) == list(range(22)), "a write takes the notes along"
        await recorder.note(look(22))
        await recorder.stop()
        assert written(access) == list(range(23)), "and so does the end"
        with pytest.raises(Unavailable):
            await recorder.note(look(23))

    asyncio.run(act())


def test_many_notes_lose_none(access: Database) -> None:
    async def act() -> None:
        recorder = Recorder(access)
        recorder.start()
        for number in range(5_000):
            await recorder.note(look(number))
            if number % 500 == 0:
                await recorder.write(look(100_000 + number))
        await recorder.stop()

    asyncio.run(act())
    assert written(access) == [*range(5_000), *range(100_000, 105_000, 500)]


def test_a_full_buffer_and_a_store_that_hangs_refuse_notes(access: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "LONGEST_QUEUE", 3)
    monkeypatch.setattr(log, "WAIT_SECONDS", 0.3)
    going = threading.Event()

    async def act() -> None:
        recorder = Recorder(access)
        insert = recorder._insert
        recorder._insert = lambda batch: (going.wait(), insert(batch))[1]  # type: ignore[method-assign, func-returns-value]
        recorder.start()
        for number in range(3):
            await recorder.note(look(number))
        with pytest.raises(Unavailable) as refused:
            await recorder.note(look(3))
        assert refused.value.code == "record-unavailable"
        await asyncio.sleep(0.7)
        with pytest.raises(Unavailable):
            await recorder.note(look(4))
        going.set()
        await asyncio.sleep(0.1)
        await recorder.note(look(5))
        await recorder.stop()

    asyncio.run(act())
    assert written(access) == [0, 1, 2, 5]


def test_notes_that_cannot_be_written_are_kept_and_no_more_are_taken_until_they_are(
    access: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log, "NOTE_SECONDS", 0.05)

    async def act() -> None:
        recorder = Recorder(access)
        recorder.start()
        rename(access, there=False)
        await recorder.note(look(0))
        await asyncio.sleep(0.3)
        with pytest.raises(Unavailable):
            await recorder.note(look(1))
        with pytest.raises(Unavailable):
            await recorder.write(look(2))
        rename(access, there=True)
        until = time.monotonic() + 5
        while not recorder.written and time.monotonic() < until:
            await asyncio.sleep(0.02)
        await recorder.note(look(3))
        await recorder.stop()

    asyncio.run(act())
    assert written(access) == [0, 3]


def test_an_end_with_a_broken_store_ends_and_says_how_many_are_lost(
    access: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    async def act() -> None:
        recorder = Recorder(access)
        recorder.start()
        rename(access, there=False)
        await recorder.note(look(0))
        await asyncio.wait_for(recorder.stop(), 5)

    asyncio.run(act())
    told = capsys.readouterr()
    assert "records-lost" in told.out + told.err
    assert MINE not in told.out + told.err


def test_looks_are_told_newest_first_page_by_page_and_only_the_own(access: Database) -> None:
    # One request that shows several cards has one moment: pages may end inside it.
    moment = "2026-11-21T04:00:00.5+00:00"
    same = [look(number, MINE, moment) for number in range(200, 207)]
    mine = [*(look(number) for number in range(30)), *same, look(300, "p" * 32, "2026-11-21T05:00:00+00:00")]
    recorder = Recorder(access)
    recorder._insert([*mine, *(look(number, OTHERS) for number in range(30))])
    for size in (1, 2, 3, 5, 7, 38, 100):
        found, after = [], ""
        while True:
            page = recorder.seen([MINE, "p" * 32], after, size)
            found += page.records
            after = page.more
            if not after:
                break
            assert len(page.records) == size
            assert MINE not in after
        assert sorted(found) == sorted(mine), size
        assert [one.at for one in found] == sorted((one.at for one in mine), reverse=True), size
    assert recorder.seen(["nobody"], "", 10) == ([], "")


@pytest.mark.parametrize(
    "after", ["x", "2026-11-21T03:00:00+00:00", "~1", "2026-11-21T03:00:00+00:00~", "' or 1=1 --~1"]
)
@pytest.mark.parametrize("settings", ["sqlite"], indirect=True)
def test_a_mark_that_is_none_is_refused(access: Database, after: str) -> None:
    with pytest.raises(Refused) as refused:
        Recorder(access).seen([MINE], after, 10)
    assert refused.value.code == "parameter-unreadable"


def test_looks_are_found_by_an_index(access: Database) -> None:
    prefix = schema_prefix(access)
    with access.read() as tx:
        if tx.dialect == "postgres":
            tx.run("set local enable_seqscan = off")
            plan = tx.rows(f"explain select * from {prefix}records where what in ('a', 'b')")
        else:
            plan = tx.rows(f"explain query plan select * from {prefix}records where what in ('a', 'b')")
    assert "records_what" in repr(plan)
