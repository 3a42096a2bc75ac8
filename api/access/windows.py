"""How often something was done in a moving window of time, in the log's database: every process counts the same.

A name's hits are the moments of those that still count, eight bytes each: no more than the rate allows. What is refused
writes nothing, so a flood does not reach the one writer that a SQLite log has.
"""

from __future__ import annotations

import struct
import time
from functools import cache

from limits import RateLimitItem, parse

from ledger.store.database import Database, Transaction

SCHEMA = """
create table if not exists login_windows (name bytea primary key, hits bytea not null, until double precision not null);
create index if not exists login_windows_until on login_windows (until)
"""
_SWEEP_SECONDS = 600.0


@cache
def _rate(text: str) -> RateLimitItem:
    return parse(text)


class Windows:
    """The windows of a ledger. Blocking; names are bytes that say nothing, moments seconds since 1970."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._swept = float("-inf")

    def hit(self, name: bytes, rate: str) -> float | None:
        """Count one within a rate such as `5/hour`: None, or when there is room again if it is used up."""
        full = self.full(name, rate)
        if full is not None:
            return full
        with self._database.write() as tx:
            moment = time.time()
            self._sweep(tx, moment)
            tx.run("insert into login_windows (name, hits, until) values (?, ?, 0) on conflict do nothing", [name, b""])
            # The row is locked: of many at once, in several processes, each sees the hits of those before it.
            hits = _hits(tx, name, rate, moment, tx.row_lock())
            if len(hits) >= _rate(rate).amount:
                return hits[0] + _rate(rate).get_expiry()
            packed = struct.pack(f"<{len(hits) + 1}d", *hits, moment)
            tx.run(
                "update login_windows set hits = ?, until = ? where name = ?",
                [packed, moment + _rate(rate).get_expiry(), name],
            )
        return None

    def full(self, name: bytes, rate: str) -> float | None:
        """What `hit` would say, without counting."""
        with self._database.read() as tx:
            hits = _hits(tx, name, rate, time.time())
        return hits[0] + _rate(rate).get_expiry() if len(hits) >= _rate(rate).amount else None

    def _sweep(self, tx: Transaction, moment: float) -> None:
        if time.monotonic() - self._swept > _SWEEP_SECONDS:
            self._swept = time.monotonic()
            tx.run("delete from login_windows where until < ?", [moment])


def _hits(tx: Transaction, name: bytes, rate: str, moment: float, lock: str = "") -> list[float]:
    """The last hits that count, oldest first, no more than the rate allows."""
    rows = tx.rows(f"select hits from login_windows where name = ?{lock}", [name])
    since = moment - _rate(rate).get_expiry()
    hits = [at for (at,) in struct.iter_unpack("<d", bytes(rows[0][0]))] if rows else []
    return [at for at in hits if at > since][-_rate(rate).amount :]
