"""`jht rebuild`: projections made again from the log, proved equal, switched."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn
from rich.text import Text

from api.cli.console import print_json
from api.cli.read_side import read_side
from api.terminal import err, out, say
from ledger.errors import Refused
from ledger.store.log import Log
from projections import rebuild as rebuilding
from projections.generations import NAMES, Store
from projections.rebuild import RebuildDiffers, Report

Names = Annotated[
    list[str] | None, typer.Argument(help=f"Which: {', '.join(NAMES)}, register; all when none is named.")
]


def rebuild(
    names: Names = None,
    undo: Annotated[bool, typer.Option("--undo", help="Serve the generation before the present one again.")] = False,
    accept_differences: Annotated[
        bool,
        typer.Option("--accept-differences", help="Switch although the result differs from what is served."),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Make projections again from the log, prove them equal to what is served, and switch. Reads go on meanwhile."""
    chosen = list(names or [*NAMES, "register"])
    with read_side() as (log, store):
        if undo:
            _undo(log, store, [one for one in names or NAMES if one != "register"])
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
            report = _watched(log, store, chosen, accept_differences)
        except RebuildDiffers as differs:
            _show(differs.report, register, as_json)
            raise
        _show(report, register, as_json)


def _undo(log: Log, store: Store, names: list[str]) -> None:
    """Undo what has something to go back to, and name the rest; refused when nothing has."""
    done, refused = 0, list[Refused]()
    for name in names:
        try:
            generation = rebuilding.undo(log, store, name)
        except Refused as error:
            if error.code != "rebuild-nothing-to-undo":
                raise
            refused.append(error)
        else:
            done += 1
            out.print(f"{name}: serving generation {generation.number} again.")
    if refused and not done:
        raise refused[0]
    for one in refused:
        say(one.problem, "yellow")


def _watched(log: Log, store: Store, names: list[str], accept: bool) -> Report:
    columns = (
        TextColumn("rebuilding"), BarColumn(), TaskProgressColumn(), TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as bar:
        task = bar.add_task("rebuilding", total=None, rate="")

        def watch(done: rebuilding.Progress) -> None:
            bar.update(
                task, total=done.total, completed=done.position,
                rate=f"{done.lines:,} lines, {done.lines_a_second:,.0f}/s",
            )  # fmt: skip

        return rebuilding.rebuild(log, store, names, on_progress=watch, accept_differences=accept)


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
