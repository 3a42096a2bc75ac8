"""`/daftar`: registration in three steps. What was entered travels in posted bodies only, and nothing on a page tells
whether it matched: the same page comes after the same time. That page takes the number which the phone on file gets; the
browser that registered holds a ticket for it, whether anything matched or not.
"""

from __future__ import annotations

import asyncio
import secrets

from starlette.requests import Request
from starlette.responses import Response

from api import problems
from api.access.guard import address_of
from api.application import ApplicationState
from api.formats import sentence
from api.route import PlainRoute
from api.web import forms
from api.web.forms import Errors
from api.web.page_context import Visits, form_of
from api.web.pages import language_of, render, see_other
from api.web.words import words
from ledger.clock import jakarta_date
from ledger.errors import Refused
from ledger.members import Claim, masked_email

SENT_SECONDS = 0.5
"""How long an answer takes at least that must not tell whether anybody was found: longer than either kind of work."""
NUMBERS_OF_ONE = "10/hour"
"""How many numbers one browser may try."""
_TOLD_COOKIE, _TOLD_SECONDS = "terkirim", 3600
TICKET_COOKIE = "tiket"
_DETAILS = ("segment", "nik", "day", "month", "year", "kpj")


async def steady(began: float) -> None:
    """Wait until SENT_SECONDS after `began` (event loop time)."""
    await asyncio.sleep(max(0.0, began + SENT_SECONDS - asyncio.get_running_loop().time()))


def keep_for_number(application: ApplicationState, response: Response, ticket: str, email: str) -> None:
    """What the page of the number needs stays with the browser: the ticket, and the masked address."""
    for name, value in ((TICKET_COOKIE, ticket), (_TOLD_COOKIE, email)):
        response.set_cookie(
            name, value, _TOLD_SECONDS, path="/daftar", httponly=True, samesite="lax",
            secure=application.identity.cookies.secure,
        )  # fmt: skip


def routes(application: ApplicationState, visits: Visits) -> list[PlainRoute]:
    """The routes of the registration."""

    def step(request: Request, number: int, errors: Errors) -> Response:
        given = dict.fromkeys((*_DETAILS, "email"), "")
        if "form" in request.scope:
            given |= {name: text[:254] for name, text in form_of(request).items() if name in given}
        if number == 1:
            # The fields of the other steps are not on this page, and a link to one would lead nowhere.
            errors = {name: sentence for name, sentence in errors.items() if name == "segment"}
        carried = {name: given[name] for name in ((), ("segment",), _DETAILS)[number - 1]}
        return render(
            request, "register.html", 422 if errors else 200, step=number, errors=errors, given=given, carried=carried
        )

    def number_page(request: Request, errors: Errors, status: int = 200, *, done: bool = False) -> Response:
        """What happens now, with the place for the number."""
        email, provided = request.cookies.get(_TOLD_COOKIE, "")[:254], application.settings.oidc_issuer is not None
        return render(
            request, "register_sent.html", status, email=email, errors=errors, done=done, provided=provided
        )  # fmt: skip

    async def start(request: Request) -> Response:
        return step(request, 1, {})

    async def details(request: Request) -> Response:
        """After step 1, or back from step 3."""
        errors: Errors = {}
        forms.segment_of(form_of(request), words(language_of(request)), errors)
        return step(request, 1 if errors else 2, errors)

    def claimed(request: Request, errors: Errors) -> tuple[str, str, str, str]:
        """(NIK, birth date, KPJ, segment) in clean form, with what is wrong in `errors`."""
        form, t = form_of(request), words(language_of(request))
        segment = forms.segment_of(form, t, errors)
        nik = forms.nik_of(form, t, errors)
        born = forms.birth_date_of(form, jakarta_date(application.now()), t, errors)
        return nik, born, forms.kpj_of(form, t, errors), segment

    async def contact(request: Request) -> Response:
        """After step 2."""
        errors: Errors = {}
        claimed(request, errors)
        return step(request, _place(errors) if errors else 3, errors)

    async def send(request: Request) -> Response:
        """After step 3: the claim is looked at, and the answer is always the same."""
        began = asyncio.get_running_loop().time()
        language, errors = language_of(request), Errors()
        nik, born, kpj, segment = claimed(request, errors)
        if errors:
            return step(request, _place(errors), errors)
        email = forms.email_of(form_of(request), words(language), errors)
        password = forms.password_of(form_of(request), (nik, kpj, email), language, errors)
        if errors:
            return step(request, 3, errors)
        guard = application.identity.guard
        try:
            await guard.address("register", address_of(request))
            await guard.mail(address_of(request), email)
        except Refused as refused:
            return step(request, 3, {"page": sentence(refused.problem, language)})
        hashed = await application.identity.passwords.hash(password)
        claim, acting = Claim(nik, born, kpj, segment, email, language), visits.acting(request)
        ticket = secrets.token_urlsafe(32)
        await application.work(lambda: application.members.register(claim, hashed, acting, ticket))
        await steady(began)
        response = see_other("/daftar/terkirim")
        # A typing slip must be seen, and an address is not for addresses: the masked one stays with the browser.
        keep_for_number(application, response, ticket, masked_email(email))
        return response

    async def sent(request: Request) -> Response:
        return number_page(request, {}, done=request.query_params.get("kabar") == "cocok")

    async def number(request: Request) -> Response:
        """The number that the phone on file got. A ticket that stands for nothing looks like a wrong number."""
        began, acting = asyncio.get_running_loop().time(), visits.acting(request)
        ticket = request.cookies.get(TICKET_COOKIE, "")[:64]
        given = form_of(request).get("number", "")[:32]
        if not given.strip():
            return number_page(request, {"number": words(language_of(request))("register.empty_number")}, 422)
        try:
            await application.identity.guard.address("register", address_of(request))
            await application.identity.guard.take(NUMBERS_OF_ONE, "number", ticket)
            await application.work(lambda: application.members.confirm_by_number(ticket, given, acting))
        except Refused as refused:
            request.scope["problem"] = refused.code
            await steady(began)
            field = "number" if refused.code == "number-wrong" else "page"
            said = {field: sentence(refused.problem, acting.language)}
            return number_page(request, said, problems.status_of(refused.code))
        await steady(began)
        return see_other("/daftar/terkirim?kabar=cocok")

    async def anew(request: Request) -> Response:
        """A step has no address to come back to: it begins again."""
        del request
        return see_other("/daftar")

    return [
        PlainRoute("/daftar", visits.page(start), methods=["GET"]),
        PlainRoute("/daftar/data", visits.page(details), methods=["POST"]),
        PlainRoute("/daftar/email", visits.page(contact), methods=["POST"]),
        PlainRoute("/daftar/terkirim", visits.page(send), methods=["POST"]),
        PlainRoute("/daftar/terkirim", visits.page(sent), methods=["GET"]),
        PlainRoute("/daftar/nomor", visits.page(number), methods=["POST"]),
        PlainRoute("/daftar/nomor", visits.page(anew), methods=["GET"]),
        PlainRoute("/daftar/data", visits.page(anew), methods=["GET"]),
        PlainRoute("/daftar/email", visits.page(anew), methods=["GET"]),
    ]


def _place(errors: Errors) -> int:
    """The step whose fields are wrong."""
    return 1 if "segment" in errors else 2
