"""What both stores offer: snapshots to read, transactions to write, and their failures as codes.

`?` placeholders, whole columns in, tuples out. A driver's error leaves as StoreFailed with the class of what went wrong,
never its text: that may quote a value.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from eventsourcing.persistence import IntegrityError, PersistenceError

from ledger.errors import JhtError, StoreFailed
from ledger.store.dialect import Dialect

if TYPE_CHECKING:
    import numpy as np

Row = tuple[Any, ...]
# A column of values, or of 64-bit integers as an array.
Column: TypeAlias = "Sequence[Any] | np.ndarray[Any, Any]"
LOCK_SECONDS = 30
# What PostgreSQL calls them.
_DISK_FULL = "53100"
# SQLite opens a write-ahead log with some shared memory beside it, for which a full disk has no room.
_NO_ROOM_TO_SHARE = "SQLITE_IOERR_SHMSIZE"
_READ_ONLY = "25006"


class Transaction(Protocol):
    """One transaction (or one snapshot) on either store."""

    dialect: Dialect

    def rows(self, sql: str, params: Sequence[Any] = ()) -> list[Row]:
        """All rows of a query."""

    def run(self, sql: str, params: Sequence[Any] = ()) -> int:
        """Run one statement; the number of rows it touched."""

    def look_up_by_index(self) -> None:
        """In this transaction find the rows of given keys by their index, however many there are: without statistics
        PostgreSQL would rather read a whole table of millions."""

    def row_lock(self, of: str = "") -> str:
        """What ends a select whose rows (in a join those of `of`) nobody else may change until the transaction ends."""

    def send(self, sql: str, params: Sequence[Any] = ()) -> None:
        """Run one statement whose outcome nobody reads; its failure may come with a later statement or the commit."""

    def script(self, sql: str) -> None:
        """Run statements separated by `;`."""

    def insert(self, table: str, columns: dict[str, Sequence[Any]], types: str, conflict: str = "") -> None:
        """Insert equal-length columns in bulk; `types` are PostgreSQL's, in the columns' order, blank-separated."""

    def relation(self, **columns: tuple[str, Column]) -> tuple[str, list[Any]]:
        """Equal-length columns as something to select FROM, with its parameters."""


Write = Callable[[Transaction], None]
"""What else is done in a transaction."""


class Database(Protocol):
    """A store: snapshots to read, transactions to write."""

    dialect: Dialect

    def read(self, *, pipelined: bool = False) -> contextlib.AbstractContextManager[Transaction]:
        """A snapshot. `pipelined`: statements travel together until a result is read, which saves round trips to
        PostgreSQL; `run` then does not know how many rows it touched, and nothing can be copied."""

    def write(self, *, pipelined: bool = False) -> contextlib.AbstractContextManager[Transaction]:
        """A transaction, committed at the end of the block, rolled back by an exception."""

    def turn(self) -> contextlib.AbstractContextManager[None]:
        """Before a write that many wait for: wait here for the writers of other processes, where they come in turn."""

    def close(self) -> None: ...


def statements(sql: str) -> Iterator[str]:
    """The statements of a script, which are separated by `;`."""
    return (part for part in (piece.strip() for piece in sql.split(";")) if part)


@contextmanager
def failures_told(
    errors: tuple[type[Exception], ...] = (sqlite3.Error,),
    decisions: tuple[type[Exception], ...] = (sqlite3.IntegrityError,),
) -> Iterator[None]:
    """Turn a driver's errors (SQLite's unless told otherwise) into StoreFailed; integrity errors pass, for they are
    decisions of the caller."""
    try:
        yield
    except (JhtError, IntegrityError):
        raise
    except decisions:
        raise
    except errors as error:
        raise store_failed(error) from error
    except PersistenceError as error:
        raise store_failed(error) from error


def store_failed(error: BaseException) -> StoreFailed:
    """The StoreFailed for a driver's error: which of the known ones, or `store-failed` with the error's class."""
    if isinstance(error, PersistenceError) and error.__cause__ is not None:
        error = error.__cause__
    text, state = str(error).lower(), getattr(error, "sqlstate", None)
    full = state == _DISK_FULL or getattr(error, "sqlite_errorname", "") == _NO_ROOM_TO_SHARE
    if full or "disk is full" in text or "no space left" in text:
        return StoreFailed("disk-full")
    if state == _READ_ONLY or "readonly database" in text:
        return StoreFailed("store-read-only")
    if is_damaged(error):
        return StoreFailed("store-damaged", what=type(error).__name__)
    return StoreFailed("store-failed", what=type(error).__name__)


def is_damaged(error: BaseException) -> bool:
    """Whether a driver's error says that a SQLite file is torn, or no database at all."""
    text = str(error).lower()
    return isinstance(error, sqlite3.DatabaseError) and ("malformed" in text or "not a database" in text)
