"""Where a ledger is: what can be told about the place before anything is opened there.

A folder that is not there, a file that is something else, a server that does not answer are each told with a code of
their own, in a moment; SQLite would make an empty file, and a pool of connections waits half a minute.
"""

from __future__ import annotations

import contextlib
import queue
import sqlite3
import threading
from itertools import cycle
from pathlib import Path

from ledger.errors import Refused, StoreFailed
from ledger.settings import Settings

_MAGIC = b"SQLite format 3\0"
_ROLLBACK = b"\1\1"
_HEAD = 20
"""The magic, the page size, and how the file is written and read: 1 with a rollback journal, 2 in WAL mode."""
_ANSWER_SECONDS = 1.5
"""How long a server may take to let somebody in, from looking up its name on, with all its addresses together: what is
left of three seconds when a slow machine has loaded a command."""


def check_place(settings: Settings, *, create: bool) -> None:
    """Raise when no ledger can be opened (with `create`: made or opened) where the settings say.

    Raises Refused: ledger-missing, ledger-folder-missing, ledger-foreign, ledger-unreadable, setting-wrong;
    StoreFailed: store-unreachable, store-silent.
    """
    if settings.sqlite_path is None:
        _check_server(settings.database_url)
    else:
        _check_file(settings, create)


def _check_file(settings: Settings, create: bool) -> None:
    path = settings.sqlite_path
    assert path is not None
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
    except FileNotFoundError:
        if not create:
            raise Refused("ledger-missing", where=str(path)) from None
        if not path.parent.is_dir():
            raise Refused("ledger-folder-missing", folder=str(path.parent)) from None
        return
    except IsADirectoryError:
        raise Refused("ledger-foreign", where=str(path)) from None
    except OSError as error:
        raise Refused("ledger-unreadable", where=str(path), what=error.strerror or type(error).__name__) from None
    if not head:  # a database in which nothing stands yet
        return
    if not head.startswith(_MAGIC) or (head.endswith(_ROLLBACK) and not _may_be_ledger(path)):
        raise Refused("ledger-foreign", where=str(path))


def _may_be_ledger(path: Path) -> bool:
    """Whether a SQLite file that is not in WAL mode is a ledger (a restored one) or empty; opening it for good would
    change its mode."""
    try:
        with contextlib.closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            tables = {name for (name,) in connection.execute("select name from sqlite_master where type = 'table'")}
    except sqlite3.Error:
        return True  # what it is, whoever opens it will tell
    return not tables or "log_meta" in tables


def _check_server(url: str) -> None:
    import psycopg  # noqa: PLC0415  # a ledger in a file does not wait for it
    from psycopg import conninfo  # noqa: PLC0415

    try:
        info = conninfo.conninfo_to_dict(url)
    except psycopg.ProgrammingError:
        # The driver's message may repeat the URL, and the password in it.
        raise Refused("setting-wrong", what="JHT_DATABASE_URL: cannot be read as a PostgreSQL URL") from None
    hosts, ports = (str(info.get(name) or usual).split(",") for name, usual in (("host", "localhost"), ("port", 5432)))
    places = ", ".join(f"{host}:{port}" for host, port in zip(hosts, cycle(ports), strict=False))
    where = f"{places}/{info.get('dbname') or ''}"
    failed: queue.SimpleQueue[Exception | None] = queue.SimpleQueue()

    def connect() -> None:
        try:
            psycopg.connect(url).close()
        except Exception as error:  # also of the name's encoding
            failed.put(error)
        else:
            failed.put(None)

    # The driver gives every address of every host its own two seconds or more, and the lookup of a name no end at all, so
    # the one deadline stands outside of it. Who set another one in the URL gets that, for each address.
    seconds = None if info.get("connect_timeout") else _ANSWER_SECONDS
    threading.Thread(target=connect, name="reaching", daemon=True).start()
    try:
        error = failed.get(timeout=seconds)
    except queue.Empty:
        raise StoreFailed("store-silent", where=where) from None
    if isinstance(error, psycopg.errors.ConnectionTimeout):
        raise StoreFailed("store-silent", where=where) from error
    if error is not None:
        raise StoreFailed("store-unreachable", where=where, what=_why(error)) from error


def _why(error: Exception) -> str:
    """What kept the driver from connecting: the first reason of the several lines it gives."""
    lines = str(error).splitlines() or [type(error).__name__]
    first = next((line for line in lines if "failed: " in line), lines[0])
    return first.rpartition("failed: ")[2].strip().rstrip(".")
