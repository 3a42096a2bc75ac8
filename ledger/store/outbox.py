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
KEPT_NOTICE = timedelta(days=30)
"""The same of a notice, which has no link."""
_PAUSES = (10, 30, 60, 300, 900, 3600)
_NONCE = 12


class Letter(msgspec.Struct, frozen=True):
    """What is to be said, not yet in words; `details` fill the kind's sentences. `rows`: what a notice lists, as codes;
    `about`: what each row speaks of, in numbers, so that its sender can ask whether it is still so."""

    kind: str
    to: str
    language: str = "id"
    details: dict[str, str] = {}
    rows: tuple[tuple[str, ...], ...] = ()
    about: tuple[tuple[int, ...], ...] = ()


class Due(NamedTuple):
    """A letter that was taken to be sent; `tries` failed before; `person`: whom it is about, "" for nobody."""

    id: str
    way: str
    letter: Letter
    tries: int
    person: str = ""


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

    def put(
        self, tx: Transaction, letter: Letter, now: datetime, way: str = "mail", person: str = "", *, notice: str = ""
    ) -> None:
        """Queue a letter inside the transaction of what caused it; `person`: whom it is about, "" for nobody.

        `notice`: the name of a letter that nobody waits for; it comes after all others, not in quiet hours, and never twice.
        Nothing is queued about a person whose key is gone.
        """
        key = self._vault.keys_of(tx, [person]).get(person) if person else self._vault.derived(b"outbox")
        if key is None:
            return
        name, nonce = notice or secrets.token_hex(16), os.urandom(_NONCE)
        until = now + (KEPT_NOTICE if notice else KEPT)
        data = AESGCM(key).encrypt(nonce, msgspec.json.encode(letter), name.encode())
        tx.insert(
            "outbox",
            {"id": [name], "person": [person or None], "way": [way], "sealed": [nonce + data], "tries": [0],
             "next_at": [now.isoformat()], "until": [until.isoformat()], "error": [""], "notice": [int(bool(notice))]},
            "text text text bytea bigint text text text bigint",
            "on conflict do nothing",
        )  # fmt: skip

    def is_due(self, now: datetime, ways: tuple[str, ...], *, notices: bool = True) -> bool:
        """Whether `due` would find a letter; only asks."""
        marks = ", ".join("?" * len(ways))
        with self._database.read() as tx:
            return bool(
                tx.rows(
                    f"select 1 from outbox where notice <= ? and next_at <= ? and way in ({marks}) limit 1",
                    [int(notices), now.isoformat(), *ways],
                )
            )

    def due(
        self, now: datetime, limit: int = 20, ways: tuple[str, ...] = ("mail", "sms"), *, notices: bool = True
    ) -> list[Due]:
        """Take letters whose turn has come; nobody else gets them for LEASE. Those whose time is over are dropped.

        Notices come after everything else, and only with `notices`: a link that somebody waits for never stands behind them.
        """
        locked = " for update skip locked" if self._database.dialect == "postgres" else ""
        marks = ", ".join("?" * len(ways))
        with self._database.write() as tx:
            tx.run("delete from outbox where until < ?", [now.isoformat()])
            rows = tx.rows(
                f"select id, person, way, sealed, tries from outbox where notice <= ? and next_at <= ? "
                f"and way in ({marks}) order by notice, next_at, id limit ?{locked}",
                [int(notices), now.isoformat(), *ways, limit],
            )
            for row in rows:
                tx.run("update outbox set next_at = ? where id = ?", [(now + LEASE).isoformat(), row[0]])
            keys = self._vault.keys_of(tx, {row[1] for row in rows if row[1]})
        found = []
        for name, person, way, sealed, tries in rows:
            letter = self._open(keys.get(person) if person else self._vault.derived(b"outbox"), name, bytes(sealed))
            if letter is not None:
                found.append(Due(name, way, letter, tries, person or ""))
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
