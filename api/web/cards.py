"""`/kartu`: show one more of the own cards."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from api.access.sessions import MEMBER
from api.application import ApplicationState
from api.formats import sentence
from api.offered_cards import OfferedCard, offered_cards
from api.route import PlainRoute
from api.web import forms
from api.web.forms import Errors
from api.web.page_context import Visits, form_of, visit_of
from api.web.pages import language_of, render, see_other
from api.web.words import words
from ledger.errors import Refused

TRIES = "10/hour"


def routes(application: ApplicationState, visits: Visits) -> list[PlainRoute]:
    """The routes of the page."""

    async def page(request: Request, errors: Errors, kpj: str = "") -> Response:
        offered = await offered_to(visit_of(request).who)
        return render(request, "cards.html", 422 if errors else 200, errors=errors, kpj=kpj, offered=offered)

    async def offered_to(person: str) -> list[OfferedCard]:
        shown = await application.ask(application.members.cards, person)
        return await offered_cards(application, person, [linked.card for linked in shown])

    async def ask(request: Request) -> Response:
        return await page(request, {})

    async def link(request: Request) -> Response:
        person, acting = visit_of(request).who, visits.acting(request)
        typed, errors = form_of(request).get("kpj", "")[:24], Errors()
        kpj = forms.kpj_of(form_of(request), words(language_of(request)), errors)
        if not errors:
            try:
                if kpj not in {one.kpj for one in await offered_to(person)}:
                    # Whoever is logged in could search for numbers; those that were offered are no search.
                    await application.identity.guard.take(TRIES, "link-card", person)
                await application.work(lambda: application.members.link_card(person, kpj, acting))
            except Refused as refused:
                request.scope["problem"] = refused.code
                errors["kpj"] = sentence(refused.problem, acting.language)
        return await page(request, errors, typed) if errors else see_other("/saldo")

    return [
        PlainRoute("/kartu", visits.page(ask, MEMBER), methods=["GET"]),
        PlainRoute("/kartu", visits.page(link, MEMBER), methods=["POST"]),
    ]
