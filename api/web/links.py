"""`/tautan/{token}`: what a letter's link asks for. Looking shows a button, pressing it does it, once: mail scanners
look at every link.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from api.direct import Told
from api.identity.guard import address_of
from api.identity.sessions import MEMBER
from api.opened import Opened
from api.web.login import RESETS
from api.web.pages import render, see_other
from api.web.visits import Visits
from ledger.members.state import WAITING


def routes(opened: Opened, visits: Visits) -> list[Told]:
    """The routes of links."""

    async def look(request: Request) -> Response:
        """The question behind a link. Raises Refused: link-used, too-many-tries."""
        opened.identity.guard.address("link", address_of(request))
        token = request.path_params["token"]
        link = await opened.ask(opened.members.look_at_link, token, opened.now())
        if link.purpose in RESETS:
            return see_other(f"/sandi/{token}")
        return render(request, "link.html", purpose=link.purpose)

    async def use(request: Request) -> Response:
        """Do it. Raises Refused: link-used, too-many-tries."""
        opened.identity.guard.address("link", address_of(request))
        token, acting = request.path_params["token"], visits.acting(request)
        link = await opened.work(lambda: opened.members.use_link(token, acting))
        opened.identity.sessions.forget(MEMBER, link.person)
        notice = link.purpose
        if notice == "verify":
            login = await opened.ask(opened.members.login_of, link.person)
            notice = "waiting" if login is not None and login.state == WAITING else notice
        return see_other(f"/masuk?kabar={notice}")

    return [
        Told("/tautan/{token}", visits.page(look), methods=["GET"]),
        Told("/tautan/{token}", visits.page(use), methods=["POST"]),
    ]
