"""`/akun/kontak`: another e-mail address or phone on file. A contact that is known agrees, then the new one is proven; the
numbers that phones get are typed here."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from api import problems
from api.access.sessions import MEMBER
from api.application import ApplicationState
from api.route import PlainRoute
from api.web.forms import Errors
from api.web.page_context import Visits, form_of, visit_of
from api.web.pages import render, see_other
from api.web.words import words
from ledger.contacts import clean_email, clean_phone
from ledger.errors import Refused
from ledger.members.state import EMAIL, PHONE

ASKED_AN_HOUR = "10/hour"
NUMBERS_AN_HOUR = "10/hour"
_LONGEST = 254


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
        what = EMAIL if "@" in typed else PHONE
        clean = clean_email(typed) if what == EMAIL else clean_phone(typed)
        errors: Errors = {}
        if not typed:
            errors["contact"] = t("contacts.empty_contact")
        elif provided and what == EMAIL:
            errors["contact"] = t("contacts.provided")
        elif clean is None:
            errors["contact"] = t("contacts.wrong_contact")
        if not provided and not old:
            errors["old"] = t("account.empty_old")
        if errors or clean is None:
            return await shown(request, errors, 422, typed[:_LONGEST])
        try:
            if not provided and not await application.identity.login.again("contact", session.who, old, acting):
                return await shown(request, {"old": t("account.wrong_old")}, 422, typed[:_LONGEST])
            await application.identity.guard.take(ASKED_AN_HOUR, "contact", session.who)
            await application.work(lambda: application.members.ask_contact(session.who, what, clean, acting))
        except Refused as refused:
            return await refusal(request, refused, "contact", typed[:_LONGEST])
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
            await application.identity.guard.take(NUMBERS_AN_HOUR, "contact-number", person)
            done = await application.work(lambda: application.members.answer_contact(person, int(asked), given, acting))
        except Refused as refused:
            return await refusal(request, refused, "number")
        return see_other(f"/akun/kontak?kabar={'diganti' if done else 'setuju'}")

    async def refusal(request: Request, refused: Refused, field: str, given: str = "") -> Response:
        request.scope["problem"] = refused.code
        said = {field: refused.problem.say(visits.acting(request).language)}
        return await shown(request, said, problems.status_of(refused.code), given)

    return [
        PlainRoute("/akun/kontak", visits.page(contacts, MEMBER), methods=["GET"]),
        PlainRoute("/akun/kontak", visits.page(ask, MEMBER), methods=["POST"]),
        PlainRoute("/akun/kontak/kode", visits.page(number, MEMBER), methods=["POST"]),
    ]
