"""Users: the agency's staff and employers' people, who log in by a name and belong to no member.

Staff have roles, employers' users the employers they speak for. A user is never deleted, because records name it; a
disabled one cannot come in. Whatever changes who may do what moves the epoch, which ends the user's sessions.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import NamedTuple

from api.access.sessions import EMPLOYER, STAFF
from ledger.errors import Conflict, NotFound, Refused
from ledger.store.database import Database
from ledger.store.log import Log

KINDS = (STAFF, EMPLOYER)
ROLES = ("counter", "supervisor")
"""counter: search, member view, assisted registration, letters · supervisor: also data requests and what needs a second
look."""
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{1,39}")
_COLUMNS = "name, kind, roles, npps, password, epoch, created_at, disabled_at"


class User(NamedTuple):
    """Times are ISO UTC texts, `disabled_at` "" while the user may come in."""

    name: str
    kind: str
    roles: frozenset[str]
    npps: frozenset[int]
    password: str
    epoch: int
    created_at: str
    disabled_at: str


def clean_name(text: str) -> str | None:
    """The name a user logs in with, in small letters; None when no user can be called that."""
    name = text.strip().lower()
    return name if _NAME.fullmatch(name) else None


def writer_of(log: Log, name: str) -> str:
    """What events call a user by: an opaque id, so that the log holds no names. `names_of` finds the name again."""
    return f"user:{log.hmac('user', name.encode())[:16]}"


def check_user(name: str, kind: str, roles: Collection[str], npps: Collection[int]) -> str:
    """The name as it is kept, of a user that can be made: staff with roles, or an employer's user with employers.

    Raises Refused: user-name-unreadable, user-kind-unknown, user-role-wrong, user-employer-wrong.
    """
    clean = clean_name(name)
    if clean is None:
        raise Refused("user-name-unreadable")
    if kind not in KINDS:
        raise Refused("user-kind-unknown", known=", ".join(KINDS))
    if (kind == STAFF) != bool(roles) or not set(roles).issubset(ROLES):
        raise Refused("user-role-wrong", known=", ".join(ROLES))
    if (kind == EMPLOYER) != bool(npps):
        raise Refused("user-employer-wrong")
    return clean


class Users:
    """The users of a ledger. Blocking."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def create(
        self, name: str, kind: str, password: str, now: datetime, *, roles: Iterable[str] = (), npps: Iterable[int] = ()
    ) -> User:
        """Make a user; `password` is an argon2 text. Raises as `check_user`, and Conflict(user-exists)."""
        held, employers = frozenset(roles), frozenset(npps)
        clean = check_user(name, kind, held, employers)
        row = {
            "name": clean, "kind": kind, "roles": " ".join(sorted(held)),
            "npps": " ".join(f"{npp:08d}" for npp in sorted(employers)), "password": password, "epoch": 0,
            "created_at": now.isoformat(), "disabled_at": "",
        }  # fmt: skip
        with self._database.write() as tx:
            if tx.rows("select 1 from users where name = ?", [clean]):
                raise Conflict("user-exists")
            tx.insert("users", {column: [value] for column, value in row.items()}, "text " * 5 + "bigint text text")
        return User(clean, kind, held, employers, password, 0, now.isoformat(), "")

    def find(self, name: str) -> User | None:
        """The user of a name, disabled or not."""
        with self._database.read() as tx:
            rows = tx.rows(f"select {_COLUMNS} from users where name = ?", [clean_name(name) or ""])
        return _user(*rows[0]) if rows else None

    def list(self) -> list[User]:
        """All users ever made, by name."""
        with self._database.read() as tx:
            return [_user(*row) for row in tx.rows(f"select {_COLUMNS} from users order by name")]

    def names_of(self, log: Log) -> dict[str, str]:
        """What events call the users by -> their names, for who shows who did something."""
        return {writer_of(log, user.name): user.name for user in self.list()}

    def set_password(self, name: str, password: str) -> None:
        """Another password (an argon2 text); the sessions end. Raises NotFound(user-unknown)."""
        self._change(name, "password = ?, epoch = epoch + 1", password)

    def disable(self, name: str, now: datetime) -> None:
        """The user may not come in any more, and is out within a second. Raises NotFound(user-unknown)."""
        self._change(name, "disabled_at = ?, epoch = epoch + 1", now.isoformat())

    def _change(self, name: str, what: str, value: str) -> None:
        with self._database.write() as tx:
            if not tx.run(f"update users set {what} where name = ?", [value, clean_name(name) or ""]):
                raise NotFound("user-unknown")


def _user(name: str, kind: str, roles: str, npps: str, *rest: object) -> User:
    password, epoch, created_at, disabled_at = rest
    return User(
        name, kind, frozenset(roles.split()), frozenset(int(npp) for npp in npps.split()), str(password),
        int(str(epoch)), str(created_at), str(disabled_at),
    )  # fmt: skip
