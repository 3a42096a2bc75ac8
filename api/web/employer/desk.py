"""The employers' desk: a session of an employer's user and the employer of the address.

An employer of somebody else and one that does not exist are refused the same way.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from api.access.sessions import EMPLOYER, Session
from api.route import PlainRoute
from api.web import desk
from api.web.employer.checks import Checks
from api.web.pages import render
from ledger.errors import NotAllowed, Unavailable
from ledger.identifiers import clean_npp
from ledger.money import rupiah

HOME, ENTRANCE = "/perusahaan", "/perusahaan/masuk"
CHANNEL = "employer"


class Count(int):
    """A number of things: written with its thousands apart, one is still one for the words around it."""

    def __html__(self) -> str:
        return rupiah(self).removeprefix("Rp")


@dataclass(frozen=True)
class Employers(desk.Door):
    """What all pages of the door share."""

    KIND = EMPLOYER
    ENTRANCE = ENTRANCE

    checks: Checks

    def route(self, path: str, handler: Handler, *methods: str, reads_form: bool = True) -> PlainRoute:
        """A page for employers' users; an `{npp}` in its path must be one of theirs."""

        def seat(request: Request, session: Session) -> Desk:
            npp = request.path_params.get("npp")
            return Desk(self.application, request, session, self, None if npp is None else clean_npp(npp) or "")

        return self.page(path, seat, handler, methods, reads_form=reads_form)


@dataclass(frozen=True)
class Desk(desk.Desk):
    """One request of an employer's user. `named`: the employer of the address, "" when it can be none, None without one."""

    CHANNEL = CHANNEL
    ERROR = "employer_error.html"

    door: Employers
    named: str | None

    def check_allowed(self) -> None:
        if self.named is not None and (not self.named or int(self.named) not in self.session.npps):
            raise NotAllowed("employer-foreign")

    @property
    def npp(self) -> str:
        """The employer of the address, "" where it names none."""
        return self.named or ""

    async def record_month(self, month: str, position: int) -> None:
        """Record a look at a month, or a year, of the employer."""
        await self.record("", f"{self.npp}:{month}" if month else self.npp, position)

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


Handler = Callable[[Desk], Awaitable[Response]]
