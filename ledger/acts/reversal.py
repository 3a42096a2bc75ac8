"""Reversals: money taken back by naming what was posted. Nothing is deleted; the shares are repeated and neutralised.

Everything is decided before anything is written, so a refusal leaves the ledger as it was. Three answers stay apart: taken
back now (`posted` in the receipt), taken back before (`already`), and never there (an error).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, datetime
from typing import NamedTuple

from ledger.acts import openings
from ledger.acts.scheme import scheme_of
from ledger.clock import jakarta_date
from ledger.decisions import remittance
from ledger.decisions.reason import must_be_known
from ledger.decisions.remittance import CORRECTION_REASONS, LiveLine, Remittance
from ledger.errors import BrokenLog, NotFound, Problem, Refused
from ledger.events import Event, OpeningBalanceRecorded
from ledger.events.upcasters import names_of
from ledger.identifiers import KINDS, account_stream, month_of
from ledger.receipt import Header, Outcome, Receipt
from ledger.store import account_index
from ledger.store.codec import StoredRow, decode
from ledger.store.handle import handle
from ledger.store.log import Log

PAGE = 500
OPENINGS = names_of(OpeningBalanceRecorded)
LINES_A_COMMIT = 100_000


class Target(NamedTuple):
    """What to reverse: a whole receipt, or a remittance stream; of that all lines, or those of one worker, of one kind,
    of one division. Kind `opening` with a KPJ alone: the card's opening balance."""

    receipt: str = ""
    stream: str = ""
    kpj: str = ""
    kind: str = ""
    division: str = ""

    @property
    def opening(self) -> bool:
        """Whether a card's opening balance is meant."""
        return self.kind == "opening" and bool(self.kpj) and not self.receipt and not self.stream

    def meets(self, line: LiveLine) -> bool:
        """Whether a line of the target's remittances is meant."""
        return (
            (not self.receipt or line.request == self.receipt)
            and (not self.kpj or line.kpj == self.kpj)
            and (not self.kind or line.under.kind == self.kind)
            and (not self.division or line.under.division == self.division)
        )


class _Taking(NamedTuple):
    """What one stream gives: the lines to take back now, and how many were taken back before. `broken`: it cannot be read,
    and gives nothing."""

    state: Remittance
    now: list[LiveLine]
    before: int
    broken: BrokenLog | None = None


def reverse(
    log: Log, target: Target, header: Header, clock: Callable[[], datetime], *, dry_run: bool = False,
    backdate: bool = False,
) -> Receipt:  # fmt: skip
    """Reverse the target's live lines, posted and suspended, and opening balances; the receipt's `posted` counts those
    reversed now, `already` those reversed before. `backdate`: lines paid in years whose yield is declared as well; the
    receipt says by how much yield that is.

    Raises Refused: reason-missing, reason-unknown, reversal-unclear, kind-unknown, receipt-without-money,
    paid-year-declared; NotFound:
    receipt-not-found, remittance-not-found, line-not-found, opening-not-found; BrokenLog when nothing but a stream that
    cannot be read is meant. Of a receipt the other streams are taken back, and the receipt of it says which one was not.
    """
    _check(target, header)
    streams, cards = _streams_of(log, target)
    # Decided once for all before the first write: after this nothing of the target can be missing.
    found = [taking for some in _pages(streams) for taking in _look(log, some, target)]
    taken = [taking for some in _pages(cards) for taking in openings.look(log, some, target.receipt)]
    _must_be_there(target, found, taken)
    receipt = Receipt("reversals", header.request, dry_run=dry_run)
    _tell_declared(log, found, jakarta_date(clock()), receipt, backdate)
    if dry_run:
        _tell(receipt, found)
        openings.tell(receipt, taken)
        return receipt
    for some in _commits(found):
        looks = _looks(log, some, target)
        _tell(receipt, handle(lambda looks=looks: _take(log, next(looks), header, clock, receipt)))  # type: ignore[misc]
    for accounts in _pages([taking.stream for taking in taken]):
        openings.take(log, accounts, target.receipt, header, clock, receipt)
    return receipt


def _must_be_there(target: Target, found: Sequence[_Taking], taken: Sequence[openings.Taking]) -> None:
    if any(one.now or one.before for one in found) or any(one.now or one.before for one in taken):
        return
    for error in (*(one.broken for one in found), *(one.broken for one in taken)):
        if error is not None:
            raise error
    if target.opening:
        raise NotFound("opening-not-found", column="kpj")
    if target.stream and not found[0].state.version:
        raise NotFound("remittance-not-found")
    raise NotFound("line-not-found")


def _tell_declared(log: Log, found: Sequence[_Taking], today: date, receipt: Receipt, backdate: bool) -> None:
    """What posted lines of declared years take with them. Raises Refused(paid-year-declared) without `backdate`."""
    posts = {id(line.post): line.post for taking in found for line in taking.now}
    # No year is declared before it is over, so what was paid this year needs no look at the scheme.
    if all(int(post.under.paid_on[:4]) == today.year for post in posts.values()):
        return
    scheme = scheme_of(log)
    declared = {key for key, post in posts.items() if scheme.is_declared(post.under.paid_on)}
    old = [line for taking in found for line in taking.now if id(line.post) in declared and not line.waits]
    if not old:
        return
    if not backdate:
        first = min(line.under.paid_on for line in old)
        raise Refused("paid-year-declared", column="paid_on", paid_on=first, year=scheme.open_year - 1)
    paid: dict[int, int] = {}
    for line in old:
        month = month_of(date.fromisoformat(line.under.paid_on))
        paid[month] = paid.get(month, 0) + line.content.employer + line.content.worker
    receipt.problem(Problem("taken-back-yield", details=scheme.changed(paid, len(old), today)), "warning")


def _check(target: Target, header: Header) -> None:
    must_be_known(header.reason, CORRECTION_REASONS)
    if bool(target.receipt) == bool(target.stream) and not target.opening:
        raise Refused("reversal-unclear")
    if target.kind and target.kind not in KINDS:
        raise Refused("kind-unknown", column="kind")


def _streams_of(log: Log, target: Target) -> tuple[list[str], list[str]]:
    """The remittances and the accounts in which something of the target may be."""
    if target.opening:
        return [], [account_stream(target.kpj)]
    if not target.receipt:
        return [target.stream], []
    with log.database.read() as tx:
        span = account_index.receipt(tx, target.receipt)
    if span is None:
        raise NotFound("receipt-not-found")
    streams: dict[str, None] = {}
    cards: dict[str, None] = {}
    after, last = span[0] - 1, span[1]
    while rows := log.read(after, PAGE, upto=last):
        after = rows[-1].position
        for row in rows:
            remitted = row.stream.startswith("remittance-") and row.stream not in streams
            if remitted and _request_of(row) == target.receipt:
                streams[row.stream] = None
            elif row.name in OPENINGS and _request_of(row) == target.receipt:
                cards[row.stream] = None
    if not streams and not cards:
        raise Refused("receipt-without-money")
    if target.kpj:
        cards = {name: None for name in cards if name == account_stream(target.kpj)}
    return list(streams), list(cards) if target.kind in ("", "opening") and not target.division else []


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
        if stream in histories.broken:
            found.append(_Taking(Remittance(stream), [], 0, histories.broken[stream]))
            continue
        state = Remittance.of(stream, histories.of(stream))
        now = [line for line in state.live() if target.meets(line)]
        found.append(_Taking(state, now, sum(map(target.meets, state.reversed))))
    return found


def _commits(found: Sequence[_Taking]) -> Iterator[list[_Taking]]:
    """The streams in transactions of about LINES_A_COMMIT lines."""
    some: list[_Taking] = []
    lines = 0
    for taking in found:
        some.append(taking)
        lines += len(taking.now)
        if lines >= LINES_A_COMMIT:
            yield some
            some, lines = [], 0
    if some:
        yield some


def _looks(log: Log, found: list[_Taking], target: Target) -> Iterator[list[_Taking]]:
    """What was found, and then what is found now: for the tries after another writer was first."""
    yield found
    streams = [taking.state.stream for taking in found]
    while True:
        yield _look(log, streams, target)


def _take(
    log: Log, found: list[_Taking], header: Header, clock: Callable[[], datetime], receipt: Receipt
) -> list[_Taking]:
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
        if taking.broken is not None:
            receipt.unreadable_stream(taking.state.stream, taking.broken)
        if not taking.now and not taking.before:
            continue
        receipt.outcome(Outcome(taking.state.stream, 0, posted=len(taking.now), already=taking.before))
