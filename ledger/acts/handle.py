"""One loop for every act: read, decide, append; and from the start again when another writer was first."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from ledger.errors import StoreFailed
from ledger.store.log import AccountIndexChanged, VersionTaken

T = TypeVar("T")
TRIES = 20


def handle(act: Callable[[], T]) -> T:
    """What an act gives that reads what it needs, decides and appends; nothing of a lost try remains.

    Raises StoreFailed(store-failed) after TRIES lost races, and whatever else the act raises.
    """
    for _ in range(TRIES):
        try:
            return act()
        except (VersionTaken, AccountIndexChanged):
            continue
    raise StoreFailed("store-failed", what="VersionTaken")
