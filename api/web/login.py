"""`/masuk`, `/keluar`, `/lupa`, `/sandi/{token}`: coming in, going out, and another password."""

from __future__ import annotations

import asyncio

from starlette.requests import Request
from starlette.responses import Response

from api import problems
from api.access.guard import address_of
from api.access.login import clean_identifier
from api.access.sessions import MEMBER
from api.application import ApplicationState
from api.formats import sentence
from api.route import PlainRoute
from api.web import forms
from api.web.forms import Errors
from api.web.page_context import Visits, form_of
from api.web.pages import language_of, render, see_other
from api.web.register import steady
from api.web.words import words
from ledger.errors import Refused

RESETS = ("reset", "invite")
_LONGEST = 254


def notice_of(request: Request) -> str:
    """Which notice the page of the login shows about what was just done, "" for none."""
    notice = request.query_params.get("kabar", "")
    return notice if words(language_of(request)).has(f"login.notice_{notice}") else ""


def login_page(request: Request, errors: Errors, status: int = 200, *, passkeys: bool) -> Response:
    """The page of the login; `passkeys`: whether one can come in with a passkey too."""
    identifier = form_of(request).get("identifier", "")[:_LONGEST] if "form" in request.scope else ""
    return render(
        request, "login.html", status, errors=errors, given={"identifier": identifier}, notice=notice_of(request),
        passkeys=passkeys,
    )  # fmt: skip


def routes(application: ApplicationState, visits: Visits) -> list[PlainRoute]:
    """The routes of the login."""

    passkeys = application.settings.offers_passkeys

    async def ask(request: Request) -> Response:
        if request.scope["visit"] is not None and "kabar" not in request.query_params:
            return see_other("/saldo")
        return login_page(request, {}, passkeys=passkeys)

    async def enter(request: Request) -> Response:
        form, t = form_of(request), words(language_of(request))
        errors: Errors = {
            name: t(f"login.empty_{name}") for name in ("identifier", "password") if not form.get(name, "").strip()
        }
        if errors:
            return login_page(request, errors, 422, passkeys=passkeys)
        acting = visits.acting(request)
        try:
            entered = await application.identity.login.member(
                form["identifier"],
                form["password"],
                address_of(request),
                acting,
                application.identity.cookies.marks(request),
            )
        except Refused as refused:
            status = problems.status_of(refused.code)
            request.scope["problem"] = refused.code
            return login_page(request, {"page": sentence(refused.problem, acting.language)}, status, passkeys=passkeys)
        started = await application.identity.login.start(entered, acting, application.identity.cookies.session(request))
        return visits.let_in(see_other("/saldo"), request, started)

    async def leave(request: Request) -> Response:
        token = application.identity.cookies.session(request)
        if token:
            await application.work(lambda: application.identity.sessions.end(token))
        response = see_other("/masuk?kabar=keluar")
        application.identity.cookies.drop_session(response)
        return response

    async def forgot(request: Request) -> Response:
        return render(request, "forgot.html", errors={}, sent="kabar" in request.query_params)

    async def ask_reset(request: Request) -> Response:
        """Send a link, if there is anybody; the answer and its time are the same."""
        began, acting = asyncio.get_running_loop().time(), visits.acting(request)
        name = clean_identifier(form_of(request).get("identifier", ""))
        errors: Errors = {} if name else {"identifier": words(acting.language)("login.empty_identifier")}
        if name:
            try:
                await application.identity.guard.address("reset", address_of(request))
                await application.identity.guard.mail(address_of(request), name)
            except Refused as refused:
                errors = {"page": sentence(refused.problem, acting.language)}
        if errors:
            return render(request, "forgot.html", 422, errors=errors, sent=False)
        await application.work(lambda: application.members.ask_reset(name, acting))
        await steady(began)
        return see_other("/lupa?kabar=terkirim")

    async def choose(request: Request) -> Response:
        """The page of a link that was sent: another password. Raises Refused(link-used)."""
        await person_of(request)
        return render(request, "reset.html", errors={})

    async def person_of(request: Request) -> str:
        await application.identity.guard.address("link", address_of(request))
        link = await application.ask(application.members.look_at_link, request.path_params["token"], application.now())
        if link.purpose not in RESETS:
            raise Refused("link-used")
        return link.person

    async def reset(request: Request) -> Response:
        person, acting = await person_of(request), visits.acting(request)
        about = await application.ask(application.members.about, person)
        errors: Errors = {}
        password = forms.password_of(form_of(request), (about.identity.nik, about.email), acting.language, errors)
        if errors:
            return render(request, "reset.html", 422, errors=errors)
        hashed = await application.identity.passwords.hash(password)
        await application.work(lambda: application.members.reset(request.path_params["token"], hashed, acting))
        identity, response = application.identity, see_other("/masuk?kabar=sandi")
        identity.sessions.forget(MEMBER, person)
        # Who reads the letters of the account is no stranger: wrong passwords of others do not hold up this device.
        identity.cookies.set_marks(response, identity.devices.marked(identity.cookies.marks(request), MEMBER, person))
        return response

    return [
        PlainRoute("/masuk", visits.page(ask), methods=["GET"]),
        PlainRoute("/masuk", visits.page(enter), methods=["POST"]),
        PlainRoute("/keluar", visits.page(leave), methods=["POST"]),
        PlainRoute("/lupa", visits.page(forgot), methods=["GET"]),
        PlainRoute("/lupa", visits.page(ask_reset), methods=["POST"]),
        PlainRoute("/sandi/{token}", visits.page(choose), methods=["GET"]),
        PlainRoute("/sandi/{token}", visits.page(reset), methods=["POST"]),
    ]
