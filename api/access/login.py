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
from api.access.devices import Devices
from api.access.factors import Factors
from api.access.guard import Guard, Work
from api.access.passwords import Passwords
from api.access.sessions import HALF, MEMBER, STAFF, Session, Sessions, Started
from api.access.users import Users
from ledger.errors import Refused, Unavailable
from ledger.identifiers import clean_kpj, clean_nik
from ledger.members import Acting, Members
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


class _Try(NamedTuple):
    """A try to log in: what was typed, from where, and the marks of the device."""

    kind: str
    name: str
    password: str
    address: str
    marks: str
    acting: Acting


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
        self, database: Database, members: Members, users: Users, guard: Guard, devices: Devices,
        passwords: Passwords, sessions: Sessions, factors: Factors, ask: Ask, work: Work,
    ) -> None:  # fmt: skip
        self._database, self._members, self._users = database, members, users
        self._guard, self._devices, self._passwords, self._sessions = guard, devices, passwords, sessions
        self._factors, self._ask, self._work = factors, ask, work

    async def member(
        self, identifier: str, password: str, address: str, acting: Acting, marks: str = ""
    ) -> Entered:  # fmt: skip
        """A member by e-mail, NIK or card number; `address` from `guard.address_of`, `marks` of the device's cookie.

        Raises Refused: login-wrong, too-many-tries; Unavailable(login-busy), StoreFailed.
        """
        name = clean_identifier(identifier)

        def find() -> _Known | None:
            login = self._members.find(name)
            return login and _Known(login.person, login.password, login.epoch, True)

        return await self._enter(_Try(MEMBER, name, password, address, marks, acting), find)

    async def user(
        self, kind: str, name: str, password: str, address: str, acting: Acting, marks: str = ""
    ) -> Entered:  # fmt: skip
        """Staff or an employer's user (`sessions.STAFF`, `sessions.EMPLOYER`). Raises as `member`.

        A password alone never makes anybody staff: what comes back for them is `sessions.HALF`, and `second` goes on.
        """
        clean = name.encode("utf-8", "replace").decode().strip().lower()[:254]

        def find() -> _Known | None:
            user = self._users.find(clean)
            return user and _Known(user.name, user.password, user.epoch, user.kind == kind and not user.disabled_at)

        entered = await self._enter(_Try(kind, clean, password, address, marks, acting), find)
        return entered._replace(kind=HALF) if kind == STAFF else entered

    async def second(self, half: Session, code: str, address: str, acting: Acting, marks: str = "") -> Entered | None:
        """Whoever gave the password gives the code too, the first one of a phone that is being set up or one of the phone
        that is; None when it is wrong. Counted as passwords are, for each name and device.

        Raises Refused(too-many-tries), StoreFailed.
        """
        name = half.who
        counted = f"second {name} {self._devices.known(marks, STAFF, name)}"
        tries = 0

        def check() -> bool:
            nonlocal tries
            tries = self._guard.begin(counted, acting.now)
            enrolled = self._factors.of(name).enrolled_at
            right = (
                self._factors.check(name, code, acting.now) if enrolled else self._factors.enrol(half, code, acting.now)
            )
            if right:
                self._guard.right(counted)
            return right

        outcome = "waits"
        try:
            right = await self._work(check)
            outcome = "accepted" if right else "refused"
        finally:
            structlog.get_logger().info(
                "second-factor", outcome=outcome, tries=tries, who=name, channel=acting.channel,
                source=self._guard.trace("address", address), request=acting.request,
            )  # fmt: skip
        return Entered(STAFF, name, half.epoch) if right else None

    async def again(self, purpose: str, person: str, password: str, acting: Acting, hashed: str | None = None) -> bool:
        """Whether this is a member's own password, asked for once more before something that matters.

        `hashed`: another argon2 text to compare with, as of a registration that is not open yet. Tries are counted for
        each `purpose` and person. Raises Refused(too-many-tries), Unavailable(login-busy).
        """
        counted = f"{purpose} {person}"
        await self._work(lambda: self._guard.begin(counted, acting.now))
        try:
            login = await self._ask(self._members.login_of, person) if hashed is None else None
            verified = await self._passwords.verify(password, login.password if login else hashed or "")
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

    async def _enter(self, tried: _Try, find: Callable[[], _Known | None]) -> Entered:
        kind, acting = tried.kind, tried.acting
        known = await self._ask(find)
        mark = self._devices.known(tried.marks, kind, known.who) if known is not None else ""
        counted = f"{kind} {tried.name} {mark}" if mark else f"{kind} {tried.name}"
        try:
            if not mark:
                await self._guard.pace(tried.address)
            tries = await self._work(lambda: self._guard.begin(counted, acting.now))
        except Refused:
            self._note(tried, known, "waits")
            raise
        clock = asyncio.get_running_loop().time
        answered = clock() + guards.SLOW_SECONDS[min(tries, len(guards.SLOW_SECONDS)) - 1]
        try:
            # Asked again: it may have waited for its turn, and the password may be another one by now.
            known = await self._ask(find)
            verified = await self._passwords.verify(tried.password, known.password if known else "")
        except Unavailable:
            await self._work(lambda: self._guard.undo(counted))
            raise
        if known is None or not verified.right or not known.open:
            await self._guard.wrong(tried.address)
            self._note(tried, known, "refused", tries)
            if tries == guards.WRONG_TRIES and known is not None and kind == MEMBER:
                await self._tell(known.who, acting)
            await asyncio.sleep(max(0.0, answered - clock()))
            raise Refused("login-wrong")
        entered = Entered(kind, known.who, known.epoch)
        await self._work(lambda: self._let_in(entered, counted, known.password, verified.better))
        self._note(tried, known, "accepted", tries)
        return entered

    def _note(self, tried: _Try, known: _Known | None, outcome: str, tries: int = 0) -> None:
        """A line for whoever investigates: staff by name, anybody else by a hash that leads nowhere but to itself."""
        if known is not None and tried.kind != MEMBER:
            who = known.who
        else:
            who = self._guard.trace(tried.kind, known.who) if known else self._guard.trace("name", tried.name)
        structlog.get_logger().info(
            "login", kind=tried.kind, channel=tried.acting.channel, outcome=outcome, tries=tries, who=who,
            source=self._guard.trace("address", tried.address), request=tried.acting.request,
        )  # fmt: skip

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
            await self._work(lambda: self._members.tell(person, "locked", acting))
        except Unavailable as error:
            # The refusal must be the same whether the notice could be queued or not.
            structlog.get_logger().error("notice-lost", kind="locked", code=error.code)
