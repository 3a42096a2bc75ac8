"""Whether a generation can be used: it is there, whole, of this program's shape, and made from this very log.

    missing    a file or a table is not there
    damaged    a file is torn, or no database
    shape      its tables are those of another version of this program
    foreign    it was made from another ledger
    renewed    the log got a new id since: it was restored from a backup, and the operator said so
    restored   the log holds another event at the generation's position: an older log was put back

The first four only cost the time to make it again, and a follower does. The last two are told to people
(`log-restored`), because positions that were handed out do not mean what they meant.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from hashlib import sha256

from ledger.errors import StoreFailed, Unavailable
from ledger.store.dialect import Dialect
from ledger.store.log import Log
from projections import balances, directory, entries
from projections.generations import Generation, Pointers, Store, is_gone

_TABLES = {"balances": balances.tables, "entries": entries.tables, "directory": directory.tables}
_INDEXES = {"balances": balances.indexes, "entries": entries.indexes, "directory": directory.indexes}
_SHARED = ("_position", "_incomplete", "_broken")
RESTORED = ("renewed", "restored")


def tables(generation: Generation, dialect: Dialect) -> str:
    """The DDL of a generation's own tables."""
    return _TABLES[generation.name](generation, dialect)


def indexes(generation: Generation, dialect: Dialect) -> str:
    """The DDL that follows after a bulk load; empty when there is none."""
    return _INDEXES[generation.name](generation, dialect)


@cache
def shape(name: str, dialect: Dialect) -> str:
    """The fingerprint of a projection's tables as this program makes them."""
    any_one = Generation(name, 0, f"{name}_g0")
    return sha256(f"{tables(any_one, dialect)};{indexes(any_one, dialect)}".encode()).hexdigest()[:16]


def condition(log: Log, store: Store, generation: Generation) -> str:
    """What is wrong with a generation, in a word of the list above; "" when nothing is. Raises StoreFailed."""
    dialect = store.pointers_database.dialect
    try:
        with store.database(generation).read() as tx:
            columns = f"position, fingerprint, log_id, shape from {generation.table}_position"
            rows = tx.rows(f"select {columns}")
            for table in _names(generation, dialect):
                tx.rows(f"select 1 from {table} limit 1")
    except StoreFailed as error:
        if error.code == "store-damaged":
            return "damaged"
        if is_gone(error):
            return "missing"
        if "no such column" in str(error.__cause__):
            return "shape"
        raise
    if len(rows) != 1:
        return "damaged"
    position, fingerprint, log_id, found = rows[0]
    if found != shape(generation.name, dialect):
        return "shape"
    if log_id != log.log_id:
        return "renewed" if log.had_id(log_id) else "foreign"
    return "" if log.fingerprint_at(position) == fingerprint else "restored"


def _names(generation: Generation, dialect: Dialect) -> list[str]:
    made = re.findall(r"create table (\S+)", tables(generation, dialect))
    return [*made, *(generation.table + suffix for suffix in _SHARED)]


def must_be_of_this_log(log: Log, store: Store, generations: Iterable[Generation]) -> None:
    """Raises Unavailable(log-restored) when one of them was made before the log was restored."""
    if any(condition(log, store, generation) in RESTORED for generation in generations):
        raise Unavailable("log-restored")


def why_not(log: Log, store: Store, pointers: Pointers) -> Unavailable | None:
    """Why nothing can be answered from the live generations; None when they are all well."""
    found = {name: condition(log, store, generation) for name, generation in pointers.live.items()}
    if any(word in RESTORED for word in found.values()):
        return Unavailable("log-restored")
    for name, word in found.items():
        if word:
            return Unavailable("read-side-damaged", name=name, why=word)
    return None
