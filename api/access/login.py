"""Logging in, for every door: one decision, one refusal.

guard -> find -> verify -> state. Wrong password, unknown name, closed, not verified: the same `login-wrong`, after the
same work (one argon2 verification, the same writes) and the same time, because a wrong answer leaves at a moment that
the number of tries alone decides.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import NamedTuple, Protocol, TypeVar

import structlog

from api.access import guard as guards
from api.access.guard import Guard, Work
from api.access.passwords import Passwords
from api.access.sessions import MEMBER, Sessions, Started
from api.access.users import Users
from ledger.errors import Refused, Unavailable
from ledger.identifiers import clean_kpj, clean_nik
from ledger.members import Acting, Members
from ledger.members.state import ACTIVE
from ledger.store.database import Database

T = TypeVar("T")


class Ask(Protocol):
    """Runs a short query where it belongs (`ApplicationState.ask`)."""

    def __call__(self, function: Callable[..., T], *given: object) -> Awaitable[T]: ...


class Entered(NamedTuple):
    """Who has proven who it is: a member's person id or a user's name, with the epoch a session is bound to."""

    kind: str
    who: str
    epoch: int


class _Known(NamedTuple):
    """What a name leads to."""

    who: str
    password: str
    epoch: int
    open: bool


def clean_identifier(text: str) -> str:
    """An e-mail address, NIK or card number in the one form it is looked up and counted by."""
    text = text.encode("utf-8", "replace").decode().strip()[:254]
    if "@" in text:
        return text.lower()
    return clean_nik(text) or clean_kpj(text) or text.lower()


class Login:
    """Lets people in."""

    def __init__(
        self, database: Database, members: Members, users: Users, guard: Guard, passwords: Passwords,
        sessions: Sessions, ask: Ask, work: Work,
    ) -> None:  # fmt: skip
        self._database, self._members, self._users = database, members, users
        self._guard, self._passwords, self._sessions = guard, passwords, sessions
        self._ask, self._work = ask, work

    async def member(self, identifier: str, password: str, address: str, acting: Acting) -> Entered:
        """A member by e-mail, NIK or card number; `address` from `guard.address_of`.

        Raises Refused: login-wrong, too-many-tries; Unavailable(login-busy), StoreFailed.
        """
        name = clean_identifier(identifier)

        def find() -> _Known | None:
            login = self._members.find(name)
            return login and _Known(login.person, login.password, login.epoch, login.state == ACTIVE)

        return await self._enter(MEMBER, name, password, address, acting, find)

    async def user(self, kind: str, name: str, password: str, address: str, acting: Acting) -> Entered:
        """Staff or an employer's user (`sessions.STAFF`, `sessions.EMPLOYER`). Raises as `member`."""
        clean = name.encode("utf-8", "replace").decode().strip().lower()[:254]

        def find() -> _Known | None:
            user = self._users.find(clean)
            return user and _Known(user.name, user.password, user.epoch, user.kind == kind and not user.disabled_at)

        return await self._enter(kind, clean, password, address, acting, find)

    async def again(self, purpose: str, person: str, password: str, acting: Acting) -> bool:
        """Whether this is a member's own password, asked for once more before something that matters.

        Tries are counted for each `purpose` and person. Raises Refused(too-many-tries), Unavailable(login-busy).
        """
        counted = f"{purpose} {person}"
        await self._work(lambda: self._guard.begin(counted, acting.now))
        try:
            login = await self._ask(self._members.login_of, person)
            verified = await self._passwords.verify(password, login.password if login else "")
        except Unavailable:
            await self._work(lambda: self._guard.undo(counted))
            raise
        if verified.right:
            await self._work(lambda: self._guard.right(counted))
        return verified.right

    async def start(self, entered: Entered, acting: Acting, old: str = "") -> Started:
        """The session of the web that follows; `old`: the token the browser had before, which ends."""

        def begin() -> Started:
            if old:
                self._sessions.end(old)
            return self._sessions.create(entered.kind, entered.who, entered.epoch, acting.channel, acting.now)

        return await self._work(begin)

    async def _enter(
        self, kind: str, name: str, password: str, address: str, acting: Acting, find: Callable[[], _Known | None]
    ) -> Entered:  # fmt: skip
        await self._guard.address("login", address)
        await self._guard.suspect(address)
        counted = f"{kind} {name}"
        tries = await self._work(lambda: self._guard.begin(counted, acting.now))
        clock = asyncio.get_running_loop().time
        answered = clock() + guards.SLOW_SECONDS[min(tries, len(guards.SLOW_SECONDS)) - 1]
        try:
            known = await self._ask(find)
            verified = await self._passwords.verify(password, known.password if known else "")
        except Unavailable:
            await self._work(lambda: self._guard.undo(counted))
            raise
        if known is None or not verified.right or not known.open:
            await self._guard.wrong(address)
            _note(kind, acting, "refused", tries)
            if tries == guards.WRONG_TRIES and known is not None and kind == MEMBER:
                await self._tell(known.who, acting)
            await asyncio.sleep(max(0.0, answered - clock()))
            raise Refused("login-wrong")
        entered = Entered(kind, known.who, known.epoch)
        await self._work(lambda: self._let_in(entered, counted, known.password, verified.better))
        _note(kind, acting, "accepted", tries)
        return entered

    def _let_in(self, entered: Entered, counted: str, password: str, better: str) -> None:
        self._guard.right(counted)
        if better:
            # The same password in a better hash: no session ends, nobody is told; a password changed meanwhile stays.
            table, key = ("member_logins", "person") if entered.kind == MEMBER else ("users", "name")
            with self._database.write() as tx:
                tx.run(
                    f"update {table} set password = ? where {key} = ? and password = ?",
                    [better, entered.who, password],
                )

    async def _tell(self, person: str, acting: Acting) -> None:
        try:
            minutes = str(int(guards.LOCKED.total_seconds()) // 60)
            await self._work(lambda: self._members.tell(person, "locked", acting, minutes=minutes))
        except Unavailable as error:
            # The refusal must be the same whether the notice could be queued or not.
            structlog.get_logger().error("notice-lost", kind="locked", code=error.code)


def _note(kind: str, acting: Acting, outcome: str, tries: int) -> None:
    structlog.get_logger().info("login", kind=kind, channel=acting.channel, outcome=outcome, tries=tries)
