"""`jht follow`: the projections kept at the head of the log."""

from __future__ import annotations

import contextlib
import signal
import threading
from typing import Annotated

import typer

from api.cli.read_side import follower_of, read_side
from api.terminal import err, out
from ledger.errors import Refused
from ledger.store.log import Log
from ledger.store.vault import Vault
from projections.generations import Store
from projections.notices import NoticeFollower


def follow(
    once: Annotated[bool, typer.Option("--once", help="Bring everything to the head as it is now, then end.")] = False,
) -> None:
    """Keep the projections at the head of the log and tell members what they chose to be told, until interrupted.

    One follower runs at a time.
    """
    with read_side() as (log, store):
        follower, notices = follower_of(log, store), _notices(log, store)
        if once:
            applied = follower.run_once()
            # What the reactions appended is to be seen too.
            while more := follower.run_once():
                applied += more
            if notices is not None:
                notices.run_once()
                notices.close()
            out.print(f"Applied {applied:,} events; at log position {log.head():,}.")
            return
        stop = threading.Event()

        def end(*_: object) -> None:
            stop.set()
            follower.wake()

        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, end)
        err.print("Following the log; Ctrl+C ends it.")
        telling = threading.Thread(target=_tell, args=[notices, stop], name="notices")
        telling.start()
        try:
            follower.run(stop)
        finally:
            stop.set()
            telling.join()


def _notices(log: Log, store: Store) -> NoticeFollower | None:
    """What tells members; nobody can be told anything where the master key is not."""
    try:
        return NoticeFollower(log, store, Vault.open(log))
    except Refused as refused:
        if refused.code != "master-key-missing":
            raise
        err.print("Without the master key nobody is told anything.")
        return None


def _tell(notices: NoticeFollower | None, stop: threading.Event) -> None:
    if notices is not None:
        with contextlib.suppress(Refused):  # the follower is told the same and ends
            notices.run(stop)
        notices.close()
