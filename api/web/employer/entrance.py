"""Logging in and out at the employers' door, and choosing one of several employers."""

from __future__ import annotations

from starlette.responses import Response

from api.access.sessions import EMPLOYER
from api.route import PlainRoute
from api.web.employer.desk import CHANNEL, ENTRANCE, HOME, Desk, Employers
from api.web.entrance import Entrance
from api.web.pages import see_other


def routes(door: Employers) -> list[PlainRoute]:
    """The way in, the way out, and the choice."""
    way = Entrance(
        door.application, door.visits, EMPLOYER, CHANNEL, HOME, ENTRANCE, "employer_login.html", "employer.login_wrong"
    )

    async def leave(desk: Desk) -> Response:
        await door.application.work(lambda: door.checks.forget(desk.session.key))
        return await way.leave(desk.request)

    async def choose(desk: Desk) -> Response:
        npps = [f"{npp:08d}" for npp in sorted(desk.session.npps)]
        if len(npps) == 1:
            return see_other(f"{HOME}/{npps[0]}")
        employers = [(npp, await desk.name(npp)) for npp in npps]
        return await desk.show("employer_choice.html", employers=employers)

    return [
        *way.routes(),
        door.route(f"{HOME}/keluar", leave, "POST"),
        door.route(HOME, choose, "GET"),
    ]
