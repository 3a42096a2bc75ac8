"""What every command shares: the opened ledger, who types, how moments are shown."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec

from api.month_spans import spans
from ledger.clock import JAKARTA, read_now
from ledger.errors import Refused
from ledger.identifiers import clean_npp, month_text
from ledger.receipt import Header
from ledger.settings import Settings, load
from ledger.store.log import Log

if TYPE_CHECKING:
    from ledger.ingestion.door import Door


def settings(**changes: object) -> Settings:
    """The settings from the environment, with what a command line says on top."""
    return load(**changes)


@contextmanager
def opened(chosen: Settings | None = None) -> Iterator[Log]:
    """The log that the settings name."""
    log = Log.open(chosen or settings())
    try:
        yield log
    finally:
        log.close()


@contextmanager
def door() -> Iterator[Door]:
    """The ingestion door over the log and the vault that the settings name."""
    # Only an ingestion waits for the readers to be imported.
    from ledger.ingestion.door import Door
    from ledger.store.vault import Vault

    with opened() as log:
        one = Door(log, Vault.open(log), read_now)
        try:
            yield one
        finally:
            one.close()


def header(request: str = "", reason: str = "") -> Header:
    """Who types: the system's user by number; events hold no names."""
    return Header(f"cli:{os.getuid()}", "cli", request, reason)


def print_json(value: Any) -> None:
    """A value as indented JSON on standard output."""
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(value), indent=2).decode() + "\n")


def moment(recorded: str) -> str:
    """A stored moment (ISO, UTC) as people read it: to the minute, in Jakarta."""
    return f"{datetime.fromisoformat(recorded).astimezone(JAKARTA):%Y-%m-%d %H:%M} WIB"


def span_text(months: Iterable[int]) -> str:
    """`2025-01 to 2025-06, 2025-09` for month numbers in any order."""
    return ", ".join(
        month_text(first) if first == last else f"{month_text(first)} to {month_text(last)}"
        for first, last in spans(months, 2)
    )


def day(recorded: str) -> str:
    """The Jakarta date of a stored moment, '' when there is none."""
    return moment(recorded)[:10] if recorded else ""


def npp_number(text: str) -> int:
    """An employer's number as it was typed. Raises Refused(npp-unreadable)."""
    npp = clean_npp(text)
    if npp is None:
        raise Refused("npp-unreadable", column="npp")
    return int(npp)
