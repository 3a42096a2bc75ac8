"""Who sits at the desk: every office page begins with a session of the staff, its role, and a record of what is read.

A record is durable before the page leaves: who, why, whose data. When it cannot be written, nothing is shown.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from api import problems
from api.access.log import Record
from api.access.sessions import STAFF, Session
from api.access.users import writer_of
from api.application import ApplicationState
from api.route import PlainRoute
from api.web.holdings import Holdings
from api.web.office.views import View, handle_of, view_of
from api.web.page_context import Visits, form_of, visit_of
from api.web.pages import language_of, render
from ledger.errors import JhtError, NotAllowed, Problem, Refused, Unavailable
from ledger.members import Acting, Seen

ENTRANCE, HOME, QUEUE = "/kantor/masuk", "/kantor", "/kantor/permintaan"
COUNTER, SUPERVISOR = "counter", "supervisor"
CHANNEL = "office"

SEEN = ("counter-visit", "complaint", "correction", "claim-help")
"""Reasons for which the member stands at the desk: only then the identity card can be looked at."""
REASONS = (*SEEN, "phone-call")
ANSWERING = "data-request"
"""The reason of a supervisor who answers a request; nobody chooses it."""

Handler = Callable[["Desk"], Awaitable[Response]]


def may(session: Session, role: str) -> bool:
    """Whether somebody of the staff may do what `role` may: a supervisor may do all."""
    return role in session.roles or SUPERVISOR in session.roles


class Office(NamedTuple):
    """What all pages of the door share."""

    application: ApplicationState
    visits: Visits
    holdings: Holdings

    def route(self, path: str, handler: Handler, *methods: str, role: str = COUNTER) -> PlainRoute:
        """A page for staff with a role; its refusals are pages of the office too."""

        async def page(request: Request) -> Response:
            desk = Desk(self, request, visit_of(request), role)
            try:
                desk.must(role)
                return await handler(desk)
            except JhtError as error:
                if problems.status_of(error.code) >= 500 and not isinstance(error, Unavailable):
                    raise
                return desk.refused(error.problem)

        return PlainRoute(path, self.visits.page(page, STAFF, ENTRANCE), methods=list(methods))


class Desk(NamedTuple):
    """One request of somebody of the staff."""

    office: Office
    request: Request
    session: Session
    role: str

    @property
    def application(self) -> ApplicationState:
        return self.office.application

    @property
    def form(self) -> dict[str, str]:
        """What was posted."""
        return form_of(self.request)

    @property
    def language(self) -> str:
        return language_of(self.request)

    @property
    def supervises(self) -> bool:
        return may(self.session, SUPERVISOR)

    def must(self, role: str) -> None:
        """Raises NotAllowed(role-missing)."""
        if not may(self.session, role):
            raise NotAllowed("role-missing")

    def acting(self) -> Acting:
        """Who acts. Letters are in Indonesian: the clerk's choice of a language says nothing about the member's."""
        request = self.request.scope.get("request_id", "")
        by = writer_of(self.application.log, self.session.who)
        return Acting(by, CHANNEL, self.application.now(), request=request)

    def seen(self) -> Seen:
        """What the page of the form showed. Raises Refused(changed-since)."""
        return Seen.of(self.form.get("versi", ""))

    def deciding(self) -> Acting:
        """Who acts on what the page of the form showed. Raises Refused(changed-since)."""
        return self.acting()._replace(seen=self.seen())

    def number(self, field: str) -> int:
        """A number that the page put into its form. Raises Refused(changed-since)."""
        text = self.form.get(field, "")
        if not text.isascii() or not text.isdigit() or len(text) > 9:
            raise Refused("changed-since")
        return int(text)

    def begin(self, person: str, kpj: str, why: str) -> str:
        """Open a person's data; the handle for the address."""
        return self.handle(View.begin(person, kpj, why, self.application.now()))

    def handle(self, view: View) -> str:
        """What stands for a view in this session's addresses."""
        return handle_of(self.application.members.vault, self.session, view)

    def view(self) -> View:
        """The opened person of the address. Raises Refused(view-over)."""
        handle = self.request.path_params["view"]
        return view_of(self.application.members.vault, self.session, handle, self.application.now())

    async def record(self, why: str, what: str, position: int = 0) -> None:
        """Make the record of a read durable. Raises Unavailable(record-unavailable)."""
        await self.application.recorder.write(
            Record(
                self.application.now().isoformat(),
                f"user:{self.session.who}",
                CHANNEL,
                why,
                self.request.scope["route"].path,
                what,
                position,
                self.request.scope.get("request_id", ""),
            )
        )

    def show(self, template: str, status: int = 200, **values: Any) -> Response:
        """A page of the office."""
        return render(self.request, template, status, supervises=self.supervises, **values)

    def refused(self, problem: Problem) -> Response:
        """The page of a refusal, with what to do next."""
        status = problems.status_of(problem.code)
        self.request.scope["problem"] = problem.code
        return self.show(
            "office_error.html", status, code=problem.code, http=status, sentence=problem.say(self.language)
        )
