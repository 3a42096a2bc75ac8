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
from ledger.events import Event
from ledger.events.upcasters import names_of
from ledger.identifiers import card_number, clean_kpj
from ledger.store import account_index, suspense
from ledger.store.codec import StoredRow, decode, request_of
from ledger.store.recording import Recorded
from ledger.store.same_rows import same_rows
from ledger.store.sqlite import SqliteDatabase
from ledger.store.transaction import Database, Transaction

_PAGE = 500
_TABLES = {
    "account_index_employers": ("npp", "npp, changed_at"),
    "account_index_cards": ("card", account_index.CARD_COLUMNS),
    "account_index_suspense": ("stream, version, line", suspense.CASE_COLUMNS),
    "account_index_requests": ("request", "request, first, last"),
}
"""Key and columns of each."""
_NAMES = names_of(*account_index.FACTS)
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
            differences = sum(_mend(tx, real, table, *columns) for table, columns in _TABLES.items())
    return AccountIndexCheck(differences, broken)


Transactions = Callable[[], contextlib.AbstractContextManager[Transaction]]


@contextlib.contextmanager
def _shadow(database: Database) -> Iterator[tuple[str, Transactions, Transactions]]:
    """(the schema of the real tables, a transaction to fold in, one to compare in) with empty shadow tables."""
    if not isinstance(database, SqliteDatabase):
        with database.write() as tx:
            real = str(tx.rows("select quote_ident(current_schema())")[0][0])
            for table, (key, _) in _TABLES.items():
                tx.run(f"create temporary table {table} (like {real}.{table}, primary key ({key})) on commit drop")
            # A statement that this connection prepared before still means the real table: it has to look again.
            tx.run("discard plans")
            yield real, lambda: contextlib.nullcontext(tx), lambda: contextlib.nullcontext(tx)
        return
    # A connection of its own: its temporary tables go with it, and stand in a file, however many accounts there are.
    own = SqliteDatabase(database.path, create=False)
    try:
        own.connection().execute("pragma temp_store = file").fetchall()
        with own.read() as tx:
            made = tx.rows("select sql from main.sqlite_master where name like 'account_index_%' and type = 'table'")
        for (sql,) in made:
            own.connection().execute(sql.replace("CREATE TABLE ", "CREATE TEMP TABLE ", 1))
        yield "main", own.read, own.write
    finally:
        own.close()


def _fold(tx: Transaction, read: Read, after: int, broken: list[BrokenRecord]) -> int:
    """Record everything after a position into the shadow; the last position."""
    while rows := read(tx, after, _PAGE):
        after = rows[-1].position
        events: list[Event] = []
        requests: list[str] = []
        positions: list[int] = []
        for row in rows:
            try:
                if row.name in _NAMES:
                    events.append(event := decode(row))
                    request = event.request
                else:
                    request = request_of(row)
            except BrokenLog as error:
                broken.append(BrokenRecord(row.position, row.stream, str(error.problem.details.get("what", ""))))
            else:
                requests.append(request)
                positions.append(row.position)
        account_index.record_facts(tx, events, [e.position for e in events], [e.recorded_at for e in events])
        account_index.record_requests(tx, requests, positions)
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


def _mend(tx: Transaction, real: str, table: str, key: str, columns: str) -> int:
    """Make the real rows equal to the shadow's; how many rows were wrong, too many, or missing."""
    if same_rows([tx], f"{real}.{table}", table, columns.split(", "), key.split(", ")) is not None:
        return 0
    wrong = f"select {columns} from {real}.{table} except select {columns} from {table}"
    missing = f"select {columns} from {table} except select {columns} from {real}.{table}"
    found = 0
    for side in (wrong, missing):
        found += tx.rows(f"select count(*) from ({side}) d")[0][0]
    tx.run(f"delete from {real}.{table} where ({key}) in (select {key} from ({wrong}) d)")
    tx.run(f"insert into {real}.{table} ({columns}) select {columns} from ({missing}) d")
    return found
