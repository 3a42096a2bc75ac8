"""How often may one try: windows per address and per target, the growing wait after wrong passwords, the pause after each.

Nothing here is a wall that a stranger could build around somebody: the wait after wrong passwords is counted for each
account and device, so it never holds up a device that the owner has logged in from; and an address that many people share,
such as a mobile carrier's, is never shut out, its tries only go one after the other once there are too many.

A try is counted before the password is looked at and forgotten when it was right, so many at once, in several processes
or over a restart, count as many. The count belongs to what was typed in (hashed with a key of the master key), whether
anybody has that name or not: nothing can be read from a lock. One person has as many counts as names (e-mail, NIK, each
card), because a common count would tell which of them belong together.
"""

from __future__ import annotations

import asyncio
import hmac
import ipaddress
import math
import time
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Protocol, TypeVar

from starlette.requests import Request

from api.access.windows import Windows
from ledger.errors import Refused
from ledger.settings import Settings
from ledger.store.database import Database
from ledger.store.vault import Vault

WRONG_TRIES = 5
"""From this many wrong passwords on one has to wait before the next try."""
WAITS = tuple(timedelta(minutes=minutes) for minutes in (1, 2, 4, 8, 15))
"""How long: after each more wrong one the next, the last for all further ones."""
FORGOTTEN = timedelta(hours=1)
"""Wrong passwords count until nobody has tried for so long."""
PACE_SECONDS = 1.0
MOST_PACED = 30
"""Past the limit of an address its tries go one after the other, PACE_SECONDS apart, while at most this many wait."""
SLOW_SECONDS = (0.3, 0.6, 1.2, 2.4, 4.0)
"""How long a wrong answer takes, by the number of tries: longer than any honest answer, so time tells nothing."""
MAILS_TO_ONE = "5/hour"
_SWEEP_SECONDS = 600.0
_IPV6_HOME = 64

T = TypeVar("T")


class Work(Protocol):
    """Runs what waits for the store in a thread (`ApplicationState.work`)."""

    def __call__(self, function: Callable[[], T]) -> Awaitable[T]: ...


def address_of(request: Request) -> str:
    """Where a request comes from: an IPv4 address, or the network of one IPv6 customer; "" when nobody knows."""
    client = request.client
    try:
        address = ipaddress.ip_address(client.host if client else "")
    except ValueError:
        return ""
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is None:
        return str(ipaddress.ip_network((address, _IPV6_HOME), strict=False))
    return str(address)


class Guard:
    """Counts tries, in the log's database: as many as there are processes, it is one count."""

    def __init__(self, database: Database, vault: Vault, settings: Settings, work: Work) -> None:
        self._database, self._vault, self._work = database, vault, work
        self._tries = settings.address_tries
        self._windows = Windows(database)
        self._queues: dict[bytes, list[float]] = {}
        self._swept = float("-inf")

    # --- windows

    async def take(self, rate: str, *key: str) -> None:
        """Count one in a moving window such as `5/hour`; `key` says whose. Raises Refused(too-many-tries)."""
        name = self._hash("window", *key)
        _refuse_until(await self._work(lambda: self._windows.hit(name, rate)))

    async def take_all(self, count: int, rate: str, *key: str) -> None:
        """Count several at once, as many as the window has room for. Raises Refused(too-many-tries) when not all fit."""
        name = self._hash("window", *key)

        def hit() -> float | None:
            return next((full for _ in range(count) if (full := self._windows.hit(name, rate)) is not None), None)

        _refuse_until(await self._work(hit))

    async def address(self, door: str, address: str) -> None:
        """Count a request at a door (`login`, `register`, `reset`, `link`). Raises Refused(too-many-tries)."""
        await self.take(f"{self._tries}/minute", door, address)

    async def mail(self, address: str, target: str) -> None:
        """Count a letter that a stranger at `address` asks to be sent; `target`: where to, or the name that was typed in.


        Counted for both together, so that a stranger does not use up what somebody else may ask for.
        Raises Refused(too-many-tries).
        """
        await self.take(MAILS_TO_ONE, "mail", address, target.strip().lower())

    async def pace(self, address: str) -> None:
        """Count a login from an address. Past the limit, or after too many wrong passwords, it waits for its turn.

        Raises Refused(too-many-tries) only while MOST_PACED others from there wait already (in this process).
        """
        name = self._hash("window", "login", address)
        if await self._work(lambda: self._is_within(name, address)):
            return
        queue = self._queues.setdefault(name, [])
        if len(queue) >= MOST_PACED:
            raise Refused("too-many-tries", minutes=1)
        loop = asyncio.get_running_loop()
        turn = max(loop.time(), queue[-1] if queue else 0.0) + PACE_SECONDS
        queue.append(turn)
        try:
            await asyncio.sleep(turn - loop.time())
        finally:
            queue.remove(turn)
            if not queue:
                self._queues.pop(name, None)

    def _is_within(self, name: bytes, address: str) -> bool:
        rate, wrong = self._wrong(address)
        within = self._windows.hit(name, f"{self._tries}/minute") is None
        return within and self._windows.full(wrong, rate) is None

    async def wrong(self, address: str) -> None:
        """A wrong password came from there."""
        rate, name = self._wrong(address)
        await self._work(lambda: self._windows.hit(name, rate))

    def trace(self, *text: str) -> str:
        """What stands in logs for a person or an address: the same for the same, and nobody can turn it back."""
        return self._hash("trace", *text).hex()[:16]

    def _wrong(self, address: str) -> tuple[str, bytes]:
        return f"{self._tries}/10 minutes", self._hash("window", "wrong", address)

    # --- locks

    def begin(self, name: str, now: datetime) -> int:
        """Count a try with a name (and device), before the password is looked at; the how manieth it is.

        Raises Refused(too-many-tries) while one has to wait. Blocking.
        """
        hashed, moment = self._hash("name", name), now.isoformat()
        with self._database.write() as tx:
            self._sweep(tx.run, now)
            counted = tx.rows(
                "insert into login_tries (hash, tries, last_at, locked_until) values (?, 1, ?, '') "
                "on conflict (hash) do update set last_at = excluded.last_at, "
                "tries = case when login_tries.last_at <= ? then 1 else login_tries.tries + 1 end "
                "where login_tries.locked_until <= ? returning tries",
                [hashed, moment, (now - FORGOTTEN).isoformat(), moment],
            )
            if counted:
                tries = int(counted[0][0])
                if tries >= WRONG_TRIES:
                    until = now + WAITS[min(tries - WRONG_TRIES, len(WAITS) - 1)]
                    tx.run("update login_tries set locked_until = ? where hash = ?", [until.isoformat(), hashed])
                return tries
            ((until,),) = tx.rows("select locked_until from login_tries where hash = ?", [hashed])
        left = datetime.fromisoformat(until) - now
        raise Refused("too-many-tries", minutes=max(1, math.ceil(left.total_seconds() / 60)))

    def right(self, name: str) -> None:
        """The password was right: the tries with that name are forgotten. Blocking."""
        with self._database.write() as tx:
            tx.run("delete from login_tries where hash = ?", [self._hash("name", name)])

    def undo(self, name: str) -> None:
        """The password of a counted try was never looked at: it does not count. Blocking."""
        with self._database.write() as tx:
            tx.run(
                "update login_tries set tries = tries - 1, locked_until = '' where hash = ?",
                [self._hash("name", name)],
            )

    def _sweep(self, run: Callable[[str, list[str]], int], now: datetime) -> None:
        if time.monotonic() - self._swept > _SWEEP_SECONDS:
            self._swept = time.monotonic()
            run("delete from login_tries where last_at < ?", [(now - FORGOTTEN).isoformat()])

    def _hash(self, *parts: str) -> bytes:
        text = "\0".join(parts).encode("utf-8", "replace")
        return hmac.digest(self._vault.derived(b"tries"), text, sha256)


def _refuse_until(reset: float | None) -> None:
    if reset is not None:
        raise Refused("too-many-tries", minutes=max(1, math.ceil((reset - time.time()) / 60)))
