"""The schema of the log's database: numbered SQL files for each store, and what brings a ledger up to the newest.

`sqlite/0001_ledger.sql` and `postgres/0001_ledger.sql` make the same tables. A number stands for one step: it is applied
in one transaction together with the new version in `log_meta`, under a lock that only one process has. So a step that is
killed never happened, and an upgrade that is run twice does nothing the second time. A released file is never edited.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from ledger.errors import Refused
from ledger.store.transaction import Database, Transaction

FOLDER = Path(__file__).parent
_LOCK = 7430811
_META = "create table if not exists log_meta (name text primary key, value text not null)"


class Migration(NamedTuple):
    """One step: its number, and its statements for a store."""

    number: int
    sql: str


def migrations(dialect: str, folders: Sequence[Path] = (FOLDER,)) -> list[Migration]:
    """The steps of a store in order, from 1 without gaps."""
    files = sorted(
        (file for folder in folders for file in (folder / dialect).glob("[0-9]*_*.sql")), key=lambda f: f.name
    )
    found = [Migration(int(file.name[:4]), file.read_text("utf-8")) for file in files]
    assert [step.number for step in found] == list(range(1, len(found) + 1)), "migrations are numbered 1, 2, 3 .."
    return found


VERSION = len(migrations("sqlite"))
"""The schema that this program reads and writes."""


def version_in(tx: Transaction) -> int:
    """The schema version of a ledger's database whose `log_meta` is there."""
    rows = tx.rows("select value from log_meta where name = 'schema_version'")
    return int(rows[0][0]) if rows else 0


def check_version(found: int) -> None:
    """Raises Refused: program-too-old (a newer program was here), upgrade-needed (`jht upgrade`)."""
    if found > VERSION:
        raise Refused("program-too-old", found=found, known=VERSION)
    if found < VERSION:
        raise Refused("upgrade-needed", found=found, known=VERSION)


def upgrade(database: Database, folders: Sequence[Path] = (FOLDER,)) -> tuple[int, int]:
    """Apply every step that is missing; (version before, version now). Raises Refused(program-too-old), StoreFailed."""
    steps = migrations(database.dialect, folders)
    first: int | None = None
    while True:
        with database.write() as tx:
            if tx.dialect == "postgres":
                # Held until the end of the transaction: several processes may start at once.
                tx.rows("select pg_advisory_xact_lock(?)", [_LOCK])
            tx.script(_META)
            version = version_in(tx)
            first = version if first is None else first
            if version > len(steps):
                raise Refused("program-too-old", found=version, known=len(steps))
            if version == len(steps):
                return first, version
            step = steps[version]
            tx.script(step.sql)
            tx.run(
                "insert into log_meta values ('schema_version', ?) on conflict (name) do update "
                "set value = excluded.value",
                [str(step.number)],
            )
