"""The states of remittance streams as the log has them now, read in sets."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import NamedTuple

from ledger.decisions.remittance import Remittance
from ledger.errors import BrokenLog
from ledger.store.codec import StoredRow, decode
from ledger.store.database import Transaction
from ledger.store.log import Log

KEPT_LINES = 100_000
"""How many lines the states that are kept may have together: some 50 MB."""


class Kept(NamedTuple):
    """A state and the last stored event in it."""

    last: StoredRow
    state: Remittance


class States:
    """States of streams that were written lately, so that a month that comes in many small posts is not read from its
    start for each of them. Belongs to one thread.

    A state is believed only while the last event in it still stands in the log where it stood.
    """

    def __init__(self, most: int = KEPT_LINES) -> None:
        self._most, self._lines = most, 0
        self._kept: OrderedDict[str, Kept] = OrderedDict()

    def take(self, stream: str) -> Kept | None:
        """The state of a stream, which is kept no more until it is given back."""
        found = self._kept.pop(stream, None)
        if found is not None:
            self._lines -= found.state.size
        return found

    def give(self, one: Kept) -> None:
        """Keep a state; the ones that were not asked for longest go."""
        self.take(one.state.stream)
        self._kept[one.state.stream] = one
        self._lines += one.state.size
        while self._lines > self._most:
            self.take(next(iter(self._kept)))


def remittances(
    log: Log, tx: Transaction, streams: Sequence[str], known: States | None = None
) -> tuple[dict[str, Remittance], dict[str, BrokenLog]]:
    """The states of the streams that have events, and those of them that cannot be read, with the reason: one broken
    record concerns only whom it names. `known`: states to go on from."""
    before = _believed(log, tx, streams, known) if known is not None else {}
    states: dict[str, Remittance] = {}
    broken: dict[str, BrokenLog] = {}
    rows = log.stored_in(tx, [stream for stream in streams if stream not in before])
    for stream, some in [*rows.items(), *((stream, new) for stream, (_, new) in before.items())]:
        kept = before[stream][0] if stream in before else None
        state = kept.state if kept else Remittance(stream)
        try:
            for row in some:
                state.evolve(decode(row))
        except BrokenLog as error:
            broken[stream] = error
            continue
        states[stream] = state
        if known is not None:
            known.give(Kept(some[-1] if some or kept is None else kept.last, state))
    return states, broken


def _believed(
    log: Log, tx: Transaction, streams: Sequence[str], known: States
) -> dict[str, tuple[Kept, list[StoredRow]]]:
    """The states of `known` that still hold, with what has come since."""
    taken = {stream: kept for stream in streams if (kept := known.take(stream)) is not None}
    if not taken:
        return {}
    # From the last event on that is in the state: it must still be the same one.
    rows = log.stored_in(tx, list(taken), {stream: kept.last.version for stream, kept in taken.items()})
    return {
        stream: (kept, rows[stream][1:])
        for stream, kept in taken.items()
        if stream in rows and rows[stream][0] == kept.last
    }
