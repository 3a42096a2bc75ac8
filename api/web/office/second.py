"""The second factor at the office's door: `/kantor/kode` after the password, `/kantor/hp-hilang` for supervisors."""

from __future__ import annotations

import segno
import structlog
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from api import problems
from api.access import totp
from api.access.guard import address_of
from api.access.sessions import HALF, STAFF
from api.formats import sentence
from api.route import PlainRoute
from api.web.office.desk import CHANNEL, ENTRANCE, HOME, PHONES, SECOND, SUPERVISOR, Desk, Office
from api.web.page_context import form_of, visit_of
from api.web.pages import language_of, render, see_other
from api.web.words import words
from ledger.errors import Refused


def routes(office: Office) -> list[PlainRoute]:
    """The pages of the code, for whoever gave the password, and the supervisors' page of lost phones."""
    application, visits = office.application, office.visits

    async def shown(request: Request, error: str = "", status: int = 200) -> Response:
        """The code is asked for; before it, of a user without a phone, what to type into the app."""
        session = visit_of(request)
        factor = await application.ask(application.identity.factors.of, session.who)
        secret = b"" if factor.enrolled_at else application.identity.factors.offered(session)
        key, picture = (totp.key_text(secret), _picture(secret, session.who)) if secret else ("", "")
        return render(
            request, "office_code.html", status, error=error, factor=factor, key=key, picture=picture, user=session.who
        )

    async def ask(request: Request) -> Response:
        return await shown(request)

    async def enter(request: Request) -> Response:
        session, acting = visit_of(request), visits.acting(request, STAFF, CHANNEL)
        marks, code = application.identity.cookies.marks(request), form_of(request).get("kode", "")
        try:
            entered = await application.identity.login.second(session, code, address_of(request), acting, marks)
        except Refused as refused:
            request.scope["problem"] = refused.code
            return await shown(request, sentence(refused.problem, acting.language), problems.status_of(refused.code))
        if entered is None:
            request.scope["problem"] = "factor-wrong"
            return await shown(request, words(language_of(request))("office.code_wrong"), 422)
        started = await application.identity.login.start(entered, acting, application.identity.cookies.session(request))
        return visits.let_in(see_other(HOME), request, started)

    async def lost(request: Request) -> Response:
        """The user asks for the phone to be forgotten; another supervisor has to agree."""
        name, now = visit_of(request).who, application.now()
        await application.work(lambda: application.identity.factors.ask_reset(name, now))
        _note(request, "asked", name)
        return see_other(SECOND)

    async def phones(desk: Desk) -> Response:
        asking = await application.ask(application.identity.factors.asking, application.now())
        gone = desk.request.query_params.get("kabar", "") == "sudah"
        return desk.show("office_phones.html", asking=asking, gone=gone)

    async def agree(desk: Desk) -> Response:
        name, asked_at, now = desk.form.get("nama", ""), desk.form.get("versi", ""), application.now()
        await application.work(lambda: application.identity.factors.grant_reset(name, asked_at, desk.session.who, now))
        application.identity.sessions.forget(STAFF, name)
        application.identity.sessions.forget(HALF, name)
        _note(desk.request, "reset", name)
        return see_other(f"{PHONES}?kabar=sudah")

    return [
        PlainRoute(SECOND, visits.page(ask, HALF, ENTRANCE), methods=["GET"]),
        PlainRoute(SECOND, visits.page(enter, HALF, ENTRANCE), methods=["POST"]),
        PlainRoute(f"{SECOND}/hilang", visits.page(lost, HALF, ENTRANCE), methods=["POST"]),
        office.route(PHONES, phones, "GET", role=SUPERVISOR),
        office.route(PHONES, agree, "POST", role=SUPERVISOR),
    ]


def _picture(secret: bytes, user: str) -> Markup:
    """The key as a QR code for an app's camera: an SVG of paths and attributes only, dark on white in either scheme."""
    code = segno.make(totp.key_address(secret, user), error="m", micro=False)
    return Markup(code.svg_inline(border=4, dark="#000", light="#fff", omitsize=True))  # noqa: S704 - of our own numbers


def _note(request: Request, outcome: str, who: str) -> None:
    """A line for whoever investigates; by whom and from where."""
    structlog.get_logger().info(
        "second-factor", outcome=outcome, who=who, by=visit_of(request).who, channel=CHANNEL,
        source=request.scope["trace"]["source"], request=request.scope.get("request_id", ""),
    )  # fmt: skip
