"""The staff's own way in and out."""

from __future__ import annotations

from starlette.responses import Response

from api.access.sessions import STAFF
from api.route import PlainRoute
from api.web.entrance import Entrance
from api.web.office.desk import CHANNEL, ENTRANCE, HOME, SECOND, Desk, Office


def routes(office: Office) -> list[PlainRoute]:
    """Logging in and out."""
    way = Entrance(
        office.application,
        office.visits,
        STAFF,
        CHANNEL,
        HOME,
        ENTRANCE,
        "office_login.html",
        "office.login_wrong",
        SECOND,
    )

    async def leave(desk: Desk) -> Response:
        return await way.leave(desk.request)

    return [*way.routes(), office.route("/kantor/keluar", leave, "POST")]
