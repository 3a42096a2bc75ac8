"""A PostgreSQL ledger's backup: one `pg_dump` of everything but the read models, in a snapshot whose position is known."""

from __future__ import annotations

import os
import shutil
import subprocess
from datetime import datetime
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict, make_conninfo

from ledger.errors import Refused, StoreFailed
from ledger.settings import Settings
from ledger.store.backup.manifest import Manifest, described, new_folder, sealed, verified
from ledger.store.database import open_database, table_exists
from ledger.store.log import Log
from ledger.store.place import check_place

DUMP_FILE = "ledger.dump"
_DUMP = ("--format=custom", "--no-owner", "--no-privileges", "--exclude-schema=projections")
_RESTORE = ("--exit-on-error", "--single-transaction", "--no-owner", "--no-privileges")


def back_up(log: Log, folder: Path, now: datetime) -> Manifest:
    """See `ledger.store.backup.back_up`."""
    program = _program("pg_dump", (*_DUMP, f"--file={DUMP_FILE}"))
    with new_folder(folder) as place:
        with log.database.read() as tx:
            (snapshot,), = tx.rows("select pg_export_snapshot()")  # fmt: skip
            manifest = described("postgres", log, tx, now)
            # The snapshot is there as long as this transaction is.
            _run([program, *_DUMP, f"--snapshot={snapshot}", f"--file={place / DUMP_FILE}"], log.settings)
        (place / DUMP_FILE).chmod(0o600)
        return sealed(place, manifest)


def restore(settings: Settings, folder: Path, *, new_log_id: bool) -> Manifest:
    """See `ledger.store.backup.restore`."""
    manifest = verified(folder, "postgres", DUMP_FILE)
    program = _program("pg_restore", (*_RESTORE, DUMP_FILE))
    check_place(settings, create=True)
    database = open_database(settings.database_url)
    try:
        with database.read() as tx:
            if table_exists(tx, "log_meta"):
                name = tx.rows("select current_database()::text")[0][0]
                raise Refused("restore-place-taken", where=f"database {name}")
    finally:
        database.close()
    _run([program, *_RESTORE, str(folder / DUMP_FILE)], settings)
    log = Log.open(settings)
    try:
        if new_log_id:
            log.renew_log_id()
    finally:
        log.close()
    return manifest


def _program(name: str, options: tuple[str, ...]) -> str:
    """Where a client program of PostgreSQL is. Raises Refused(backup-tool-missing) with what to run elsewhere."""
    found = shutil.which(name)
    if found is None:
        raise Refused("backup-tool-missing", tool=name, command=" ".join((name, *options)))
    return found


def _run(command: list[str], settings: Settings) -> None:
    """Run a client program on the settings' database; the password is not among its arguments, which others can read."""
    info = conninfo_to_dict(settings.database_url)
    password = info.pop("password", None)
    surroundings = os.environ | ({"PGPASSWORD": str(password)} if password else {})
    done = subprocess.run(  # noqa: S603  # the program is PostgreSQL's own, the arguments are ours
        [*command, f"--dbname={make_conninfo('', **info)}"],
        env=surroundings, stdin=subprocess.DEVNULL, capture_output=True, text=True, errors="replace", check=False,
    )  # fmt: skip
    if done.returncode:
        lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        raise StoreFailed("backup-tool-failed", tool=Path(command[0]).name, what=lines[0].rstrip("."))
