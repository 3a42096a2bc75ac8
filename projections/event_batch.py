"""A batch of stored events as columns: what every fold starts from.

The lines of money events are stored as columns and come out as numpy columns, thousands at a time: the text of a column
of many events is parsed at once, no value becomes a Python object. Where that fails the ordinary decoder reads the events
one by one, and an event that it cannot read either is set apart with the reason, never dropped: `projector` marks the
accounts it names. The few other events come out as stored rows; those of the scheme all of them, whether they can be read
or not, because none of them may be missed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache, lru_cache
from typing import Any, Final, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from ledger.days import day_number
from ledger.errors import BrokenLog
from ledger.events import (
    BALANCES,
    DIRECTORY,
    ENTRIES,
    FACTS,
    Base,
    Columns,
    ContributionsPosted,
    ContributionsReversed,
    Event,
    Fact,
    Opening,
    OpeningBalanceRecorded,
    OpeningBalanceReversed,
    SuspenseReleased,
)
from ledger.events.scheme import STREAM as SCHEME_STREAM
from ledger.events.upcasters import KNOWN, stored_names
from ledger.identifiers import KINDS, card_number, month_number, payer_of
from ledger.store.codec import UNREADABLE, Stored, StoredRow, decode, encode, state_json

Ints = NDArray[np.int64]

POSTED, RELEASED, REVERSED, OPENING, OPENING_REVERSED, BASE = range(6)
TYPES = ("posted", "released", "reversed", "opening", "opening-reversed")
"""Of entries. A BASE line is no entry: it is what an opening balance says a later year's yield is taken from."""
_TYPE_OF: dict[str, int] = {
    ContributionsPosted.NAME: POSTED,
    SuspenseReleased.NAME: RELEASED,
    ContributionsReversed.NAME: REVERSED,
    OpeningBalanceRecorded.NAME: OPENING,
    OpeningBalanceReversed.NAME: OPENING_REVERSED,
}
MONEY = stored_names(ENTRIES) & stored_names(BALANCES)
SCHEME = stored_names(BALANCES) - MONEY
WAITING = stored_names(ENTRIES) - stored_names(BALANCES)
"""What makes money wait: no money yet of any card."""
PEOPLE = stored_names(DIRECTORY)
PAGE_BYTES = 2 * 2**20
"""Stored bytes of one batch: some 150,000 lines, or thousands of registrations."""
PAGE_ROWS = 5_000
_FAILURES = (BrokenLog, OverflowError, *UNREADABLE)


class Broken(NamedTuple):
    """An event that cannot be applied, and the class of what went wrong."""

    position: int
    stream: str
    name: str
    what: str


class Lines(NamedTuple):
    """Money lines as columns of one length; reversals of lines that still waited are no money and not in it.

    `employer`, `worker`, `tambahan`, `credited` are negative where money is taken back. Of their event: `position`, `type`
    (index in TYPES), `month` (number), `paid_on` (day number), `paid_month` (year * 12 + month - 1), `npp`; `credited` is
    yield that an opening balance brought, on a BASE line the base of the year of `paid_month` (rupiah times months), and
    `credited_tambahan` the part of either in the second sub-account.
    """

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
    paid_on: Ints
    paid_month: Ints
    npp: Ints
    credited: Ints
    credited_tambahan: Ints

    def at(self, which: Any) -> Lines:
        """The lines a mask or an order chooses."""
        return Lines(*(column[which] for column in self))


class MoneyEvents(NamedTuple):
    """What the lines of an event have in common, one value an event; `kind`: index in KINDS, `recorded`: microseconds
    since 1970."""

    position: Ints
    type: Ints
    kind: Ints
    paid_on: Ints
    npp: Ints
    recorded: Ints
    credited: Ints
    credited_tambahan: Ints
    reference: list[str]


class Ended(NamedTuple):
    """Lines that ceased to wait at `position`, released or taken back: line `line` of the event of `version` in the stream
    of `npp` (0: the holder of `card`) and `month`, where it waited for `card`."""

    card: Ints
    npp: Ints
    month: Ints
    version: Ints
    line: Ints
    position: Ints


class Money(NamedTuple):
    """What money events say, as columns."""

    lines: Lines
    events: MoneyEvents
    ended: Ended


class EventBatch(NamedTuple):
    """Events in log order, folded as far as every projection needs it. `last` is the batch's last row; `waiting`: rows by
    which lines began to wait; `ended`: the lines that ceased to; `scheme`: every row of the scheme's stream."""

    last: StoredRow
    lines: Lines
    events: MoneyEvents
    waiting: list[StoredRow]
    ended: Ended
    people: list[StoredRow]
    scheme: list[StoredRow]
    broken: list[Broken]


def read_batch(rows: Sequence[StoredRow], *, money: bool = True, people: bool = True) -> EventBatch:
    """The batch of some rows of the log, in order and at least one; ask only for what will be folded."""
    wanted = [row for row in rows if row.name in MONEY] if money else []
    unknown = [Broken(r.position, r.stream, r.name, "UnknownName") for r in rows if r.name not in KNOWN]
    broken: list[Broken] = []
    try:
        found = columns(wanted)
    except _FAILURES:
        # One of them cannot be applied, or is written as nobody here writes: find out which, one by one.
        wanted, broken = sound(wanted, lambda row: columns([row], plain=True))
        found = columns(wanted, plain=True)
    waiting = [row for row in rows if row.name in WAITING] if money else []
    others = [row for row in rows if row.name in PEOPLE] if people else []
    scheme = [row for row in rows if row.stream == SCHEME_STREAM] if money else []
    _, unread = decoded([row for row in scheme if row.name in KNOWN])
    return EventBatch(
        rows[-1], found.lines, found.events, waiting, found.ended, others, scheme, unknown + broken + unread
    )  # fmt: skip


def light(rows: Sequence[StoredRow]) -> list[StoredRow]:
    """The first rows, at least one, as long as they are light enough to be decoded together."""
    return next(batches(rows), [])


def batches(rows: Iterable[StoredRow], size: int = PAGE_BYTES) -> Iterator[list[StoredRow]]:
    """Rows in lists that are light enough (stored bytes) to be decoded together, each of at least one."""
    found: list[StoredRow] = []
    weight = 0
    for row in rows:
        weight += len(row.state)
        if found and (weight > size or len(found) == PAGE_ROWS):
            yield found
            found, weight = [], len(row.state)
        found.append(row)
    if found:
        yield found


def decoded(rows: Sequence[StoredRow]) -> tuple[list[Event], list[Broken]]:
    """The events of rows, and those that cannot be read."""
    events: list[Event] = []
    _, broken = sound(rows, lambda row: events.append(decode(row)))
    return events, broken


def sound(rows: Sequence[StoredRow], use: Callable[[StoredRow], object]) -> tuple[list[StoredRow], list[Broken]]:
    """The rows that could be used, and those that could not, with what went wrong."""
    used: list[StoredRow] = []
    broken: list[Broken] = []
    for row in rows:
        try:
            use(row)
        except _FAILURES as error:
            what = str(error.problem.details["what"]) if isinstance(error, BrokenLog) else type(error).__name__
            broken.append(Broken(row.position, row.stream, row.name, what))
        else:
            used.append(row)
    return used, broken


# --- the columns of a line, and what their values may be

_LIMITS: Final[dict[str, int]] = {
    # No single amount is this big; a fold that met one could leave 64 bits. The others are what the tables hold.
    **dict.fromkeys(("wage", "back_pay", "employer", "worker", "tambahan", "credited", "credited_tambahan"), 2**50),
    **dict.fromkeys(("epoch", "part", "npp"), 2**31 - 1),
    **dict.fromkeys(("line", "months"), 2**15 - 1),
}
_PARSED = ("wage", "back_pay", "employer", "worker", "tambahan", "epoch", "part", "months")
_NAMED = ("event", "line")
"""Which line of which event a released or reversed one was."""
_SIGNED = ("employer", "worker", "tambahan")
_EVENT_COLUMNS = (
    "position", "type", "month", "paid_on", "paid_month", "npp", "credited", "credited_tambahan", "kind", "recorded",
    "months", "sign",
)  # fmt: skip


def _bounds(fact: type[Fact], name: str) -> tuple[int, int]:
    """The least and the greatest value that a fact allows in a column."""
    (field,) = (one for one in msgspec.structs.fields(fact) if one.name == "lines")
    (column,) = (one for one in msgspec.structs.fields(field.type) if one.name == name)
    found: Any = msgspec.inspect.type_info(column.type)
    return found.item_type.ge, found.item_type.le


_BOUNDS = {name: _bounds(ContributionsPosted, name) for name in _PARSED}
_BOUNDS |= {name: _bounds(SuspenseReleased, name) for name in _NAMED}


def _undecoded(kind: type[msgspec.Struct]) -> type[msgspec.Struct]:
    """A fact, or lines, with the columns that are parsed here left as their JSON text; all else is checked as ever."""
    fields: list[Any] = []
    is_lines = issubclass(kind, Columns)
    for one in msgspec.structs.fields(kind):
        if is_lines and (one.name in _BOUNDS or one.name == "kpj"):
            fields.append((one.name, msgspec.Raw) if one.required else (one.name, msgspec.Raw, msgspec.Raw()))
            continue
        lines = isinstance(one.type, type) and issubclass(one.type, Columns)
        type_ = _undecoded(one.type) if lines else one.type
        if one.default_factory is not msgspec.NODEFAULT:
            fields.append((one.name, type_, msgspec.field(default_factory=one.default_factory)))
        elif one.default is not msgspec.NODEFAULT:
            fields.append((one.name, type_, one.default))
        else:
            fields.append((one.name, type_))
    return msgspec.defstruct(kind.__name__, fields, frozen=True, kw_only=True, forbid_unknown_fields=True)


@cache
def _decoder(name: str) -> msgspec.json.Decoder[Stored[Any]]:
    kind: type[Fact] = FACTS[name]
    shape: Any = kind if issubclass(kind, Opening) else _undecoded(kind)
    return msgspec.json.Decoder(Stored[shape])


def columns(rows: Sequence[StoredRow], *, plain: bool = False) -> Money:
    """What rows of MONEY events say. Raises whatever a row that cannot be read raises.

    `plain`: read every row with the ordinary decoder first, which is several times slower and checks everything.
    """
    gathered = _Gathered()
    for row in rows:
        name, state = row.name, row.state
        if plain or name not in FACTS:
            event = decode(row)
            name, state = event.fact.NAME, encode(event)
        gathered.take(row, _TYPE_OF[name], _decoder(name).decode(state_json(state)))
    return gathered.columns()


class _Gathered:
    """The undecoded columns of many events."""

    def __init__(self) -> None:
        self.events: list[tuple[int, ...]] = []
        self.references: list[str] = []
        self.sizes: list[int] = []
        self.kpjs: list[bytes] = []
        self.parts: dict[str, list[bytes]] = {name: [] for name in _BOUNDS}
        self.where: dict[str, list[int]] = {name: [] for name in _BOUNDS}
        self.suspended: dict[int, list[bool]] = {}
        self.waited_as: dict[int, list[str]] = {}

    def take(self, row: StoredRow, type_: int, stored: Stored[Any]) -> None:
        fact = stored.fact
        if type_ >= OPENING:
            sign, day = (1 if type_ == OPENING else -1), fact.as_of
            month, kind, npp, reference, months = day[:7], "opening", 0, fact.source, fact.months * sign
            credited, second = fact.credited_yield * sign, fact.tambahan_yield * sign
            self.kpjs.append(b'"%s"' % row.stream.partition(":")[2].encode())
            self.sizes.append(1)
            for name in _SIGNED:
                self._put(name, b"%d" % getattr(fact, name))
        else:
            sign, day, credited, second = (-1 if type_ == REVERSED else 1), fact.paid_on, 0, 0
            month, kind, npp, reference = fact.month, fact.kind, payer_of(row.stream), fact.reference
            months = 0 if type_ == REVERSED else 1
            self._take_lines(fact.lines)
        self.references.append(reference)
        self.events.append(
            (
                row.position, type_, month_number(month) or 0, day_number(day), int(day[:4]) * 12 + int(day[5:7]) - 1,
                npp, credited, second, KINDS.index(kind), microseconds(stored.recorded_at), months, sign,
            )
        )  # fmt: skip
        if type_ >= OPENING and fact.bases:
            self._take_bases(sign, fact.bases)

    def _take_bases(self, sign: int, bases: Sequence[Base]) -> None:
        """Lines of their own, each in its year, after those of the opening balance that was taken last."""
        (position, _, _, day, *_, kind, recorded, _, _), kpj = self.events[-1], self.kpjs[-1]
        for base in bases:
            december = base.year * 12 + 11
            both, second = (base.utama + base.tambahan) * sign, base.tambahan * sign
            self.kpjs.append(kpj)
            self.sizes.append(1)
            self.references.append("")
            self.events.append((position, BASE, december, day, december, 0, both, second, kind, recorded, 0, sign))

    def _take_lines(self, lines: Any) -> None:
        text = bytes(lines.kpj)[1:-1]
        size = text.count(b",") + 1 if text else 0
        for name in lines.__struct_fields__:
            column = getattr(lines, name)
            if name == "kpj" or not column:
                continue
            if isinstance(column, list):
                count = len(column)
                if name == "suspended":
                    self.suspended[len(self.events)] = column
                elif name == "waited_as":
                    self.waited_as[len(self.events)] = column
            else:
                inner = bytes(column)[1:-1]
                count = inner.count(b",") + 1 if inner else 0
                if inner:
                    self._put(name, inner)
            if count not in (size, 0):
                raise ValueError(f"{count} values of {name} for {size} lines")
        if size:
            self.kpjs.append(text)
        self.sizes.append(size)

    def _put(self, name: str, text: bytes) -> None:
        self.parts[name].append(text)
        self.where[name].append(len(self.events))

    def columns(self) -> Money:
        table = np.array(self.events, np.int64).reshape(len(self.events), len(_EVENT_COLUMNS)).T
        of_event = dict(zip(_EVENT_COLUMNS, table, strict=True))
        sizes = np.array(self.sizes, np.int64)
        total = int(sizes.sum())
        made: dict[str, Ints] = {"card": _cards(self.kpjs, total), "line": _within(sizes)}
        for name in _EVENT_COLUMNS[:8]:
            made[name] = np.repeat(of_event[name], sizes)
        for name in _PARSED:
            made[name] = self._parsed(name, sizes, total, of_event["months"])
        if (of_event["sign"] < 0).any():
            sign = np.repeat(of_event["sign"], sizes)
            made |= {name: made[name] * sign for name in _SIGNED}
        for name, limit in _LIMITS.items():
            if total and (made[name].max() > limit or made[name].min() < -limit):
                raise OverflowError
        lines, waited = Lines(**made), self._taken_back(sizes, total)
        ended = self._ended(lines, waited, sizes, of_event["months"])
        if waited.any():
            lines = lines.at(~waited)
        events = {name: of_event[name] for name in MoneyEvents._fields if name != "reference"}
        references = self.references
        bases = of_event["type"] == BASE
        if bases.any():
            events = {name: column[~bases] for name, column in events.items()}
            references = [text for text, is_base in zip(references, bases.tolist(), strict=True) if not is_base]
        return Money(lines, MoneyEvents(**events, reference=references), ended)

    def _taken_back(self, sizes: Ints, total: int) -> NDArray[np.bool_]:
        """The lines that were taken back while they waited."""
        found, starts = np.zeros(total, bool), np.cumsum(sizes) - sizes
        for event, column in self.suspended.items():
            found[starts[event] : starts[event] + len(column)] = column
        return found

    def _ended(self, lines: Lines, taken_back: NDArray[np.bool_], sizes: Ints, months: Ints) -> Ended:
        """The lines among all that ceased to wait."""
        which, total = taken_back | (lines.type == RELEASED), len(lines.card)
        version, line = (self._parsed(name, sizes, total, months) for name in _NAMED)
        card = lines.card
        if self.waited_as:
            card, starts = card.copy(), np.cumsum(sizes) - sizes
            for event, column in self.waited_as.items():
                for place, kpj in enumerate(column, int(starts[event])):
                    if kpj:
                        card[place] = card_number(kpj)
        found = Ended(card, lines.npp, lines.month, version, line, lines.position)
        return Ended(*(values[which] for values in found))

    def _parsed(self, name: str, sizes: Ints, total: int, months: Ints) -> Ints:
        """The values of a column; an event that leaves it out has the default in all its lines."""
        default = np.repeat(months, sizes) if name == "months" else np.zeros(total, np.int64)
        if not self.parts[name]:
            return default
        values = np.fromstring(b",".join(self.parts[name]), np.int64, sep=",")
        # numpy stops at what is no number; some versions say so, others do not.
        if len(values) != int(sizes[self.where[name]].sum()):
            raise ValueError(f"{name} has other values than numbers")
        least, greatest = _BOUNDS[name]
        if len(values) and (values.min() < least or values.max() > greatest):
            raise ValueError(f"{name} is out of its bounds")
        if len(values) == total:
            return values
        has = np.zeros(len(sizes), bool)
        has[self.where[name]] = True
        default[np.repeat(has, sizes)] = values
        return default


def _within(sizes: Ints) -> Ints:
    """0, 1, 2 .. inside each event."""
    starts = np.cumsum(sizes) - sizes
    return np.arange(int(sizes.sum())) - np.repeat(starts, sizes)


_CELL = 14
"""Bytes of a KPJ of eleven digits with its quotes and comma."""


def _cards(texts: list[bytes], total: int) -> Ints:
    """`card_number` of the KPJ in JSON lists without brackets: cut by bytes where all of them are eleven digits."""
    joined = b",".join(texts)
    if len(joined) + 1 == _CELL * total or not total:
        found = _canonical(joined)
        if found is not None:
            return found
    found = np.concatenate([_cards_of(text) for text in texts])
    if len(found) != total:
        raise ValueError("a KPJ with a comma")
    return found


def _cards_of(text: bytes) -> Ints:
    found = _canonical(text) if (len(text) + 1) % _CELL == 0 else None
    if found is None:
        found = card_numbers(msgspec.json.decode(b"[" + text + b"]", type=list[str]))
    return found


def _canonical(text: bytes) -> Ints | None:
    """The cards in `"12345678901","12345678902"`, None when it does not look like that."""
    cells = np.frombuffer(text + b",", np.uint8) if text else np.zeros(0, np.uint8)
    cells = cells.reshape(-1, _CELL)
    quoted = (cells[:, 0] == ord('"')) & (cells[:, 12] == ord('"')) & (cells[:, 13] == ord(","))
    digits = np.ascontiguousarray(cells.T[1:12]) - np.uint8(ord("0"))
    if not quoted.all() or (digits > 9).any():
        return None
    number: Ints = digits[0].astype(np.int64)
    for digit in digits[1:]:
        number *= 10
        number += digit
    return number


def card_numbers(kpjs: Sequence[str]) -> Ints:
    """`card_number` of every KPJ. Raises ValueError for one that no card ever had."""
    return np.array([card_number(kpj) for kpj in kpjs], np.int64)


@lru_cache(1024)
def microseconds(recorded_at: str) -> int:
    """Microseconds since 1970 of `2026-11-21T06:29:00.123456Z`."""
    days = day_number(recorded_at[:10])
    hours, minutes, seconds = int(recorded_at[11:13]), int(recorded_at[14:16]), int(recorded_at[17:19])
    return (((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1_000_000 + int(recorded_at[20:26])
