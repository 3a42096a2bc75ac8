"""`/`, `/bantuan` and `/bahasa`: what anybody may see."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from api.application import ApplicationState
from api.route import PlainRoute
from api.web.addresses import way_back
from api.web.page_context import Visits
from api.web.pages import LANGUAGE_COOKIE, render, see_other
from api.web.words import LANGUAGES

_YEAR_SECONDS = 365 * 24 * 3600


def routes(application: ApplicationState, visits: Visits) -> list[PlainRoute]:
    """The routes of the public pages."""

    async def start(request: Request) -> Response:
        return render(request, "start.html")

    async def help_page(request: Request) -> Response:
        return render(request, "help.html")

    async def language(request: Request) -> Response:
        """Remember the language asked for, and go back to where the visitor was: only to one of our own pages."""
        response = see_other(way_back(request.query_params.get("dari", "")))
        chosen = request.query_params.get("ke", "")
        if chosen in LANGUAGES:
            response.set_cookie(
                LANGUAGE_COOKIE, chosen, _YEAR_SECONDS, path="/", httponly=True, samesite="lax",
                secure=application.identity.cookies.secure,
            )  # fmt: skip
        return response

    return [
        PlainRoute("/", visits.page(start), methods=["GET"]),
        PlainRoute("/bantuan", visits.page(help_page), methods=["GET"]),
        PlainRoute("/bahasa", visits.page(language), methods=["GET"]),
    ]
