"""The second factor of staff: after the password a code from an app (`totp`), set up at the first log-in.

A login of staff first begins a session that opens nothing but the page for the code (`sessions.HALF`); the right code
begins the real one. A secret is sealed under a key of the log's secret, so another master key leaves it readable. It is
offered to one half session only, derived and not stored until its first code was right: a second person who knows the
password never sees the secret that the first one sets up.

When the phone is lost four eyes take the factor away: the user asks, which takes the password, and another supervisor
agrees. Neither can do it alone; with one supervisor only, `jht users reset-factor` remains. All sessions end, and the user
is told: by letter where an address is known, and on the page where the next phone is set up.
"""

from __future__ import annotations

import hmac
import os
from datetime import datetime, timedelta
from hashlib import sha256
from typing import NamedTuple

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from api.access import totp
from api.access.sessions import Session
from ledger.errors import BrokenLog, NotFound, Refused
from ledger.store.database import Transaction
from ledger.store.log import Log
from ledger.store.outbox import Letter, Outbox

ASKING = timedelta(hours=24)
"""A request to take a factor away is over after this."""
OPERATOR = "operator"
"""Who took a factor away by the command line."""
_NONCE = 12


class _Row(NamedTuple):
    """A row of `user_factors`; `secret` and `email` are sealed."""

    name: str
    secret: bytes
    used_step: int
    enrolled_at: str
    asked_at: str
    reset_at: str
    reset_by: str
    email: bytes


class Factor(NamedTuple):
    """What is known of a user's second factor. Times are ISO UTC texts, "" for never."""

    name: str
    enrolled_at: str = ""
    asked_at: str = ""
    reset_at: str = ""
    reset_by: str = ""


class Factors:
    """The second factors of a ledger. Blocking. The vault must be open: the log's secret is."""

    def __init__(self, log: Log, outbox: Outbox) -> None:
        self.log, self._database, self._outbox = log, log.database, outbox

    def of(self, name: str) -> Factor:
        """A user's factor; of one without any the empty one."""
        with self._database.read() as tx:
            row = _row(tx, name)
        return _factor(row) if row else Factor(name)

    def asking(self, now: datetime) -> list[Factor]:
        """Who asks for the factor to be taken away, the longest waiting first."""
        with self._database.read() as tx:
            rows = tx.rows(
                f"select {', '.join(_Row._fields)} from user_factors where asked_at > ? order by asked_at, name",
                [(now - ASKING).isoformat()],
            )
        return [_factor(_Row(*row)) for row in rows]

    def set_email(self, name: str, email: str) -> None:
        """Where a user is told of changes, "" for nowhere. The user must exist."""
        with self._database.write() as tx:
            sealed = self._seal("email", name, email.encode()) if email else b""
            self._change(tx, name, email=sealed)

    # --- setting up

    def offered(self, session: Session) -> bytes:
        """The secret that this half session may set up: the same as often as its page is asked for."""
        return hmac.digest(self._key("offered"), session.key + session.who.encode(), sha256)[: totp.SECRET]

    def enrol(self, session: Session, code: str, now: datetime) -> bool:
        """Set up what was offered when its code is right; False otherwise, and when another phone was set up meanwhile."""
        secret, name = self.offered(session), session.who
        step = totp.step_matching(secret, code, now, 0)
        if step is None:
            return False
        with self._database.write() as tx:
            self._change(tx, name)
            sealed = self._seal("secret", name, secret)
            done = tx.run(
                "update user_factors set secret = ?, used_step = ?, enrolled_at = ?, asked_at = '' "
                "where name = ? and enrolled_at = ''",
                [sealed, step, now.isoformat(), name],
            )
            if done:
                self._tell(tx, name, "factor-enrolled", "", now)
        return bool(done)

    # --- logging in

    def check(self, name: str, code: str, now: datetime) -> bool:
        """Whether a code is right; then neither it nor an earlier one ever is again, in no process."""
        with self._database.read() as tx:
            row = _row(tx, name)
        if not row or not row.enrolled_at:
            return False
        step = totp.step_matching(self._open("secret", name, bytes(row.secret)), code, now, row.used_step)
        if step is None:
            return False
        with self._database.write() as tx:
            return bool(
                tx.run(
                    "update user_factors set used_step = ?, asked_at = '' "
                    "where name = ? and used_step < ? and enrolled_at = ?",
                    [step, name, step, row.enrolled_at],
                )
            )

    # --- losing it

    def ask_reset(self, name: str, now: datetime) -> None:
        """The user, who has just given the password, has lost the phone. Without a factor nothing happens."""
        with self._database.write() as tx:
            tx.run("update user_factors set asked_at = ? where name = ? and enrolled_at <> ''", [now.isoformat(), name])

    def grant_reset(self, name: str, asked_at: str, by: str, now: datetime) -> None:
        """Another supervisor agrees to the request that stood on the page. Raises Refused: factor-own, changed-since."""
        if name == by:
            raise Refused("factor-own")
        with self._database.write() as tx:
            if not asked_at or asked_at <= (now - ASKING).isoformat() or not self._reset(tx, name, by, now, asked_at):
                raise Refused("changed-since")

    def take_away(self, name: str, now: datetime) -> None:
        """By whoever runs the commands: no request is needed. Raises NotFound(factor-unknown)."""
        with self._database.write() as tx:
            if not self._reset(tx, name, OPERATOR, now):
                raise NotFound("factor-unknown")

    def _reset(self, tx: Transaction, name: str, by: str, now: datetime, asked_at: str = "") -> bool:
        asked, params = (" and asked_at = ?", [asked_at]) if asked_at else ("", [])
        done = tx.run(
            "update user_factors set secret = ?, used_step = 0, enrolled_at = '', asked_at = '', reset_at = ?, "
            f"reset_by = ? where name = ? and enrolled_at <> ''{asked}",
            [b"", now.isoformat(), by, name, *params],
        )
        if done:
            tx.run("update users set epoch = epoch + 1 where name = ?", [name])
            self._tell(tx, name, "factor-reset", by, now)
        return bool(done)

    # --- what is kept

    def _tell(self, tx: Transaction, name: str, kind: str, by: str, now: datetime) -> None:
        row = _row(tx, name)
        if row and row.email:
            to = self._open("email", name, bytes(row.email)).decode()
            details = {"by": by, "name": name} if by else {"name": name}
            self._outbox.put(tx, Letter(kind, to, "id", details), now)

    def _change(self, tx: Transaction, name: str, email: bytes | None = None) -> None:
        """Make the row when there is none, and set the address when one is given."""
        tx.run(
            "insert into user_factors values (?, ?, 0, '', '', '', '', ?) on conflict (name) do nothing",
            [name, b"", b""],
        )
        if email is not None:
            tx.run("update user_factors set email = ? where name = ?", [email, name])

    def _key(self, purpose: str) -> bytes:
        return bytes.fromhex(self.log.hmac("second factor", purpose.encode()))

    def _seal(self, field: str, name: str, data: bytes) -> bytes:
        nonce = os.urandom(_NONCE)
        return nonce + AESGCM(self._key("sealed")).encrypt(nonce, data, f"{field} {name}".encode())

    def _open(self, field: str, name: str, sealed: bytes) -> bytes:
        try:
            return AESGCM(self._key("sealed")).decrypt(sealed[:_NONCE], sealed[_NONCE:], f"{field} {name}".encode())
        except InvalidTag:
            raise BrokenLog("log-broken", position=0, what="user_factors") from None


def _row(tx: Transaction, name: str) -> _Row | None:
    rows = tx.rows(f"select {', '.join(_Row._fields)} from user_factors where name = ?", [name])
    return _Row(*rows[0]) if rows else None


def _factor(row: _Row) -> Factor:
    return Factor(row.name, row.enrolled_at, row.asked_at, row.reset_at, row.reset_by)
