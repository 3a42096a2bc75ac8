"""A backup: a folder with a consistent copy of everything that cannot be made again, and a manifest that proves it.

    manifest.json   what it is a copy of, up to which position, the hash of every file, the master key's fingerprint
    log.db          SQLite: the log with what is written in its transactions: account index, vault, members, outbox
    access.db       SQLite: the API keys and the records of who read what
    ledger.dump     PostgreSQL: all of it, from `pg_dump`

Read models are not in it: `jht rebuild` makes them from the log. Nor is the master key: who finds a backup that has it
can read everything. A running ledger is copied without being held up: on SQLite inside one read transaction, on
PostgreSQL inside one exported snapshot, so what was acknowledged before the backup began is in it. Copying the files
of a running SQLite ledger with `cp` loses what still stands in its `-wal` file.

`manifest` is what both stores share, `sqlite` and `postgres` copy.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from ledger.settings import Settings
from ledger.store.backup import postgres, sqlite
from ledger.store.backup.manifest import Manifest
from ledger.store.log import Log

__all__ = ["Manifest", "back_up", "restore"]


def back_up(log: Log, folder: Path, now: datetime) -> Manifest:
    """Copy a ledger, in use or not, into a new folder.

    Raises Conflict(file-exists), Refused: file-unwritable, backup-damaged (the ledger itself is), backup-tool-missing;
    StoreFailed: disk-full, backup-tool-failed, store-failed.
    """
    if log.settings.sqlite_path is not None:
        return sqlite.back_up(log, folder, now)
    return postgres.back_up(log, folder, now)


def restore(settings: Settings, folder: Path, *, new_log_id: bool) -> Manifest:
    """Make the ledger that the settings name from a backup, where none may be; the backup's manifest.

    `new_log_id`: positions that were handed out are refused from then on, as they must be when anything was written
    after the backup. Raises Refused: backup-unreadable, backup-damaged, backup-other-store, restore-place-taken,
    ledger-folder-missing, file-unwritable, backup-tool-missing; StoreFailed: disk-full, backup-tool-failed,
    store-unreachable, store-silent.
    """
    if settings.sqlite_path is not None:
        return sqlite.restore(settings, folder, new_log_id=new_log_id)
    return postgres.restore(settings, folder, new_log_id=new_log_id)
