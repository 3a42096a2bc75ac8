"""What an employer takes home from a check: the accepted rows ready to send, and the others with the reasons.

The cells are the file's own, read again; nothing in them can run as a formula.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from api.spreadsheet import Sheet
from ledger.errors import Problem
from ledger.identifiers import month_text
from ledger.ingestion.preview import Checked
from ledger.ingestion.readers.reading import Limits, Source, rows_again
from ledger.layouts import CONTRIBUTIONS, REJECTS

_ALWAYS = frozenset({"npp", "month", "kpj", "wage", "employer", "worker", "paid_on"})
MONEY = frozenset({"wage", "back_pay", "employer", "worker"})


class Cells(NamedTuple):
    """A row of the file as it stands there: column name -> text."""

    line: int
    texts: dict[str, str]


def write(
    source: Source, checked: Checked, npp: int, month: int, limits: Limits, wanted: set[int]
) -> tuple[Sheet, Sheet, dict[int, dict[str, str]]]:
    """The accepted rows, the others, and the cells of the `wanted` lines."""
    rejected = checked.receipt.rejected_lines
    names, rows = rows_again(source, "report", checked.accepted.keys() | rejected.keys(), limits)
    taken = [column.name for column in CONTRIBUTIONS if column.name in _ALWAYS or column.name in names]
    accepted, others, found = Sheet(), Sheet(), dict[int, dict[str, str]]()
    accepted.add(taken)
    others.add([*taken, *(column.name for column in REJECTS)])
    known = {"npp": f"{npp:08d}", "month": month_text(month)}
    for line, texts in _named(names, rows):
        if line in wanted:
            found[line] = texts
        kept = checked.accepted.get(line)
        if kept is not None:
            settled = known | {"employer": str(kept.employer), "worker": str(kept.worker)}
            accepted.add([settled.get(name) or texts.get(name, "") for name in taken])
        else:
            others.add([*(texts.get(name, "") for name in taken), str(line), *_reason(rejected[line])])
    return accepted, others, found


def _named(names: list[str], rows: Iterator[tuple[int, list[str]]]) -> Iterator[Cells]:
    for line, cells in rows:
        yield Cells(line, dict(zip(names, cells)))


def _reason(problem: Problem) -> tuple[str, str]:
    return problem.code, f"{problem.say('id')} / {problem.say('en')}"
