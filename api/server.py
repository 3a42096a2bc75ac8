"""The process that answers: its socket, its event loop, its end.

A socket that several processes share is emptied by one of them, so each has its own (SO_REUSEPORT) and the kernel deals
the connections out. TCP_NODELAY is set here: asyncio sets it only on sockets that name their protocol, and without it
every answer waits 40 ms for the client's acknowledgement.
"""

from __future__ import annotations

import asyncio
import errno
import signal
import socket
from collections.abc import Callable

import uvicorn
from fastapi import FastAPI

from api.header_limit import LimitedHead, take_more_files
from ledger.errors import Refused
from ledger.settings import Settings

METRICS = "PROMETHEUS_MULTIPROC_DIR"
"""Names the directory in which the counters of several processes stand; prometheus_client reads it when imported."""
WAITING = 2_048
"""Connections that may wait to be taken up; more than the kernel's own limit is cut to it."""


def bound(host: str, port: int, *, shared: bool = False) -> socket.socket:
    """A socket at an address, not listening yet. `shared`: others of this user may be bound there with `shared` too.

    Raises Refused: port-taken, address-unusable.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP, flags=socket.AI_PASSIVE
        )[0]
        made = socket.socket(family, kind, protocol)
    except (OSError, UnicodeError) as error:
        raise Refused("address-unusable", address=f"{host}:{port}", what=_what(error)) from None
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if shared:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        made.bind(address)
    except OSError as error:
        made.close()
        if error.errno == errno.EADDRINUSE:
            raise Refused("port-taken", address=f"{host}:{port}") from None
        raise Refused("address-unusable", address=f"{host}:{port}", what=_what(error)) from None
    return made


def _named(sockets: list[socket.socket] | None) -> str:
    host, port = (sockets[0].getsockname() if sockets else ("", 0))[:2]
    return f"{host}:{port}"


def _what(error: OSError | UnicodeError) -> str:
    return (error.strerror or "?") if isinstance(error, OSError) else "?"


class _Server(uvicorn.Server):
    """uvicorn's server, which says when it answers."""

    def __init__(self, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        try:
            await super().startup(sockets)
        except OSError as error:
            # Two may be bound to one address while neither listens.
            if error.errno != errno.EADDRINUSE:
                raise
            raise Refused("port-taken", address=_named(sockets)) from None
        self._ready()


def answer(app: FastAPI, settings: Settings, place: socket.socket, ready: Callable[[], None] = lambda: None) -> None:
    """Serve on a bound socket until SIGTERM or SIGINT; `ready` is called when requests are taken.

    Requests under way are finished; a second SIGINT does not wait for them. Raises what the application raises when it
    starts: Refused, StoreFailed; Refused(port-taken) when somebody else began to listen there.
    """
    take_more_files()
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        lifespan="off",
        forwarded_allow_ips=settings.proxies,
        backlog=WAITING,
        # uvloop takes one new connection a turn of the loop: of 32 visitors who come at once the last waits 32 turns.
        loop="asyncio",
        http=LimitedHead,
    )
    server = _Server(config, ready)

    def end(number: int, frame: object) -> None:
        del number, frame
        server.should_exit = True

    # uvicorn handles the signals while it serves and afterwards raises them again, for what it found before it: this.
    # So the application is closed in good order after them, and one that comes while it starts is not lost.
    before = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGINT)}

    async def run() -> None:
        # Not uvicorn's own lifespan: it would turn an error of the start into a traceback in the log.
        async with app.router.lifespan_context(app):
            if not server.should_exit:
                await server.serve([place])

    try:
        asyncio.run(run())
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        place.close()
