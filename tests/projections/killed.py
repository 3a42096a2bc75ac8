"""A process that rebuilds or follows in forks of itself, each killed at a chosen touch of the store.

Starting Python and importing everything takes longer than a rebuild of a small log. What kills is no timer: the n-th call
into the drivers or the file system, before it is made, so that every place of the work can be reached and none twice.

    python -m tests.projections.killed URL rebuild|follow
    stdin   one number a line; 0: count the touches and do not kill
    stdout  for each line `killed`, `failed`, or how many touches there were when it had ended
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import traceback
from types import FrameType
from typing import Any

import psycopg

from ledger.settings import Settings
from ledger.store.log import Log
from projections.generations import Store
from projections.projector import Projector
from projections.rebuild import rebuild
from tests.conftest import MASTER_KEY

# SQLite's statements, and what makes, flushes and removes files; each exchange with PostgreSQL is a `wait`.
TOUCHES = frozenset(("execute", "executemany", "fsync", "unlink", "open", "connect"))
_EXCHANGE = psycopg.Connection.wait.__code__


class Touches:
    """Counts the touches of every thread of this process, and kills it before the one that is wanted."""

    def __init__(self, wanted: int) -> None:
        self.wanted, self.count = wanted, 0

    def __call__(self, frame: FrameType, event: str, called: Any) -> None:
        touched = called.__name__ in TOUCHES if event == "c_call" else event == "call" and frame.f_code is _EXCHANGE
        if touched:
            self.count += 1
            if self.count == self.wanted:
                os.kill(os.getpid(), signal.SIGKILL)

    def watch(self) -> None:
        threading.setprofile(self)
        sys.setprofile(self)


def work(url: str, what: str, touches: Touches) -> None:
    """One rebuild of everything, or one follower that comes to the head in short batches."""
    settings = Settings(database_url=url, master_key=MASTER_KEY)
    touches.watch()
    log, store = Log.open(settings), Store.open(settings)
    if what == "rebuild":
        rebuild(log, store)
    else:
        Projector(log, store, page=8).run_once()


def main() -> None:
    url, what = sys.argv[1:]
    for line in sys.stdin:
        ours, theirs = os.pipe()
        child = os.fork()
        if child == 0:
            touches = Touches(int(line))
            code = 1
            try:
                work(url, what, touches)
                os.write(theirs, b"%d" % touches.count)
                code = 0
            except BaseException:
                traceback.print_exc()
            finally:
                os._exit(code)
        os.close(theirs)
        told = os.read(ours, 20).decode()
        os.close(ours)
        _, status = os.waitpid(child, 0)
        killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
        print("killed" if killed else told or "failed", flush=True)


if __name__ == "__main__":
    main()
