"""Employers' names, sealed: a sole trader is a person, so no event and no read model holds a name in clear.

Each employer has a key of its own in the vault, wrapped by the master key. Whoever shows names asks here for a whole page
at once; what was opened is remembered for a minute at most. Nobody can search by name.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, Protocol

from ledger.errors import BrokenLog
from ledger.identifiers import employer_stream
from ledger.store.database import Database, Transaction
from ledger.store.sealing import KEY, NONCE, seal, unseal

TABLE = "vault_employers"
SECONDS = 60.0
"""How long an opened name is remembered."""
REMEMBERED = 20_000
_FIELD = "name"


class Wrapping(Protocol):
    """What of a master key wraps other keys."""

    number: int

    def wrap(self, person: str, key: bytes, nonce: bytes) -> bytes: ...

    def unwrap(self, person: str, wrapped: bytes) -> bytes: ...


class SealedName(NamedTuple):
    """A name as an event of the employer's stream holds it, and the version of that event."""

    text: str
    version: int


class NewName(NamedTuple):
    """A name about to be registered: the sealed text for version 1 of the stream, the row for the vault."""

    text: str
    row: tuple[int, bytes, int]


class EmployerNames:
    """Seals and opens names. Thread-safe. `master` gives the present master key, `current` raises while it is replaced."""

    def __init__(
        self,
        database: Database,
        master: Callable[[], Wrapping],
        current: Callable[[Transaction], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database, self._master, self._current, self._clock = database, master, current, clock
        self._opened: dict[tuple[int, SealedName], tuple[str, float]] = {}

    def new(self, npp: int, name: str) -> NewName:
        """A name sealed with a new key; nothing is stored yet."""
        key, owner = os.urandom(KEY), f"{npp:08d}"
        text = seal(key, owner, employer_stream(owner), 1, _FIELD, name.encode())
        master = self._master()
        return NewName(text, (npp, master.wrap(_owner(npp), key, os.urandom(NONCE)), master.number))

    def insert(self, tx: Transaction, names: Sequence[NewName]) -> None:
        """Store the keys of new names. An employer that is there already breaks the key: the append says VersionTaken.

        Raises Unavailable(vault-rotating).
        """
        if names:
            self._current(tx)
            columns = zip(*sorted(new.row for new in names), strict=True)
            tx.insert(TABLE, dict(zip(("npp", "wrapped", "master"), columns, strict=True)), "bigint bytea bigint")

    def open(self, names: Mapping[int, SealedName]) -> dict[int, str]:
        """NPP -> name, of those that can be opened; one look-up for all that are not remembered.

        Raises Unavailable(vault-rotating), StoreFailed.
        """
        now = self._clock()
        found: dict[int, str] = {}
        asked: dict[int, SealedName] = {}
        for npp, sealed in names.items():
            held = self._opened.get((npp, sealed))
            if held is not None and held[1] > now:
                found[npp] = held[0]
            else:
                asked[npp] = sealed
        if asked:
            with self._database.read() as tx:
                keys = self._keys(tx, asked)
            if len(self._opened) + len(asked) > REMEMBERED:
                self._opened = {}
            for npp, key in keys.items():
                name = _opened(key, npp, asked[npp])
                if name is not None:
                    self._opened[npp, asked[npp]] = name, now + SECONDS
                    found[npp] = name
        return found

    def _keys(self, tx: Transaction, npps: Mapping[int, SealedName]) -> dict[int, bytes]:
        given, params = tx.relation(npp=("bigint", sorted(npps)))
        rows = tx.rows(f"select v.npp, v.wrapped, v.master from {given} q join {TABLE} v on v.npp = q.npp", params)
        master = self._master()
        if any(row[2] != master.number for row in rows):
            self._current(tx)
        return {row[0]: master.unwrap(_owner(row[0]), bytes(row[1])) for row in rows}


def rewrap(tx: Transaction, old: Wrapping, new: Wrapping, limit: int) -> int:
    """Wrap the keys of some employers with another master key; how many: 0 when none is left."""
    rows = tx.rows(f"select npp, wrapped from {TABLE} where master = ? order by npp limit ?", [old.number, limit])
    for npp, wrapped in rows:
        key = old.unwrap(_owner(npp), bytes(wrapped))
        tx.run(
            f"update {TABLE} set wrapped = ?, master = ? where npp = ?",
            [new.wrap(_owner(npp), key, os.urandom(NONCE)), new.number, npp],
        )
    return len(rows)


def _owner(npp: int) -> str:
    """What a wrapped key is bound to."""
    return f"employer {npp:08d}"


def _opened(key: bytes, npp: int, sealed: SealedName) -> str | None:
    owner = f"{npp:08d}"
    try:
        return unseal(key, owner, employer_stream(owner), sealed.version, _FIELD, sealed.text).decode()
    except BrokenLog:
        # A name that cannot be read concerns only its employer, who is then shown by number.
        return None
