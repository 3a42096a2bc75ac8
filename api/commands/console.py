"""What every command shares: the opened ledger, sentences in two languages, progress bars on a terminal."""

from __future__ import annotations

import errno
import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

import msgspec
import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)
from rich.progress import Task as ProgressTask
from rich.text import Text

from ledger.clock import read_now
from ledger.errors import JhtError, Problem, Refused, StoreFailed, Unavailable
from ledger.identifiers import clean_npp
from ledger.receipt import Header
from ledger.settings import Settings, load
from ledger.store.log import Log

if TYPE_CHECKING:
    from ledger.ingestion.door import Door

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)

REFUSED = 2
SOME_REFUSED = 3
TRY_AGAIN = 75


def settings() -> Settings:
    """The settings from the environment."""
    return load()


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
    sys.stdout.write(json.dumps(msgspec.to_builtins(value), indent=2, ensure_ascii=False) + "\n")


def npp_number(text: str) -> int:
    """An employer's number as it was typed. Raises Refused(npp-unreadable)."""
    npp = clean_npp(text)
    if npp is None:
        raise Refused("npp-unreadable", column="npp")
    return int(npp)


def say(problem: Problem, style: str = "red") -> None:
    """A problem in Indonesian and English on standard error."""
    where = "".join(
        [
            f" line {problem.line}" if problem.line else "",
            f", {problem.column}" if problem.column else "",
        ]
    )
    err.print(Text(f"{problem.code}{where}", style=f"bold {style}"))
    err.print(Text(f"  {problem.say('id')}"))
    err.print(Text(f"  {problem.say('en')}", style="dim"))


def fail(error: JhtError) -> NoReturn:
    """Tell the error and leave: 75 when trying again can help, else 2."""
    say(error.problem)
    raise typer.Exit(TRY_AGAIN if isinstance(error, Unavailable) else REFUSED)


@contextmanager
def unwritable_told() -> Iterator[None]:
    """Turn a failure to write an output file into Refused(file-unwritable) or StoreFailed(disk-full)."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StoreFailed("disk-full") from error
        raise Refused("file-unwritable") from error


class _Rate(ProgressColumn):
    """Units a second since the start."""

    def render(self, task: ProgressTask) -> Text:
        speed = task.finished_speed or task.speed or 0
        return Text(f"{speed:>9,.0f}/s", style="dim")


class Bar(NamedTuple):
    """What moves a progress bar: how many units there will be, and how many more are done."""

    expect: Callable[[int], None]
    advance: Callable[[int], None]


@contextmanager
def progress(title: str) -> Iterator[Bar]:
    """A bar with rate and remaining time on a terminal, silent elsewhere."""
    columns = (
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), _Rate(), TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as bar:
        task = bar.add_task(title, total=None)
        yield Bar(lambda total: bar.update(task, total=total), lambda units: bar.advance(task, units))
