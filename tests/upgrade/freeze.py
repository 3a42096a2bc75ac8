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

from ledger.acts.release import Place, release_line
from ledger.acts.reversal import Target
from ledger.decisions.remittance import Remittance
from ledger.receipt import Header
from ledger.settings import Settings
from ledger.store import migrations
from ledger.store.log import Log
from tests.conftest import MASTER_KEY
from tests.ledger.members.conftest import CARD, OTHERS, SECOND, Counter
from tests.office import NPP, line, opening, person

MONTH = f"remittance-e:{NPP}:2026-10"

STORES = Path(__file__).parent / "stores"
OWN, UNKNOWN = "26000000041", "26000000058"
TOTALS = {CARD: 570_000, SECOND: 1_590_000, OTHERS: 228_000, OWN: 20_000}
"""Card -> its balance in rupiah, in every release's store."""
WAITS = [(int(UNKNOWN), "account-unknown")]
"""(card, why) of the money that waits there."""


def fill(log: Log) -> None:
    """A little of everything that can be done with money, and a member; the log's secret is under the tests' master key."""
    counter = Counter(log)
    counter.active()
    office, why = counter.office, Header("o", "office", "back", "wrong-amount")
    office.register(person(OWN, 3, npp="", segment="BPU"))
    office.contribute(line(CARD), line(OTHERS, 4_000_000), line(UNKNOWN), request="first")
    office.contribute(line(CARD, reference="TRX-2"), request="second")
    office.contribute(line(OTHERS, month="2026-09"), request="third")
    office.contribute(line(OWN, 1_000_000, npp="", worker=20_000), request="fourth")
    (second,) = [one for one in Remittance.of(MONTH, office.remittance()).waiting() if one.line.kpj == CARD]
    further = Header("o", "office", "", "further-payment")
    release_line(log, Place(MONTH, *second.place), further, lambda: office.now)
    office.door.reverse(Target(receipt="third"), why)
    office.openings(opening(SECOND), opening(OTHERS))
    office.door.reverse(Target(kpj=OTHERS, kind="opening"), why)
    office.register(person(SECOND, left_on="2026-03-20"))
    office.close()


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
