"""The way in of a door for users, staff or employers': its login page, a login, and the way out."""

from __future__ import annotations

from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from api import problems
from api.access.guard import address_of
from api.access.sessions import Session
from api.application import ApplicationState
from api.formats import sentence
from api.route import PlainRoute
from api.web.page_context import Visits, form_of
from api.web.pages import language_of, render, see_other
from api.web.words import words
from ledger.errors import Problem, Refused


class Entrance(NamedTuple):
    """One door's. `kind`: of its users; `template`: its login page, with `error` and `over`.

    `wrong`: the text for a name or password that is not right; the usual one speaks of a member's names and letters.
    `second`: the page that asks those who are not in yet for a code, "" where the password is enough.
    """

    application: ApplicationState
    visits: Visits
    kind: str
    channel: str
    home: str
    path: str
    template: str
    wrong: str
    second: str = ""

    def routes(self) -> list[PlainRoute]:
        """The login page and the login."""
        return [
            PlainRoute(self.path, self.visits.page(self._ask), methods=["GET"]),
            PlainRoute(self.path, self.visits.page(self._enter), methods=["POST"]),
        ]

    async def _ask(self, request: Request) -> Response:
        session: Session | None = request.scope["session"]
        if session is not None and session.kind == self.kind:
            return see_other(self.home)
        return self._form(request, over=request.query_params.get("kabar") == "lewat")

    async def _enter(self, request: Request) -> Response:
        form, acting = form_of(request), self.visits.acting(request, self.kind, self.channel)
        login, cookies = self.application.identity.login, self.application.identity.cookies
        name, password = form.get("nama", ""), form.get("sandi", "")
        try:
            entered = await login.user(self.kind, name, password, address_of(request), acting, cookies.marks(request))
        except Refused as refused:
            return self._form(request, refused)
        started = await login.start(entered, acting, cookies.session(request))
        if entered.kind != self.kind:
            response = see_other(self.second)
            cookies.set_session(response, started.token)
            return response
        return self.visits.let_in(see_other(self.home), request, started)

    async def leave(self, request: Request) -> Response:
        """The session ends."""
        cookies = self.application.identity.cookies
        token = cookies.session(request)
        await self.application.work(lambda: self.application.identity.sessions.end(token))
        response = see_other(self.path)
        cookies.drop_session(response)
        return response

    def _form(self, request: Request, refused: Refused | None = None, *, over: bool = False) -> Response:
        error, status = "", 200
        if refused is not None:
            request.scope["problem"] = refused.code
            status, error = problems.status_of(refused.code), self._say(refused.problem, language_of(request))
        return render(request, self.template, status, error=error, over=over)

    def _say(self, problem: Problem, language: str) -> str:
        return words(language)(self.wrong) if problem.code == "login-wrong" else sentence(problem, language)
