"""Who stands at the employers' door: a session of an employer's user, an employer it speaks for, a record of each look.

A record is durable before the page leaves: who, of which employer and month. When it cannot be written, nothing is
shown. An employer of somebody else and one that does not exist are refused the same way.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from api import problems
from api.access.log import Record
from api.access.sessions import EMPLOYER, Session
from api.application import ApplicationState
from api.route import PlainRoute
from api.web.employer.checks import Checks
from api.web.page_context import Visits, visit_of
from api.web.pages import language_of, render
from ledger.errors import JhtError, NotAllowed, Problem, Unavailable
from ledger.identifiers import clean_npp
from ledger.money import rupiah

HOME, ENTRANCE = "/perusahaan", "/perusahaan/masuk"
CHANNEL = "employer"


class Count(int):
    """A number of things: written with its thousands apart, one is still one for the words around it."""

    def __html__(self) -> str:
        return rupiah(self).removeprefix("Rp")


Handler = Callable[["Desk"], Awaitable[Response]]


class Gate(NamedTuple):
    """What all pages of the door share."""

    application: ApplicationState
    visits: Visits
    checks: Checks

    def route(self, path: str, handler: Handler, *methods: str, reads_form: bool = True) -> PlainRoute:
        """A page for employers' users; an `{npp}` in its path must be one of theirs."""

        async def page(request: Request) -> Response:
            desk = Desk(self, request, visit_of(request), clean_npp(request.path_params.get("npp", "")) or "")
            try:
                if "npp" in request.path_params and (not desk.npp or int(desk.npp) not in desk.session.npps):
                    raise NotAllowed("employer-foreign")
                return await handler(desk)
            except JhtError as error:
                if problems.status_of(error.code) >= 500 and not isinstance(error, Unavailable):
                    raise
                return desk.refused(error.problem)

        return PlainRoute(
            path, self.visits.page(page, EMPLOYER, ENTRANCE, reads_form=reads_form), methods=list(methods)
        )


class Desk(NamedTuple):
    """One request of an employer's user; `npp` is "" where the address names none."""

    gate: Gate
    request: Request
    session: Session
    npp: str

    @property
    def application(self) -> ApplicationState:
        return self.gate.application

    @property
    def language(self) -> str:
        return language_of(self.request)

    @property
    def user(self) -> str:
        """Who it is, as records and receipts say it."""
        return f"user:{self.session.who}"

    async def record(self, month: str = "", position: int = 0) -> None:
        """Make the record of a look durable. Raises Unavailable(record-unavailable)."""
        await self.application.recorder.write(
            Record(
                self.application.now().isoformat(),
                self.user,
                CHANNEL,
                "",
                self.request.scope["route"].path,
                f"{self.npp}:{month}" if month else self.npp,
                position,
                self.request.scope.get("request_id", ""),
            )
        )

    async def name(self, npp: str) -> str:
        """An employer's name, "" when the read side does not know it now."""
        try:
            names = await self.application.ask(self.application.employer_names, [int(npp)])
        except Unavailable:
            return ""
        return names.get(int(npp), "")

    async def show(self, template: str, status: int = 200, **values: Any) -> Response:
        """A page about one employer."""
        name = await self.name(self.npp) if self.npp else ""
        return render(
            self.request, template, status, npp=self.npp, employer=name, several=len(self.session.npps) > 1,
            count=Count, **values,
        )  # fmt: skip

    def refused(self, problem: Problem) -> Response:
        """The page of a refusal."""
        status = problems.status_of(problem.code)
        self.request.scope["problem"] = problem.code
        headers = {"Retry-After": str(problems.RETRY_SECONDS)} if status == 503 else {}
        return render(
            self.request, "employer_error.html", status, headers, code=problem.code, http=status,
            sentence=problem.say(self.language),
        )  # fmt: skip
