"""A month's file checked: what the page shows of it, and how long that is kept.

The file itself is gone when the check is done. What is kept are counts, the first problems with their cells, and the
two files to take home, for as long as a person needs to fetch them, in this process and for the session that sent the
file; logging out drops them at once.
"""

from __future__ import annotations

import asyncio
import secrets
import string
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from api.application import ApplicationState
from api.web.employer.files import Sheet, write
from ledger.clock import jakarta_date
from ledger.decisions.month_difference import Difference, Worked, difference, gathered
from ledger.decisions.remittance_months import REVERSED, MonthLine, months_of, read_lines
from ledger.errors import NotFound, Problem
from ledger.identifiers import card_number, month_number, month_text
from ledger.ingestion.contributions.check import SPOILED
from ledger.ingestion.preview import CheckedLine, check
from ledger.ingestion.readers.reading import Limits, Source
from ledger.receipt import Header, Told

KEPT_SECONDS = 15 * 60
MOST_OF_A_SESSION = 3
MOST_AT_ONCE = 2
MOST_KEPT = 100
SHOWN = 200
SHOWN_WARNINGS = 50
MONTHS_BACK = 12
"""How far before the checked month another one is looked for to compare with."""
MAX_LINES = 300_000
MAX_UNPACKED = 4
"""How much larger than the largest body a file may be when it is unpacked."""
_CELL = 80
_HANDLE = 20


class Shown(NamedTuple):
    """A problem with what the file says there. `head` and `rest` of its sentence by `said`."""

    verdict: str
    problem: Problem
    kpj: str
    name: str
    value: str

    def said(self, language: str) -> tuple[str, str]:
        """The first sentence, and what follows it."""
        head, point, rest = self.problem.say(language).partition(". ")
        return (f"{head}." if point else head), rest


class Result(NamedTuple):
    """What is shown of a check. Amounts in rupiah; `spoiled`: sent as it is, the file would be refused
    with all its lines; `compared`: the earlier month, "" when there is none."""

    npp: str
    month: str
    name: str
    at: datetime
    position: int
    lines: int
    accepted: int
    already: int
    waiting: int
    held: int
    refused: int
    warnings: int
    employer: int
    worker: int
    problems: tuple[Shown, ...]
    warned: tuple[Shown, ...]
    codes: tuple[tuple[str, str, int], ...]
    spoiled: bool
    compared: str
    difference: Difference
    good: Sheet
    bad: Sheet

    @property
    def total(self) -> int:
        """The contributions of the accepted lines."""
        return self.employer + self.worker

    def close(self) -> None:
        """Let go of the files."""
        self.good.close()
        self.bad.close()


def examine(
    application: ApplicationState, source: Source, name: str, npp: int, month: int, by: str, now: datetime
) -> Result:
    """Check a file. Blocking. Raises Refused as `report.check`."""
    log, settings = application.log, application.settings
    limits: Limits = replace(
        application.door.limits,
        max_lines=min(settings.max_lines, MAX_LINES),
        max_bytes=min(settings.max_file, MAX_UNPACKED * settings.max_body),
    )
    position = log.head()
    months = months_of(log, f"{npp:08d}")
    booked = read_lines(log, months.get(month_text(month), {}))
    header = Header(by, "employer")
    checked = check(application.door, source, npp, month, booked, header, jakarta_date(now), limits)
    earlier = next((one for one in months if _is_before(one, month)), "")
    before = _worked(read_lines(log, months[earlier])) if earlier else {}
    now_worked = gathered((line.card, _one(line)) for line in checked.accepted.values())
    told = checked.receipt.problems
    problems = _first(told, ("refused", "suspended"), SHOWN)
    warned = _first(told, ("warning",), SHOWN_WARNINGS)
    wanted = {one.problem.line for one in (*problems, *warned)}
    good, bad, cells = write(source, checked, npp, month, limits, wanted)
    totals, held = checked.receipt.totals, checked.accepted.values()
    return Result(
        f"{npp:08d}", month_text(month), name, now, position, checked.lines, len(checked.accepted), totals["already"],
        checked.waiting, totals["suspended"], totals["refused"], totals["warnings"],
        sum(line.employer for line in held), sum(line.worker for line in held),
        tuple(_shown(one, cells) for one in problems), tuple(_shown(one, cells) for one in warned),
        tuple((verdict, code, lines) for (verdict, code), lines in sorted(checked.receipt.codes.items())),
        checked.spoiled, earlier, difference(before, now_worked, checked.others), good, bad,
    )  # fmt: skip


def _is_before(text: str, month: int) -> bool:
    number = month_number(text)
    return number is not None and month - MONTHS_BACK <= number < month


def _worked(lines: Iterable[MonthLine]) -> dict[int, Worked]:
    return gathered((card_number(line.kpj), _one(line)) for line in lines if line.state != REVERSED)


def _one(line: MonthLine | CheckedLine) -> Worked:
    # What is paid beside the regular wage does not make it another wage.
    wage = line.wage if line.kind == "regular" else 0
    return Worked(wage, line.back_pay + line.wage - wage, line.employer, line.worker)


def _first(told: Iterable[Told], verdicts: tuple[str, ...], most: int) -> list[Told]:
    """The first problems of some kinds, in the file's order; what only follows from another line comes last."""
    found = [one for one in told if one.verdict in verdicts]
    found.sort(key=lambda one: (one.problem.code in SPOILED, one.problem.line))
    return found[:most]


def _shown(told: Told, cells: dict[int, dict[str, str]]) -> Shown:
    texts = cells.get(told.problem.line, {})
    kpj, name, value = (texts.get(column, "")[:_CELL] for column in ("kpj", "name", told.problem.column))
    return Shown(told.verdict, told.problem, kpj, name, value)


class Checks:
    """What is kept of the checks of a process."""

    def __init__(self) -> None:
        self.turn = asyncio.Semaphore(MOST_AT_ONCE)
        self._held: dict[tuple[bytes, str], Result] = {}

    def keep(self, session: bytes, result: Result) -> str:
        """Keep a check for a while; its handle, which is worth nothing in another session."""
        own = [key for key in self._held if key[0] == session]
        for key in own[: max(0, len(own) + 1 - MOST_OF_A_SESSION)]:
            self._drop(key)
        while len(self._held) >= MOST_KEPT:
            self._drop(next(iter(self._held)))
        handle = "".join(secrets.choice(string.ascii_lowercase) for _ in range(_HANDLE))
        self._held[session, handle] = result
        asyncio.get_running_loop().call_later(KEPT_SECONDS, self._drop, (session, handle))
        return handle

    def get(self, session: bytes, npp: str, handle: str) -> Result:
        """A kept check of this session and employer. Raises NotFound(report-over)."""
        found = self._held.get((session, handle))
        if found is None or found.npp != npp:
            raise NotFound("report-over")
        return found

    def forget(self, session: bytes) -> None:
        """Drop everything of a session."""
        for key in [key for key in self._held if key[0] == session]:
            self._drop(key)

    def _drop(self, key: tuple[bytes, str]) -> None:
        found = self._held.pop(key, None)
        if found is not None:
            found.close()
