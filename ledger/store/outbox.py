"""The outbox: letters that an event caused, written in the event's transaction and sent afterwards.

A letter about a person is sealed with that person's key and its row hangs on the person's row in the vault: erasing takes
both. One about nobody who is registered is sealed with a key of the master key. A row is deleted as soon as its letter was
sent. A crash between sending and deleting sends it twice; nothing is ever lost before its time is over.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ledger.store.database import Transaction
from ledger.store.master_key import Master
from ledger.store.vault import Vault

LEASE = timedelta(minutes=2)
"""How long a letter belongs to who took it: longer than any sending lasts."""
KEPT = timedelta(hours=24)
"""A letter that could not be sent for so long is dropped: its links are over."""
_PAUSES = (10, 30, 60, 300, 900, 3600)
_NONCE = 12


class Letter(msgspec.Struct, frozen=True):
    """What is to be said, not yet in words. `way`: `mail` or `sms`; `details` fill the kind's sentences."""

    kind: str
    to: str
    language: str = "id"
    details: dict[str, str] = {}


class Due(NamedTuple):
    """A letter that was taken to be sent; `tries` failed before."""

    id: str
    way: str
    letter: Letter
    tries: int


class State(NamedTuple):
    """How many letters wait, since when the oldest's turn has come, and the classes of the last errors."""

    waiting: int
    oldest: str
    errors: tuple[str, ...]


class Outbox:
    """The letters of a ledger."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._database = vault.log.database

    def put(self, tx: Transaction, letter: Letter, now: datetime, way: str = "mail", person: str = "") -> None:
        """Queue a letter inside the transaction of what caused it; `person`: whom it is about, "" for nobody.

        Nothing is queued about a person whose key is gone.
        """
        key = self._vault.keys_of(tx, [person]).get(person) if person else self._vault.derived(b"outbox")
        if key is None:
            return
        name, nonce = secrets.token_hex(16), os.urandom(_NONCE)
        data = AESGCM(key).encrypt(nonce, msgspec.json.encode(letter), name.encode())
        tx.insert(
            "outbox",
            {"id": [name], "person": [person or None], "way": [way], "sealed": [nonce + data], "tries": [0],
             "next_at": [now.isoformat()], "until": [(now + KEPT).isoformat()], "error": [""]},
            "text text text bytea bigint text text text",
        )  # fmt: skip

    def due(self, now: datetime, limit: int = 20, ways: tuple[str, ...] = ("mail", "sms")) -> list[Due]:
        """Take letters whose turn has come; nobody else gets them for LEASE. Those whose time is over are dropped."""
        locked = " for update skip locked" if self._database.dialect == "postgres" else ""
        marks = ", ".join("?" * len(ways))
        with self._database.write() as tx:
            tx.run("delete from outbox where until < ?", [now.isoformat()])
            rows = tx.rows(
                f"select id, person, way, sealed, tries from outbox where next_at <= ? and way in ({marks}) "
                f"order by next_at, id limit ?{locked}",
                [now.isoformat(), *ways, limit],
            )
            for row in rows:
                tx.run("update outbox set next_at = ? where id = ?", [(now + LEASE).isoformat(), row[0]])
            keys = self._vault.keys_of(tx, {row[1] for row in rows if row[1]})
        found = []
        for name, person, way, sealed, tries in rows:
            letter = self._open(keys.get(person) if person else self._vault.derived(b"outbox"), name, bytes(sealed))
            if letter is not None:
                found.append(Due(name, way, letter, tries))
        return found

    def _open(self, key: bytes | None, name: str, sealed: bytes) -> Letter | None:
        """The letter, or None when its key is no more: it is dropped in time."""
        if key is None:
            return None
        try:
            opened = AESGCM(key).decrypt(sealed[:_NONCE], sealed[_NONCE:], name.encode())
            return msgspec.json.decode(opened, type=Letter)
        except InvalidTag:
            return None

    def done(self, name: str) -> None:
        """It was sent: nothing of it stays."""
        with self._database.write() as tx:
            tx.run("delete from outbox where id = ?", [name])

    def failed(self, name: str, now: datetime, error: str) -> None:
        """It could not be sent now; `error` is the class of what went wrong, without any value."""
        with self._database.write() as tx:
            rows = tx.rows("select tries from outbox where id = ?", [name])
            if rows:
                pause = _PAUSES[min(rows[0][0], len(_PAUSES) - 1)]
                tx.run(
                    "update outbox set tries = tries + 1, next_at = ?, error = ? where id = ?",
                    [(now + timedelta(seconds=pause)).isoformat(), error, name],
                )

    def reseal(self, tx: Transaction, keys: Mapping[str, bytes], new: Master) -> None:
        """Seal what is about nobody with another master key: the last step of a rotation."""
        del keys
        cipher = AESGCM(new.derive(b"outbox"))
        for name, sealed in tx.rows("select id, sealed from outbox where person is null"):
            letter = self._open(self._vault.derived(b"outbox"), name, bytes(sealed))
            if letter is not None:
                nonce = os.urandom(_NONCE)
                data = nonce + cipher.encrypt(nonce, msgspec.json.encode(letter), name.encode())
                tx.run("update outbox set sealed = ? where id = ?", [data, name])

    def state(self) -> State:
        """What an operator wants to know."""
        with self._database.read() as tx:
            (waiting, oldest), = tx.rows("select count(*), coalesce(min(next_at), '') from outbox")  # fmt: skip
            errors = tx.rows("select distinct error from outbox where error <> '' order by error limit 10")
        return State(waiting, oldest, tuple(row[0] for row in errors))
