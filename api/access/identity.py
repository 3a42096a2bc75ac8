"""All of identity as one process holds it: `opened.identity`."""

from __future__ import annotations

from datetime import datetime

from starlette.requests import Request

from api.access import tables
from api.access.challenges import Challenges
from api.access.cookies import Cookies
from api.access.csrf import Csrf
from api.access.devices import Devices
from api.access.factors import Factors
from api.access.guard import Guard, Work, address_of
from api.access.login import Ask, Login
from api.access.oidc import Provider
from api.access.passkeys import PasskeyDoor
from api.access.passwords import Passwords
from api.access.proposals import Proposals
from api.access.sessions import MEMBER, SEEN, Session, Sessions
from api.access.tokens import Tokens
from api.access.users import Users
from ledger.errors import Unavailable
from ledger.members import Members
from ledger.settings import Settings
from ledger.store.log import Log
from ledger.store.vault import Vault


class Identity:
    """Made when the process has opened its ledger; `ask` and `work` run what blocks."""

    def __init__(self, settings: Settings, log: Log, vault: Vault, members: Members, ask: Ask, work: Work) -> None:
        tables.prepare(log.database)
        self.provider = Provider(settings, vault) if settings.oidc_issuer is not None else None
        self.passwords = Passwords()
        self.guard = Guard(log.database, vault, settings, work)
        self.sessions = Sessions(log.database, settings)
        self.tokens = Tokens.open(log, vault)
        self.users = Users(log.database)
        self.factors = Factors(log, members.outbox)
        self.proposals = Proposals(log.database)
        self.cookies = Cookies(settings)
        self.csrf = Csrf(settings, vault)
        self.devices = Devices(vault)
        self.login = Login(
            log.database, members, self.users, self.guard, self.devices, self.passwords, self.sessions, self.factors,
            ask, work,
        )  # fmt: skip
        self.passkeys = PasskeyDoor(
            settings, log, members, Challenges(log.database, vault), self.guard, self.devices, ask, work
        )
        self._ask, self._work = ask, work

    async def session(self, token: str, now: datetime) -> Session | None:
        """The living session of a cookie's token, from memory when it was asked for within the last second.

        Raises StoreFailed: then nobody knows whether somebody is logged in.
        """
        if not token:
            return None
        found = self.sessions.cached(token, now) or await self._ask(self.sessions.find, token, now)
        if found is not None and now - found.seen_at > SEEN:
            seen = found
            try:
                await self._work(lambda: self.sessions.touch(seen, now))
            except Unavailable:
                return found  # the page does not need the mark; without one the session ends earlier
        return found

    def trace(self, request: Request, session: Session | None) -> dict[str, str]:
        """What the log's line of a page says of who asked and from where: staff by name, others by a keyed hash."""
        said = {"source": self.guard.trace("address", address_of(request))}
        if session is not None:
            is_member = session.kind == MEMBER
            said["who"] = self.guard.trace(MEMBER, session.who) if is_member else session.who
        return said

    def close(self) -> None:
        self.passwords.close()
