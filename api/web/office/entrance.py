"""The staff's own way in and out."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from api import problems
from api.direct import Told
from api.identity.guard import address_of
from api.identity.sessions import STAFF
from api.web.office.desk import CHANNEL, ENTRANCE, HOME, Desk, Office
from api.web.pages import language_of, render, see_other
from api.web.visits import form_of
from api.web.words import words
from ledger.errors import Refused
from ledger.members import Acting


def routes(office: Office) -> list[Told]:
    """Logging in and out."""
    opened = office.opened

    async def ask(request: Request) -> Response:
        session = request.scope["session"]
        if session is not None and session.kind == STAFF:
            return see_other(HOME)
        return _form(request, over=request.query_params.get("kabar") == "lewat")

    async def enter(request: Request) -> Response:
        form, acting = form_of(request), Acting("staff", CHANNEL, opened.now())
        login, cookies = opened.identity.login, opened.identity.cookies
        try:
            entered = await login.user(
                STAFF, form.get("nama", ""), form.get("sandi", ""), address_of(request), acting
            )  # fmt: skip
        except Refused as refused:
            return _form(request, refused)
        started = await login.start(entered, acting, cookies.session(request))
        response = see_other(HOME)
        cookies.set_session(response, started.token)
        return response

    async def leave(desk: Desk) -> Response:
        cookies = opened.identity.cookies
        token = cookies.session(desk.request)
        await opened.work(lambda: opened.identity.sessions.end(token))
        response = see_other(ENTRANCE)
        cookies.drop_session(response)
        return response

    return [
        Told(ENTRANCE, office.visits.page(ask), methods=["GET"]),
        Told(ENTRANCE, office.visits.page(enter), methods=["POST"]),
        office.route("/kantor/keluar", leave, "POST"),
    ]


def _form(request: Request, refused: Refused | None = None, *, over: bool = False) -> Response:
    errors, status = {}, 200
    if refused is not None:
        request.scope["problem"] = refused.code
        status = problems.status_of(refused.code)
        language = language_of(request)
        # The usual sentence speaks of a member's names and letters.
        wrong = refused.code == "login-wrong"
        errors = {"page": words(language)("office.login_wrong") if wrong else refused.problem.say(language)}
    return render(request, "office_login.html", status, errors=errors, over=over)
