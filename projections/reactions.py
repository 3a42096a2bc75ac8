"""The reaction that releases suspense: it watches registrations in the log and calls the decision, nothing else.

It is never part of a rebuild, and it may run twice: the release is idempotent by stream version.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from ledger.acts import release
from ledger.identifiers import card_number
from ledger.receipt import Header
from ledger.store.codec import StoredRow
from ledger.store.log import Log

_BY = Header("system", "release")


def releaser(log: Log, clock: Callable[[], datetime]) -> Callable[[Sequence[StoredRow]], None]:
    """The reaction for a follower. Its first call looks at every waiting line, for what a crash left undone."""
    looked_at_all = False

    def react(rows: Sequence[StoredRow]) -> None:
        nonlocal looked_at_all
        if not looked_at_all:
            release.release_all(log, _BY, clock())
            looked_at_all = True
        cards = {card_number(row.stream.partition(":")[2]) for row in rows if row.stream.startswith("account:")}
        if cards:
            release.release(log, cards, _BY, clock())

    return react
