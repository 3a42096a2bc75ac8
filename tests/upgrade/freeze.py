"""The store of a release as a frozen fixture: `python -m tests.upgrade.freeze 1` writes `tests/upgrade/stores/1.*`.

A small ledger with everything that has a table: as a SQLite file, and as SQL that psql runs into an empty database (no
server is needed to keep it). A released store is never made again; only before the release may this be run anew.
"""

from __future__ import annotations

import sqlite3
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from ledger.events import Line
from ledger.settings import Settings
from ledger.store import migrations
from ledger.store.log import Log
from ledger.store.vault import Vault
from tests.conftest import MASTER_KEY, NOW
from tests.projections.history import KPJS, NPPS, Writer, registered

STORES = Path(__file__).parent / "stores"
AMOUNT = 285_000


def fill(log: Log) -> None:
    """Employers, persons, cards and one posted line; the secret of the log under the tests' master key."""
    Vault.open(log)
    posted = Writer().post(NPPS[0], "2026-10", "2026-11-14", [Line(KPJS[0], 5_000_000, 0, 185_000, 100_000)])
    log.append([*registered(), posted], NOW)


def _literal(value: Any, of_bytes: bool) -> str:
    if value is None:
        return "null"
    if isinstance(value, int):
        return str(value)
    if of_bytes:
        return f"decode('{value.hex()}', 'hex')"
    return "'" + str(value).replace("'", "''") + "'"


def _tables(connection: sqlite3.Connection) -> Sequence[str]:
    rows = connection.execute("select name from sqlite_master where type = 'table' and name not like 'sqlite_%'")
    return [name for (name,) in rows]


def dump(connection: sqlite3.Connection) -> Iterator[str]:
    """A SQLite ledger as PostgreSQL's: the steps of the migrations, then the rows; a statement a line."""
    yield from (statement + ";" for statement in [migrations._META])
    for step in migrations.migrations("postgres"):
        yield step.sql
    for table in _tables(connection):
        found = connection.execute(f"select * from {table}")
        names = [column[0] for column in found.description]
        named = ", ".join("notification_id" if name == "rowid" else name for name in names)
        for row in found:
            values = ", ".join(_literal(value, isinstance(value, bytes)) for value in row)
            yield f"insert into {table.replace('stored_events', 'ledger_events')} ({named}) values ({values});\n"


def freeze(release: str) -> None:
    """Write the fixture of a release."""
    STORES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "jht.db")
        Log.clock = "caller"
        log = Log.open(Settings(database_url=f"sqlite:///{path}", master_key=MASTER_KEY), create=True)  # type: ignore[arg-type]
        fill(log)
        log.close()
        target = STORES / f"{release}.db"
        target.unlink(missing_ok=True)
        with sqlite3.connect(path) as connection:
            connection.execute("vacuum into ?", [str(target)])
            (STORES / f"{release}.sql").write_text("".join(dump(connection)), "utf-8")
        connection.close()


if __name__ == "__main__":
    freeze(sys.argv[1])
