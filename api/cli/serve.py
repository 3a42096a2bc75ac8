"""`jht serve`: the API, in this process or in several on one port."""

from __future__ import annotations

from typing import Annotated

import typer

from api.cli.console import opened, settings
from api.log_lines import start_logging
from api.server import answer, bound
from api.terminal import err
from api.workers import Workers, held
from ledger.store.vault import Vault
from projections.condition import must_be_of_this_log
from projections.generations import Store


def serve(
    host: Annotated[str | None, typer.Option(help="Address to listen on; default JHT_HOST.")] = None,
    port: Annotated[int | None, typer.Option(min=1, max=65535, help="Port to listen on; default JHT_PORT.")] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, max=64, help="Processes that answer; default JHT_WORKERS.")
    ] = None,
) -> None:
    """Serve the API and its docs page, and keep the projections at the head."""
    given = {"host": host, "port": port, "workers": workers}
    chosen = settings(**{name: value for name, value in given.items() if value is not None})
    with opened(chosen) as log:
        # A ledger that is not there, has another master key, or was put back is told before the server starts.
        Vault.open(log)
        store = Store.open(chosen)
        try:
            must_be_of_this_log(log, store, store.pointers().live.values())
        finally:
            store.close()
    start_logging(chosen.log_level)
    several = chosen.workers > 1
    place = (held if several else bound)(chosen.host, chosen.port)
    if warning := chosen.warning_of(chosen.host):
        err.print(warning)
    many = f" {chosen.workers} workers." if several else ""
    err.print(f"Docs: http://{chosen.host}:{chosen.port}/docs{many} (Ctrl+C ends it)")
    if several:
        raise typer.Exit(Workers(chosen, place).run())
    from api.app import create_app  # a parent of several workers never needs it

    answer(create_app(chosen), chosen, place)
