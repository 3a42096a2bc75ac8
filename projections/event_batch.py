"""A page of stored events as columns: what every fold starts from.

Money lines come out as numpy columns, thousands at a time; the few other events come out decoded one by one. An event
that cannot be applied is set apart with the reason, never dropped: `follow.py` marks the accounts it names.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ledger.errors import BrokenLog
from ledger.events import (
    BALANCES,
    DIRECTORY,
    ContributionsPosted,
    ContributionsReversed,
    Event,
    Fact,
    Opening,
    OpeningBalanceRecorded,
    OpeningBalanceReversed,
    SuspenseReleased,
)
from ledger.events.upcasters import KNOWN, stored_names
from ledger.identifiers import KINDS, card_number, month_number
from ledger.store.account_index import day_number, payer_of
from ledger.store.codec import StoredRow, decode, recorded_at_of

Ints = NDArray[np.int64]

POSTED, RELEASED, REVERSED, OPENING, OPENING_REVERSED = range(5)
TYPES = ("posted", "released", "reversed", "opening", "opening-reversed")
_TYPE_OF: dict[type[Fact], int] = {
    ContributionsPosted: POSTED,
    SuspenseReleased: RELEASED,
    ContributionsReversed: REVERSED,
    OpeningBalanceRecorded: OPENING,
    OpeningBalanceReversed: OPENING_REVERSED,
}
MONEY = stored_names(BALANCES)
PEOPLE = stored_names(DIRECTORY)
PAGE_BYTES = 2 * 2**20
"""Stored bytes of one page: some 100,000 lines, or thousands of registrations."""
_ABSURD = 2**50
"""No single amount is this big; a fold that met one could leave 64 bits."""
_FAILURES = (BrokenLog, KeyError, ValueError, OverflowError)


class Broken(NamedTuple):
    """An event that cannot be applied, and the class of what went wrong."""

    position: int
    stream: str
    name: str
    what: str


class Lines(NamedTuple):
    """Money lines as columns; `event` indexes the columns of the events they came from.

    `employer`, `worker` and `tambahan` are negative on a reversal. Held reversals and suspended lines are no money.
    Of an event: `position`, `type` (index in TYPES), `month` (number), `kind` (index in KINDS), `paid_on` (day number),
    `paid_month` (year * 12 + month - 1), `npp`, `recorded` (microseconds since 1970), `credited`, `reference`.
    """

    event: Ints
    card: Ints
    line: Ints
    wage: Ints
    back_pay: Ints
    employer: Ints
    worker: Ints
    tambahan: Ints
    epoch: Ints
    part: Ints
    months: Ints
    position: Ints
    type: Ints
    month: Ints
    kind: Ints
    paid_on: Ints
    paid_month: Ints
    npp: Ints
    recorded: Ints
    credited: Ints
    reference: list[str]


class EventBatch(NamedTuple):
    """Events in log order, folded as far as every projection needs it. `last` is the page's last row."""

    last: StoredRow
    lines: Lines
    people: list[StoredRow]
    broken: list[Broken]


def read_batch(rows: Sequence[StoredRow], *, money: bool = True, people: bool = True) -> EventBatch:
    """The page of some rows of the log, in order and at least one; ask only for what will be folded."""
    wanted = [row for row in rows if row.name in MONEY] if money else []
    unknown = [Broken(r.position, r.stream, r.name, "UnknownName") for r in rows if r.name not in KNOWN]
    broken: list[Broken] = []
    try:
        lines = columns(wanted)
    except _FAILURES:
        # One of them cannot be applied: find out which, one by one.
        wanted, broken = _sound(wanted, lambda row: columns([row]))
        lines = columns(wanted)
    others = [row for row in rows if row.name in PEOPLE] if people else []
    return EventBatch(rows[-1], lines, others, unknown + broken)


def light(rows: Sequence[StoredRow]) -> list[StoredRow]:
    """The first rows, at least one, as long as they are light enough to be decoded together."""
    weight = 0
    for i, row in enumerate(rows):
        weight += len(row.state)
        if weight > PAGE_BYTES and i:
            return list(rows[:i])
    return list(rows)


def decoded(rows: Sequence[StoredRow]) -> tuple[list[Event], list[Broken]]:
    """The events of rows, and those that cannot be read."""
    events: list[Event] = []
    _, broken = _sound(rows, lambda row: events.append(decode(row)))
    return events, broken


def _sound(rows: Sequence[StoredRow], use: Callable[[StoredRow], object]) -> tuple[list[StoredRow], list[Broken]]:
    sound: list[StoredRow] = []
    broken: list[Broken] = []
    for row in rows:
        try:
            use(row)
        except _FAILURES as error:
            what = str(error.problem.details["what"]) if isinstance(error, BrokenLog) else type(error).__name__
            broken.append(Broken(row.position, row.stream, row.name, what))
        else:
            sound.append(row)
    return sound, broken


def columns(rows: Sequence[StoredRow]) -> Lines:
    """The money lines of rows of MONEY events. Raises whatever a row that cannot be read raises."""
    events: list[tuple[int, ...]] = []
    references: list[str] = []
    counts: list[int] = []
    kpjs: list[str] = []
    parts: dict[str, list[Ints]] = {name: [] for name in (*_LINE_COLUMNS, "suspended")}
    for row in rows:
        event = decode(row)
        fact: Any = event.fact
        kind_of_event = _TYPE_OF[type(fact)]
        if isinstance(fact, Opening):
            day = fact.as_of
            month, kind, npp, reference, credited = day[:7], "opening", 0, fact.source, fact.credited_yield
            kpjs.append(row.stream.partition(":")[2])
            size, sign = 1, -1 if kind_of_event == OPENING_REVERSED else 1
            credited *= sign
            given = {"employer": [fact.employer], "worker": [fact.worker], "tambahan": [fact.tambahan]}
            given["months"] = [fact.months * sign]
        else:
            day, month, kind, reference, credited = fact.paid_on, fact.month, fact.kind, fact.reference, 0
            npp, size, sign = payer_of(row.stream), len(fact.lines), -1 if kind_of_event == REVERSED else 1
            kpjs += fact.lines.kpj
            given = {name: getattr(fact.lines, name, []) for name in _LINE_COLUMNS}
            given["months"] = given["months"] or [fact.lines.ROW._field_defaults["months"]] * size
        given["suspended"] = getattr(getattr(fact, "lines", None), "suspended", [])
        for name, made in parts.items():
            values = given.get(name)
            array = np.array(values, np.int64) if values else np.zeros(size, np.int64)
            made.append(-array if sign < 0 and name in _SIGNED else array)
        counts.append(size)
        events.append(
            (
                row.position, kind_of_event, month_number(month) or 0, KINDS.index(kind), day_number(day),
                int(day[:4]) * 12 + int(day[5:7]) - 1, npp, microseconds(recorded_at_of(row.state)), credited,
            )
        )  # fmt: skip
        references.append(reference)
    table = np.array(events, np.int64).reshape(len(events), len(_EVENT_COLUMNS)).T
    count = np.array(counts, np.int64)
    joined = {name: np.concatenate(values) if values else np.zeros(0, np.int64) for name, values in parts.items()}
    suspended = joined.pop("suspended")
    joined |= {"event": np.repeat(np.arange(len(events)), count), "card": card_numbers(kpjs), "line": _within(count)}
    if suspended.any():
        joined = {name: values[suspended == 0] for name, values in joined.items()}
    if len(joined["card"]) and max(int(np.abs(joined[name]).max()) for name in _AMOUNTS) > _ABSURD:
        raise OverflowError
    return Lines(**joined, **dict(zip(_EVENT_COLUMNS, table, strict=True)), reference=references)


_AMOUNTS = ("wage", "back_pay", "employer", "worker")
_SIGNED = frozenset(("employer", "worker", "tambahan"))
_LINE_COLUMNS = (*_AMOUNTS, "tambahan", "epoch", "part", "months")
_EVENT_COLUMNS = ("position", "type", "month", "kind", "paid_on", "paid_month", "npp", "recorded", "credited")


def _within(count: Ints) -> Ints:
    """0, 1, 2 .. inside each event."""
    starts = np.cumsum(count) - count
    return np.arange(int(count.sum())) - np.repeat(starts, count)


def card_numbers(kpjs: list[str]) -> Ints:
    """`card_number` of every KPJ, at once when all of them are eleven digits."""
    joined = "".join(kpjs)
    if len(joined) == 11 * len(kpjs) and joined.isascii() and joined.isdigit() and _all_eleven(kpjs):
        digits = np.frombuffer(joined.encode(), np.uint8).reshape(len(kpjs), 11).astype(np.int64) - 48
        return digits @ (10 ** np.arange(10, -1, -1, dtype=np.int64))
    return np.array([card_number(kpj) for kpj in kpjs], np.int64)


def _all_eleven(kpjs: list[str]) -> bool:
    return set(map(len, kpjs)) <= {11}


def microseconds(recorded_at: str) -> int:
    """Microseconds since 1970 of `2026-11-21T06:29:00.123456Z`."""
    days = day_number(recorded_at[:10])
    hours, minutes, seconds = int(recorded_at[11:13]), int(recorded_at[14:16]), int(recorded_at[17:19])
    return (((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1_000_000 + int(recorded_at[20:26])
