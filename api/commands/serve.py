"""`jht serve`: the API in this process."""

from __future__ import annotations

from typing import Annotated

import typer
import uvicorn

from api.app import create_app
from api.commands.console import err, opened, settings
from api.header_limit import LimitedHead
from api.middleware import start_logging
from ledger.store.vault import Vault


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on; default JHT_HOST.")] = "",
    port: Annotated[int, typer.Option(help="Port to listen on; default JHT_PORT.")] = 0,
) -> None:
    """Serve the API and its docs page, and keep the projections at the head."""
    chosen = settings()
    with opened(chosen) as log:
        Vault.open(log)  # a ledger that is not there, or has another master key, is told before the server starts
    start_logging(chosen.log_level)
    address, number = host or chosen.host, port or chosen.port
    if warning := chosen.warning_of(address):
        err.print(warning)
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
