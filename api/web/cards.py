"""`/kartu`: show one more of the own cards."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from api.access.sessions import MEMBER
from api.application import ApplicationState
from api.route import Told
from api.web import forms
from api.web.forms import Errors
from api.web.page_context import Visits, form_of, visit_of
from api.web.pages import language_of, render, see_other
from api.web.words import words
from ledger.errors import Refused

TRIES = "10/hour"


def routes(application: ApplicationState, visits: Visits) -> list[Told]:
    """The routes of the page."""

    def page(request: Request, errors: Errors, kpj: str = "") -> Response:
        return render(request, "cards.html", 422 if errors else 200, errors=errors, kpj=kpj)

    async def ask(request: Request) -> Response:
        return page(request, {})

    async def link(request: Request) -> Response:
        person, acting = visit_of(request).who, visits.acting(request)
        typed, errors = form_of(request).get("kpj", "")[:24], Errors()
        kpj = forms.kpj_of(form_of(request), words(language_of(request)), errors)
        if not errors:
            try:
                # Whoever is logged in could search for numbers: a person links few cards.
                await application.identity.guard.take(TRIES, "link-card", person)
                await application.work(lambda: application.members.link_card(person, kpj, acting))
            except Refused as refused:
                request.scope["problem"] = refused.code
                errors["kpj"] = refused.problem.say(acting.language)
        return page(request, errors, typed) if errors else see_other("/saldo")

    return [
        Told("/kartu", visits.page(ask, MEMBER), methods=["GET"]),
        Told("/kartu", visits.page(link, MEMBER), methods=["POST"]),
    ]
