"""`known_at`: what had been recorded when. A place in the log, named by a position or by a moment, that never comes to hold
more than it holds now.

A position is that for ever. A moment is the last position recorded at or before it; moments rise with positions, so it is
found by halving. The last minutes are no such place yet: an append says its moment before it is seen, and by a clock that
may differ from this process's, so something could still be recorded at a moment that was asked for (`known-at-not-settled`).
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from ledger.clock import jakarta_date
from ledger.errors import Refused
from ledger.store.log import CLOCKS_APART, Log, iso, parse_position

SETTLED = CLOCKS_APART + timedelta(minutes=1)
"""After so long nothing more is recorded at a moment: clocks apart, and the longest append."""
_POSITION = re.compile(r"[0-9a-f]{16}-[0-9]{1,18}")
# In an address a + that is not escaped arrives as a blank.
_MOMENT = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?)(Z|[+ -]\d\d:\d\d)", re.ASCII)
_WITHOUT_ZONE = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?)?", re.ASCII)


class KnownAt(NamedTuple):
    """The log up to `position` (at least 1), whose event was recorded at `recorded_at`; `day`: the Jakarta date of the
    moment that was named, by a position its event's: the day that is meant where no other is named."""

    position: int
    recorded_at: str
    day: date


def known_at(log: Log, text: str, now: datetime) -> KnownAt:
    """The place that a text names: `<log id>-<n>`, or a moment as `2026-02-10T15:30+07:00`.

    Raises Refused: known-at-unreadable, known-at-without-zone, known-at-in-future, known-at-not-settled,
    known-at-before-log, position-foreign, position-ahead.
    """
    if _POSITION.fullmatch(text):
        return at_position(log, parse_position(text, log.log_id, log.head()))
    moment = _moment(text)
    if moment > now:
        raise Refused("known-at-in-future")
    asked, head = iso(moment), log.head()
    if not head or asked < log.recorded_at(1):
        raise Refused("known-at-before-log")
    if asked >= log.recorded_at(head) and moment > now - SETTLED:
        raise Refused("known-at-not-settled", minutes=round(SETTLED.total_seconds() / 60))
    position = _last_until(log, asked, head)
    return KnownAt(position, log.recorded_at(position), jakarta_date(moment))


def at_position(log: Log, position: int) -> KnownAt:
    """The place of a position that the log has. Raises Refused(known-at-before-log) for 0."""
    if not position:
        raise Refused("known-at-before-log")
    recorded_at = log.recorded_at(position)
    return KnownAt(position, recorded_at, jakarta_date(datetime.fromisoformat(recorded_at)))


def _moment(text: str) -> datetime:
    found = _MOMENT.fullmatch(text)
    if found is None:
        if _WITHOUT_ZONE.fullmatch(text):
            raise Refused("known-at-without-zone")
        raise Refused("known-at-unreadable")
    zone = found[2].replace(" ", "+")
    try:
        return datetime.fromisoformat(found[1] + ("+00:00" if zone == "Z" else zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise Refused("known-at-unreadable") from None


def _last_until(log: Log, moment: str, head: int) -> int:
    """The last position of 1 .. `head` that was recorded at or before a moment (the first one was)."""
    low, high = 1, head
    while low < high:
        middle = (low + high + 1) // 2
        if log.recorded_at(middle) <= moment:
            low = middle
        else:
            high = middle - 1
    return low
