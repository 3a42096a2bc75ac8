"""`/`, `/bantuan`, `/mitra` and `/bahasa`: what anybody may see."""

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
DOORS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        "read",
        (
            "GET /v1/accounts/{kpj}/balance", "GET /v1/accounts/{kpj}/entries", "GET /v1/accounts/{kpj}/months",
            "GET /v1/accounts/{kpj}/explain", "GET /v1/accounts/{kpj}/statement", "GET /v1/accounts/{kpj}/simulate",
            "GET /v1/accounts/{kpj}/difference", "GET /v1/answers/{code}", "GET /v1/totals",
        ),
    ),
    ("persons", ("GET /v1/persons/{person}/balance",)),
    ("register", ("POST /v1/employers", "POST /v1/registrations", "POST /v1/opening-balances")),
    ("post", ("POST /v1/contributions",)),
    ("suspense", ("GET /v1/suspense",)),
    ("correct", ("POST /v1/reversals",)),
)  # fmt: skip
"""What a partner's key opens, by scope; a test holds it equal to what the API describes."""


def routes(application: ApplicationState, visits: Visits) -> list[PlainRoute]:
    """The routes of the public pages."""

    async def start(request: Request) -> Response:
        return render(request, "start.html")

    async def help_page(request: Request) -> Response:
        return render(request, "help.html")

    async def partners(request: Request) -> Response:
        return render(request, "partners.html", doors=DOORS)

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
        PlainRoute("/mitra", visits.page(partners), methods=["GET"]),
        PlainRoute("/bahasa", visits.page(language), methods=["GET"]),
    ]
