"""`jht accept-clock`: a log that is ahead of the clock."""

from __future__ import annotations

from api.cli.console import header, moment, opened
from api.terminal import out


def accept_clock() -> None:
    """Record that the log's last moment stands although it is ahead of the clock; appends are taken again."""
    with opened() as log:
        last = moment(log.accept_clock(header().by))
    out.print(f"Recorded: the log stands at {last}; later events carry that moment until the clock has passed it.")
