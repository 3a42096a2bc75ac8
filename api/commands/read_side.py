"""`jht follow`, `jht rebuild`, `jht status`: the projections kept, made again, looked at."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.table import Table as Grid
from rich.text import Text

from api.commands.console import err, opened, out, print_json
from ledger.clock import read_now
from ledger.store.log import Log
from projections import rebuild as rebuilding
from projections.generations import NAMES, Store
from projections.projector import Projector
from projections.reactions import releaser
from projections.rebuild import RebuildDiffers, Report
from projections.status import Status
from projections.status import status as read_status

Names = Annotated[
    list[str] | None, typer.Argument(help=f"Which: {', '.join(NAMES)}, register; all when none is named.")
]


@contextmanager
def _read_side() -> Iterator[tuple[Log, Store]]:
    with opened() as log:
        store = Store.open(log.settings)
        try:
            yield log, store
        finally:
            store.close()


def follow(
    once: Annotated[bool, typer.Option("--once", help="Bring everything to the head as it is now, then end.")] = False,
) -> None:
    """Keep the projections at the head of the log, until interrupted. One follower runs at a time."""
    with _read_side() as (log, store):
        follower = Projector(log, store, reactions=[releaser(log, read_now)])
        if once:
            applied = follower.run_once()
            # What the reactions appended is to be seen too.
            while more := follower.run_once():
                applied += more
            out.print(f"Applied {applied:,} events; at log position {log.head():,}.")
            return
        stop = threading.Event()

        def end(*_: object) -> None:
            stop.set()
            follower.wake()

        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, end)
        err.print("Following the log; Ctrl+C ends it.")
        follower.run(stop)


def rebuild(
    names: Names = None,
    undo: Annotated[bool, typer.Option("--undo", help="Serve the generation before the present one again.")] = False,
    accept_differences: Annotated[
        bool,
        typer.Option("--accept-differences", help="Switch although the result differs from what is served."),
    ] = False,
    processes: Annotated[int, typer.Option(min=1, max=64, help="Processes that fold.")] = 2,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Make projections again from the log, prove them equal to what is served, and switch. Reads go on meanwhile."""
    chosen = list(names or [*NAMES, "register"])
    with _read_side() as (log, store):
        if undo:
            for name in (one for one in names or NAMES if one != "register"):
                generation = rebuilding.undo(log, store, name)
                out.print(f"{name}: serving generation {generation.number} again.")
            return
        rebuilding.known([name for name in chosen if name != "register"])
        register: int | None = None
        if "register" in chosen:
            chosen.remove("register")
            checked = log.check_account_index()
            register = checked.differences
            for one in checked.broken:
                err.print(Text(f"  not read: {one.what} in {one.stream} at {one.position}", style="red"))
            if not as_json:
                _show_register(register)
        if not chosen:
            if as_json:
                print_json({"register_differences": register})
            return
        try:
            report = _watched(log, store, chosen, processes, accept_differences)
        except RebuildDiffers as differs:
            _show(differs.report, register, as_json)
            raise
        _show(report, register, as_json)


def _watched(log: Log, store: Store, names: list[str], processes: int, accept: bool) -> Report:
    columns = (
        TextColumn("rebuilding"), BarColumn(), TaskProgressColumn(), TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as bar:
        task = bar.add_task("rebuilding", total=None, rate="")

        def watch(done: rebuilding.Progress) -> None:
            bar.update(
                task, total=done.total, completed=done.events,
                rate=f"{done.lines:,} lines, {done.lines_a_second:,.0f}/s",
            )  # fmt: skip

        return rebuilding.rebuild(log, store, names, processes=processes, on_progress=watch, accept_differences=accept)


def _show_register(differences: int) -> None:
    said = "equal to what it was" if not differences else f"{differences:,} rows were different and are mended"
    out.print(f"register: made again from the log, {said}.")


def _show(report: Report, register: int | None, as_json: bool) -> None:
    if as_json:
        print_json(
            {
                "events": report.events,
                "lines": report.lines,
                "seconds": round(report.seconds, 3),
                "lines_a_second": round(report.lines_a_second),
                "broken": report.broken,
                "register_differences": register,
                "projections": [
                    {
                        "name": one.generation.name,
                        "generation": one.generation.number,
                        "position": one.position,
                        "rows": one.rows,
                        "compared": None if one.compared is None else one.compared._asdict(),
                        "switched": one.switched,
                    }
                    for one in report.projections
                ],
            }
        )
        return
    out.print(
        f"Folded {report.events:,} events with {report.lines:,} lines in {report.folding_seconds:.1f} s "
        f"({report.lines_a_second:,.0f} lines/s)."
    )
    for one in report.projections:
        compared = one.compared
        if compared is None:
            proof = "nothing was served to compare with"
        elif compared.differing:
            proof = f"{compared.differing:,} of {compared.live_rows:,} rows DIFFER from what is served"
        else:
            proof = f"all {compared.rebuilt_rows:,} rows equal to what was served"
            if compared.repaired:
                proof += f", {compared.repaired:,} repaired"
        verdict = "now served" if one.switched else "not switched"
        out.print(
            f"  {one.generation.name}: generation {one.generation.number}, {one.rows:,} rows; {proof}; {verdict}."
        )
        for difference in compared.sample if compared and compared.differing else []:
            out.print(
                f"    {difference.table} {difference.key}: served {difference.live}, rebuilt {difference.rebuilt}"
            )
    for broken in report.broken:
        err.print(Text(f"  not applied: {broken}", style="red"))


def status(as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False) -> None:
    """How far everything is: positions, lag in events and seconds, generations, last error, marked accounts."""
    with _read_side() as (log, store):
        found = read_status(log, store, read_now())
    if as_json:
        print_json(found)
        return
    show_status(found)


def show_status(found: Status) -> None:
    """Print a status: the follower, then a line for each projection."""
    confirmed = "never" if found.confirmed_seconds is None else f"{found.confirmed_seconds:,.0f} s ago"
    out.print(f"log {found.log_id}, head at position {found.head:,}; the follower saw the head {confirmed}")
    out.print(
        "a follower is running" if found.follower_running else "no follower is running: start jht follow or jht serve"
    )
    grid = Grid("projection", "generation", "before it", "position", "behind", "accounts marked", box=None)
    for one in found.projections:
        state = "of another log: jht rebuild" if one.foreign else f"{one.behind:,} events"
        grid.add_row(
            one.name, str(one.generation or "-"), str(one.previous or "-"), f"{one.position:,}", state,
            f"{one.incomplete:,}",
        )  # fmt: skip
    out.print(grid)
    for one in found.projections:
        for position, what in one.broken:
            err.print(Text(f"  {one.name}: not applied at position {position:,}: {what}", style="red"))
    if found.error:
        err.print(Text(f"last error: {found.error}", style="red"))
