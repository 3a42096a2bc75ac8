"""`/akun/kontak`: another e-mail address or phone on file. A contact that is known agrees, then the new one is proven; the
numbers that phones get are typed here."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from api import problems
from api.access.sessions import MEMBER
from api.application import ApplicationState
from api.contact_changes import LONGEST, answer_number, ask_contact, read_contact
from api.formats import sentence
from api.route import PlainRoute
from api.web.forms import Errors
from api.web.page_context import Visits, form_of, visit_of
from api.web.pages import render, see_other
from api.web.words import Words, words
from ledger.errors import Refused


def routes(application: ApplicationState, visits: Visits) -> list[PlainRoute]:
    """The routes of the page."""
    provided = application.settings.oidc_issuer is not None

    async def shown(request: Request, errors: Errors, status: int = 200, given: str = "") -> Response:
        t, person = words(visits.acting(request).language), visit_of(request).who
        notice = request.query_params.get("kabar", "")
        return render(
            request, "contacts.html", status, about=await application.ask(application.members.about, person),
            waiting=await application.ask(application.members.asked_contacts, person), errors=errors, given=given,
            provided=provided, notice=notice if t.has(f"contacts.notice_{notice}") else "",
        )  # fmt: skip

    async def contacts(request: Request) -> Response:
        return await shown(request, {})

    async def ask(request: Request) -> Response:
        """Ask for another contact: the password is asked again."""
        session, acting, form = visit_of(request), visits.acting(request), form_of(request)
        t, typed, old = words(acting.language), form.get("contact", "").strip(), form.get("old", "")
        contact, errors = _read(typed, t, provided=provided)
        if not provided and not old:
            errors["old"] = t("account.empty_old")
        if errors or contact is None:
            return await shown(request, errors, 422, typed[:LONGEST])
        try:
            await ask_contact(application, session.who, contact, None if provided else old, acting)
        except Refused as refused:
            if refused.code == "password-wrong":
                return await shown(request, {"old": t("account.wrong_old")}, 422, typed[:LONGEST])
            return await refusal(request, refused, "contact", typed[:LONGEST])
        return see_other("/akun/kontak?kabar=diminta")

    async def number(request: Request) -> Response:
        """A number that a known phone got agrees; one that the new phone got proves it."""
        person, acting, form = visit_of(request).who, visits.acting(request), form_of(request)
        asked, given = form.get("diminta", ""), form.get("number", "")[:32]
        if not given.strip():
            return await shown(request, {"number": words(acting.language)("register.empty_number")}, 422)
        try:
            if not (asked.isascii() and asked.isdigit() and len(asked) < 10):
                raise Refused("number-wrong")
            done = await answer_number(application, person, int(asked), given, acting)
        except Refused as refused:
            return await refusal(request, refused, "number")
        return see_other(f"/akun/kontak?kabar={'diganti' if done else 'setuju'}")

    async def refusal(request: Request, refused: Refused, field: str, given: str = "") -> Response:
        request.scope["problem"] = refused.code
        said = {field: sentence(refused.problem, visits.acting(request).language)}
        return await shown(request, said, problems.status_of(refused.code), given)

    return [
        PlainRoute("/akun/kontak", visits.page(contacts, MEMBER), methods=["GET"]),
        PlainRoute("/akun/kontak", visits.page(ask, MEMBER), methods=["POST"]),
        PlainRoute("/akun/kontak/kode", visits.page(number, MEMBER), methods=["POST"]),
    ]


def _read(typed: str, t: Words, *, provided: bool) -> tuple[tuple[str, str] | None, Errors]:
    """A contact as it was typed, or what is wrong with it; a provider changes its own e-mail addresses."""
    if not typed:
        return None, {"contact": t("contacts.empty_contact")}
    if provided and "@" in typed:
        return None, {"contact": t("contacts.provided")}
    try:
        return read_contact(typed), {}
    except Refused:
        return None, {"contact": t("contacts.wrong_contact")}
