"""The balance on paper: one sheet that says what is held, as of when, which months have not come and why, and where in the
ledger it can be found again."""

from __future__ import annotations

from starlette.responses import Response

from api.route import PlainRoute
from api.web.office.desk import HOME, Desk, Office
from api.web.office.member import LISTED, open_person
from ledger.clock import jakarta_date
from ledger.errors import Unavailable
from ledger.store.log import position_text
from projections import month_grid
from projections.received import awaited, missing_sum, received


def routes(office: Office) -> list[PlainRoute]:
    """The letter."""
    return [office.route(f"{HOME}/peserta/{{view}}/surat", _letter, "GET")]


async def _letter(desk: Desk) -> Response:
    """All cards and their sum. What cannot be told now is not printed: Raises Unavailable with the reason's code."""
    found = await open_person(desk, desk.view())
    for code in (found.gap, *(card.code for card in found.cards)):
        if code:
            raise Unavailable(code)
    rows = [card.row for card in found.cards if card.row is not None]
    years = month_grid.years(found.facts, jakarta_date(desk.application.now()))
    listed = month_grid.missing(years)
    return desk.show(
        "office_letter.html",
        identity=found.about.identity,
        rows=rows,
        kpjs={row.card: row.kpj for row in rows},
        missing=listed[:LISTED],
        more=sorted({one.month for one in listed[LISTED:]}),
        sum=missing_sum(years),
        awaited=awaited(years),
        until=received(found.facts),
        total=sum(row.total for row in rows),
        now=desk.application.now(),
        position=position_text(desk.application.log.log_id, found.position),
        clerk=desk.session.who,
        handle=desk.request.path_params["view"],
    )
