"""`jht`: the command line. `jht --help` explains every command; each has its own `--help`."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from api.commands import balance, export, ingest, keys, person, read_side
from api.commands.console import err, fail, opened, out, settings
from ledger.errors import JhtError
from ledger.log import Log
from ledger.settings import Settings
from ledger.vault import Vault

app = typer.Typer(
    help="The JHT ledger: contributions in, balances out, projections rebuilt.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.command()
def init() -> None:
    """Make the ledger that JHT_DATABASE_URL names; does nothing to one that is there."""
    log = Log.open(settings(), create=True)
    try:
        Vault.open(log)
        out.print(f"The ledger is ready: log {log.log_id}, at position {log.head():,}.")
    finally:
        log.close()


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on; default JHT_HOST.")] = "",
    port: Annotated[int, typer.Option(help="Port to listen on; default JHT_PORT.")] = 0,
) -> None:
    """Serve the API and its docs page, and keep the projections at the head."""
    import uvicorn

    chosen = settings()
    with opened(chosen):
        pass
    from api.app import create_app

    address, number = host or chosen.host, port or chosen.port
    err.print(f"Docs: http://{address}:{number}/docs  (Ctrl+C ends it)")
    uvicorn.run(
        create_app(chosen),
        host=address,
        port=number,
        log_config=None,
        access_log=False,
        loop="uvloop",
        http="httptools",
    )


@app.command("settings")
def show_settings() -> None:
    """Every setting with its meaning and default; set them as environment variables."""
    for name, field in Settings.model_fields.items():
        default = "" if field.default is None else f" (default {field.default})"
        out.print(f"JHT_{name.upper()}{default}\n    {field.description}")


@app.command("renew-log-id")
def renew_log_id() -> None:
    """After restoring the log from a backup: give it a new id, so that older positions are refused. Then rebuild."""
    with opened() as log:
        out.print(f"The log is now {log.renew_log_id()}. Run jht rebuild next.")


app.command()(ingest.ingest)
app.command()(ingest.reverse)
app.command()(balance.balance)
app.command()(read_side.follow)
app.command()(read_side.rebuild)
app.command()(read_side.status)
app.command()(export.export)
app.add_typer(keys.keys, name="keys")
app.add_typer(person.person, name="person")


def main() -> None:
    """Run a command; an error of this project is told as a sentence with a code, never as a traceback."""
    try:
        app(standalone_mode=True)
    except JhtError as error:
        try:
            fail(error)
        except typer.Exit as leave:
            sys.exit(leave.exit_code)


if __name__ == "__main__":
    main()
