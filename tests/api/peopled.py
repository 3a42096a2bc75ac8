"""An API whose ledger has people: a register's office, members who registered and proved their address, their letters."""

from __future__ import annotations

import time
from functools import cache
from typing import Any

from pwdlib.hashers.argon2 import Argon2Hasher

from api.application import ApplicationState
from ledger.members import Acting, Claim
from ledger.settings import Settings
from ledger.store.outbox import Letter
from tests.api.conftest import Api
from tests.office import Office, nik

HASH = "$argon2id$1"
"""What stands for a password where nobody types one."""


@cache
def hashed(password: str) -> str:
    """A password as the service stores it."""
    return Argon2Hasher(time_cost=2, memory_cost=19_456, parallelism=1).hash(password)


class Peopled(Api):
    """`Api` with an office beside it; `channel` is the door that members act by."""

    channel = "website"

    def __init__(self, settings: Settings, **changes: Any) -> None:
        super().__init__(settings, **changes)
        self.application: ApplicationState = self.app.state.application
        self.office = Office(self.log)

    def __exit__(self, *given: object) -> None:
        super().__exit__(*given)
        self.office.close()

    def acting(self) -> Acting:
        return Acting("member", self.channel, self.clock)

    def join(self, number: int, kpj: str, email: str, segment: str = "PU", password: str = HASH) -> str:
        """Register and verify somebody; the person's id."""
        members = self.application.members
        members.register(Claim(nik(number), "1990-05-17", kpj, segment, email), password, self.acting())
        (verify,) = (letter for letter in self.letters() if letter.kind == "verify")
        members.use_link(verify.details["token"], self.acting())
        found = members.find(email)
        assert found is not None
        return found.person

    def letters(self) -> list[Letter]:
        """What was sent since the last call."""
        outbox = self.application.outbox
        due = outbox.due(self.clock, 100)
        for one in due:
            outbox.done(one.id)
        return [one.letter for one in due]

    def flush(self) -> None:
        """Wait for the records of members' own reads, which are written within a second."""
        recorder, until = self.application.recorder, time.monotonic() + 5
        while (recorder._noted or recorder._busy) and time.monotonic() < until:
            time.sleep(0.01)
