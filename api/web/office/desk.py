"""The office's desk: a session of the staff, its role, and the view of the person in the address."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from api.access.sessions import STAFF, Session
from api.access.users import writer_of
from api.route import PlainRoute
from api.web import desk
from api.web.holdings import Holdings
from api.web.office.views import View, handle_of, view_of
from api.web.pages import render
from ledger.errors import NotAllowed, Refused
from ledger.members import Acting, Seen

ENTRANCE, HOME, QUEUE = "/kantor/masuk", "/kantor", "/kantor/permintaan"
SECOND, PHONES = "/kantor/kode", "/kantor/hp-hilang"
YIELD = "/kantor/hasil"
COUNTER, SUPERVISOR = "counter", "supervisor"
CHANNEL = "office"

SEEN = ("counter-visit", "complaint", "correction", "claim-help")
"""Reasons for which the member stands at the desk: only then the identity card can be looked at."""
REASONS = (*SEEN, "phone-call")
ANSWERING = "data-request"
"""The reason of a supervisor who answers a request; nobody chooses it."""


def may(session: Session, role: str) -> bool:
    """Whether somebody of the staff may do what `role` may: a supervisor may do all."""
    return role in session.roles or SUPERVISOR in session.roles


@dataclass(frozen=True)
class Office(desk.Door):
    """What all pages of the door share."""

    KIND = STAFF
    ENTRANCE = ENTRANCE

    holdings: Holdings

    def route(self, path: str, handler: Handler, *methods: str, role: str = COUNTER) -> PlainRoute:
        """A page for staff with a role."""
        return self.page(
            path, lambda request, session: Desk(self.application, request, session, self, role), handler, methods
        )


@dataclass(frozen=True)
class Desk(desk.Desk):
    """One request of somebody of the staff."""

    CHANNEL = CHANNEL
    ERROR = "office_error.html"

    office: Office
    role: str

    def check_allowed(self) -> None:
        self.must(self.role)

    def shared(self) -> dict[str, Any]:
        return {"supervises": self.supervises}

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

    def show(self, template: str, status: int = 200, **values: Any) -> Response:
        """A page of the office."""
        return render(self.request, template, status, **self.shared(), **values)


Handler = Callable[[Desk], Awaitable[Response]]
