"""With an identity provider (JHT_OIDC_ISSUER) its login replaces ours: `/oidc/mulai`, `/oidc/kembali`, `/oidc/data`.

The first login asks who it is in the register, as a registration does, and binds the provider's subject to that person.
The pages of passwords lead to the provider then, and no password of ours opens the website.
"""

from __future__ import annotations

import asyncio
import secrets

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from api import problems
from api.access.guard import address_of
from api.access.login import Entered
from api.access.oidc import VALID, Begun, Proven, Provider
from api.access.sessions import MEMBER
from api.application import ApplicationState
from api.formats import sentence
from api.route import PlainRoute
from api.web import forms
from api.web.forms import Errors
from api.web.login import notice_of
from api.web.page_context import Visits, form_of
from api.web.pages import SECURITY, language_of, render, see_other
from api.web.register import keep_for_number, steady
from api.web.words import words
from ledger.clock import jakarta_date
from ledger.errors import Refused
from ledger.members import Claim, Login, masked_email

_FIELDS = ("segment", "nik", "day", "month", "year", "kpj")


def routes(application: ApplicationState, visits: Visits) -> list[PlainRoute]:
    """The routes of a provider; they stand before those of passwords. None without JHT_OIDC_ISSUER."""
    if application.settings.oidc_issuer is None:
        return []
    secure = application.settings.is_https
    prefix = "__Host-" if secure else ""
    going_cookie, proven_cookie = f"{prefix}jht_oidc", f"{prefix}jht_proven"

    def provided() -> Provider:
        found = application.identity.provider
        assert found is not None
        return found

    def remember(response: Response, name: str, sealed: str) -> None:
        response.set_cookie(
            name, sealed, int(VALID.total_seconds()), path="/", secure=secure, httponly=True,
            samesite="lax",
        )  # fmt: skip

    def forget(response: Response, *names: str) -> Response:
        for name in names:
            response.delete_cookie(name, path="/", secure=secure, httponly=True, samesite="lax")
        return response

    async def explain(request: Request) -> Response:
        host = provided().issuer.partition("://")[2]
        return render(request, "provider.html", host=host, notice=notice_of(request))

    async def begin(request: Request) -> Response:
        if request.scope["visit"] is not None:
            return see_other("/saldo")
        await application.identity.guard.address("login", address_of(request))
        begun: Begun = await provided().begin(application.now(), language_of(request))
        # The one address outside: the provider's own, from its signed-off metadata, never from a request.
        response = RedirectResponse(begun.address, 303, SECURITY)
        remember(response, going_cookie, begun.sealed)
        return response

    async def come_back(request: Request) -> Response:
        await application.identity.guard.address("login", address_of(request))
        sealed = request.cookies.get(going_cookie, "")
        proven = await provided().finish(dict(request.query_params), sealed, application.now())
        login = await application.ask(application.members.of_issuer, proven.issuer, proven.subject)
        if login is not None:
            return forget(await enter(request, login), going_cookie, proven_cookie)
        now = application.now()
        if await application.ask(application.members.is_waiting, proven.issuer, proven.subject, now):
            return forget(render(request, "provider_waits.html"), going_cookie)
        if not proven.email:
            raise Refused("provider-email-missing")
        response = see_other("/oidc/data")
        remember(response, proven_cookie, provided().seal(proven))
        return forget(response, going_cookie)

    async def enter(request: Request, login: Login) -> Response:
        acting = visits.acting(request)
        entered = Entered(MEMBER, login.person, login.epoch)
        started = await application.identity.login.start(entered, acting, application.identity.cookies.session(request))
        return visits.let_in(see_other("/saldo"), request, started)

    def proven_of(request: Request) -> Proven:
        return provided().unseal(request.cookies.get(proven_cookie, ""), Proven, application.now())

    def data_page(request: Request, errors: Errors, status: int = 200) -> Response:
        given = dict.fromkeys(_FIELDS, "")
        if "form" in request.scope:
            given |= {name: text[:254] for name, text in form_of(request).items() if name in given}
        return render(request, "provider_data.html", status, errors=errors, given=given)

    async def ask(request: Request) -> Response:
        proven_of(request)
        return data_page(request, {})

    async def bind(request: Request) -> Response:
        """The first login: the answer for a claim that fits nobody and one that must wait is the same."""
        began, proven = asyncio.get_running_loop().time(), proven_of(request)
        form, language, errors = form_of(request), language_of(request), Errors()
        t = words(language)
        segment = forms.segment_of(form, t, errors)
        nik = forms.nik_of(form, t, errors)
        born = forms.birth_date_of(form, jakarta_date(application.now()), t, errors)
        kpj = forms.kpj_of(form, t, errors)
        if errors:
            return data_page(request, errors, 422)
        try:
            await application.identity.guard.address("register", address_of(request))
            await application.identity.guard.mail(address_of(request), proven.email)
        except Refused as refused:
            return data_page(request, {"page": sentence(refused.problem, language)}, problems.status_of(refused.code))
        claim, acting = Claim(nik, born, kpj, segment, proven.email, language), visits.acting(request)
        ticket = secrets.token_urlsafe(32)
        bound = await application.work(
            lambda: application.members.register_issuer(claim, proven.issuer, proven.subject, acting, ticket)
        )
        login = await application.ask(application.members.of_issuer, proven.issuer, proven.subject) if bound else None
        await steady(began)
        response = see_other("/daftar/terkirim") if login is None else await enter(request, login)
        if login is None:
            keep_for_number(application, response, ticket, masked_email(proven.email))
        return forget(response, proven_cookie)

    async def to_login(request: Request) -> Response:
        # A form cannot lead on to the provider: the policy `form-action` stops the browser there.
        return see_other("/oidc/mulai" if request.method == "GET" else "/masuk?kabar=lewat")

    async def login_page(request: Request) -> Response:
        """After leaving or a refusal a page stands between, or the provider would log in again at once."""
        return await (explain if "kabar" in request.query_params else to_login)(request)

    both = ["GET", "POST"]
    return [
        PlainRoute("/oidc/mulai", visits.page(begin), methods=["GET"]),
        PlainRoute("/oidc/kembali", visits.page(come_back), methods=["GET"]),
        PlainRoute("/oidc/data", visits.page(ask), methods=["GET"]),
        PlainRoute("/oidc/data", visits.page(bind), methods=["POST"]),
        PlainRoute("/masuk", visits.page(login_page), methods=["GET"]),
        PlainRoute("/masuk", visits.page(to_login), methods=["POST"]),
        PlainRoute("/daftar", visits.page(explain), methods=["GET"]),
        PlainRoute("/daftar/terkirim", visits.page(to_login), methods=["POST"]),
        *(
            PlainRoute(path, visits.page(to_login), methods=both)
            for path in ("/daftar/data", "/daftar/email", "/lupa", "/sandi/{token}")
        ),
    ]
