"""`/tautan/{token}`: what a letter's link asks for. Looking shows a button, pressing it does it, once: mail scanners
look at every link.

A link that verifies an e-mail address also wants the password of the registration, or of the account that it is to be
another address of. Otherwise whoever knows somebody's
data and address could register with a password of the own, and wait until the owner presses the button.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from api import problems
from api.access.guard import address_of
from api.access.login import Entered
from api.access.sessions import MEMBER
from api.application import ApplicationState
from api.formats import sentence
from api.route import PlainRoute
from api.web.forms import Errors
from api.web.login import RESETS
from api.web.page_context import Visits, form_of
from api.web.pages import render, see_other
from api.web.words import words
from ledger.errors import Refused
from ledger.members import Acting, Link

VERIFY, PROVE = "verify", "prove-contact"


def routes(application: ApplicationState, visits: Visits) -> list[PlainRoute]:
    """The routes of links."""

    async def look(request: Request) -> Response:
        """The question behind a link. Raises Refused: link-used, too-many-tries."""
        link = await link_of(request)
        if link.purpose in RESETS:
            return see_other(f"/sandi/{request.path_params['token']}")
        asked = await application.ask(application.members.asked_by, link)
        return render(request, "link.html", purpose=link.purpose, asked=asked, errors={})

    async def link_of(request: Request) -> Link:
        await application.identity.guard.address("link", address_of(request))
        return await application.ask(application.members.look_at_link, request.path_params["token"], application.now())

    async def use(request: Request) -> Response:
        """Do it. Raises Refused: link-used, too-many-tries, login-by-provider."""
        link, acting = await link_of(request), visits.acting(request)
        if link.purpose in {VERIFY, PROVE}:
            wrong = await not_proven(request, link, acting)
            if wrong is not None:
                return wrong
        await application.work(lambda: application.members.use_link(request.path_params["token"], acting))
        application.identity.sessions.forget(MEMBER, link.person)
        return (
            await enter(request, link, acting) if link.purpose == VERIFY else see_other(f"/masuk?kabar={link.purpose}")
        )

    async def not_proven(request: Request, link: Link, acting: Acting) -> Response | None:
        """The page again, unless the password is the one of the registration, or of the account whose contact changes."""
        if application.settings.oidc_issuer is not None:
            raise Refused("login-by-provider")
        given, said, status = form_of(request).get("password", ""), "", 422
        is_new = link.purpose == VERIFY
        chosen = await application.ask(application.members.chosen_password, link, application.now()) if is_new else None
        try:
            if not given.strip():
                said = words(acting.language)("login.empty_password")
            elif not await application.identity.login.again(
                f"{link.purpose} {link.version}", link.person, given, acting, chosen
            ):
                said = words(acting.language)("link.wrong_password" if is_new else "link.account_wrong")
        except Refused as refused:
            request.scope["problem"] = refused.code
            said, status = sentence(refused.problem, acting.language), problems.status_of(refused.code)
        errors: Errors = {"password": said} if said else {}
        if not errors:
            return None
        asked = "" if is_new else await application.ask(application.members.asked_by, link)
        return render(request, "link.html", status, purpose=link.purpose, asked=asked, errors=errors)

    async def enter(request: Request, link: Link, acting: Acting) -> Response:
        """Straight in: whatever had to be asked was asked before the link was sent."""
        login = await application.ask(application.members.login_of, link.person)
        if login is None:
            return see_other("/masuk")
        entered = Entered(MEMBER, login.person, login.epoch)
        started = await application.identity.login.start(entered, acting, application.identity.cookies.session(request))
        return visits.let_in(see_other("/saldo"), request, started)

    return [
        PlainRoute("/tautan/{token}", visits.page(look), methods=["GET"]),
        PlainRoute("/tautan/{token}", visits.page(use), methods=["POST"]),
    ]
