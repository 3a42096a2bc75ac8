"""Progress bars on a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

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

from api.terminal import err


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
