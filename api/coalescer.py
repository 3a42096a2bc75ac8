"""Concurrent reads of one moment go into one query: on PostgreSQL a round trip costs more than the rows.

One query is in flight; what is asked meanwhile is the next batch, so there is no timer and no added wait.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")
LARGEST_BATCH = 500


class Coalescer(Generic[K, T]):
    """`get(key)` of many callers -> one `fetch(keys)`. A key that `fetch` does not return gives None."""

    def __init__(self, fetch: Callable[[list[K]], Awaitable[dict[K, T]]]) -> None:
        self._fetch = fetch
        # A list of futures a key: a caller that goes away cancels its own and nobody else's.
        self._waiting: dict[K, list[asyncio.Future[T | None]]] = {}
        self._task: asyncio.Task[None] | None = None

    async def get(self, key: K) -> T | None:
        """What `fetch` returns for the key. Raises what `fetch` raised for the batch."""
        future: asyncio.Future[T | None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(key, []).append(future)
        if self._task is None:
            self._task = asyncio.create_task(self._run())
        return await future

    async def _run(self) -> None:
        # Lets the requests that arrived together with the first one join its batch.
        await asyncio.sleep(0)
        while self._waiting:
            keys = list(self._waiting)[:LARGEST_BATCH]
            batch = {key: self._waiting.pop(key) for key in keys}
            try:
                found = await self._fetch(keys)
            except Exception as error:
                for futures in batch.values():
                    for future in futures:
                        if not future.done():
                            future.set_exception(error)
                continue
            for key, futures in batch.items():
                for future in futures:
                    if not future.done():
                        future.set_result(found.get(key))
        self._task = None
