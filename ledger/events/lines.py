"""The lines of a remittance, stored as columns: one array a field, and no array that would hold only the default.

    "lines":{"kpj":["26000000017","26000000025"],"wage":[5000000,4000000],"employer":[185000,148000],...}

The columns that ingestion makes are the ones that are stored and the ones that folds read, so nothing is turned from rows
to columns and back. Where single lines are decided, `lines[i]` and iteration give them as named tuples, and `of` makes
columns of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import repeat
from typing import Annotated, Any, ClassVar, NamedTuple, TypeVar, cast

import msgspec
from msgspec import Meta, Struct

from ledger.events.fact import Count, Rupiah

LINES_AN_EVENT = 1_000

Months = Annotated[int, Meta(ge=-1, le=1)]


class Line(NamedTuple):
    """One worker's money, in rupiah. `part`: which payment of the same kind for the month. `months`: 1 when the (payer,
    month, worker) first turned positive. `tambahan`: the part of employer + worker in the second sub-account."""

    kpj: str
    wage: int = 0
    back_pay: int = 0
    employer: int = 0
    worker: int = 0
    epoch: int = 0
    tambahan: int = 0
    part: int = 0
    months: int = 1


class SuspendedLine(NamedTuple):
    """A line that could not be posted, with the reason's code. It counts no month."""

    kpj: str
    wage: int = 0
    back_pay: int = 0
    employer: int = 0
    worker: int = 0
    epoch: int = 0
    tambahan: int = 0
    part: int = 0
    reason: str = ""


class ReleasedLine(NamedTuple):
    """A line posted out of suspense: it was line `line` (from 0) of the suspending event, version `event`.

    `waited_as`: the KPJ it waited under, "" when that is `kpj`.
    """

    kpj: str
    wage: int = 0
    back_pay: int = 0
    employer: int = 0
    worker: int = 0
    epoch: int = 0
    tambahan: int = 0
    part: int = 0
    months: int = 1
    event: int = 0
    line: int = 0
    waited_as: str = ""


class ReversedLine(NamedTuple):
    """A line neutralised: line `line` (from 0) of the event of version `event` that posted it (the release, if it was
    released), or that suspended it while it still waits (`suspended`). Part, epoch and shares are repeated.

    `months` is -1 when the month turns to nothing by it, else 0.
    """

    kpj: str
    wage: int = 0
    back_pay: int = 0
    employer: int = 0
    worker: int = 0
    epoch: int = 0
    tambahan: int = 0
    part: int = 0
    months: int = 0
    event: int = 0
    line: int = 0
    suspended: bool = False


L = TypeVar("L", bound="Columns")


class Columns(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Lines as columns. An empty column stands for one of defaults; the others are as long as `kpj`.

    `ROW` is the named tuple of a line, whose defaults are those of the columns. Raises ValueError for columns of unequal
    length.
    """

    ROW: ClassVar[Any]
    WRITTEN: ClassVar[frozenset[str]] = frozenset(("kpj",))
    """Columns that are written even where all values are the default."""

    def __post_init__(self) -> None:
        columns = msgspec.structs.astuple(self)
        size = len(self)
        for name, column in zip(self.__struct_fields__, columns, strict=True):
            if column and isinstance(column, list) and len(column) != size:
                raise ValueError(f"{len(column)} values of {name} for {size} lines")

    def __len__(self) -> int:
        return len(cast(Any, self).kpj)

    def column(self, name: str) -> Sequence[Any]:
        """The values of a field, defaults filled in."""
        return getattr(self, name) or [self.ROW._field_defaults.get(name)] * len(self)

    def value(self, name: str, place: int) -> Any:
        """A field of one line."""
        column = getattr(self, name)
        return column[place] if column else self.ROW._field_defaults[name]

    def __iter__(self) -> Iterator[Any]:
        defaults = self.ROW._field_defaults
        columns = (getattr(self, name) or repeat(defaults.get(name), len(self)) for name in self.ROW._fields)
        return iter(map(self.ROW, *columns))

    def __getitem__(self, place: int) -> Any:
        defaults = self.ROW._field_defaults
        columns = ((getattr(self, name), name) for name in self.ROW._fields)
        return self.ROW(*(column[place] if column else defaults[name] for column, name in columns))

    @classmethod
    def of(cls: type[L], rows: Iterable[Any]) -> L:
        """The columns of lines; a column of defaults only is left out."""
        given = list(rows)
        columns = map(list, zip(*given, strict=True)) if given else ([] for _ in cls.ROW._fields)
        return cls.made(**dict(zip(cls.ROW._fields, columns, strict=True)))

    @classmethod
    def made(cls: type[L], **columns: list[Any]) -> L:
        """Columns; one of defaults only is left out."""
        defaults = cls.ROW._field_defaults
        kept = {
            name: column
            for name, column in columns.items()
            if name in cls.WRITTEN or column.count(defaults[name]) != len(column)
        }
        return cls(**kept)


class _Payments(Columns, frozen=True):
    """What every kind of line has."""

    kpj: list[str]
    wage: list[Rupiah] = []
    back_pay: list[Rupiah] = []
    employer: list[Rupiah] = []
    worker: list[Rupiah] = []
    epoch: list[Count] = []
    tambahan: list[Rupiah] = []
    part: list[Count] = []


class Lines(_Payments, frozen=True):
    """Posted lines."""

    ROW: ClassVar = Line
    months: list[Months] = []


class SuspendedLines(_Payments, frozen=True):
    """Lines that wait."""

    ROW: ClassVar = SuspendedLine
    reason: list[str] = []


class ReleasedLines(_Payments, frozen=True):
    """Lines posted out of suspense."""

    ROW: ClassVar = ReleasedLine
    months: list[Months] = []
    event: list[Count] = []
    line: list[Count] = []
    waited_as: list[str] = []


class ReversedLines(_Payments, frozen=True):
    """Lines taken back. `months` is always written: nothing about a reversal is inherited from a default."""

    ROW: ClassVar = ReversedLine
    WRITTEN: ClassVar = frozenset(("kpj", "months"))
    months: list[Months] = []
    event: list[Count] = []
    line: list[Count] = []
    suspended: list[bool] = []


def line_bytes(lines: Columns, place: int) -> bytes:
    """The canonical bytes of one line: compact JSON in declared order, defaults left out except those that are always
    written. What proofs, receipts and comparisons are made of; a golden file keeps it."""
    row = lines[place]
    defaults = row._field_defaults
    said = {
        name: value
        for name, value in zip(row._fields, row, strict=True)
        if name in lines.WRITTEN or value != defaults[name]
    }
    return msgspec.json.encode(said)
