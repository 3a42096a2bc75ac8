"""`jht serve`: the API in this process."""

from __future__ import annotations

import errno
import socket
from typing import Annotated

import typer
import uvicorn

from api.app import create_app
from api.cli.console import err, opened, settings
from api.header_limit import LimitedHead
from api.middleware import start_logging
from ledger.errors import Refused
from ledger.store.vault import Vault


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on; default JHT_HOST.")] = "",
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="Port to listen on; default JHT_PORT.")] = None,
) -> None:
    """Serve the API and its docs page, and keep the projections at the head."""
    chosen = settings()
    address, number = host or chosen.host, port or chosen.port
    with opened(chosen) as log:
        Vault.open(log)  # a ledger that is not there, or has another master key, is told before the server starts
    must_be_free(address, number)
    start_logging(chosen.log_level)
    err.print(f"Docs: http://{address}:{number}/docs  (Ctrl+C ends it)")
    uvicorn.run(
        create_app(chosen),
        host=address,
        port=number,
        log_config=None,
        access_log=False,
        forwarded_allow_ips=chosen.proxies,
        # uvloop takes one new connection a turn of the loop: of 32 visitors who come at once the last waits 32 turns.
        loop="asyncio",
        http=LimitedHead,
    )


def must_be_free(host: str, port: int) -> None:
    """Whether this process can listen there, told before anything is started.

    Raises Refused: port-taken, address-unusable.
    """
    address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    try:
        family, kind, _, _, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        with socket.socket(family, kind) as listening:
            # A connection that was closed a moment ago does not keep the port.
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind(place)
            listening.listen()
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise Refused("port-taken", address=address) from None
        raise Refused("address-unusable", address=address, what=error.strerror or type(error).__name__) from None
