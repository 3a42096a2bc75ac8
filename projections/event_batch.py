"""A page of stored events as columns: what every fold starts from.

Money lines come out as numpy columns, thousands at a time; the few other events come out decoded one by one. An event
that cannot be applied is set apart with the reason, never dropped: `follow.py` marks the accounts it names.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from ledger.errors import BrokenLog
from ledger.events import (
    FACTS,
    AccountOpened,
    ContributionsPosted,
    ContributionsReversed,
    EmployerRegistered,
    Event,
    MembershipEnded,
    MembershipStarted,
    OpeningBalanceRecorded,
    PersonCorrected,
    PersonErased,
    PersonRegistered,
    SegmentChanged,
    SuspenseReleased,
)
from ledger.identifiers import KINDS, card_number, month_number
from ledger.store.account_index import day_number, payer_of
from ledger.store.codec import StoredRow, decode, decoder, recorded_at_of, state_json

Ints = NDArray[np.int64]

POSTED, RELEASED, REVERSED, OPENING = range(4)
TYPES = ("posted", "released", "reversed", "opening")
_TYPE_OF = {
    ContributionsPosted.NAME: POSTED,
    SuspenseReleased.NAME: RELEASED,
    ContributionsReversed.NAME: REVERSED,
    OpeningBalanceRecorded.NAME: OPENING,
}
MONEY = frozenset(_TYPE_OF)
PEOPLE = frozenset(
    fact.NAME
    for fact in (
        EmployerRegistered, PersonRegistered, PersonCorrected, PersonErased, AccountOpened, MembershipStarted,
        MembershipEnded, SegmentChanged, OpeningBalanceRecorded,
    )
)  # fmt: skip
PAGE_BYTES = 2 * 2**20
"""Stored bytes of one page: some 100,000 lines, or thousands of registrations."""
_ABSURD = 2**50
"""No single amount is this big; a fold that met one could leave 64 bits."""
_FAILURES = (BrokenLog, KeyError, ValueError, OverflowError, zlib.error, msgspec.DecodeError)


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
    unknown = [Broken(r.position, r.stream, r.name, "UnknownName") for r in rows if r.name not in FACTS]
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
            broken.append(Broken(row.position, row.stream, row.name, type(error).__name__))
        else:
            sound.append(row)
    return sound, broken


def columns(rows: Sequence[StoredRow]) -> Lines:
    """The money lines of rows of MONEY events. Raises whatever a row that cannot be read raises."""
    events: list[tuple[int, ...]] = []
    references: list[str] = []
    lines: list[Any] = []
    counts: list[int] = []
    kpjs: list[str] = []
    opened: dict[int, OpeningBalanceRecorded] = {}
    seen = bytearray(3)
    for row in rows:
        data = state_json(row.state)
        fact = decoder(row.name).decode(data).fact
        kind_of_event = _TYPE_OF[row.name]
        if kind_of_event == OPENING:
            day = fact.as_of
            month, kind, npp, reference, credited = day[:7], "opening", 0, fact.source, fact.credited_yield
            opened[len(lines)] = fact
            lines.append(fact)
            counts.append(1)
            kpjs.append(row.stream.partition(":")[2])
        else:
            day, month, kind, reference, credited = fact.paid_on, fact.month, fact.kind, fact.reference, 0
            npp = payer_of(row.stream)
            lines += fact.lines
            counts.append(len(fact.lines))
            kpjs += [line.kpj for line in fact.lines]
            # The keys are absent where the value is the default: mostly everywhere.
            for i, key in enumerate((b'"epoch"', b'"tambahan"', b'"months"')):
                seen[i] |= key in data
        events.append(
            (
                row.position, kind_of_event, month_number(month) or 0, KINDS.index(kind), day_number(day),
                int(day[:4]) * 12 + int(day[5:7]) - 1, npp, microseconds(recorded_at_of(row.state)), credited,
            )
        )  # fmt: skip
        references.append(reference)
    table = np.array(events, np.int64).reshape(len(events), 9).T
    count = np.array(counts, np.int64)
    event = np.repeat(np.arange(len(events)), count)
    card = card_numbers(kpjs)
    if opened or REVERSED in table[1]:
        made = _mixed(lines, event, table[1], count, card)
    else:
        made = _plain(lines, event, count, card, seen)
    if (
        len(made["card"])
        and max(int(made[name].max()) for name in ("wage", "back_pay", "employer", "worker")) > _ABSURD
    ):
        raise OverflowError
    return Lines(**made, **dict(zip(_EVENT_COLUMNS, table, strict=True)), reference=references)


_EVENT_COLUMNS = ("position", "type", "month", "kind", "paid_on", "paid_month", "npp", "recorded", "credited")


def _numbers(values: list[int]) -> Ints:
    return np.array(values, np.int64)


def _within(count: Ints) -> Ints:
    """0, 1, 2 .. inside each event."""
    starts = np.cumsum(count) - count
    return np.arange(int(count.sum())) - np.repeat(starts, count)


def _plain(lines: list[Any], event: Ints, count: Ints, card: Ints, seen: bytearray) -> dict[str, Ints]:
    """Columns of posted and released lines; `seen`: whether epoch, tambahan, months are given anywhere."""
    zeros = np.zeros(len(lines), np.int64)
    return {
        "event": event,
        "card": card,
        "line": _within(count),
        "wage": _numbers([line.wage for line in lines]),
        "back_pay": _numbers([line.back_pay for line in lines]),
        "employer": _numbers([line.employer for line in lines]),
        "worker": _numbers([line.worker for line in lines]),
        "tambahan": _numbers([line.tambahan for line in lines]) if seen[1] else zeros,
        "epoch": _numbers([line.epoch for line in lines]) if seen[0] else zeros,
        "months": _numbers([line.months for line in lines]) if seen[2] else np.ones(len(lines), np.int64),
    }


def _mixed(lines: list[Any], event: Ints, types: Ints, count: Ints, card: Ints) -> dict[str, Ints]:
    """Columns of lines of any type: reversals turn negative, held ones go, opening balances have no wage."""
    made = {
        name: _numbers([getattr(line, name, 0) for line in lines])
        for name in ("wage", "back_pay", "employer", "worker", "tambahan", "epoch", "months")
    }
    made |= {"event": event, "card": card, "line": _within(count)}
    reversal = types[event] == REVERSED
    for name in ("employer", "worker", "tambahan"):
        made[name][reversal] *= -1
    held = np.array([getattr(line, "held", False) for line in lines], bool)
    return {name: values[~held] for name, values in made.items()} if held.any() else made


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
