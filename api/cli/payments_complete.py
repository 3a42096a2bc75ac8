"""`jht payments-complete`: until when all payments were handed over, without which no month is called missing."""

from __future__ import annotations

from datetime import date
from typing import Annotated

import typer
from rich.table import Table as Grid
from rich.text import Text

from api.cli.console import day as day_of_moment
from api.cli.console import header, opened, print_json
from api.terminal import out
from ledger.acts import scheme as acts
from ledger.clock import read_now
from ledger.decisions.scheme import WHY_BACK
from ledger.errors import Refused
from ledger.events import Event, PaymentsComplete
from ledger.store.log import Log, position_text


def payments_complete(
    day: Annotated[str, typer.Argument(help="All payments up to the end of this day are in, YYYY-MM-DD.")] = "",
    reason: Annotated[str, typer.Option(help=f"Why the day is earlier than before: {', '.join(WHY_BACK)}.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="Print as JSON.")] = False,
) -> None:
    """Record until when all payments are in; without a day, list what was recorded.

    A month is called missing only when it was due by then: until somebody says so, no employer is blamed.
    """
    with opened() as log:
        if day:
            done = acts.complete(log, _day_of(day), header("", reason), read_now)
            _tell(log, day, done.position, as_json=as_json)
        else:
            _list(acts.completions(log), as_json=as_json)


def _tell(log: Log, day: str, position: int, *, as_json: bool) -> None:
    place = position_text(log.log_id, position) if position else None
    if as_json:
        print_json({"until": day, "position": place})
        return
    out.print(f"Payments are complete up to {day}, at position {place}." if place else "It is recorded already.")


def _list(found: list[Event], *, as_json: bool) -> None:
    said = [(_until(event), event.recorded_at, event.by, event.reason) for event in found]
    if as_json:
        names = ("until", "recorded_at", "by", "reason")
        listed = [dict(zip(names, one, strict=True)) for one in said]
        print_json({"until": said[-1][0] if said else None, "recorded": listed})
        return
    if not said:
        out.print("Nothing yet, so no month is called missing: jht payments-complete YYYY-MM-DD records the day.")
        return
    out.print(f"Payments are complete up to {said[-1][0]}.")
    grid = Grid("until", "recorded", "by", "reason", box=None)
    for until, recorded_at, by, reason in reversed(said):
        grid.add_row(until, day_of_moment(recorded_at), Text(by), reason)
    out.print(grid)


def _until(event: Event) -> str:
    assert isinstance(event.fact, PaymentsComplete)
    return event.fact.until


def _day_of(text: str) -> date:
    """Raises Refused(date-unreadable)."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Refused("date-unreadable", column="day") from None
