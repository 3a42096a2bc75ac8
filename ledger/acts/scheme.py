"""The agency's acts on the scheme: its first year, a year's declared rates, the provisional rate, complete payments.

Two officers who declare at once: the second one's wish is decided again on what the first one recorded.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import NamedTuple

from ledger.clock import jakarta_date
from ledger.decisions import remittance
from ledger.decisions.scheme import (
    Scheme,
    decide_complete,
    decide_declare,
    decide_issued,
    decide_provisional,
    decide_start,
)
from ledger.events import Event, Fact, PaymentsComplete, Rates
from ledger.events.scheme import STREAM
from ledger.receipt import Header
from ledger.store.handle import handle
from ledger.store.log import Log


class Done(NamedTuple):
    """What became of an act: the position of its event, or 0 when it stood already."""

    position: int


def scheme_of(log: Log) -> Scheme:
    """The scheme as the log holds it now. Raises BrokenLog when an event of it cannot be read."""
    return Scheme.of(log.events(STREAM))


def start(log: Log, first_year: int, header: Header, clock: Callable[[], datetime]) -> Done:
    """Record the first year whose yield is computed. Raises as `decide_start`."""
    return _act(log, header, clock, lambda scheme, today: decide_start(scheme, first_year, today))


def declare(log: Log, year: int, rates: Rates, basis: str, header: Header, clock: Callable[[], datetime]) -> Done:
    """Declare a year's rates; with a reason in the header, others in their place. Raises as `decide_declare`."""
    return _act(
        log,
        header,
        clock,
        lambda scheme, today: decide_declare(scheme, year, rates, basis, today, reason=header.reason),
    )


def set_provisional(
    log: Log, since: date, rate: int, basis: str, header: Header, clock: Callable[[], datetime]
) -> Done:
    """Set the rate of estimates from a day on. Raises as `decide_provisional`."""
    return _act(log, header, clock, lambda scheme, today: decide_provisional(scheme, since, rate, basis, today))


def complete(log: Log, until: date, header: Header, clock: Callable[[], datetime]) -> Done:
    """Record that all payments up to a day were handed over; with a reason in the header, also an earlier day than was
    said. Raises as `decide_complete`."""
    return _act(
        log, header, clock, lambda scheme, today: decide_complete(scheme, until, today, reason=header.reason)
    )  # fmt: skip


def issued(log: Log, year: int, position: int, header: Header, clock: Callable[[], datetime]) -> Done:
    """Record that the statements of a year were made from the log up to a position. Raises as `decide_issued`."""
    return _act(log, header, clock, lambda scheme, today: decide_issued(scheme, year, position, today))


def completions(log: Log) -> list[Event]:
    """What was said about complete payments, oldest first. Raises BrokenLog."""
    return [event for event in log.events(STREAM) if isinstance(event.fact, PaymentsComplete)]


def _act(
    log: Log, header: Header, clock: Callable[[], datetime], decide: Callable[[Scheme, date], Fact | None]
) -> Done:
    def act() -> Done:
        scheme, now = scheme_of(log), clock()
        fact = decide(scheme, jakarta_date(now))
        if fact is None:
            return Done(0)
        events = remittance.events(
            scheme.version, STREAM, [fact], header.by, header.channel, header.request, header.reason
        )
        return Done(log.append(events, now).positions[-1])

    return handle(act)
