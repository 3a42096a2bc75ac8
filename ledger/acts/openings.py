"""Opening balances taken back: a card's, or those of one upload. Called by `reversal`, which decides what is meant."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from ledger.decisions import remittance
from ledger.decisions.opening import Account, Recorded, reverse
from ledger.errors import BrokenLog
from ledger.events import Event
from ledger.receipt import Header, Outcome, Receipt
from ledger.store.handle import handle
from ledger.store.log import Log


class Taking(NamedTuple):
    """What one account gives: the opening balance to take back now, if any, and those taken back before. `broken`: it
    cannot be read, and gives nothing."""

    stream: str
    version: int
    now: Recorded | None
    before: int
    broken: BrokenLog | None = None


def look(log: Log, streams: Sequence[str], request: str = "") -> list[Taking]:
    """What the accounts hold of an upload `request`, or of any."""
    found: list[Taking] = []
    histories = log.streams(streams)
    found += [Taking(stream, 0, None, 0, error) for stream, error in histories.broken.items()]
    for stream, events in histories.events.items():
        account = Account.of(events)
        standing = account.opening
        now = standing if standing is not None and request in ("", standing.request) else None
        before = sum(1 for one in account.reversed if request in ("", one.request))
        found.append(Taking(stream, account.version, now, before))
    return found


def take(
    log: Log, streams: Sequence[str], request: str, header: Header, clock: Callable[[], datetime], receipt: Receipt
) -> None:
    """Take the accounts' opening balances back in one append, and tell the receipt."""

    def act() -> list[Taking]:
        found = look(log, streams, request)
        events: list[Event] = []
        for taking in found:
            if taking.now is not None:
                facts = [reverse(taking.now)]
                events += remittance.events(
                    taking.version, taking.stream, facts, header.by, header.channel, header.request, header.reason
                )
        if events:
            receipt.appended(log.append(events, clock()).positions)
        return found

    tell(receipt, handle(act))


def tell(receipt: Receipt, found: Iterable[Taking]) -> None:
    """Tell the receipt what was, or would be, taken back."""
    for taking in found:
        if taking.broken is not None:
            receipt.unreadable_stream(taking.stream, taking.broken)
        elif taking.now or taking.before:
            now = int(taking.now is not None)
            # A card whose balance is taken back now was not "already" reversed by an earlier one's reversal.
            receipt.outcome(Outcome(taking.stream, 0, posted=now, already=0 if now else taking.before))
