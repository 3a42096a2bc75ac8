"""What was booked for an employer's workers: a year of months with their totals, those in which nothing was received, and
the lines of a month."""

from __future__ import annotations

import re
from datetime import date
from functools import partial
from typing import NamedTuple

from starlette.responses import Response

from api.reasons import to_employer, without_holidays
from api.route import PlainRoute
from api.web.employer.desk import HOME, Desk, Employers
from api.web.holdings import Kept
from api.web.pages import see_other
from ledger.acts.remittance_months import months_of, read_lines
from ledger.acts.scheme import scheme_of
from ledger.clock import jakarta_date
from ledger.decisions.remittance_months import REVERSED, MonthLine, MonthTotals, Place, totals_of
from ledger.errors import NotFound, Refused
from ledger.identifiers import month_number
from ledger.store.log import Log
from projections.month_grid import by_rule
from projections.silent_months import SilentMonth, silent_months

PAGE = 200
_PLACE = re.compile(r"([0-9]{1,9})-([0-9]{1,6})")

Totals = Kept[MonthTotals]


class Year(NamedTuple):
    """The months of a year, newest first; `years`: all that there are, newest first; `silent`: of this year, `missing`: how
    many of all years; `complete`: the day up to which all payments are in."""

    year: str
    years: tuple[str, ...]
    months: tuple[MonthTotals, ...]
    position: int
    silent: tuple[SilentMonth, ...]
    missing: int
    complete: date | None


class Lines(NamedTuple):
    """A page of a month's lines; `after`: where the next page begins, "" at the end."""

    totals: MonthTotals
    lines: tuple[MonthLine, ...]
    first: bool
    after: str
    position: int


def routes(door: Employers) -> list[PlainRoute]:
    """The year and the month."""
    totals: Totals = Kept()

    async def show_year(desk: Desk) -> Response:
        wanted = desk.request.query_params.get("tahun", "")
        today = jakarta_date(desk.application.now())
        workers = await desk.application.ask(desk.application.reader.workers, int(desk.npp))
        year = partial(_year, desk.application.log, totals, desk.npp, wanted, workers, today)
        found = await desk.application.work(year)
        if wanted and found.year != wanted:
            return see_other(f"{HOME}/{desk.npp}/iuran")
        await desk.record_month(found.year, found.position)
        return await desk.show(
            "employer_months.html", found=found, now=desk.application.now(),
            why=partial(to_employer, language=desk.language),
            beside=partial(without_holidays, language=desk.language),
        )  # fmt: skip

    async def show_month(desk: Desk) -> Response:
        month = desk.request.path_params["month"]
        if month_number(month) is None:
            raise NotFound("route-unknown")
        after = desk.request.query_params.get("sesudah", "")
        found = await desk.application.work(partial(_month, desk.application.log, desk.npp, month, _place(after)))
        await desk.record_month(month, found.position)
        language = desk.language
        return await desk.show(
            "employer_month.html", chosen=month, found=found, now=desk.application.now(),
            say=partial(_say, month, language),
        )  # fmt: skip

    path = f"{HOME}/{{npp}}/iuran"
    return [door.route(path, show_year, "GET"), door.route(f"{path}/{{month}}", show_month, "GET")]


def _year(
    log: Log, kept: Totals, npp: str, wanted: str, workers: list[tuple[int, int, int]], today: date
) -> Year:  # fmt: skip
    """The months of the wanted year, of the newest one when there is nothing in it."""
    position, scheme = log.head(), scheme_of(log)
    months = months_of(log, npp)
    silent = silent_months(workers, {month_number(month) or 0 for month in months}, scheme, today)
    years = tuple(sorted({month[:4] for month in months} | {str(one.month // 12) for one in silent}, reverse=True))
    year = wanted if wanted in years else next(iter(years), "")
    found = []
    for month, streams in months.items():
        if month[:4] == year:
            # A stream's version says all that can ever change in it.
            key = npp, month, tuple(sorted(streams.items()))
            found.append(kept.get(key) or kept.put(key, totals_of(month, read_lines(log, streams))))
    missing = sum(one.cause == "not-received" for one in silent)
    of_year = tuple(one for one in silent if str(one.month // 12) == year)
    return Year(year, years, tuple(found), position, of_year, missing, scheme.complete_until)


def _say(month: str, language: str, line: MonthLine) -> str:
    """Why a line is not booked, and what the employer can do."""
    if line.state == REVERSED:
        return to_employer("taken-back", language)
    base = line.wage + line.back_pay
    expected = by_rule("PU", month_number(month) or 0, base) if base else 0
    return to_employer(line.reason, language, received=line.employer + line.worker, base=base, expected=expected)


def _month(log: Log, npp: str, month: str, after: Place | None) -> Lines:
    position = log.head()
    streams = months_of(log, npp).get(month)
    if streams is None:
        raise NotFound("remittance-not-found")
    lines = read_lines(log, streams)
    left = [line for line in lines if after is None or line.place > after]
    shown = tuple(left[:PAGE])
    more = "-".join(map(str, shown[-1].place)) if len(left) > PAGE else ""
    return Lines(totals_of(month, lines), shown, after is None, more, position)


def _place(text: str) -> Place | None:
    """Where a page was left off, None at the beginning. Raises Refused(parameter-unreadable)."""
    if not text:
        return None
    match = _PLACE.fullmatch(text)
    if match is None:
        raise Refused("parameter-unreadable", name="sesudah", expected=_PLACE.pattern)
    return Place(int(match[1]), int(match[2]))
