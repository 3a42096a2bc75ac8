"""`jht`: the command line. `jht --help` explains every command; each has its own `--help`.

A command's module is imported when the command is called: an ingestion does not wait for the web framework.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any, NamedTuple

import typer
from typer.core import TyperGroup

from ledger.errors import JhtError


class _Place(NamedTuple):
    """Where a command is: a function, or a Typer of commands."""

    module: str
    name: str


COMMANDS = {
    "init": _Place("ledger", "init"),
    "ingest": _Place("ingest", "ingest"),
    "reverse": _Place("ingest", "reverse"),
    "balance": _Place("balance", "balance"),
    "follow": _Place("read_side", "follow"),
    "rebuild": _Place("read_side", "rebuild"),
    "status": _Place("read_side", "status"),
    "serve": _Place("serve", "serve"),
    "keys": _Place("keys", "keys"),
    "users": _Place("users", "users"),
    "person": _Place("person", "person"),
    "outbox": _Place("outbox", "outbox"),
    "export": _Place("export", "export"),
    "rotate-master-key": _Place("master_key", "rotate_master_key"),
    "renew-log-id": _Place("ledger", "renew_log_id"),
    "accept-clock": _Place("ledger", "accept_clock"),
    "upgrade": _Place("ledger", "upgrade"),
    "settings": _Place("ledger", "show_settings"),
}


class _Commands(TyperGroup):
    """The group that imports a command when it is asked for."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        place = COMMANDS.get(cmd_name)
        if place is None:
            return None
        found = getattr(import_module(f"api.commands.{place.module}"), place.name)
        if not isinstance(found, typer.Typer):
            one = typer.Typer(pretty_exceptions_enable=False, context_settings=_HELP)
            one.command(cmd_name)(found)
            found = one
        command = typer.main.get_command(found)
        command.name = cmd_name
        return command


_HELP = {"help_option_names": ["-h", "--help"]}
app = typer.Typer(
    cls=_Commands, no_args_is_help=True, pretty_exceptions_enable=False, add_completion=False, context_settings=_HELP
)


@app.callback()
def jht() -> None:
    """The JHT ledger: contributions in, balances out, projections rebuilt."""


def main() -> None:
    """Run a command; an error of this project is told as a sentence with a code, never as a traceback."""
    try:
        app(prog_name="jht")
    except JhtError as error:
        from api.commands.console import fail

        try:
            fail(error)
        except typer.Exit as leave:
            sys.exit(leave.exit_code)


if __name__ == "__main__":
    main()
