"""`/saldo/{handle}/laporan`: the statements of one card, a file for each year; and what we said on an earlier day, with why
it is another balance now, and the statements as they were then. The months of then are in those statements: their gaps are
what was said of months, and their lines what had arrived."""

from __future__ import annotations

import re
from datetime import date, datetime
from functools import partial
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from api.access.sessions import MEMBER
from api.application import ApplicationState
from api.formats import sentence
from api.route import PlainRoute
from api.statement.code import code_of, question_of
from api.statement.forms import FILES, Form, file_name, file_of
from api.statement.paper import Head, holder_of
from api.web.forms import Errors, past_day_of
from api.web.holdings import Held, Holdings
from api.web.page_context import Visits, visit_of
from api.web.pages import SECURITY, language_of, render
from api.web.saldo import note_reads
from api.web.words import words
from ledger.clock import jakarta_date
from ledger.decisions.person import Identity
from ledger.errors import NotFound, Refused, Unavailable
from ledger.store.log import position_text
from projections import month_grid
from projections.difference import Difference, difference
from projections.month_grid import Facts
from projections.results import standing_opening
from projections.statement import year_of

_DAY = ("day", "month", "year")
PAST = "pada"
"""Of a file's address: the day at whose end it was as it is asked for."""
_FILE = re.compile(rf"([0-9]{{4}})\.({'|'.join(FILES)})")


class Then(NamedTuple):
    """What was said at the end of a day, what is said today, and why they differ."""

    day: date
    told: Difference


def routes(application: ApplicationState, visits: Visits, holdings: Holdings) -> list[PlainRoute]:
    """The page and its files."""

    async def held(request: Request) -> Held:
        look = await holdings.look(visit_of(request).who, application.now(), request.path_params["handle"])
        await note_reads(application, request, look.cards)
        (found,) = look.cards
        if found.row is None:
            raise found.error or Unavailable("account-incomplete")
        return found

    async def page(request: Request) -> Response:
        found, now = await held(request), application.now()
        assert found.row is not None
        (facts,) = await holdings.facts([found.row], now)
        today, language = jakarta_date(now), language_of(request)
        given, errors, then = {name: request.query_params.get(name, "")[:9] for name in _DAY}, Errors(), None
        if any(name in request.query_params for name in _DAY):
            day = past_day_of(given, today, words(language), errors)
            try:
                then = await _then(found.linked.card, day, now) if day is not None else None
            except Refused as refused:
                request.scope["problem"] = refused.code
                errors["then"] = sentence(refused.problem, language)
        years = years_of(facts, today)
        return render(
            request, "statement.html", 422 if errors else 200, now=now, held=found, years=years, now_year=today.year,
            files=FILES, given=given, errors=errors, then=then, said=lambda cause: sentence(cause.problem, language),
        )  # fmt: skip

    async def _then(card: int, day: date, now: datetime) -> Then:
        """What was said at the end of a day. Raises Refused: known-at-before-log, known-at-not-settled,
        account-not-yet-known, as-of-before-opening."""
        known = await application.known_at(end_of(day), now)
        assert known is not None
        ask = partial(difference, application.reader, card, now, day, known)
        return Then(day, await application.work(ask))

    async def file(request: Request) -> Response:
        year, form = parsed(request.path_params["file"], language_of(request))
        found = await held(request)
        about = await application.ask(application.members.about, visit_of(request).who)
        day = parsed_day(request.query_params.get(PAST, ""))
        return await statement_file(application, found.linked.card, year, form, about.identity, day)

    return [
        PlainRoute("/saldo/{handle}/laporan", visits.page(page, MEMBER), methods=["GET"]),
        PlainRoute("/saldo/{handle}/laporan/{file}", visits.page(file, MEMBER), methods=["GET"]),
    ]


def parsed(name: str, language: str) -> tuple[int, Form]:
    """The year and the form in `2025.pdf`. Raises NotFound(route-unknown)."""
    found = _FILE.fullmatch(name)
    if found is None:
        raise NotFound("route-unknown")
    return int(found[1]), Form(found[2], language, lambda npp, name: name)


def parsed_day(text: str) -> date | None:
    """The day that the address of a file names, None for "". Raises NotFound(route-unknown)."""
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise NotFound("route-unknown") from None


def end_of(day: date) -> str:
    """The last moment of a day in Jakarta, as a `known_at`."""
    return f"{day.isoformat()}T23:59:59.999999+07:00"


async def statement_file(
    application: ApplicationState, card: int, year: int, form: Form, identity: Identity, then: date | None = None
) -> Response:  # fmt: skip
    """The file of a card's year, or as it was made at the end of an earlier day, with every security header. Raises as
    `ApplicationState.statement`, and Refused: statement-year-ahead, as-of-in-future, and as `ApplicationState.known_at`."""
    now = application.now()
    today = then or jakarta_date(now)
    known = await application.known_at(end_of(then) if then is not None else "", now)
    period = year_of(year, today)
    if known is not None:
        row, found = await application.statement_at(card, now, period, today, known)
    else:
        row, found = await application.statement(card, now, period)
    position = position_text(application.log.log_id, row.position)
    asked = question_of(row, period, form.language, today)
    code = await application.work(partial(code_of, application.codes, asked))
    moment = now if known is None else datetime.fromisoformat(known.recorded_at)
    head = Head(row.kpj, row.segment, holder_of(identity), moment, position, code, application.settings.printed_url)
    content = await application.work(partial(file_of, form, found, head))
    said = f'attachment; filename="{file_name(form, period)}"'
    return Response(content, 200, {**SECURITY, "Content-Disposition": said}, form.kind)


def years_of(facts: Facts, today: date) -> list[int]:
    """The years there are statements of, newest first: from the first month on, or after an opening balance."""
    opening = standing_opening(facts.entries)
    first = int(opening.month[:4]) + 1 if opening is not None else 0
    found = (one.year for one in month_grid.years([facts], today))
    return [year for year in found if year >= first] or [today.year]
