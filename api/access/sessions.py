"""Sessions of the web: an opaque token in a cookie, its SHA-256 in a table.

A session ends by itself (idle, or too old), by logging out, or when the epoch of whoever it belongs to has moved on: a
new password, "log out everywhere", a disabled user. Every login makes a new token, so one that was planted in a browser
before is worth nothing. What was found is remembered for a second; in other processes an end is noticed by then.
"""

from __future__ import annotations

import secrets
import time
from datetime import datetime, timedelta
from typing import NamedTuple

from ledger.members.rows import secret_hash
from ledger.settings import Settings
from ledger.store.database import Database

MEMBER, STAFF, EMPLOYER = "member", "staff", "employer"
HALF = "half"
"""Somebody of the staff who gave the password and not yet the code (`factors`): opens the page for the code only."""
REMEMBER_SECONDS = 1.0
SEEN = timedelta(minutes=5)
"""`seen_at` is written no more often than this; an idle session ends up to that much earlier."""
_HALF_LASTS = timedelta(minutes=10)
_REMEMBERED = 10_000
_SWEEP_SECONDS = 600.0

_FIND = """
select s.kind, s.who, s.epoch, s.channel, s.csrf, s.created_at, s.seen_at, s.expires_at, u.roles, u.npps
from sessions s
left join member_logins m on s.kind = 'member' and m.person = s.who
left join users u on s.kind <> 'member' and u.name = s.who
and u.kind = case s.kind when 'half' then 'staff' else s.kind end
where s.hash = ? and s.expires_at > ? and s.seen_at > ?
and (m.epoch = s.epoch or (u.epoch = s.epoch and u.disabled_at = ''))
"""


class Session(NamedTuple):
    """Who is logged in. `who`: a member's person id or a user's name; `roles` and `npps` are a user's, as of now."""

    key: bytes
    kind: str
    who: str
    epoch: int
    channel: str
    csrf: str
    created_at: datetime
    seen_at: datetime
    expires_at: datetime
    roles: frozenset[str] = frozenset()
    npps: frozenset[int] = frozenset()


class Started(NamedTuple):
    """A new session; `token` goes into the cookie and is stored nowhere."""

    token: str
    session: Session


class Sessions:
    """The sessions of a ledger. All but `cached` block."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._idle = timedelta(minutes=settings.session_idle_minutes)
        self._longest = timedelta(hours=settings.session_hours)
        self._remembered: dict[bytes, tuple[float, Session]] = {}
        self._swept = float("-inf")

    def create(self, kind: str, who: str, epoch: int, channel: str, now: datetime) -> Started:
        """A new session of somebody who has just proven who it is."""
        token = secrets.token_urlsafe(32)
        until = now + (min(_HALF_LASTS, self._longest) if kind == HALF else self._longest)
        session = Session(secret_hash(token), kind, who, epoch, channel, secrets.token_urlsafe(32), now, now, until)
        row = {
            "hash": session.key, "kind": kind, "who": who, "person": who if kind == MEMBER else None,
            "epoch": epoch, "csrf": session.csrf, "channel": channel,
            "created_at": now.isoformat(), "seen_at": now.isoformat(), "expires_at": session.expires_at.isoformat(),
        }  # fmt: skip
        with self._database.write() as tx:
            if time.monotonic() - self._swept > _SWEEP_SECONDS:
                self._swept = time.monotonic()
                tx.run("delete from sessions where expires_at < ?", [now.isoformat()])
            tx.insert(
                "sessions", {name: [value] for name, value in row.items()},
                "bytea text text text bigint text text text text text",
            )  # fmt: skip
        return Started(token, session)

    def cached(self, token: str, now: datetime) -> Session | None:
        """What was found within the last second."""
        read_at, session = self._remembered.get(secret_hash(token), (0.0, None))
        if session is None or time.monotonic() - read_at > REMEMBER_SECONDS or not self._lives(session, now):
            return None
        return session

    def find(self, token: str, now: datetime) -> Session | None:
        """The living session of a token, None otherwise."""
        key = secret_hash(token)
        with self._database.read() as tx:
            rows = tx.rows(_FIND, [key, now.isoformat(), (now - self._idle).isoformat()])
        if not rows:
            self._remembered.pop(key, None)
            return None
        kind, who, epoch, channel, csrf, created_at, seen_at, expires_at, roles, npps = rows[0]
        session = Session(
            key, kind, who, epoch, channel, csrf, datetime.fromisoformat(created_at), datetime.fromisoformat(seen_at),
            datetime.fromisoformat(expires_at), frozenset((roles or "").split()),
            frozenset(int(npp) for npp in (npps or "").split()),
        )  # fmt: skip
        self._remember(session)
        return session

    def _lives(self, session: Session, now: datetime) -> bool:
        return session.expires_at > now and session.seen_at > now - self._idle

    def _remember(self, session: Session) -> None:
        if len(self._remembered) >= _REMEMBERED:
            self._remembered.clear()
        self._remembered[session.key] = time.monotonic(), session

    def touch(self, session: Session, now: datetime) -> None:
        """Somebody is still there."""
        with self._database.write() as tx:
            tx.run(
                "update sessions set seen_at = ? where hash = ? and seen_at < ?",
                [now.isoformat(), session.key, now.isoformat()],
            )
        self._remember(session._replace(seen_at=now))

    def end(self, token: str) -> None:
        """Log out. A token that is unknown does nothing."""
        key = secret_hash(token)
        with self._database.write() as tx:
            tx.run("delete from sessions where hash = ?", [key])
        self._remembered.pop(key, None)

    def forget(self, kind: str, who: str) -> None:
        """Look somebody's sessions up anew at once: the epoch has moved."""
        self._remembered = {
            key: held for key, held in list(self._remembered.items()) if (held[1].kind, held[1].who) != (kind, who)
        }
