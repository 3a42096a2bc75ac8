"""Logging in and out at the employers' door, and choosing one of several employers."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from api import problems
from api.direct import Told
from api.identity.guard import address_of
from api.identity.sessions import EMPLOYER
from api.web.employer.gate import CHANNEL, ENTRANCE, HOME, Desk, Gate
from api.web.pages import language_of, render, see_other
from api.web.visits import form_of
from ledger.errors import Refused
from ledger.members import Acting


def routes(gate: Gate) -> list[Told]:
    """The way in, the way out, and the choice."""
    opened = gate.opened

    async def ask(request: Request) -> Response:
        session = request.scope["session"]
        if session is not None and session.kind == EMPLOYER:
            return see_other(HOME)
        return _form(request, over=request.query_params.get("kabar") == "lewat")

    async def enter(request: Request) -> Response:
        form, acting = form_of(request), Acting(EMPLOYER, CHANNEL, opened.now())
        login, cookies = opened.identity.login, opened.identity.cookies
        try:
            entered = await login.user(
                EMPLOYER, form.get("nama", ""), form.get("sandi", ""), address_of(request), acting
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
        gate.checks.forget(desk.session.key)
        await opened.work(lambda: opened.identity.sessions.end(token))
        response = see_other(ENTRANCE)
        cookies.drop_session(response)
        return response

    async def choose(desk: Desk) -> Response:
        npps = [f"{npp:08d}" for npp in sorted(desk.session.npps)]
        if len(npps) == 1:
            return see_other(f"{HOME}/{npps[0]}")
        employers = [(npp, await desk.name(npp)) for npp in npps]
        return await desk.show("employer_choice.html", employers=employers)

    return [
        Told(ENTRANCE, gate.visits.page(ask), methods=["GET"]),
        Told(ENTRANCE, gate.visits.page(enter), methods=["POST"]),
        gate.route(f"{HOME}/keluar", leave, "POST"),
        gate.route(HOME, choose, "GET"),
    ]


def _form(request: Request, refused: Refused | None = None, *, over: bool = False) -> Response:
    error, status = "", 200
    if refused is not None:
        request.scope["problem"] = refused.code
        status, error = problems.status_of(refused.code), refused.problem.say(language_of(request))
    return render(request, "employer_login.html", status, error=error, over=over)
