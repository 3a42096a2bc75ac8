"""Keys of person records that were joined into another one: what is sealed in them stays readable as long as the person is.

The record's own row leaves `vault_persons`, and with it everything that hangs there: its NIK, phone and e-mail are looked up
no more (the NIK may be another person's), its login, sessions, links, waiting letters and choices are gone. Only the wrapped
key stays, on the row of the person whose record stays: erasing that person takes it along.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from ledger.store.database import Transaction
from ledger.store.employer_names import Wrapping
from ledger.store.sealing import NONCE

TABLE = "vault_joined"


def put(tx: Transaction, person: str, into: str) -> None:
    """Keep the key of `person` with `into`, with those that were kept with `person`, and take the row away."""
    tx.run(
        f"insert into {TABLE} (person, into_person, wrapped, master) "
        "select person, ?, wrapped, master from vault_persons where person = ?",
        [into, person],
    )
    tx.run(f"update {TABLE} set into_person = ? where into_person = ?", [into, person])
    tx.run("delete from vault_persons where person = ?", [person])


def into_of(tx: Transaction, person: str) -> str:
    """The person with whom a record's key is kept, "" for one that is not kept."""
    rows = tx.rows(f"select into_person from {TABLE} where person = ?", [person])
    return str(rows[0][0]) if rows else ""


def take(tx: Transaction, person: str) -> bytes:
    """A record is to stand again: its wrapped key, which is kept with nobody from here on."""
    ((wrapped,),) = tx.rows(f"select wrapped from {TABLE} where person = ?", [person])
    tx.run(f"delete from {TABLE} where person = ?", [person])
    return bytes(wrapped)


def keep_with(tx: Transaction, persons: Sequence[str], into: str) -> None:
    """Keep the keys of some records with another person."""
    for person in persons:
        tx.run(f"update {TABLE} set into_person = ? where person = ?", [into, person])


def wrapped_of(tx: Transaction, into: str) -> list[tuple[str, bytes, int]]:
    """(person, wrapped key, number of the master key) of the records that were joined into one, in order of their ids."""
    rows = tx.rows(f"select person, wrapped, master from {TABLE} where into_person = ? order by person", [into])
    return [(row[0], bytes(row[1]), row[2]) for row in rows]


def rewrap(tx: Transaction, old: Wrapping, new: Wrapping, limit: int) -> int:
    """Wrap some of the keys with another master key; how many: 0 when none is left."""
    rows = tx.rows(f"select person, wrapped from {TABLE} where master = ? order by person limit ?", [old.number, limit])
    for person, wrapped in rows:
        key = old.unwrap(person, bytes(wrapped))
        tx.run(
            f"update {TABLE} set wrapped = ?, master = ? where person = ?",
            [new.wrap(person, key, os.urandom(NONCE)), new.number, person],
        )
    return len(rows)
