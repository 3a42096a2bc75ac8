"""The account index held against the log, without holding up the appends.

The log is folded into shadow tables that only one connection sees: temporary tables of the same names stand before the
real ones there, so the fold is the one that every append does. On SQLite reading a snapshot blocks nobody, on PostgreSQL
the transaction holds no lock until the fold is at the head. Then, under the append lock, the events that were appended
meanwhile are folded too, and rows that are not equal are mended. What a record that cannot be read names is left as it is.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import NamedTuple

from ledger.errors import BrokenLog
from ledger.identifiers import card_number, clean_kpj
from ledger.store import account_index
from ledger.store.codec import StoredRow, decode
from ledger.store.recording import Recorded
from ledger.store.sqlite import SqliteDatabase
from ledger.store.transaction import Database, Transaction

_PAGE = 500
_KEYS = {
    "account_index_employers": "npp",
    "account_index_cards": "card",
    "account_index_suspense": "stream, version, line",
    "account_index_requests": "request",
}
Read = Callable[[Transaction, int, int], list[StoredRow]]


class BrokenRecord(NamedTuple):
    """A record of the log that cannot be read."""

    position: int
    stream: str
    what: str


class AccountIndexCheck(NamedTuple):
    """Rows that were wrong or missing (they are mended), and the records that could not be asked."""

    differences: int
    broken: list[BrokenRecord]


def check(database: Database, recorder: Recorded, read: Read) -> AccountIndexCheck:
    """See `Log.check_account_index`. `read`: stored rows after a position, in a transaction."""
    broken: list[BrokenRecord] = []
    with _shadow(database) as (real, tx_of_fold, tx_of_comparison):
        with tx_of_fold() as tx:
            after = _fold(tx, read, 0, broken)
        with tx_of_comparison() as tx:
            recorder.lock(tx)
            _fold(tx, read, after, broken)
            _leave_alone(tx, real, broken)
            differences = sum(_mend(tx, real, table, key) for table, key in _KEYS.items())
    return AccountIndexCheck(differences, broken)


Transactions = Callable[[], contextlib.AbstractContextManager[Transaction]]


@contextlib.contextmanager
def _shadow(database: Database) -> Iterator[tuple[str, Transactions, Transactions]]:
    """(the schema of the real tables, a transaction to fold in, one to compare in) with empty shadow tables."""
    if not isinstance(database, SqliteDatabase):
        with database.write() as tx:
            real = str(tx.rows("select quote_ident(current_schema())")[0][0])
            for table in _KEYS:
                tx.run(f"create temporary table {table} (like {real}.{table} including all) on commit drop")
            # A statement that this connection prepared before still means the real table: it has to look again.
            tx.run("discard plans")
            yield real, lambda: contextlib.nullcontext(tx), lambda: contextlib.nullcontext(tx)
        return
    # A connection of its own: its temporary tables go with it, and stand in a file, however many accounts there are.
    own = SqliteDatabase(database.path, create=False)
    try:
        own.connection().execute("pragma temp_store = file").fetchall()
        with own.read() as tx:
            made = tx.rows(
                "select sql from main.sqlite_master where tbl_name like 'account_index_%' and sql is not null"
            )
        for (sql,) in made:
            # An index goes where its table is found: the temporary one stands before the real one.
            own.connection().execute(
                sql.replace("CREATE TABLE ", "CREATE TEMP TABLE ", 1).replace("CREATE INDEX ", "CREATE INDEX temp.", 1)
            )
        yield "main", own.read, own.write
    finally:
        own.close()


def _fold(tx: Transaction, read: Read, after: int, broken: list[BrokenRecord]) -> int:
    """Record everything after a position into the shadow; the last position."""
    while rows := read(tx, after, _PAGE):
        after = rows[-1].position
        events = []
        for row in rows:
            try:
                events.append(decode(row))
            except BrokenLog as error:
                broken.append(BrokenRecord(row.position, row.stream, str(error.problem.details.get("what", ""))))
        account_index.record(tx, events, [e.position for e in events], [e.recorded_at for e in events])
    return after


def _leave_alone(tx: Transaction, real: str, broken: list[BrokenRecord]) -> None:
    """What unreadable records name stands in the shadow as it stands in the index."""
    for one in broken:
        kind, _, rest = one.stream.partition(":")
        kpj = clean_kpj(rest.partition(":")[0])
        if kind == "account" and kpj:
            _copy(tx, real, "account_index_cards", "card = ?", [card_number(kpj)])
        elif kind == "employer" and rest.isdigit():
            _copy(tx, real, "account_index_employers", "npp = ?", [int(rest)])
        elif kind.startswith("remittance-"):
            _copy(tx, real, "account_index_suspense", "stream = ?", [one.stream])
        _copy(tx, real, "account_index_requests", "first <= ? and last >= ?", [one.position] * 2)


def _copy(tx: Transaction, real: str, table: str, where: str, params: list[object]) -> None:
    tx.run(f"delete from {table} where {where}", params)
    if table == "account_index_requests":
        # The shadow may know the request, too, from its readable events only.
        tx.run(f"delete from {table} where request in (select request from {real}.{table} where {where})", params)
    tx.run(f"insert into {table} select * from {real}.{table} where {where}", params)


def _mend(tx: Transaction, real: str, table: str, key: str) -> int:
    """Make the real rows equal to the shadow's; how many rows were wrong, too many, or missing."""
    wrong = f"select * from {real}.{table} except select * from {table}"
    missing = f"select * from {table} except select * from {real}.{table}"
    found = 0
    for side in (wrong, missing):
        found += tx.rows(f"select count(*) from ({side}) d")[0][0]
    if found:
        tx.run(f"delete from {real}.{table} where ({key}) in (select {key} from ({wrong}) d)")
        tx.run(f"insert into {real}.{table} select * from ({missing}) d")
    return found
