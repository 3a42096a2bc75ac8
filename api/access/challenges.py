"""Challenges for passkeys: what an authenticator signs, so that an answer is worth something here, now and once.

A challenge is random bytes and its end with an HMAC over these, what it is for and whom it was given to (the token of the
visitor's forms, which hangs on the session or the guest's cookie). So none is stored when it is made, and a stranger who
asks for many leaves nothing behind; one that was used is kept until its end, in the log's database: every process sees it.
"""

from __future__ import annotations

import hmac
import secrets
from datetime import datetime, timedelta
from hashlib import sha256

from ledger.members.rows import secret_hash
from ledger.store.database import Database
from ledger.store.vault import Vault

LASTS = timedelta(minutes=5)
ENTER, ADD = "enter", "add"
"""What a challenge is for."""
SCHEMA = """
create table if not exists used_challenges (hash bytea primary key, until text not null);
create index if not exists used_challenges_until on used_challenges (until)
"""
_RANDOM, _END, _MAC = 16, 8, 32


class Challenges:
    """Makes challenges and takes each one once."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database, self._vault = database, vault

    def make(self, purpose: str, holder: str, now: datetime) -> bytes:
        """A challenge for `holder`, good for LASTS."""
        end = int((now + LASTS).timestamp())
        made = secrets.token_bytes(_RANDOM) + end.to_bytes(_END, "big")
        return made + self._mac(made, purpose, holder)

    def is_good(self, challenge: bytes, purpose: str, holder: str, now: datetime) -> bool:
        """Whether it was made for that, for this holder, and its time is not over."""
        made, mac = challenge[: _RANDOM + _END], challenge[_RANDOM + _END :]
        right = hmac.compare_digest(self._mac(made, purpose, holder), mac)
        return right and now.timestamp() < int.from_bytes(made[_RANDOM:], "big")

    def use(self, challenge: bytes, now: datetime) -> bool:
        """Take a good challenge; False when it was taken before, in whatever process. Blocking."""
        with self._database.write() as tx:
            tx.run("delete from used_challenges where until <= ?", [now.isoformat()])
            return bool(
                tx.run(
                    "insert into used_challenges (hash, until) values (?, ?) on conflict do nothing",
                    [secret_hash(challenge.hex()), (now + LASTS).isoformat()],
                )
            )

    def _mac(self, made: bytes, purpose: str, holder: str) -> bytes:
        said = made + f"{purpose}\0{holder}".encode("utf-8", "replace")
        return hmac.digest(self._vault.derived(b"passkey challenges"), said, sha256)
