"""The states of remittance streams as the log has them now, read in sets."""

from __future__ import annotations

from collections.abc import Sequence

from ledger.decisions.remittance import Remittance
from ledger.errors import BrokenLog
from ledger.store.codec import decode
from ledger.store.database import Transaction
from ledger.store.log import Log


def remittances(
    log: Log, tx: Transaction, streams: Sequence[str]
) -> tuple[dict[str, Remittance], dict[str, BrokenLog]]:
    """The states of the streams that have events, and those of them that cannot be read, with the reason: one broken
    record concerns only whom it names."""
    states: dict[str, Remittance] = {}
    broken: dict[str, BrokenLog] = {}
    for stream, rows in log.stored_in(tx, streams).items():
        try:
            states[stream] = Remittance.of(stream, map(decode, rows))
        except BrokenLog as error:
            broken[stream] = error
    return states, broken
