"""Present balances on PostgreSQL: one asynchronous connection, one query for all cards asked at one moment."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import partial
from typing import Any

import psycopg

from ledger.clock import jakarta_date
from ledger.errors import JhtError, StoreFailed
from ledger.store.database import store_failed
from ledger.store.postgres import is_pooled
from projections.queries import Queries
from projections.results import BalanceRow, CardRow
from projections.snapshots import REFRESH_SECONDS

TRIES = 10
ANSWER_SECONDS = 10


class BalanceLoader:
    """What the coalescer fetches with."""

    def __init__(
        self,
        url: str,
        reader: Queries,
        now: Callable[[], datetime],
        work: Callable[[Callable[[], None]], Awaitable[None]],
    ) -> None:
        self._url = url
        self._reader = reader
        self._now = now
        self._work = work
        self._connection: psycopg.AsyncConnection[tuple[Any, ...]] | None = None
        self._look_at = 0.0

    async def fetch(self, cards: list[int]) -> dict[int, BalanceRow | JhtError]:
        """The balances of some cards, true at one position. Raises Unavailable, StoreFailed."""
        now = self._now()
        for attempt in range(TRIES):
            if attempt or time.monotonic() > self._look_at:
                # In a thread, and a little before the reader would do it here: it waits for the store.
                await self._work(self._reader.refresh)
                self._look_at = time.monotonic() + REFRESH_SECONDS * 0.8
            self._reader.check_fresh(now)
            try:
                async with asyncio.timeout(ANSWER_SECONDS):
                    rows = await self._rows(self._reader.set_query(), cards)
            except psycopg.errors.UndefinedTable:
                continue
            except (psycopg.Error, TimeoutError) as error:
                await self.close()
                if attempt == TRIES - 1 or isinstance(error, TimeoutError):
                    raise store_failed(error) from error
                continue
            if self._reader.is_current(rows):
                if not self._reader.has_loaded(rows):
                    await self._work(partial(self._reader.load, rows))
                return self._reader.of_rows(rows, jakarta_date(now))
        raise StoreFailed("store-failed", what="GenerationsMoving")

    async def _rows(self, sql: str, cards: list[int]) -> list[CardRow]:
        if self._connection is None or self._connection.closed:
            self._connection = await psycopg.AsyncConnection.connect(self._url, autocommit=True)
            cursor = await self._connection.execute("select pg_backend_pid()")
            (answering,) = await cursor.fetchone() or (0,)
            if is_pooled(self._connection.info.backend_pid, answering):
                self._connection.prepare_threshold = None
            # Every card is found the same way; planning anew for each list would take as long as answering it.
            await self._connection.execute("set plan_cache_mode = force_generic_plan")
        cursor = self._connection.cursor(binary=True)
        await cursor.execute(sql.encode(), ["{" + ",".join(map(str, cards)) + "}"])
        return [CardRow(*row) for row in await cursor.fetchall()]

    async def close(self) -> None:
        """Drop the connection; the next question opens another."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await connection.close()
