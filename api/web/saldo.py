"""`/saldo`: what a member has on all cards or on one, as of when, what it is made of, what has not come."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import NamedTuple

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from api.access.log import Record
from api.access.sessions import MEMBER
from api.application import ApplicationState
from api.month_groups import grouped
from api.offered_cards import offered_cards
from api.route import PlainRoute
from api.web import chart
from api.web.holdings import Held, Holdings, Kept
from api.web.page_context import Visits, visit_of
from api.web.pages import fragment, language_of, render
from api.web.words import words
from ledger.clock import jakarta_date
from ledger.errors import Unavailable
from ledger.identifiers import month_of
from ledger.store.log import position_text
from ledger.yields import Terms
from projections import month_grid
from projections.month_grid import Facts, Year
from projections.received import awaited, missing_sum, received
from projections.results import OPENINGS, BalanceRow

LISTED = 6
"""Months with a sentence of their own which are listed at once; the others are behind a fold."""
SHOWN_YEARS = 3
LAST_LINES = 4


class Below(NamedTuple):
    """The part of the page that changes only with the cards' facts and the day: ready, with what the top says of it."""

    content: Markup
    absent: int
    held: int
    awaited: int
    since: str
    """The month of the first membership, "" without one."""


class Sums(NamedTuple):
    """The balances of some cards added up, in rupiah, as in `BalanceRow`; `terms` None without a card."""

    employer: int
    worker: int
    brought: int
    credited: int
    paid_out: int
    estimated: int | None
    terms: Terms | None

    @property
    def total(self) -> int:
        return self.employer + self.worker + self.credited - self.paid_out

    @classmethod
    def of(cls, rows: Sequence[BalanceRow]) -> Sums:
        """The sums of some balances."""
        estimates = [row.estimated for row in rows if row.estimated is not None]
        return cls(
            sum(row.employer for row in rows), sum(row.worker for row in rows), sum(row.brought for row in rows),
            sum(row.credited for row in rows), sum(row.paid_out for row in rows), sum(estimates) if estimates else None,
            rows[0].terms if rows else None,
        )  # fmt: skip


def routes(application: ApplicationState, visits: Visits, holdings: Holdings) -> list[PlainRoute]:
    """The routes of the page."""
    kept: Kept[Below] = Kept()

    async def saldo(request: Request) -> Response:
        """All cards, or the one of the handle in the address."""
        now, person = application.now(), visit_of(request).who
        handle = request.path_params.get("handle", "")
        look = await holdings.look(person, now, handle)
        cards, cases = sorted(look.cards, key=_place), look.cases
        position = await note_reads(application, request, cards)
        rows = [held.row for held in cards if held.row is not None]
        if len(rows) < len(cards):
            return _unavailable(request, cards, now)
        today = jakarta_date(now)
        language = language_of(request)
        key = (
            person, language, today, bool(handle), tuple((row.card, row.tag) for row in rows),
            tuple(case[:3] for case in cases),
        )  # fmt: skip
        below = kept.get(key)
        if below is None:
            facts = await holdings.facts(rows, now, cases)
            below = kept.put(key, whole_below(cards, facts, today, language, alone=bool(handle)))
        # The page of one card is about that card alone.
        offered = [] if handle else await offered_cards(application, person, [held.linked.card for held in cards])
        return render(
            request, "saldo.html", cards=cards, offered=offered, sums=Sums.of(rows), below=below, now=now,
            alone=bool(handle),
            last=max((row.last.month for row in rows if row.last is not None), default=""),
            employed=any(row.segment == "PU" for row in rows),
            position=position_text(application.log.log_id, position),
        )  # fmt: skip

    page = visits.page(saldo, MEMBER)
    return [PlainRoute("/saldo", page, methods=["GET"]), PlainRoute("/saldo/{handle}", page, methods=["GET"])]


def _place(held: Held) -> tuple[bool, str]:
    """Cards that still get money come first."""
    return held.row is None or held.row.status != "aktif", held.kpj


async def note_reads(application: ApplicationState, request: Request, cards: Sequence[Held]) -> int:
    """Record that a member looked at the own cards; the log position of the newest balance.

    Raises Unavailable(record-unavailable).
    """
    path, moment = request.scope["route"].path, application.now().isoformat()
    request_id = request.scope.get("request_id", "")
    newest = 0
    for held in cards:
        position = held.row.position if held.row is not None else 0
        newest = max(newest, position)
        await application.recorder.note(Record(moment, "member", "website", "", path, held.kpj, position, request_id))
    return newest


def _unavailable(request: Request, cards: Sequence[Held], now: datetime) -> Response:
    """One card's record is being checked: no sum is shown, but the others are."""
    (first, *_) = [held for held in cards if held.row is None]
    assert isinstance(first.error, Unavailable)
    request.scope["problem"] = first.error.code
    others = [(held.kpj, held.row.total, now) for held in cards if held.row is not None]
    return render(request, "unavailable.html", 503, code=first.error.code, card=first.kpj, others=others)


def whole_below(
    cards: Sequence[Held], facts: Sequence[Facts], today: date, language: str, *, alone: bool
) -> Below:  # fmt: skip
    """The part of the page below the balance, of some cards with their facts."""
    found = month_grid.years(facts, today)
    listed = month_grid.missing(found)
    absent = [one for one in listed if one.part.state == month_grid.ABSENT]
    groups, single = grouped(listed)
    waited = awaited(found)
    content = fragment(
        language, "saldo_below.html", cards=cards, employment=employment(facts), alone=alone,
        groups=groups, listed=single[:LISTED], folded=single[LISTED:], total=missing_sum(found),
        years=found[:SHOWN_YEARS], older=found[SHOWN_YEARS:], growth=growth(facts, found, today, language),
        lines=_last_lines(facts), today=today, until=received(facts), awaited=waited,
    )  # fmt: skip
    held = sum(one.part.state == month_grid.HELD for one in listed)
    since = min((membership.since for one in facts for membership in one.memberships), default="")
    return Below(content, len({one.month for one in absent}), held, len(waited), since)


class Growth(NamedTuple):
    """The chart and its table; `points`: the ends of years, newest first."""

    drawing: Markup
    points: list[chart.Point]
    credited: bool


def growth(facts: Sequence[Facts], years: Sequence[Year], today: date, language: str) -> Growth | None:
    """The growth of some cards together; None before the first money."""
    points = chart.growth(
        (entry for one in facts for entry in one.entries), month_of(today),
        (pair for one in facts for pair in one.earned.items()),
    )  # fmt: skip
    if not points:
        return None
    t = words(language)
    size, unit = chart.unit_of(points)
    end, gaps = points[-1], [cell.month for year in years for cell in year.cells if cell.state == month_grid.ABSENT]

    def short(rupiah: int) -> str:
        """`25,0 juta`: the number in the axis' unit, its tenths cut off, so that it is never more than there is."""
        tenths = rupiah * 10 // size
        sign = "," if language == "id" else "."
        return f"{tenths // 10}{sign}{tenths % 10} {t('saldo.unit_' + unit)}"

    said = chart.Words(
        t("saldo.chart_label", year=points[0].month // 12, total=short(end.total), paid=short(end.paid), n=len(gaps)),
        t("saldo.axis_" + unit),
        t("saldo.chart_total", amount=short(end.total)),
        t("saldo.chart_paid", amount=short(end.paid)),
        t("saldo.chart_gaps", n=len(gaps)),
    )
    return Growth(chart.draw(points, gaps, said), chart.yearly(points), any(p.total != p.paid for p in points))


def employment(facts: Sequence[Facts]) -> dict[int, tuple[str, str, str]]:
    """Card -> (segment, employer's name, last month "" while it lasts) of the newest membership."""
    found = {}
    for one in facts:
        if one.memberships:
            newest = max(one.memberships, key=lambda m: (not m.until, m.since))
            found[one.card] = newest.segment, one.employers.get(newest.npp, ""), newest.until
    return found


class Line(NamedTuple):
    """A line of the statement with its payer's name."""

    month: str
    employer: str
    wage: int
    paid_on: str
    recorded_at: str
    amount: int
    type: str


def _last_lines(facts: Sequence[Facts]) -> list[Line]:
    lines = [
        Line(
            entry.month, one.employers.get(entry.npp, ""), entry.wage, entry.paid_on, entry.recorded_at,
            entry.employer + entry.worker, entry.type,
        )
        for one in facts
        for entry in one.entries[:LAST_LINES]
        if entry.type not in OPENINGS
    ]  # fmt: skip
    return sorted(lines, key=lambda line: (line.month, line.recorded_at), reverse=True)[:LAST_LINES]
