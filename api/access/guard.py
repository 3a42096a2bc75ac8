"""How often may one try: windows per address and per target, the lock after wrong passwords, the pause after each.

A try is counted before the password is looked at and forgotten when it was right, so many at once, in several processes
or over a restart, count as many. The count belongs to what was typed in (hashed with a key of the master key), whether
anybody has that name or not: nothing can be read from a lock. One person has as many counts as names (e-mail, NIK, each
card), because a common count would tell which of them belong together.
"""

from __future__ import annotations

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
LOCKED = timedelta(minutes=15)
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
        self._swept = float("-inf")

    # --- windows

    async def take(self, rate: str, *key: str) -> None:
        """Count one in a moving window such as `5/hour`; `key` says whose. Raises Refused(too-many-tries)."""
        name = self._hash("window", *key)
        _refuse_until(await self._work(lambda: self._windows.hit(name, rate)))

    async def address(self, door: str, address: str) -> None:
        """Count a request at a door (`login`, `register`, `reset`, `link`). Raises Refused(too-many-tries)."""
        await self.take(f"{self._tries}/minute", door, address)

    async def mail(self, target: str) -> None:
        """Count a letter that a stranger asks to be sent; `target`: the address, or the name that was typed in.

        Raises Refused(too-many-tries).
        """
        await self.take(MAILS_TO_ONE, "mail", target.strip().lower())

    async def suspect(self, address: str) -> None:
        """An address with too many wrong passwords must wait. Raises Refused(too-many-tries)."""
        rate, name = self._wrong(address)
        _refuse_until(await self._work(lambda: self._windows.full(name, rate)))

    async def wrong(self, address: str) -> None:
        """A wrong password came from there."""
        rate, name = self._wrong(address)
        await self._work(lambda: self._windows.hit(name, rate))

    def _wrong(self, address: str) -> tuple[str, bytes]:
        return f"{self._tries}/10 minutes", self._hash("window", "wrong", address)

    # --- locks

    def begin(self, name: str, now: datetime) -> int:
        """Count a try with a name, before the password is looked at; the how manieth it is.

        Raises Refused(too-many-tries) while the name is locked. Blocking.
        """
        hashed, moment = self._hash("name", name), now.isoformat()
        with self._database.write() as tx:
            self._sweep(tx.run, now)
            counted = tx.rows(
                "insert into login_tries (hash, tries, last_at, locked_until) values (?, 1, ?, '') "
                "on conflict (hash) do update set last_at = excluded.last_at, "
                "tries = case when login_tries.last_at <= ? then 1 else login_tries.tries + 1 end "
                "where login_tries.locked_until <= ? returning tries",
                [hashed, moment, (now - LOCKED).isoformat(), moment],
            )
            if counted:
                tries = int(counted[0][0])
                if tries >= WRONG_TRIES:
                    tx.run(
                        "update login_tries set locked_until = ? where hash = ?", [(now + LOCKED).isoformat(), hashed]
                    )
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
            run("delete from login_tries where last_at < ?", [(now - 2 * LOCKED).isoformat()])

    def _hash(self, *parts: str) -> bytes:
        text = "\0".join(parts).encode("utf-8", "replace")
        return hmac.digest(self._vault.derived(b"tries"), text, sha256)


def _refuse_until(reset: float | None) -> None:
    if reset is not None:
        raise Refused("too-many-tries", minutes=max(1, math.ceil((reset - time.time()) / 60)))
