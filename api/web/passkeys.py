"""`/masuk/passkey`, `/akun/passkey`: a member comes in with a passkey, adds one, removes one.

These need a script (`static/passkey.js`), which shows their buttons where a browser knows passkeys; everything else works
without, and a passkey can be removed without. Where none are offered (`Settings.offers_passkeys`) the pages are not there.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from api import problems
from api.access.csrf import FIELD
from api.access.guard import address_of
from api.access.passkeys import PasskeyDoor
from api.access.sessions import MEMBER
from api.application import ApplicationState
from api.formats import sentence
from api.route import PlainRoute
from api.web.forms import Errors
from api.web.login import login_page
from api.web.page_context import Handler, Visits, form_of, visit_of
from api.web.pages import SECURITY, render, see_other
from api.web.words import words
from ledger.errors import NotFound, Refused

_LONGEST_NUMBER = 10


def routes(application: ApplicationState, visits: Visits) -> list[PlainRoute]:
    """The routes of passkeys."""

    def door() -> PasskeyDoor:
        return application.identity.passkeys  # there when the application has started

    def page(handler: Handler, kind: str = "") -> Handler:
        async def offered(request: Request) -> Response:
            if not application.settings.offers_passkeys:
                raise NotFound("route-unknown")
            return await handler(request)

        return visits.page(offered, kind)

    # --- coming in

    async def challenge(request: Request) -> Response:
        """What the browser shows to the authenticator."""
        options = door().to_enter(request.scope["csrf"].text, visits.acting(request))
        return Response(options, 200, SECURITY, "application/json")

    async def enter(request: Request) -> Response:
        form, acting, identity = form_of(request), visits.acting(request), application.identity
        marks = identity.cookies.marks(request)
        try:
            entered = await door().enter(form.get("credential", ""), form[FIELD], address_of(request), acting, marks)
        except Refused as refused:
            request.scope["problem"] = refused.code
            errors = {"page": sentence(refused.problem, acting.language)}
            return login_page(request, errors, problems.status_of(refused.code), passkeys=True)
        started = await identity.login.start(entered, acting, identity.cookies.session(request))
        return visits.let_in(see_other("/saldo"), request, started)

    # --- the account

    async def shown(request: Request, errors: Errors, status: int = 200) -> Response:
        t, notice = words(visits.acting(request).language), request.query_params.get("kabar", "")
        found = await application.ask(application.members.passkeys_of, visit_of(request).who)
        return render(
            request, "passkeys.html", status, passkeys=found, errors=errors,
            notice=notice if t.has(f"passkey.notice_{notice}") else "",
        )  # fmt: skip

    async def listed(request: Request) -> Response:
        return await shown(request, {})

    async def begin(request: Request) -> Response:
        """The password is asked again; then the page with the button that makes a passkey."""
        person, acting, old = visit_of(request).who, visits.acting(request), form_of(request).get("old", "")
        t = words(acting.language)
        if not old:
            return await shown(request, {"old": t("account.empty_old")}, 422)
        try:
            if not await application.identity.login.again("passkey", person, old, acting):
                return await shown(request, {"old": t("account.wrong_old")}, 422)
        except Refused as refused:
            return await refusal(request, refused, "old")
        about = await application.ask(application.members.about, person)
        holder = request.scope["csrf"].text
        options = await application.work(
            lambda: door().to_add(person, about.email, about.identity.name, holder, acting)
        )  # fmt: skip
        return render(request, "passkey_new.html", options=options)

    async def add(request: Request) -> Response:
        form, acting = form_of(request), visits.acting(request)
        try:
            await door().add(visit_of(request).who, form.get("credential", ""), form[FIELD], acting)
        except Refused as refused:
            return await refusal(request, refused, "page")
        return await visits.renewed(request, "/akun/passkey?kabar=ditambah")

    async def remove(request: Request) -> Response:
        person, acting, number = visit_of(request).who, visits.acting(request), form_of(request).get("nomor", "")
        if not (number.isascii() and number.isdigit() and len(number) < _LONGEST_NUMBER):
            raise NotFound("passkey-unknown")
        await application.work(lambda: application.members.remove_passkey(person, int(number), acting))
        return await visits.renewed(request, "/akun/passkey?kabar=dihapus")

    async def refusal(request: Request, refused: Refused, field: str) -> Response:
        request.scope["problem"] = refused.code
        said = {field: sentence(refused.problem, visits.acting(request).language)}
        return await shown(request, said, problems.status_of(refused.code))

    return [
        PlainRoute("/masuk/passkey", page(challenge), methods=["GET"]),
        PlainRoute("/masuk/passkey", page(enter), methods=["POST"]),
        PlainRoute("/akun/passkey", page(listed, MEMBER), methods=["GET"]),
        PlainRoute("/akun/passkey", page(begin, MEMBER), methods=["POST"]),
        PlainRoute("/akun/passkey/baru", page(add, MEMBER), methods=["POST"]),
        PlainRoute("/akun/passkey/hapus", page(remove, MEMBER), methods=["POST"]),
    ]
