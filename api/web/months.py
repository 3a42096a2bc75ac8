"""`/iuran`: the months of one year, each with its payers, wages and days, and why a month has not come."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from api import reasons
from api.access.sessions import MEMBER
from api.application import ApplicationState
from api.month_groups import Group, grouped
from api.route import PlainRoute
from api.web.holdings import Holdings
from api.web.page_context import Visits, visit_of
from api.web.pages import language_of, render
from api.web.saldo import note_reads
from ledger.clock import jakarta_date
from ledger.due_days import holidays_known
from ledger.errors import NotFound, Unavailable
from ledger.identifiers import month_of
from projections import month_grid
from projections.month_grid import Missing
from projections.received import awaited, received
from projections.results import standing_opening

_SILENT = {month_grid.ABSENT, month_grid.AWAITED, month_grid.UNKNOWN}
"""No money came: nothing but the month differs from one to the next."""


def routes(application: ApplicationState, visits: Visits, holdings: Holdings) -> list[PlainRoute]:
    """The routes of the page."""

    async def months(request: Request) -> Response:
        """The year in the address, or the newest one."""
        now = application.now()
        cards, cases = await holdings.look(visit_of(request).who, now)
        await note_reads(application, request, cards)
        rows = [held.row for held in cards if held.row is not None]
        if len(rows) < len(cards):
            raise next(held.error for held in cards if held.error is not None) or Unavailable("account-incomplete")
        facts = await holdings.facts(rows, now, cases)
        years = month_grid.years(facts, jakarta_date(now))
        asked = request.query_params.get("tahun", "")
        chosen = next((one for one in years if str(one.year) == asked), None if asked else next(iter(years), None))
        if chosen is None and asked:
            raise NotFound("route-unknown")
        openings = [entry for one in facts if (entry := standing_opening(one.entries)) is not None]
        return render(
            request, "months.html", now=now, years=years, chosen=chosen, openings=openings, undated=_undated(chosen),
            **told_months(chosen)._asdict(),
            until=received(facts), awaited=awaited([chosen] if chosen else []),
            blank=_blank(chosen, jakarta_date(now), language_of(request)) if chosen else "",
            starts=min((membership.since for one in facts for membership in one.memberships), default=""),
            kpjs={held.linked.card: held.kpj for held in cards},
        )  # fmt: skip

    return [PlainRoute("/iuran", visits.page(months, MEMBER), methods=["GET"])]


class Told(NamedTuple):
    """What a year's page tells: months that have the same reason together, and the others one by one; `anchors`: month ->
    the id of its chip, where it has no row."""

    groups: list[Group]
    cells: list[month_grid.Cell]
    anchors: dict[int, str]


def told_months(year: month_grid.Year | None) -> Told:
    """Newest first. What waits or was taken back is told a month at a time, because each has its own day and amount."""
    cells = list(reversed(year.cells)) if year else []
    silent = [Missing(cell.month, part) for cell in cells for part in cell.parts if part.state in _SILENT]
    groups, alone = grouped(silent, by_card=True)
    left = [
        cell._replace(
            parts=tuple(p for p in cell.parts if p.state not in _SILENT or any(p is one.part for one in alone))
        )
        for cell in cells
    ]
    rows = [cell for cell in left if cell.parts]
    months = {month for one in groups for month in one.months} - {cell.month for cell in rows}
    return Told(groups, rows, {month: f"b{month % 12 + 1}" for month in sorted(months)})


def _blank(year: month_grid.Year, today: date, language: str) -> str:
    """Why nothing was due in a year: what is said of its newest month that has begun."""
    begun = [cell for cell in year.cells if cell.month <= month_of(today)]
    if not begun:
        return reasons.why_blank("not-due", language)
    cell = begun[-1]
    if cell.parts:
        return reasons.why(cell.parts[0], language, reasons.MEMBER)
    return reasons.why_blank(cell.cause, language)


def _undated(year: month_grid.Year | None) -> list[int]:
    """The years of shown due days whose holidays nobody has entered."""
    days = {part.due for cell in year.cells for part in cell.parts if part.due} if year else set()
    return sorted({day.year for day in days if not holidays_known(day.year)})
