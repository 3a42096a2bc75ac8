"""What the mobile app shows instead of a password: an access token for ten minutes, and a refresh token for the next one.

The access token is a JWT (RFC 7519, HS256) that names nobody: a random person id and a random device id. Its signature
alone does not open anything: the device must still be logged in and the login's epoch the same, which is asked at most
once a second for each token.

A refresh token (`jhtr_<device's selector>.<secret>`) can be used once and is followed by another. One that was used
before ends the device's whole family, because two hold it then (RFC 9700, 4.14.2). Who lost the answer may ask again
within RETRY and gets the same successor, unless that was used already: it is computed from its predecessor with a key of
the master key, so that only hashes are stored. A thief who is as quick shares a token with the owner then, and the next
use by the second of them ends both.
"""

from __future__ import annotations

import base64
import hmac
import secrets
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import NamedTuple

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from ledger.errors import NotAllowed, NotFound
from ledger.members import rows as member_rows
from ledger.members.rows import secret_hash
from ledger.store.database import Transaction, make_tables
from ledger.store.log import Log
from ledger.store.sealing import seal, unseal
from ledger.store.vault import Vault

ACCESS = timedelta(minutes=10)
IDLE = timedelta(days=30)
"""A device that refreshed nothing for so long logs in again."""
LONGEST = timedelta(days=180)
"""So does every device after this time."""
RETRY = timedelta(seconds=30)
MOST_DEVICES = 10
"""A member's devices; the one that was used least recently makes room for the next."""
LEEWAY_SECONDS = 5
"""How far the clocks of two servers may be apart."""
LOOK_SECONDS = 1.0
REMEMBERED = 20_000
ISSUER, AUDIENCE, KIND = "jht-ledger", "jht-mobile", "at+jwt"
_ALGORITHMS = ["HS256"]
_LONGEST_TOKEN = 1_024
_LOCK = 7430815
_SCHEMA = """
create table if not exists mobile_devices (
    id text primary key, person text not null references vault_persons (person) on delete cascade,
    epoch bigint not null, selector bytea not null unique, secret bytea not null, before bytea not null,
    name text not null, made_at text not null, turned_at text not null, until text not null, reused bigint not null);
create index if not exists mobile_devices_person on mobile_devices (person);
create index if not exists mobile_devices_until on mobile_devices (until)
"""


class Pair(NamedTuple):
    """What a device gets; `expires_in` are the access token's seconds."""

    access_token: str
    expires_in: int
    refresh_token: str


class Claims(NamedTuple):
    """What a good access token says; `over` is the second since 1970 from which it is worth nothing."""

    person: str
    device: str
    epoch: int
    over: int


class Device(NamedTuple):
    """A device that is logged in; times are ISO UTC, `seen_at` that of its last refresh."""

    id: str
    name: str
    made_at: str
    seen_at: str


class Tokens:
    """The devices of all members and their tokens. Thread-safe; all but `claims` and `remembered` block."""

    def __init__(self, log: Log, vault: Vault) -> None:
        self._database = log.database
        self._vault = vault
        self._raw, self._key = b"", OctKey.import_key(bytes(32))
        # Only what a signature vouches for is remembered; both start anew when they have grown to REMEMBERED.
        self._known: dict[bytes, Claims] = {}
        self._cards: dict[Claims, tuple[float, Mapping[str, int]]] = {}

    @classmethod
    def open(cls, log: Log, vault: Vault) -> Tokens:
        """The devices of a ledger whose members are opened; the first opening makes their table."""
        make_tables(log.database, "mobile_devices", _LOCK, _SCHEMA)
        return cls(log, vault)

    # --- access tokens

    def claims(self, token: str, now: datetime) -> Claims:
        """What an access token says. Raises NotAllowed(login-over): expired, forged or not meant for this door."""
        known = self._known.get(sha256(token.encode("latin-1", "replace")).digest()) or self._checked(token, now)
        if now.timestamp() >= known.over:
            raise NotAllowed("login-over")
        return known

    def _checked(self, token: str, now: datetime) -> Claims:
        registry = jwt.JWTClaimsRegistry(
            now=int(now.timestamp()),
            leeway=LEEWAY_SECONDS,
            iss={"essential": True, "value": ISSUER},
            aud={"essential": True, "value": AUDIENCE},
            sub={"essential": True},
            sid={"essential": True},
            epoch={"essential": True, "allow_blank": True},
            iat={"essential": True},
            exp={"essential": True},
        )
        if len(token) > _LONGEST_TOKEN:
            raise NotAllowed("login-over")
        try:
            read = jwt.decode(token, self._signing(), algorithms=_ALGORITHMS)
            registry.validate(read.claims)
        except (JoseError, ValueError, RecursionError):
            raise NotAllowed("login-over") from None
        if read.header.get("typ") != KIND:
            raise NotAllowed("login-over")
        said = read.claims
        found = Claims(said["sub"], said["sid"], said["epoch"], int(said["exp"]) + LEEWAY_SECONDS)
        if len(self._known) >= REMEMBERED:
            self._known.clear()
        self._known[sha256(token.encode("latin-1", "replace")).digest()] = found
        return found

    def _signing(self) -> OctKey:
        raw = self._vault.derived(b"mobile access")
        if raw != self._raw:
            self._raw, self._key = raw, OctKey.import_key(raw)
        return self._key

    def _pair(self, person: str, device: str, epoch: int, refresh: str, now: datetime) -> Pair:
        issued = int(now.timestamp())
        seconds = int(ACCESS.total_seconds())
        claims = {
            "iss": ISSUER, "aud": AUDIENCE, "sub": person, "sid": device, "epoch": epoch, "iat": issued,
            "exp": issued + seconds, "jti": secrets.token_urlsafe(12),
        }  # fmt: skip
        header = {"alg": _ALGORITHMS[0], "typ": KIND}
        return Pair(jwt.encode(header, claims, self._signing(), algorithms=_ALGORITHMS), seconds, refresh)

    # --- whether a device is still logged in

    def remembered(self, claims: Claims) -> Mapping[str, int] | None:
        """What `cards` answered within the last second, None when it must be asked again."""
        held = self._cards.get(claims)
        return held[1] if held is not None and time.monotonic() - held[0] <= LOOK_SECONDS else None

    def cards(self, claims: Claims, now: datetime) -> Mapping[str, int]:
        """The cards, by handle, of the member whose device is still logged in.

        Raises NotAllowed(login-over): logged out, here or everywhere, or the access was closed.
        """
        with self._database.read() as tx:
            rows = tx.rows(
                "select 1 from mobile_devices d join member_logins l on l.person = d.person "
                "and l.epoch = d.epoch "
                "where d.id = ? and d.person = ? and d.epoch = ? and d.reused = 0 and d.until > ?",
                [claims.device, claims.person, claims.epoch, now.isoformat()],
            )
            cards = member_rows.cards_of(tx, claims.person) if rows else []
        if not rows:
            raise NotAllowed("login-over")
        found = {card.handle: card.card for card in cards}
        if len(self._cards) >= REMEMBERED:
            self._cards.clear()
        self._cards[claims] = time.monotonic(), found
        return found

    def forget(self) -> None:
        """Ask the store again: after a log-out or a new card, in this process at once."""
        self._cards.clear()

    # --- devices

    def begin(self, person: str, epoch: int, name: str, now: datetime) -> Pair:
        """Log a device in; `name` is what the member calls it."""
        device, selector, secret = secrets.token_hex(16), secrets.token_urlsafe(16), secrets.token_urlsafe(32)
        with self._database.write() as tx:
            tx.run("delete from mobile_devices where until <= ?", [now.isoformat()])
            tx.run(
                "delete from mobile_devices where person = ? and id not in (select id from mobile_devices "
                "where person = ? order by turned_at desc, id limit ?)",
                [person, person, MOST_DEVICES - 1],
            )
            key = self._vault.keys_of(tx, [person]).get(person)
            if key is None:
                raise NotFound("person-erased")
            row = {
                "id": device,
                "person": person,
                "epoch": epoch,
                "selector": secret_hash(selector),
                "secret": secret_hash(secret),
                "before": b"",
                "name": seal(key, person, _place(device), 1, "device", name.encode()),
                "made_at": now.isoformat(),
                "turned_at": now.isoformat(),
                "until": (now + IDLE).isoformat(),
                "reused": 0,
            }
            tx.insert(
                "mobile_devices",
                {column: [value] for column, value in row.items()},
                "text text bigint bytea bytea bytea text text text text bigint",
            )
        return self._pair(person, device, epoch, f"jhtr_{selector}.{secret}", now)

    def refresh(self, token: str, now: datetime) -> Pair:
        """The next pair of a device.

        Raises NotAllowed: refresh-over (unknown, too old, logged out), refresh-reused (the device is logged out now).
        """
        selector, _, secret = token[:_LONGEST_TOKEN].removeprefix("jhtr_").partition(".")
        with self._database.read() as tx:
            # What somebody made up does not get to the one writer a SQLite log has.
            known = tx.rows("select 1 from mobile_devices where selector = ?", [secret_hash(selector)])
        if not known:
            raise NotAllowed("refresh-over")
        with self._database.write() as tx:
            found = self._turned(tx, selector, secret, now)
        # Outside of the transaction: that a family ended is to be kept, and an exception would undo it.
        if isinstance(found, str):
            self.forget()
            raise NotAllowed(found)
        return found

    def _turned(self, tx: Transaction, selector: str, secret: str, now: datetime) -> Pair | str:
        """The next pair, or the code of why there is none."""
        rows = tx.rows(
            "select d.id, d.person, d.epoch, d.secret, d.before, d.made_at, d.turned_at, d.until, d.reused "
            "from mobile_devices d join member_logins l on l.person = d.person and l.epoch = d.epoch "
            f"where d.selector = ?{tx.row_lock('d')}",
            [secret_hash(selector)],
        )
        if not rows:
            return "refresh-over"
        device, person, epoch, current, before, made_at, turned_at, until, reused = rows[0]
        if reused:
            return "refresh-reused"
        if until <= now.isoformat():
            return "refresh-over"
        given, successor = secret_hash(secret), self._successor(device, secret)
        pair = self._pair(person, device, epoch, f"jhtr_{selector}.{successor}", now)
        if hmac.compare_digest(given, bytes(current)):
            end = min(datetime.fromisoformat(made_at) + LONGEST, now + IDLE)
            tx.run(
                "update mobile_devices set secret = ?, before = ?, turned_at = ?, until = ? where id = ?",
                [secret_hash(successor), given, now.isoformat(), end.isoformat(), device],
            )
            return pair
        retried = hmac.compare_digest(given, bytes(before))
        if retried and now - datetime.fromisoformat(turned_at) <= RETRY:
            return pair
        tx.run("update mobile_devices set reused = 1 where id = ?", [device])
        return "refresh-reused"

    def _successor(self, device: str, secret: str) -> str:
        key = self._vault.derived(b"mobile refresh")
        made = hmac.digest(key, f"{device}.{secret}".encode("utf-8", "surrogateescape"), "sha256")
        return base64.urlsafe_b64encode(made).rstrip(b"=").decode()

    def end(self, device: str) -> None:
        """Log a device out."""
        with self._database.write() as tx:
            tx.run("delete from mobile_devices where id = ?", [device])
        self.forget()

    def devices(self, person: str, now: datetime) -> list[Device]:
        """Where a member is logged in, the last used first."""
        with self._database.read() as tx:
            rows = tx.rows(
                "select d.id, d.name, d.made_at, d.turned_at from mobile_devices d "
                "join member_logins l on l.person = d.person and l.epoch = d.epoch "
                "where d.person = ? and d.reused = 0 and d.until > ? order by d.turned_at desc, d.id",
                [person, now.isoformat()],
            )
            key = self._vault.keys_of(tx, [person]).get(person)
        if key is None:
            return []
        return [
            Device(id_, unseal(key, person, _place(id_), 1, "device", name).decode(), _utc(made), _utc(turned))
            for id_, name, made, turned in rows
        ]


def _place(device: str) -> str:
    return f"mobile-device:{device}"


def _utc(text: str) -> str:
    return datetime.fromisoformat(text).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
