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
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cache
from hashlib import sha256

from limits import RateLimitItem, parse
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from starlette.requests import Request

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

_rate: Callable[[str], RateLimitItem] = cache(parse)


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
    """Counts tries. The windows are this process's memory; the locks stand in the log's database."""

    def __init__(self, database: Database, vault: Vault, settings: Settings) -> None:
        self._database, self._vault = database, vault
        self._tries = settings.address_tries
        self._storage = MemoryStorage()
        self._windows = MovingWindowRateLimiter(self._storage)
        self._swept = float("-inf")

    # --- windows

    def take(self, rate: str, *key: str) -> None:
        """Count one in a moving window such as `5/hour`; `key` says whose. Raises Refused(too-many-tries)."""
        name = self._hash("window", *key).hex()
        self._must(self._windows.hit(_rate(rate), name), rate, name)

    def address(self, door: str, address: str) -> None:
        """Count a request at a door (`login`, `register`, `reset`, `link`). Raises Refused(too-many-tries)."""
        self.take(f"{self._tries}/minute", door, address)

    def mail(self, address: str, target: str) -> None:
        """Count a letter that a stranger at `address` asks to be sent; `target`: where to, or the name that was typed in.

        Counted for both together, so that a stranger does not use up what somebody else may ask for.
        Raises Refused(too-many-tries).
        """
        self.take(MAILS_TO_ONE, "mail", address, target.strip().lower())

    def suspect(self, address: str) -> None:
        """An address with too many wrong passwords must wait. Raises Refused(too-many-tries)."""
        rate, name = self._wrong(address)
        self._must(self._windows.test(_rate(rate), name), rate, name)

    def wrong(self, address: str) -> None:
        """A wrong password came from there."""
        rate, name = self._wrong(address)
        self._windows.hit(_rate(rate), name)

    def _wrong(self, address: str) -> tuple[str, str]:
        return f"{self._tries}/10 minutes", self._hash("window", "wrong", address).hex()

    def _must(self, within: bool, rate: str, name: str) -> None:
        if not within:
            reset = self._windows.get_window_stats(_rate(rate), name).reset_time
            raise Refused("too-many-tries", minutes=max(1, math.ceil((reset - time.time()) / 60)))

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
