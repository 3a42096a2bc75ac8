"""Which columns each kind of input has: the layouts, and how a header line is matched to them.

The order and letter case of columns are free; blanks around a name and a byte order mark do not count. A column that
is not known is refused by name, so that a misspelt optional column never goes unnoticed.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from ledger.errors import Refused

MAX_RUPIAH_CELL = 10**15 - 1
MAX_COUNT_CELL = 1_200
MAX_LIST_CELL = 4_000
_NAMED = 10
_SHOWN_NAME = re.compile(r"[A-Za-z][A-Za-z_ ./-]{0,39}")


class Column(NamedTuple):
    """A column: `type` chooses its reader in `cells.py`.

    `required`: the header must have it. `filled`: its cells must not be empty. `limit`: the largest number, or the
    longest text in characters.
    """

    name: str
    type: str
    required: bool = True
    filled: bool = True
    limit: int = 0


def _rupiah(name: str, *, required: bool = True, filled: bool = True) -> Column:
    return Column(name, "rupiah", required, filled, MAX_RUPIAH_CELL)


EMPLOYERS = (
    Column("npp", "npp"),
    Column("name", "text", limit=100),
    Column("registered_on", "date"),
)
REGISTRATIONS = (
    Column("kpj", "kpj"),
    Column("nik", "nik"),
    Column("name", "text", limit=100),
    Column("birth_date", "birth"),
    Column("sex", "sex"),
    Column("segment", "segment"),
    Column("npp", "npp", filled=False),
    Column("email", "email", filled=False, limit=254),
    Column("phone", "phone", filled=False),
    Column("registered_on", "date"),
    Column("left_on", "date", required=False, filled=False),
    Column("left_why", "leaving", required=False, filled=False),
)
CONTRIBUTIONS = (
    Column("npp", "npp", filled=False),
    Column("month", "month"),
    Column("kpj", "kpj"),
    _rupiah("wage", filled=False),
    _rupiah("back_pay", required=False, filled=False),
    _rupiah("employer", required=False, filled=False),
    _rupiah("worker", required=False, filled=False),
    Column("paid_on", "date"),
    Column("reference", "reference", required=False, filled=False, limit=40),
    Column("division", "division", required=False, filled=False),
    Column("kind", "kind", required=False, filled=False),
    Column("nik", "nik", required=False, filled=False),
    Column("name", "text", required=False, filled=False, limit=100),
)
OPENING_BALANCES = (
    Column("kpj", "kpj"),
    Column("as_of", "date"),
    _rupiah("employer"),
    _rupiah("worker"),
    _rupiah("credited_yield"),
    Column("months", "count", limit=MAX_COUNT_CELL),
    Column("member_since", "date", required=False, filled=False),
    Column("source", "reference", required=False, filled=False, limit=40),
    _rupiah("tambahan", required=False, filled=False),
    _rupiah("tambahan_yield", required=False, filled=False),
    Column("yield_through", "year", required=False, filled=False),
    Column("bases", "bases", required=False, filled=False, limit=MAX_LIST_CELL),
    Column("payouts", "payouts", required=False, filled=False, limit=MAX_LIST_CELL),
)
# What the file of rejects adds to each row, so that it can be mended and sent again as it is.
REJECTS = tuple(Column(name, "ignored", required=False, filled=False) for name in ("line", "reason", "sentence"))
LAYOUTS: dict[str, tuple[Column, ...]] = {
    "employers": EMPLOYERS,
    "registrations": REGISTRATIONS,
    "contributions": CONTRIBUTIONS,
    "opening-balances": OPENING_BALANCES,
}


REPORT = tuple(
    column._replace(required=False, filled=False) if column.name in {"npp", "month", "paid_on"} else column
    for column in CONTRIBUTIONS
)
"""An employer's own file of one month, which is checked and never taken: who pays for which month is known without it,
and nothing may be paid yet."""
READABLE = LAYOUTS | {"report": REPORT}
"""What `reading` can read."""


def clean_name(name: str) -> str:
    """A column's name as it is compared: no byte order mark, no blanks around, small letters."""
    return name.strip("\ufeff \t\r\n").lower()


def match_header(names: Sequence[str], layout: tuple[Column, ...], line: int = 1) -> list[Column]:
    """The columns that a header line names, in its order.

    Raises Refused: `column-unknown`, `column-twice`, `columns-missing`.
    """
    known = {column.name: column for column in (*layout, *REJECTS)}
    given = [clean_name(name) for name in names]
    missing = [column.name for column in layout if column.required and column.name not in given]
    if len(missing) == sum(column.required for column in layout):
        # Probably a file without a header: its first line is data, so none of its words is repeated here.
        raise Refused("columns-missing", line=line, columns=", ".join(missing))
    refuse_unknown(names, layout, line)
    twice = sorted(name for name, times in Counter(given).items() if times > 1)
    if twice:
        raise Refused("column-twice", line=line, columns=", ".join(twice))
    if missing:
        raise Refused("columns-missing", line=line, columns=", ".join(missing))
    return [known[name] for name in given]


def refuse_unknown(names: Sequence[str], layout: tuple[Column, ...], line: int) -> None:
    """Raise Refused `column-unknown` when a name is not in the layout."""
    known = [column.name for column in layout]
    ignored = {column.name for column in REJECTS}
    unknown = [_shown(name, place) for place, name in enumerate(names, 1) if clean_name(name) not in {*known, *ignored}]
    if unknown:
        raise Refused("column-unknown", line=line, columns=", ".join(unknown[:_NAMED]), known=", ".join(known))


def _shown(name: str, place: int) -> str:
    """A name that cannot be mistaken for data, else its place: a file may hold personal data where names should be."""
    name = name.strip("\ufeff \t\r\n")
    return name if _SHOWN_NAME.fullmatch(name) else f"#{place}"
