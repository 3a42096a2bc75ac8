"""`/saldo/{handle}/laporan`: the statements of one card, a file for each year."""

from __future__ import annotations

import re
from datetime import date
from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from api.access.sessions import MEMBER
from api.application import ApplicationState
from api.route import PlainRoute
from api.statement.code import code_of, question_of
from api.statement.forms import FILES, Form, file_name, file_of
from api.statement.paper import Head, holder_of
from api.web.holdings import Held, Holdings
from api.web.page_context import Visits, visit_of
from api.web.pages import SECURITY, language_of, render
from api.web.saldo import note_reads
from ledger.clock import jakarta_date
from ledger.decisions.person import Identity
from ledger.errors import NotFound, Unavailable
from ledger.store.log import position_text
from projections import month_grid
from projections.month_grid import Facts
from projections.results import standing_opening
from projections.statement import year_of

_FILE = re.compile(rf"([0-9]{{4}})\.({'|'.join(FILES)})")


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
        today = jakarta_date(now)
        return render(
            request, "statement.html", now=now, held=found, years=years_of(facts, today), now_year=today.year, files=FILES
        )  # fmt: skip

    async def file(request: Request) -> Response:
        year, form = parsed(request.path_params["file"], language_of(request))
        found = await held(request)
        about = await application.ask(application.members.about, visit_of(request).who)
        return await statement_file(application, found.linked.card, year, form, about.identity)

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


async def statement_file(
    application: ApplicationState, card: int, year: int, form: Form, identity: Identity
) -> Response:  # fmt: skip
    """The file of a card's year, with every security header. Raises as `ApplicationState.statement`, and
    Refused(statement-year-ahead)."""
    now = application.now()
    period = year_of(year, jakarta_date(now))
    row, found = await application.statement(card, now, period)
    position = position_text(application.log.log_id, row.position)
    asked = question_of(card, period, row.position, form.language)
    code = await application.work(partial(code_of, application.codes, asked))
    head = Head(row.kpj, row.segment, holder_of(identity), now, position, code, application.settings.printed_url)
    content = await application.work(partial(file_of, form, found, head))
    said = f'attachment; filename="{file_name(form, period)}"'
    return Response(content, 200, {**SECURITY, "Content-Disposition": said}, form.kind)


def years_of(facts: Facts, today: date) -> list[int]:
    """The years there are statements of, newest first: from the first month on, or after an opening balance."""
    opening = standing_opening(facts.entries)
    first = int(opening.month[:4]) + 1 if opening is not None else 0
    found = (one.year for one in month_grid.years([facts], today))
    return [year for year in found if year >= first] or [today.year]
