"""`jht status`: how far everything is."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table as Grid
from rich.text import Text

from api.cli.console import print_json
from api.cli.read_side import read_side
from api.terminal import err, out
from ledger.clock import read_now
from ledger.errors import Unavailable
from projections.condition import RESTORED
from projections.status import Status
from projections.status import status as read_status


def status(as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False) -> None:
    """How far everything is: positions, lag in events and seconds, generations, last error, marked accounts."""
    with read_side() as (log, store):
        found = read_status(log, store, read_now())
    if as_json:
        print_json(found)
    else:
        show_status(found)
    if any(one.condition in RESTORED for one in found.projections):
        raise Unavailable("log-restored")


_CONDITIONS = {
    "missing": "not there: jht rebuild",
    "damaged": "damaged: jht rebuild",
    "shape": "of another version of the program: jht rebuild",
    "foreign": "of another ledger: jht rebuild",
    "renewed": "of before a restore: jht rebuild",
    "restored": "of another log: jht renew-log-id, then jht rebuild",
}


def show_status(found: Status) -> None:
    """Print a status: the follower, then a line for each projection."""
    confirmed = "never" if found.confirmed_seconds is None else f"{found.confirmed_seconds:,.0f} s ago"
    out.print(f"log {found.log_id}, head at position {found.head:,}; the follower saw the head {confirmed}")
    out.print(
        "a follower is running" if found.follower_running else "no follower is running: start jht follow or jht serve"
    )
    grid = Grid("projection", "generation", "before it", "position", "behind", "accounts marked", box=None)
    for one in found.projections:
        state = _CONDITIONS[one.condition] if one.condition else f"{one.behind:,} events"
        grid.add_row(
            one.name, str(one.generation or "-"), str(one.previous or "-"), f"{one.position:,}", state,
            f"{one.incomplete:,}",
        )  # fmt: skip
    out.print(grid)
    told = found.notices
    at = "never followed" if told.position is None else f"at position {told.position:,}, {told.behind:,} events behind"
    out.print(f"notices {at}; {told.waiting:,} lines and months to tell")
    out.print(
        f"payments are complete up to {found.complete_until}" if found.complete_until else
        "no day is recorded up to which payments are complete, so no month is called missing: jht payments-complete"
    )  # fmt: skip
    for one in found.projections:
        for position, what in one.broken:
            err.print(Text(f"  {one.name}: not applied at position {position:,}: {what}", style="red"))
    if found.error:
        err.print(Text(f"last error: {found.error}", style="red"))
