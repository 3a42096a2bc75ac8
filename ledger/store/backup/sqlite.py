"""A SQLite ledger's backup: its two files that cannot be made again, copied page by page."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from ledger.errors import Refused
from ledger.output_file import writing
from ledger.settings import Settings
from ledger.store.backup.manifest import Manifest, described, new_folder, sealed, sync, verified
from ledger.store.database import failures_told
from ledger.store.log import Log

LOG_FILE, ACCESS_FILE = "log.db", "access.db"


def back_up(log: Log, folder: Path, now: datetime) -> Manifest:
    """See `ledger.store.backup.back_up`."""
    path = log.settings.sqlite_path
    assert path is not None
    with new_folder(folder) as place:
        # The records first: none of them then speaks of a position that the copy of the log does not have.
        if (access := log.settings.beside("access")).exists():
            _copy_database(access, place / ACCESS_FILE)
        _copy_database(path, place / LOG_FILE)
        with _opened(log.settings, place / LOG_FILE) as copy, copy.database.read() as tx:
            manifest = described("sqlite", copy, tx, now)
        return sealed(place, manifest)


def _copy_database(source: Path, target: Path) -> None:
    target.touch(mode=0o600)
    with failures_told(), _connection(source) as from_, _connection(target) as to:
        # All pages in one step: one read transaction, which no writer has to wait for and no write can tear.
        from_.backup(to, pages=-1)
        if to.execute("pragma quick_check(1)").fetchone() != ("ok",):
            raise Refused("backup-damaged", file=str(source))
    with target.open("rb") as file:
        os.fsync(file.fileno())


@contextmanager
def _connection(path: Path) -> Iterator[sqlite3.Connection]:
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        yield connection


def restore(settings: Settings, folder: Path, *, new_log_id: bool) -> Manifest:
    """See `ledger.store.backup.restore`."""
    path = settings.sqlite_path
    assert path is not None
    manifest = verified(folder, "sqlite", LOG_FILE, ACCESS_FILE)
    if not path.parent.is_dir():
        raise Refused("ledger-folder-missing", folder=str(path.parent))
    drafts = {LOG_FILE: settings.beside("restoring"), ACCESS_FILE: settings.beside("access-restoring")}
    _must_be_empty(settings, drafts.values())
    try:
        with writing():
            for name in manifest.files:
                _copy_file(folder / name, drafts[name])
        if new_log_id:
            with _opened(settings, drafts[LOG_FILE]) as copy:
                copy.renew_log_id()
        with writing():
            if ACCESS_FILE in manifest.files:
                drafts[ACCESS_FILE].rename(settings.beside("access"))
            drafts[LOG_FILE].rename(path)  # last: only now there is a ledger
            sync(path.parent)
    finally:
        for draft in drafts.values():
            draft.unlink(missing_ok=True)
    return manifest


def _must_be_empty(settings: Settings, drafts: Iterable[Path]) -> None:
    """Nothing of another ledger may lie there: its -wal or a read model would be taken for this one's."""
    path = settings.sqlite_path
    assert path is not None
    may_be = {settings.beside("key"), *drafts}
    there = [one for one in (path, *sorted(path.parent.glob(f"{path.name}[.-]*"))) if one.exists()]
    for one in there:
        if one not in may_be:
            raise Refused("restore-place-taken", where=str(one))


def _copy_file(source: Path, target: Path) -> None:
    with source.open("rb") as from_, open(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as to:
        shutil.copyfileobj(from_, to, 1 << 20)
        to.flush()
        os.fsync(to.fileno())


@contextmanager
def _opened(settings: Settings, path: Path) -> Iterator[Log]:
    """A copied log; when it is closed, the last to do so, its -wal is in the file again."""
    log = Log.open(settings.model_copy(update={"database_url": f"sqlite:///{path.absolute()}"}))
    try:
        yield log
    finally:
        log.close()
