"""`/daftar`: registration in three steps. What was entered travels in posted bodies only, and nothing on a page tells
whether it matched: the same page comes after the same time, and letters say the rest.
"""

from __future__ import annotations

import asyncio

from starlette.requests import Request
from starlette.responses import Response

from api.access.guard import address_of
from api.application import ApplicationState
from api.route import Told
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
_TOLD_COOKIE, _TOLD_SECONDS = "terkirim", 600
_DETAILS = ("segment", "nik", "day", "month", "year", "kpj")


async def steady(began: float) -> None:
    """Wait until SENT_SECONDS after `began` (event loop time)."""
    await asyncio.sleep(max(0.0, began + SENT_SECONDS - asyncio.get_running_loop().time()))


def routes(application: ApplicationState, visits: Visits) -> list[Told]:
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
            await guard.mail(email)
        except Refused as refused:
            return step(request, 3, {"page": refused.problem.say(language)})
        hashed = await application.identity.passwords.hash(password)
        claim, acting = Claim(nik, born, kpj, segment, email, language), visits.acting(request)
        await application.work(lambda: application.members.register(claim, hashed, acting))
        await steady(began)
        response = see_other("/daftar/terkirim")
        # A typing slip must be seen, and an address is not for addresses: the masked one stays with the browser.
        response.set_cookie(
            _TOLD_COOKIE, masked_email(email), _TOLD_SECONDS, path="/daftar/terkirim", httponly=True, samesite="lax",
            secure=application.identity.cookies.secure,
        )  # fmt: skip
        return response

    async def sent(request: Request) -> Response:
        return render(request, "register_sent.html", email=request.cookies.get(_TOLD_COOKIE, "")[:254])

    async def anew(request: Request) -> Response:
        """A step has no address to come back to: it begins again."""
        del request
        return see_other("/daftar")

    return [
        Told("/daftar", visits.page(start), methods=["GET"]),
        Told("/daftar/data", visits.page(details), methods=["POST"]),
        Told("/daftar/email", visits.page(contact), methods=["POST"]),
        Told("/daftar/terkirim", visits.page(send), methods=["POST"]),
        Told("/daftar/terkirim", visits.page(sent), methods=["GET"]),
        Told("/daftar/data", visits.page(anew), methods=["GET"]),
        Told("/daftar/email", visits.page(anew), methods=["GET"]),
    ]


def _place(errors: Errors) -> int:
    """The step whose fields are wrong."""
    return 1 if "segment" in errors else 2
