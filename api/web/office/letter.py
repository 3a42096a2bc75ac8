"""The balance on paper: one sheet that says what is held, as of when, which months have not come and why, and where in the
ledger it can be found again, with an answer code for each card's balance; and the yearly statement of a card."""

from __future__ import annotations

from functools import partial

from starlette.responses import Response

from api.month_groups import grouped
from api.route import PlainRoute
from api.web.office.desk import HOME, Desk, Office
from api.web.office.member import LISTED, open_person
from api.web.statement import parsed, statement_file
from ledger.clock import jakarta_date
from ledger.errors import NotFound, Unavailable
from ledger.store.answer_codes import LETTER, Question
from ledger.store.log import position_text
from projections import month_grid
from projections.received import awaited, missing_sum, received


def routes(office: Office) -> list[PlainRoute]:
    """The letter."""
    path = f"{HOME}/peserta/{{view}}"
    return [
        office.route(f"{path}/surat", _letter, "GET"),
        office.route(f"{path}/laporan/{{card:int}}/{{file}}", _statement, "GET"),
    ]


async def _statement(desk: Desk) -> Response:
    """The yearly statement of one of the person's cards, by its place among them: no card's number is in an address.

    Raises NotFound(route-unknown), Unavailable with the reason's code.
    """
    year, form = parsed(desk.request.path_params["file"], desk.language)
    found = await open_person(desk, desk.view())
    cards = sorted(found.cards, key=lambda one: one.kpj)
    place = desk.request.path_params["card"]
    if not 1 <= place <= len(cards):
        raise NotFound("route-unknown")
    card = cards[place - 1]
    if card.row is None:
        raise Unavailable(card.code)
    return await statement_file(desk.application, card.row.card, year, form, found.about.identity)


async def _letter(desk: Desk) -> Response:
    """All cards and their sum. What cannot be told now is not printed: Raises Unavailable with the reason's code."""
    found = await open_person(desk, desk.view())
    for code in (found.gap, *(card.code for card in found.cards)):
        if code:
            raise Unavailable(code)
    rows = [card.row for card in found.cards if card.row is not None]
    today = jakarta_date(desk.application.now())
    asked = [Question(row.card, LETTER, today, row.position, desk.language) for row in rows]
    codes = await desk.application.work(partial(desk.application.codes.seal_all, asked))
    years = month_grid.years(found.facts, today)
    groups, single = grouped(month_grid.missing(years), by_card=True)
    return desk.show(
        "office_letter.html",
        identity=found.about.identity,
        rows=rows,
        kpjs={row.card: row.kpj for row in rows},
        codes=[(row.kpj, code) for row, code in zip(rows, codes, strict=True) if code],
        groups=groups,
        missing=single[:LISTED],
        more=sorted({one.month for one in single[LISTED:]}),
        sum=missing_sum(years),
        awaited=awaited(years),
        until=received(found.facts),
        total=sum(row.total for row in rows),
        now=desk.application.now(),
        position=position_text(desk.application.log.log_id, found.position),
        clerk=desk.session.who,
        handle=desk.request.path_params["view"],
    )
