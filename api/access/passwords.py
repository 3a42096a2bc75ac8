"""Passwords: what is good enough, and argon2id in two threads of its own.

Parameters and rules are OWASP's (Password Storage Cheat Sheet: 19 MiB, t=2, p=1; ASVS 2.1: length instead of kinds of
characters, common ones refused). A text is hashed after NFKC, so that two keyboards' ways to one letter are one.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import itertools
import os
import secrets
import threading
import unicodedata
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple, TypeVar

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from api.access.common_passwords import COMMON
from ledger.errors import Refused, Unavailable

T = TypeVar("T")
SHORTEST, LONGEST = 10, 128
THREADS = 2
LONGEST_QUEUE = 64
"""Hashings that may wait or run: two seconds' work for two threads."""
_FEWEST_CHARACTERS = 5
_NICENESS = 10


class Verified(NamedTuple):
    """Whether the password was right, and a better hash of it when the parameters have risen since ("" otherwise)."""

    right: bool
    better: str = ""


def check_password(password: str, own: Iterable[str] = ()) -> None:
    """Whether a password may be chosen; `own`: what others know of its owner (NIK, KPJ, e-mail, login name).

    Raises Refused(password-weak).
    """
    text = unicodedata.normalize("NFKC", password)
    plain = text.casefold().strip()
    known = {part for one in own for part in (one.casefold(), one.casefold().partition("@")[0]) if part}
    if (
        not SHORTEST <= len(text) <= LONGEST
        or len(set(plain)) < _FEWEST_CHARACTERS
        or plain in known
        or plain in COMMON
        or plain.rstrip("0123456789!.@#") in COMMON
        or _is_a_run(plain)
    ):
        raise Refused("password-weak")


def _is_a_run(text: str) -> bool:
    """`1234567890`, `abcdefghij` and such, forwards or backwards."""
    steps = {ord(after) - ord(before) for before, after in itertools.pairwise(text)}
    return steps <= {1, -9} or steps <= {-1, 9}


_HASH = PasswordHash((Argon2Hasher(time_cost=2, memory_cost=19_456, parallelism=1),))


@functools.cache
def _of_nobody() -> str:
    """What a password is compared with where nobody has one; nobody knows its text. One a process."""
    return _HASH.hash(secrets.token_bytes(16))


class Passwords:
    """Hashes and verifies. At most LONGEST_QUEUE at once; the rest is told to come again."""

    def __init__(self) -> None:
        self._hash = _HASH
        self._dummy = _of_nobody()
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="argon2", initializer=_be_nice)
        self._under_way = 0
        self.verified = 0
        """How many verifications there were: the same number for known and unknown people."""

    async def hash(self, password: str) -> str:
        """The argon2 text of a password. Raises Unavailable(login-busy)."""
        return await self._run(lambda: self._hash.hash(_bytes(password)))

    async def verify(self, password: str, hashed: str) -> Verified:
        """Compare with a stored text; with "" (nobody, or nobody with a password) as much is computed, and it is wrong.

        Raises Unavailable(login-busy).
        """
        right, better = await self._run(lambda: self._hash.verify_and_update(_bytes(password), hashed or self._dummy))
        self.verified += 1
        return Verified(right and bool(hashed), better or "")

    async def _run(self, work: Callable[[], T]) -> T:
        if self._under_way >= LONGEST_QUEUE:
            raise Unavailable("login-busy")
        self._under_way += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._pool, work)
        finally:
            self._under_way -= 1

    def close(self) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)


def _bytes(password: str) -> bytes:
    # What is too long was never chosen: it is cut where it cannot be right any more, and costs no more than others.
    return unicodedata.normalize("NFKC", password[: 2 * LONGEST])[: LONGEST + 1].encode("utf-8", "surrogatepass")


def _be_nice() -> None:
    """A burst of logins gives way to the balances that are being read. On Linux a thread has a priority of its own."""
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICENESS)
