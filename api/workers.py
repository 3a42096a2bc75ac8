"""Several processes that answer at one address: started, watched, started again, ended together.

The parent opens no ledger and answers nobody. It keeps the address (bound, never listening, so that no other server gets
between), starts the first worker alone, which tells what prevents a start once, then the others. A worker is a fresh
Python with a socket of its own. One that dies is started again after a pause that grows; those that live take its
connections meanwhile. What the processes have in common is the ledger's stores: follower by lease, sessions, tries,
records, outbox.

A worker ends with its parent however that ended: it waits for the end of a pipe that only the parent holds open.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import sys
import tempfile
import threading
import time
from contextlib import closing

import structlog

from api.log_lines import start_logging
from api.server import METRICS, answer, bound
from api.terminal import failed
from ledger.errors import JhtError
from ledger.settings import PREFIX, Settings, load

FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
SETTLED_SECONDS = 60
"""A worker that has lived so long did not die of its start: the pauses begin anew."""
ORPHAN_SECONDS = 15
"""How long a worker may finish what is under way when its parent has gone."""


def held(host: str, port: int) -> socket.socket:
    """An address kept for workers: the socket that nobody listens on. Raises Refused: port-taken, address-unusable."""
    place = bound(host, port)
    # From now on only who shares the port may be bound there, and nobody may who wants it alone.
    place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 0)
    place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    return place


class Workers:
    """`settings.workers` processes at the address that `place` keeps."""

    def __init__(self, settings: Settings, place: socket.socket) -> None:
        self._settings, self._place = settings, place
        self._running: dict[int, asyncio.subprocess.Process] = {}
        self._ending = asyncio.Event()
        self._log = structlog.get_logger()

    def run(self) -> int:
        """Until SIGTERM or SIGINT; the exit code. A second signal does not wait for what is under way."""
        with closing(self._place), tempfile.TemporaryDirectory(prefix="jht-metrics-") as metrics:
            # A new directory: the library would add the counters of processes that are long gone.
            chosen = {
                f"{PREFIX}{name.upper()}": str(getattr(self._settings, name)) for name in ("host", "port", "workers")
            }
            path = {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
            self._environment = os.environ | chosen | path | {METRICS: metrics}
            self._alive, held_open = os.pipe()
            try:
                return asyncio.run(self._run())
            finally:
                os.close(self._alive)
                os.close(held_open)

    async def _run(self) -> int:
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, self._end)
        first = await self._start(1)
        if first.returncode is not None and not self._ending.is_set():
            # It has told why it cannot run; the others could not either.
            return first.returncode if first.returncode > 0 else 1
        others = range(2, self._settings.workers + 1)
        await asyncio.gather(self._keep(1, first), *(self._keep(number) for number in others))
        return 0

    def _end(self) -> None:
        stop = signal.SIGKILL if self._ending.is_set() else signal.SIGTERM
        self._ending.set()
        for process in self._running.values():
            if process.returncode is None:
                process.send_signal(stop)

    async def _start(self, number: int) -> asyncio.subprocess.Process:
        """Start a worker, and return when it answers or has ended."""
        ready, told = os.pipe()
        try:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-P", "-m", "api.workers", str(number), str(self._alive), str(told),
                env=self._environment, pass_fds=(self._alive, told),
            )  # fmt: skip
        except BaseException:
            os.close(ready)
            raise
        finally:
            os.close(told)
        self._running[number] = process
        if self._ending.is_set():
            process.send_signal(signal.SIGTERM)
        try:
            if not await asyncio.to_thread(os.read, ready, 1):
                await process.wait()
        finally:
            os.close(ready)
        self._log.info("worker-started", worker=number, pid=process.pid)
        return process

    async def _keep(self, number: int, process: asyncio.subprocess.Process | None = None) -> None:
        """Have one worker running until all are to end."""
        pause = FIRST_PAUSE
        while not self._ending.is_set():
            began = time.monotonic()
            process = process or await self._start(number)
            code = await process.wait()
            process = None
            if self._ending.is_set():
                return
            if time.monotonic() - began > SETTLED_SECONDS:
                pause = FIRST_PAUSE
            self._log.error("worker-died", worker=number, code=code, again_in_seconds=pause)
            try:
                await asyncio.wait_for(self._ending.wait(), pause)
            except TimeoutError:
                pause = min(2 * pause, LONGEST_PAUSE)


def _work(number: int, alive: int, told: int) -> None:
    """Be a worker."""
    threading.Thread(target=_end_with_parent, args=[alive], name="parent-watch", daemon=True).start()
    # Imported here: the parent never needs it.
    from api.app import create_app

    settings = load()
    start_logging(settings.log_level, worker=number)

    def ready() -> None:
        os.write(told, b"1")
        os.close(told)

    answer(create_app(settings), settings, bound(settings.host, settings.port, shared=True), ready)


def _end_with_parent(alive: int) -> None:
    os.read(alive, 1)  # the end of the pipe: nothing is ever written into it
    structlog.get_logger().error("parent-gone")
    shutil.rmtree(os.environ[METRICS], ignore_errors=True)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(ORPHAN_SECONDS)
    os._exit(1)


def main() -> None:
    """`python -m api.workers NUMBER ALIVE TOLD`: started by the parent alone, with two ends of pipes."""
    try:
        _work(*map(int, sys.argv[1:]))
    except JhtError as error:
        sys.exit(failed(error))


if __name__ == "__main__":
    main()
