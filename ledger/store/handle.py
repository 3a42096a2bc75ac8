"""One loop for whoever writes: read, decide, append; and from the start again when another writer was first."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from ledger.errors import StoreFailed
from ledger.store.log import AccountIndexChanged, VersionTaken

T = TypeVar("T")
LOST_RACE = (VersionTaken, AccountIndexChanged)
TRIES = 20


def handle(act: Callable[[], T], *, tries: int = TRIES, otherwise: Callable[[], T] | None = None) -> T:
    """What an act gives that reads what it needs, decides and appends; nothing of a lost try remains.

    After so many lost races `otherwise` is what it comes to: a batch is then taken apart into what stands alone.
    Raises StoreFailed(store-failed) where there is no such way, and whatever else the act raises.
    """
    for _ in range(tries):
        try:
            return act()
        except LOST_RACE:
            continue
    if otherwise is not None:
        return otherwise()
    raise StoreFailed("store-failed", what="VersionTaken")
