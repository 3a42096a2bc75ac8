"""`jht follow`: the projections kept at the head of the log."""

from __future__ import annotations

import signal
import threading
from typing import Annotated

import typer

from api.cli.read_side import follower_of, read_side
from api.terminal import err, out


def follow(
    once: Annotated[bool, typer.Option("--once", help="Bring everything to the head as it is now, then end.")] = False,
) -> None:
    """Keep the projections at the head of the log, until interrupted. One follower runs at a time."""
    with read_side() as (log, store):
        follower = follower_of(log, store)
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
