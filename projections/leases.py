"""Leases: who is the only one to follow, or to rebuild a projection, on one ledger.

On SQLite a lease is a lock on a file, which ends with its process. On PostgreSQL it is a row with an end a few seconds
ahead, renewed by a thread: a session's lock would be gone after a restart of the server while its holder goes on, and a
pooler would give it to strangers. The server's clock counts; an end too far ahead counts as none. The row of a process
that died on this machine is taken over at once, any other when it has ended. Who holds a lease asks `check` again and
again, and stops when it has gone to somebody else.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from ledger.errors import JhtError, Refused
from ledger.store.database import Database
from ledger.store.processes import is_gone, process_name

LASTS_SECONDS = 10
RENEWED_EVERY = 2.0
SCHEMA = "create table if not exists {table} (what text primary key, holder text not null, until timestamptz not null)"


class Lease(Protocol):
    """What a holder has in hand."""

    def check(self) -> None:
        """Raises Refused with the lease's code when it is somebody else's now; StoreFailed when that cannot be asked."""


class FileLease:
    """A lock on a file."""

    def __init__(self, path: Path, code: str) -> None:
        self._path, self._code = path, code
        self._file = os.open(path, os.O_RDWR | os.O_CREAT, 0o640)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._file)
            raise Refused(code) from None

    def check(self) -> None:
        """A lock on a file that was removed keeps nobody out."""
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(self._file), os.stat(self._path)):
                return
        raise Refused(self._code)

    def close(self) -> None:
        os.close(self._file)


class RowLease:
    """A row that is renewed."""

    def __init__(self, database: Database, table: str, what: str, code: str) -> None:
        self._database, self._table, self._what, self._code = database, table, what, code
        self._holder = process_name()
        self._until = 0.0
        self._ended = threading.Event()
        self._take()
        self._thread = threading.Thread(target=self._renew, name=f"lease {what}", daemon=True)
        self._thread.start()

    def check(self) -> None:
        """Nobody else took it meanwhile; after an outage it is taken again, if it is still to be had."""
        if time.monotonic() >= self._until:
            self._take()

    def _take(self) -> None:
        """Take or renew the row. Raises Refused(code), StoreFailed."""
        asked = time.monotonic()
        for _ in range(2):
            with self._database.write() as tx:
                taken = tx.run(
                    f"insert into {self._table} as l values (?, ?, clock_timestamp() + ? * interval '1 second') "
                    "on conflict (what) do update set holder = excluded.holder, until = excluded.until "
                    f"where l.holder = excluded.holder or not {_STANDS.format(row='l')}",
                    [self._what, self._holder, LASTS_SECONDS],
                )
                if taken:
                    self._until = asked + LASTS_SECONDS
                    return
                held = tx.rows(f"select holder from {self._table} where what = ?", [self._what])
                if not held or not is_gone(held[0][0]):
                    break
                tx.run(f"delete from {self._table} where what = ? and holder = ?", [self._what, held[0][0]])
        self._until = 0.0
        raise Refused(self._code)

    def _renew(self) -> None:
        while not self._ended.wait(RENEWED_EVERY):
            # What goes wrong here shows in `check`, which tries again when the time is over.
            with contextlib.suppress(JhtError):
                self._take()

    def close(self) -> None:
        self._ended.set()
        self._thread.join()
        with contextlib.suppress(JhtError), self._database.write() as tx:
            tx.run(f"delete from {self._table} where what = ? and holder = ?", [self._what, self._holder])


_STANDS = (
    "({row}.until > clock_timestamp() and {row}.until <= clock_timestamp() + "
    f"interval '{2 * LASTS_SECONDS} seconds')"
)


def is_row_held(database: Database, table: str, what: str) -> bool:
    """Whether somebody has that row now; only asks."""
    with database.read() as tx:
        rows = tx.rows(f"select holder from {table} l where what = ? and {_STANDS.format(row='l')}", [what])
    return bool(rows) and not is_gone(rows[0][0])


def is_file_held(path: Path) -> bool:
    """Whether somebody has that file's lock now."""
    if not path.exists():
        return False
    try:
        FileLease(path, "follower-elsewhere").close()
    except Refused:
        return True
    return False


@contextlib.contextmanager
def closing(lease: FileLease | RowLease) -> Iterator[Lease]:
    """The lease for the length of the block."""
    try:
        yield lease
    finally:
        lease.close()
