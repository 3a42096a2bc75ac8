"""A ledger with one member who may come in and one who may not yet, opened as a server does, on each store."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest

from api.access import guard
from api.application import ApplicationState
from ledger.errors import JhtError
from ledger.members import Acting
from ledger.settings import Settings
from ledger.store.log import Log
from ledger.store.outbox import Letter
from tests.api import peopled
from tests.conftest import NOW
from tests.ledger.members.conftest import CARD, ON_FILE, OTHERS, Counter
from tests.office import nik

RIGHT, WRONG = "empat kuda benar", "empat kuda salah"
HOME = "203.0.113.7"
NAMES = (ON_FILE, ON_FILE.upper(), nik(1), f" {nik(1)[:8]} {nik(1)[8:]} ", CARD, "2600-0000 017")
"""Everything the member may type to say who it is."""
UNKNOWN = ("nobody@contoh.id", nik(9), "26000000999", "", "x", "@", "\0", "\ud800", "a" * 5_000, "26\u0661", "%s;--")
UNVERIFIED = nik(2)
"""A person whose registration was never proven."""


class Lobby:
    """The ledger, its clock, and what comes of trying to get in."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.later = timedelta()
        log = Log.open(settings)
        counter = Counter(log)
        hashed = peopled.hashed(RIGHT)
        counter.members.register(counter.claim(), hashed, counter.acting())
        counter.members.use_link(counter.letter().details["token"], counter.acting())
        counter.members.register(counter.claim("budi2@contoh.id", nik=UNVERIFIED, kpj=OTHERS), hashed, counter.acting())
        counter.letters()
        self.person = counter.person
        counter.office.close()
        log.close()

    def acting(self) -> Acting:
        return Acting("member", "website", NOW + self.later)

    @asynccontextmanager
    async def open(self, **changes: Any) -> AsyncIterator[ApplicationState]:
        """A server's start and stop."""
        settings = self.settings.model_copy(update={"follow": False, "address_tries": 1_000} | changes)
        application = ApplicationState(settings, lambda: NOW + self.later)
        await application.start()
        try:
            yield application
        finally:
            await application.stop()

    def run(self, act: Callable[[ApplicationState], Awaitable[None]], **changes: Any) -> None:
        """Do something with a server that is started for it alone."""

        async def all_of_it() -> None:
            async with self.open(**changes) as application:
                await act(application)

        asyncio.run(all_of_it())

    async def enter(
        self, application: ApplicationState, name: str = ON_FILE, password: str = RIGHT, address: str = HOME,
        marks: str = "",
    ) -> str:  # fmt: skip
        """ "in", or the code of the refusal with its details."""
        try:
            entered = await application.identity.login.member(name, password, address, self.acting(), marks)
        except JhtError as error:
            return " ".join([error.code, *map(str, error.problem.details.values())])
        assert entered.who == self.person
        return "in"

    def letters(self, application: ApplicationState) -> list[Letter]:
        """What was sent since the last call."""
        taken = application.outbox.due(NOW + self.later, 100)
        for due in taken:
            application.outbox.done(due.id)
        return [due.letter for due in taken]


@pytest.fixture
def lobby(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Lobby:
    # The real pauses are measured by a test of their own.
    monkeypatch.setattr(guard, "SLOW_SECONDS", (0.0,))
    return Lobby(settings)
