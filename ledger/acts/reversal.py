"""Reversals: money taken back by naming what was posted. Nothing is deleted; the shares are repeated and neutralised.

Everything is decided before anything is written, so a refusal leaves the ledger as it was. Three answers stay apart: taken
back now (`posted` in the receipt), taken back before (`already`), and never there (an error).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from ledger.acts.handle import handle
from ledger.decisions import remittance
from ledger.decisions.remittance import CORRECTION_REASONS, LiveLine, Remittance
from ledger.errors import BrokenLog, NotFound, Refused
from ledger.events import Event
from ledger.identifiers import KINDS
from ledger.receipt import Header, Outcome, Receipt
from ledger.store import account_index
from ledger.store.codec import StoredRow, decode
from ledger.store.log import Log

PAGE = 500
LINES_A_COMMIT = 100_000


class Target(NamedTuple):
    """What to reverse: a whole receipt, or a remittance stream; of that all lines, or those of one worker, of one kind,
    of one division."""

    receipt: str = ""
    stream: str = ""
    kpj: str = ""
    kind: str = ""
    division: str = ""

    def meets(self, line: LiveLine) -> bool:
        """Whether a line of the target's remittances is meant."""
        return (
            (not self.receipt or line.request == self.receipt)
            and (not self.kpj or line.line.kpj == self.kpj)
            and (not self.kind or line.under.kind == self.kind)
            and (not self.division or line.under.division == self.division)
        )


class _Taking(NamedTuple):
    """What one stream gives: the lines to take back now, and how many were taken back before."""

    state: Remittance
    now: list[LiveLine]
    before: int


def reverse(
    log: Log, target: Target, header: Header, clock: Callable[[], datetime], *, dry_run: bool = False
) -> Receipt:
    """Reverse the target's live lines, posted and suspended; the receipt's `posted` counts lines reversed now, `already`
    those reversed before.

    Raises Refused: reason-missing, reason-unknown, reversal-unclear, kind-unknown, receipt-without-money; NotFound:
    receipt-not-found, remittance-not-found, line-not-found; BrokenLog when a remittance cannot be read.
    """
    _check(target, header)
    streams = _streams_of(log, target.receipt) if target.receipt else [target.stream]
    # Decided once for all before the first write: after this nothing of the target can be missing.
    found = [taking for some in _pages(streams) for taking in _look(log, some, target)]
    if not any(taking.state.version for taking in found):
        raise NotFound("remittance-not-found")
    if not any(taking.now or taking.before for taking in found):
        raise NotFound("line-not-found")
    receipt = Receipt("reversals", header.request, dry_run=dry_run)
    if dry_run:
        _tell(receipt, found)
        return receipt
    for some in _commits(found):
        _tell(receipt, handle(lambda some=some: _take(log, some, target, header, clock, receipt)))  # type: ignore[misc]
    return receipt


def _check(target: Target, header: Header) -> None:
    known = ", ".join(CORRECTION_REASONS)
    if not header.reason:
        raise Refused("reason-missing", known=known)
    if header.reason not in CORRECTION_REASONS:
        raise Refused("reason-unknown", known=known)
    if bool(target.receipt) == bool(target.stream):
        raise Refused("reversal-unclear")
    if target.kind and target.kind not in KINDS:
        raise Refused("kind-unknown", column="kind")


def _streams_of(log: Log, request: str) -> list[str]:
    with log.database.read() as tx:
        span = account_index.receipt(tx, request)
    if span is None:
        raise NotFound("receipt-not-found")
    streams: dict[str, None] = {}
    after, last = span[0] - 1, span[1]
    while rows := log.read(after, PAGE, upto=last):
        after = rows[-1].position
        for row in rows:
            if row.stream.startswith("remittance-") and row.stream not in streams and _request_of(row) == request:
                streams[row.stream] = None
    if not streams:
        raise Refused("receipt-without-money")
    return list(streams)


def _request_of(row: StoredRow) -> str:
    try:
        return decode(row).request
    except BrokenLog:
        return ""


def _pages(streams: Sequence[str]) -> Iterator[Sequence[str]]:
    return (streams[at : at + PAGE] for at in range(0, len(streams), PAGE))


def _look(log: Log, streams: Iterable[str], target: Target) -> list[_Taking]:
    histories = log.streams(list(streams))
    found = []
    for stream in streams:
        state = Remittance.of(stream, histories.get(stream, ()))
        now = [line for line in state.live.values() if target.meets(line)]
        found.append(_Taking(state, now, sum(map(target.meets, state.reversed))))
    return found


def _commits(found: Sequence[_Taking]) -> Iterator[list[str]]:
    """The streams in transactions of about LINES_A_COMMIT lines."""
    streams: list[str] = []
    lines = 0
    for taking in found:
        streams.append(taking.state.stream)
        lines += len(taking.now)
        if lines >= LINES_A_COMMIT:
            yield streams
            streams, lines = [], 0
    if streams:
        yield streams


def _take(
    log: Log, streams: Sequence[str], target: Target, header: Header, clock: Callable[[], datetime], receipt: Receipt
) -> list[_Taking]:
    found = _look(log, streams, target)
    events: list[Event] = []
    for taking in found:
        facts = remittance.reverse(taking.state, taking.now)
        events += remittance.events(
            taking.state.version, taking.state.stream, facts, header.by, header.channel, header.request, header.reason
        )
    if events:
        receipt.appended(log.append(events, clock()).positions)
    return found


def _tell(receipt: Receipt, found: Iterable[_Taking]) -> None:
    for taking in found:
        receipt.outcome(Outcome(taking.state.stream, 0, posted=len(taking.now), already=taking.before))
