"""The desk of a door for users, staff's or employers': whose session it is, what they may see, a record of each look.

A record is durable before the page leaves: who, why, whose data. When it cannot be written, nothing is shown.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

from starlette.requests import Request
from starlette.responses import Response

from api import problems
from api.access.log import Record
from api.access.sessions import Session
from api.application import ApplicationState
from api.formats import sentence
from api.route import PlainRoute
from api.web.page_context import Visits, form_of, visit_of
from api.web.pages import language_of, render
from ledger.errors import JhtError, Problem, Unavailable


@dataclass(frozen=True)
class Desk:
    """One request of a user. `CHANNEL` stands in records and events, `ERROR` is the template of a refusal."""

    CHANNEL: ClassVar[str]
    ERROR: ClassVar[str]

    application: ApplicationState
    request: Request
    session: Session

    def check_allowed(self) -> None:
        """Whether this user may have this page. Raises NotAllowed."""
        raise NotImplementedError

    def shared(self) -> dict[str, Any]:
        """What every template of the door is given, an error's too."""
        return {}

    @property
    def form(self) -> dict[str, str]:
        """What was posted."""
        return form_of(self.request)

    @property
    def language(self) -> str:
        return language_of(self.request)

    @property
    def user(self) -> str:
        """Who it is, as records and receipts say it."""
        return f"user:{self.session.who}"

    async def record(self, why: str, what: str, position: int = 0) -> None:
        """Make the record of a look durable. Raises Unavailable(record-unavailable)."""
        await self.application.recorder.write(
            Record(
                self.application.now().isoformat(),
                self.user,
                self.CHANNEL,
                why,
                self.request.scope["route"].path,
                what,
                position,
                self.request.scope.get("request_id", ""),
            )
        )

    def refused(self, problem: Problem) -> Response:
        """The page of a refusal, with what to do next."""
        status = problems.status_of(problem.code)
        self.request.scope["problem"] = problem.code
        headers = {"Retry-After": str(problems.RETRY_SECONDS)} if status == 503 else {}
        return render(
            self.request, self.ERROR, status, headers, code=problem.code, http=status,
            sentence=sentence(problem, self.language), **self.shared(),
        )  # fmt: skip


D = TypeVar("D", bound=Desk)


@dataclass(frozen=True)
class Door:
    """What all pages of a door share. `KIND`: whose sessions it takes; others are sent to `ENTRANCE`."""

    KIND: ClassVar[str]
    ENTRANCE: ClassVar[str]

    application: ApplicationState
    visits: Visits

    def page(
        self, path: str, seat: Callable[[Request, Session], D], handler: Callable[[D], Awaitable[Response]],
        methods: tuple[str, ...], *, reads_form: bool = True,
    ) -> PlainRoute:  # fmt: skip
        """A page for those who may have it; its refusals are pages of the door too."""

        async def page(request: Request) -> Response:
            desk = seat(request, visit_of(request))
            try:
                desk.check_allowed()
                return await handler(desk)
            except JhtError as error:
                if problems.status_of(error.code) >= 500 and not isinstance(error, Unavailable):
                    raise
                return desk.refused(error.problem)

        endpoint = self.visits.page(page, self.KIND, self.ENTRANCE, reads_form=reads_form)
        return PlainRoute(path, endpoint, methods=list(methods))
