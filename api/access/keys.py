"""Who may ask: API keys with scopes and objects, and the dependency that lets nobody else in.

A key is `jht_<id>_<secret>`; only the SHA-256 of the whole is stored. `scopes` say what it may do, `npps` for which
employers (None: all), `channel` by which door it speaks. A key that is bound to employers sees only the accounts that
have or had a membership with them, and an account it may not see looks the same as one that does not exist.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import secrets
import time
from collections.abc import Callable, Iterable
from datetime import datetime

import msgspec
from fastapi.openapi.models import HTTPBearer
from fastapi.security import SecurityScopes
from fastapi.security.base import SecurityBase
from starlette.requests import Request

from ledger.errors import NotAllowed, NotFound, Refused, StoreFailed
from ledger.settings import Settings
from ledger.store.database import Database, make_schema, open_beside

SCOPES = ("read", "suspense", "persons", "register", "post", "backdate", "correct", "metrics")
"""read: balances and entries · suspense: the waiting lines · persons: all cards of a person · register: employers,
registrations, opening balances · post: contributions · backdate: paid dates earlier than the rule's allowance ·
correct: reversals · metrics: /metrics."""

REREAD_SECONDS = 1.0
ANSWER_SECONDS = 5.0
_LOCK = 7430813

_TABLES = """
create table if not exists {access}keys (
    id text primary key, hash text not null, name text not null, scopes text not null, npps text not null,
    channel text not null, created_at text not null, expires_at text not null, revoked_at text not null);
create table if not exists {access}records (
    at text not null, key text not null, channel text not null, why text not null, route text not null,
    what text not null, position bigint not null, request text not null);
create index if not exists records_what on {access}records (what, at{bytes});
"""


def open_store(settings: Settings) -> Database:
    """The access store: a file of its own beside a SQLite log, the schema `access` on PostgreSQL; made when absent."""
    database = open_beside(settings, "access")
    with database.write() as tx:
        make_schema(tx, "access", _LOCK)
        tx.script(_TABLES.format(access=schema_prefix(database), bytes=tx.dialect.bytewise))
    return database


def schema_prefix(database: Database) -> str:
    """What stands before a table's name in the access store."""
    return database.dialect.prefix("access")


class Caller(msgspec.Struct, frozen=True):
    """A key's holder. Times are ISO UTC texts, empty when there is none; `npps` None means all employers."""

    id: str
    name: str
    scopes: frozenset[str]
    npps: frozenset[int] | None
    channel: str
    created_at: str = ""
    expires_at: str = ""
    revoked_at: str = ""

    def must(self, scope: str) -> None:
        """Raises NotAllowed(scope-missing)."""
        if scope not in self.scopes:
            raise NotAllowed("scope-missing", scope=scope)

    def must_cover(self, npps: Iterable[int]) -> None:
        """Every one of the employers (0: a participant who pays their own). Raises NotAllowed(object-foreign)."""
        if self.npps is not None and not self.npps.issuperset(npps):
            raise NotAllowed("object-foreign")


class Keys:
    """The keys of a ledger: create, list, revoke (the CLI) and find (every request)."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.table = schema_prefix(database) + "keys"
        self._known: dict[str, tuple[bytes, Caller]] = {}
        self._read_at = float("-inf")
        self._failed_at = float("-inf")
        self._reading = asyncio.Lock()

    def create(
        self,
        name: str,
        scopes: Iterable[str],
        *,
        now: datetime,
        npps: Iterable[int] | None = None,
        channel: str = "partner",
        expires_at: datetime | None = None,
    ) -> tuple[str, Caller]:
        """Make a key: (the key itself, shown this once, and its holder).

        Raises Refused(scope-unknown).
        """
        chosen = frozenset(scopes)
        for scope in sorted(chosen - set(SCOPES)):
            raise Refused("scope-unknown", scope=scope, known=", ".join(SCOPES))
        caller = Caller(
            secrets.token_hex(6), name, chosen, None if npps is None else frozenset(npps), channel,
            now.isoformat(), expires_at.isoformat() if expires_at else "",
        )  # fmt: skip
        key = f"jht_{caller.id}_{secrets.token_urlsafe(32)}"
        row = {
            "id": caller.id,
            "hash": _digest(key).hex(),
            "name": name,
            "scopes": " ".join(sorted(chosen)),
            "npps": "*" if caller.npps is None else " ".join(f"{npp:08d}" for npp in sorted(caller.npps)),
            "channel": channel,
            "created_at": caller.created_at,
            "expires_at": caller.expires_at,
            "revoked_at": "",
        }
        with self.database.write() as tx:
            tx.insert(self.table, {column: [value] for column, value in row.items()}, "text " * len(row))
        return key, caller

    def list(self) -> list[Caller]:
        """All keys ever made, oldest first."""
        return sorted((caller for _, caller in self._rows().values()), key=lambda c: (c.created_at, c.id))

    def revoke(self, key_id: str, *, now: datetime) -> None:
        """End a key; servers notice within a second. Raises NotFound(key-unknown)."""
        with self.database.write() as tx:
            if not tx.run(
                f"update {self.table} set revoked_at = ? where id = ? and revoked_at = ''",
                [now.isoformat(), key_id],
            ) and not tx.rows(f"select 1 from {self.table} where id = ?", [key_id]):
                raise NotFound("key-unknown", key=key_id)

    def _rows(self) -> dict[str, tuple[bytes, Caller]]:
        with self.database.read() as tx:
            rows = tx.rows(
                f"select id, hash, name, scopes, npps, channel, created_at, expires_at, revoked_at from {self.table}"
            )
        found = {}
        for key_id, hashed, name, scopes, npps, channel, created_at, expires_at, revoked_at in rows:
            bound = None if npps == "*" else frozenset(int(npp) for npp in npps.split())
            caller = Caller(key_id, name, frozenset(scopes.split()), bound, channel, created_at, expires_at, revoked_at)
            found[key_id] = bytes.fromhex(hashed), caller
        return found

    async def reread(self) -> None:
        """Read the keys again unless another request just did. Raises StoreFailed: then nobody comes in."""
        async with self._reading:
            now = time.monotonic()
            if now - self._read_at <= REREAD_SECONDS:
                return
            if now - self._failed_at <= REREAD_SECONDS:
                # Not every waiting request has to find out for itself, one after the other.
                raise StoreFailed("store-failed", what="keys")
            try:
                async with asyncio.timeout(ANSWER_SECONDS):
                    self._known = await asyncio.to_thread(self._rows)
            except (StoreFailed, TimeoutError) as error:
                self._failed_at = time.monotonic()
                raise StoreFailed("store-failed", what="keys") from error
            self._read_at = time.monotonic()

    async def find(self, key: str, now: Callable[[], datetime]) -> Caller:
        """The holder of a key. Raises NotAllowed(key-wrong)."""
        if time.monotonic() - self._read_at > REREAD_SECONDS:
            await self.reread()
        parts = key.split("_", 2)
        found = self._known.get(parts[1]) if len(parts) == 3 and parts[0] == "jht" else None
        # An unknown id is compared too, so that time does not tell which ids exist.
        right = hmac.compare_digest(_digest(key), found[0] if found else bytes(32))
        if found is None or not right:
            raise NotAllowed("key-wrong")
        caller = found[1]
        if caller.revoked_at or (caller.expires_at and now() >= datetime.fromisoformat(caller.expires_at)):
            raise NotAllowed("key-wrong")
        return caller


def bearer(authorization: str) -> str:
    """The key in an Authorization header. Raises NotAllowed(key-missing)."""
    kind, _, key = authorization.partition(" ")
    if kind.lower() != "bearer" or not key.strip():
        raise NotAllowed("key-missing")
    return key.strip()


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()


class ApiKey(SecurityBase):
    """The dependency of every route for programs: `Security(api_key, scopes=["read"])` is the caller, or nobody."""

    model = HTTPBearer(bearerFormat="jht_<id>_<secret>", description="An API key; its scopes say what it may do")
    scheme_name = "key"

    async def __call__(self, request: Request, scopes: SecurityScopes) -> Caller:
        """Raises NotAllowed: key-missing, key-wrong, scope-missing."""
        caller: Caller = await request.app.state.application.admit(request)
        for scope in scopes.scopes:
            caller.must(scope)
        request.scope["caller"] = caller
        return caller


api_key = ApiKey()
KEY_PROBLEMS = ("key-missing", "key-wrong", "scope-missing")
