"""`/saldo/{handle}/perkiraan`: what one card's savings may become, with the assumptions beside the number."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from starlette.requests import Request
from starlette.responses import Response

from api import problems
from api.access.sessions import MEMBER
from api.application import ApplicationState
from api.formats import sentence
from api.route import PlainRoute
from api.web.forms import Errors
from api.web.holdings import Holdings
from api.web.page_context import Visits, form_of, visit_of
from api.web.pages import language_of, render
from api.web.saldo import note_reads
from ledger.clock import jakarta_date
from ledger.decisions.scheme import rate_of
from ledger.errors import Refused, Unavailable
from projections.outlook import LOOKED_AT, Wish, simulation_of

FIELDS = ("years", "age", "monthly", "growth", "rate", "inflation")
_LONGEST = 20


def routes(application: ApplicationState, visits: Visits, holdings: Holdings) -> list[PlainRoute]:
    """The routes of the page: assumptions are posted, so that no amount stands in an address."""

    async def shown(request: Request, form: Mapping[str, str]) -> Response:
        now, person = application.now(), visit_of(request).who
        look = await holdings.look(person, now, request.path_params["handle"])
        await note_reads(application, request, look.cards)
        (held,) = look.cards
        if held.row is None:
            raise held.error or Unavailable("account-incomplete")
        about = await application.ask(application.members.about, person)
        lines = await application.ask(application.reader.entries, held.linked.card, now, None, LOOKED_AT)
        given, errors, found = {name: form.get(name, "").strip()[:_LONGEST] for name in FIELDS}, Errors(), None
        try:
            born = date.fromisoformat(about.identity.birth_date)
            found = simulation_of(held.row, lines, wish_of(given), jakarta_date(now), born)
        except Refused as refused:
            request.scope["problem"] = refused.code
            field = refused.problem.column
            errors[field if field in FIELDS else "page"] = sentence(refused.problem, language_of(request))
        # A first look that lacks a rate is no mistake of anybody's: the form asks for it.
        status = problems.status_of(request.scope["problem"]) if errors and form else 200
        return render(
            request, "outlook.html", status, held=held, now=now, given=given, errors=errors, found=found
        )  # fmt: skip

    async def first(request: Request) -> Response:
        return await shown(request, {})

    async def again(request: Request) -> Response:
        return await shown(request, form_of(request))

    path = "/saldo/{handle}/perkiraan"
    return [
        PlainRoute(path, visits.page(first, MEMBER), methods=["GET"]),
        PlainRoute(path, visits.page(again, MEMBER), methods=["POST"]),
    ]


def wish_of(given: Mapping[str, str]) -> Wish:
    """What the form says; an empty field is taken from the card. Raises Refused(simulation-unreadable)."""
    numbers = {name: _number(name, given[name]) for name in ("years", "age", "monthly") if given[name]}
    rates = {name: _rate(name, given[name]) for name in ("growth", "rate", "inflation") if given[name]}
    return Wish(**numbers, **rates)


def _number(name: str, text: str) -> int:
    digits = text.removeprefix("Rp").replace(".", "").replace(" ", "")
    if not (digits.isascii() and digits.isdigit()):
        raise Refused("simulation-unreadable", column=name)
    return int(digits)


def _rate(name: str, text: str) -> int:
    try:
        return rate_of(text)
    except Refused:
        raise Refused("simulation-unreadable", column=name) from None
