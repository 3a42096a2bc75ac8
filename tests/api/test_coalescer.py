"""Many questions of one moment become few queries."""

from __future__ import annotations

import asyncio

import pytest

from api.coalescer import LARGEST_BATCH, Coalescer


def test_what_is_asked_together_is_one_query_and_what_comes_meanwhile_the_next() -> None:
    asked: list[list[int]] = []
    going = asyncio.Event()

    async def fetch(keys: list[int]) -> dict[int, str]:
        asked.append(keys)
        await going.wait()
        return {key: str(key) for key in keys if key}

    async def run() -> None:
        coalescer = Coalescer(fetch)
        first = [asyncio.create_task(coalescer.get(key)) for key in (1, 2, 1, 0)]
        await asyncio.sleep(0.01)
        second = [asyncio.create_task(coalescer.get(key)) for key in (1, 3)]
        await asyncio.sleep(0.01)
        going.set()
        assert await asyncio.gather(*first) == ["1", "2", "1", None]
        assert await asyncio.gather(*second) == ["1", "3"]
        assert await coalescer.get(4) == "4"

    asyncio.run(run())
    assert asked == [[1, 2, 0], [1, 3], [4]]


def test_a_caller_that_goes_away_takes_nobody_along() -> None:
    async def fetch(keys: list[int]) -> dict[int, int]:
        await asyncio.sleep(0.02)
        return {key: key for key in keys}

    async def run() -> None:
        coalescer = Coalescer(fetch)
        gone = asyncio.create_task(coalescer.get(1))
        stays = asyncio.create_task(coalescer.get(1))
        await asyncio.sleep(0)
        gone.cancel()
        assert await stays == 1
        with pytest.raises(asyncio.CancelledError):
            await gone

    asyncio.run(run())


def test_a_failing_query_fails_its_own_callers_only() -> None:
    calls = 0

    async def fetch(keys: list[int]) -> dict[int, int]:
        nonlocal calls
        calls += 1
        if calls == 1:
            raise ValueError
        return {key: key for key in keys}

    async def run() -> None:
        coalescer = Coalescer(fetch)
        ended = await asyncio.gather(coalescer.get(1), coalescer.get(2), return_exceptions=True)
        assert [type(e) for e in ended] == [ValueError, ValueError]
        assert await coalescer.get(1) == 1

    asyncio.run(run())


def test_a_batch_has_a_limit() -> None:
    sizes = []

    async def fetch(keys: list[int]) -> dict[int, int]:
        sizes.append(len(keys))
        return {key: key for key in keys}

    async def run() -> None:
        coalescer = Coalescer(fetch)
        wanted = range(2 * LARGEST_BATCH + 1)
        assert await asyncio.gather(*(coalescer.get(key) for key in wanted)) == list(wanted)

    asyncio.run(run())
    assert sizes == [LARGEST_BATCH, LARGEST_BATCH, 1]
