"""Reversals: money taken back by naming what was posted. Nothing is deleted; the shares are repeated and neutralised."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import NamedTuple

from ledger.decisions import remittance
from ledger.decisions.remittance import CORRECTION_REASONS, LiveLine, Remittance
from ledger.errors import NotFound, Refused
from ledger.receipt import Header, Outcome, Receipt
from ledger.store import account_index
from ledger.store.codec import decode
from ledger.store.log import Log, VersionTaken

PAGE = 500
TRIES = 20


class Target(NamedTuple):
    """What to reverse: a whole receipt; or a remittance stream; or one worker's line in it."""

    receipt: str = ""
    stream: str = ""
    kpj: str = ""
    kind: str = ""


def reverse(
    log: Log, target: Target, header: Header, clock: Callable[[], datetime], *, dry_run: bool = False
) -> Receipt:
    """Reverse the target's live lines, posted and suspended; the receipt's `posted` counts reversed lines.

    Asking again changes nothing (`already`). Raises Refused: reason-missing, reason-unknown, reversal-unclear;
    NotFound: receipt-not-found, remittance-not-found, line-not-found.
    """
    known = ", ".join(CORRECTION_REASONS)
    if not header.reason:
        raise Refused("reason-missing", known=known)
    if header.reason not in CORRECTION_REASONS:
        raise Refused("reason-unknown", known=known)
    if bool(target.receipt) == bool(target.stream):
        raise Refused("reversal-unclear")
    receipt = Receipt("reversals", header.request, dry_run=dry_run)
    streams = _streams_of(log, target.receipt) if target.receipt else [target.stream]
    for start in range(0, len(streams), PAGE):
        for stream in streams[start : start + PAGE]:
            _reverse_stream(log, stream, target, header, clock, receipt)
    return receipt


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
            if row.stream.startswith("remittance-") and decode(row).request == request:
                streams[row.stream] = None
    return list(streams)


def _reverse_stream(
    log: Log, stream: str, target: Target, header: Header, clock: Callable[[], datetime], receipt: Receipt
) -> None:
    for attempt in range(TRIES):
        history = log.events(stream)
        if not history:
            raise NotFound("remittance-not-found")
        state = Remittance.of(stream, history)
        taken = _taken(state, target)
        if not taken:
            if target.kpj and not _was_there(history, target):
                raise NotFound("line-not-found")
            receipt.outcome(Outcome(stream, 0, already=1))
            return
        facts = remittance.reverse(state, taken)
        events = remittance.events(
            state.version, stream, facts, header.by, header.channel, header.request, header.reason
        )
        if not receipt.dry_run:
            try:
                receipt.appended(log.append(events, clock()).positions)
            except VersionTaken:
                if attempt == TRIES - 1:
                    raise
                continue
        receipt.outcome(Outcome(stream, 0, posted=len(taken)))
        return


def _taken(state: Remittance, target: Target) -> list[LiveLine]:
    def wanted(held: LiveLine) -> bool:
        return (
            (not target.receipt or held.request == target.receipt)
            and (not target.kpj or held.line.kpj == target.kpj)
            and (not target.kind or held.kind == target.kind)
        )

    return [held for held in state.live.values() if wanted(held)]


def _was_there(history: Iterable[object], target: Target) -> bool:
    lines = (line for event in history for line in getattr(event.fact, "lines", ()))  # type: ignore[attr-defined]
    return any(line.kpj == target.kpj for line in lines)
