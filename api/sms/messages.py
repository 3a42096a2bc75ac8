"""The texts that came and what was answered: a retry of the gateway is answered the same and done once.

They stand in the access store, away from the log's writers, for a time that no gateway retries beyond. An id and a
sender are kept as keyed hashes, a text not at all, a reply sealed: one that tells of a person with that person's key, so
that erasing the person makes it unreadable at once. The sender's limit is counted from the same rows, so
it holds over processes and restarts.
"""

from __future__ import annotations

import hmac
import os
from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from api.access.keys import schema_prefix
from api.sms.gateway import Message
from ledger.errors import Unavailable
from ledger.store.database import Database, Transaction, make_tables

KEPT_SECONDS = 2 * 86_400
WORKING_SECONDS = 15
"""After so long a message that was not answered belongs to a process that died: the next retry does it again."""
SHORT_SECONDS, MOST_SHORT = 600, 10
DAY_SECONDS, MOST_A_DAY = 86_400, 40
MOST_REGISTRATIONS = 5
"""A day and sender: each may send a mail to somebody."""

ASKS, REGISTERS, TOLD_LIMIT = "asks", "registers", "told-limit"
_TIDY_SECONDS = 60
_LOCK = 7430815
_NONCE, _HASH = 12, 16

SCHEMA = """
create table if not exists {table} (
    id bytea primary key, sender bytea not null, kind text not null, at bigint not null, person text not null,
    reply bytea);
create index if not exists sms_messages_sender on {table} (sender, at);
create index if not exists sms_messages_at on {table} (at)
"""


class Taken(NamedTuple):
    """A message that is ours to answer, unless `reply` says what was answered before.

    `limited`: the sender has sent too much; `told` whether he was told so already.
    """

    id: bytes
    reply: str | None = None
    limited: bool = False
    told: bool = False


class Messages:
    """The messages of a ledger. Blocking: call it in a thread.

    `key`: 32 bytes derived from the master key; `key_of`: a person's own key, None when the person was erased.
    """

    def __init__(self, database: Database, key: bytes, key_of: Callable[[str], bytes | None]) -> None:
        self._database, self._key, self._key_of = database, key, key_of
        self._table = schema_prefix(database) + "sms_messages"
        self._tidied = 0
        make_tables(database, self._table, _LOCK, SCHEMA.format(table=self._table))

    def take(self, message: Message, phone: str, kind: str, now: datetime) -> Taken:
        """Begin a message of a (normalised) phone; `kind` is ASKS or REGISTERS.

        Raises Unavailable(idempotency-in-progress) while another request answers the same message.
        """
        name = self._hash("id", message.gateway, message.id, phone)
        sender, second = self._hash("sender", phone), int(now.timestamp())
        with self._database.write() as tx:
            self._tidy(tx, second)
            rows = tx.rows(f"select reply, person from {self._table} where id = ?", [name])
            if rows and rows[0][0] is not None:
                known = self._open(name, rows[0][1], bytes(rows[0][0]))
                if known is not None:
                    return Taken(name, known)
                # Whom it told of is erased: it is answered anew.
                tx.run(f"delete from {self._table} where id = ?", [name])
            elif rows:
                if not tx.run(
                    f"update {self._table} set at = ? where id = ? and reply is null and at <= ?",
                    [second, name, second - WORKING_SECONDS],
                ):
                    raise Unavailable("idempotency-in-progress")
                return Taken(name)
            limited, told = self._counted(tx, sender, kind, second)
            if limited and told:
                return Taken(name, limited=True, told=True)
            if not tx.run(
                f"insert into {self._table} (id, sender, kind, at, person) values (?, ?, ?, ?, '') "
                "on conflict do nothing",
                [name, sender, TOLD_LIMIT if limited else kind, second],
            ):
                raise Unavailable("idempotency-in-progress")
            return Taken(name, limited=limited)

    def finish(self, taken: Taken, reply: str, person: str = "") -> str:
        """Keep the reply, which tells of `person` or of nobody; what is to be sent: another's when that was quicker."""
        key = self._key_of(person) if person else self._key
        if key is None:
            return reply  # erased while it was being answered: nothing is kept
        nonce = os.urandom(_NONCE)
        sealed = nonce + AESGCM(key).encrypt(nonce, reply.encode(), taken.id)
        with self._database.write() as tx:
            if tx.run(
                f"update {self._table} set reply = ?, person = ? where id = ? and reply is null",
                [sealed, person, taken.id],
            ):
                return reply
            rows = tx.rows(f"select reply, person from {self._table} where id = ?", [taken.id])
        known = self._open(taken.id, rows[0][1], bytes(rows[0][0])) if rows else None
        return reply if known is None else known

    def give_up(self, taken: Taken) -> None:
        """It could not be answered now: the gateway's next try begins anew."""
        with self._database.write() as tx:
            tx.run(f"delete from {self._table} where id = ? and reply is null", [taken.id])

    def _counted(self, tx: Transaction, sender: bytes, kind: str, second: int) -> tuple[bool, bool]:
        """(whether the sender has sent too much, whether he was told so in the short window)."""
        recent = f"sum(case when at > {second - SHORT_SECONDS} then 1 else 0 end)"
        rows = tx.rows(
            f"select kind, count(*), {recent} from {self._table} where sender = ? and at > ? group by kind",
            [sender, second - DAY_SECONDS],
        )
        counts = {row[0]: (int(row[1]), int(row[2])) for row in rows}
        told = counts.pop(TOLD_LIMIT, (0, 0))[1] > 0
        day, short = (sum(count[place] for count in counts.values()) for place in (0, 1))
        limited = day >= MOST_A_DAY or short >= MOST_SHORT
        if kind == REGISTERS:
            limited = limited or counts.get(REGISTERS, (0, 0))[0] >= MOST_REGISTRATIONS
        return limited, told

    def _tidy(self, tx: Transaction, second: int) -> None:
        if second - self._tidied >= _TIDY_SECONDS:
            self._tidied = second
            tx.run(f"delete from {self._table} where at < ?", [second - KEPT_SECONDS])

    def _hash(self, *parts: str) -> bytes:
        # No part holds a line's end but an unreadable sender, which has no row.
        return hmac.digest(self._key, "\n".join(parts).encode("utf-8", "surrogateescape"), "sha256")[:_HASH]

    def _open(self, name: bytes, person: str, sealed: bytes) -> str | None:
        """A reply, None when the person it tells of was erased."""
        key = self._key_of(person) if person else self._key
        return None if key is None else AESGCM(key).decrypt(sealed[:_NONCE], sealed[_NONCE:], name).decode()
