"""`jht`: the command line. `jht --help` explains every command; each has its own `--help`.

    __main__     `python -m api.cli`
    console      what every command shares: the opened ledger, who types, how moments are shown
    typed_line   the commands that read a typed line, and what could not be understood in it
    progress     bars on a terminal
    read_side    the projections of a command, brought up to date when nobody follows
    the rest     one command (or one group of commands) a file, named as it is typed

A command's module is imported when the command is called, and read, not imported, for its line in `jht --help`: an
ingestion does not wait for the web framework, and `--help` waits for neither.
"""

from __future__ import annotations

import ast
import gc
import os
import sys
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer
from typer.core import TyperCommand

from api.cli.typed_line import Commands, Group, UsageError, refusal_of
from ledger import __version__
from ledger.errors import JhtError, Problem


class _Place(NamedTuple):
    """Where a command is: a function, or a Typer of commands."""

    module: str
    name: str


COMMANDS = {
    "init": _Place("init", "init"),
    "master-key": _Place("master_key", "master_key"),
    "ingest": _Place("ingest", "ingest"),
    "reverse": _Place("reverse", "reverse"),
    "suspense": _Place("suspense", "suspense"),
    "balance": _Place("balance", "balance"),
    "months": _Place("months", "months"),
    "explain": _Place("explain", "explain"),
    "simulate": _Place("simulate", "simulate"),
    "yield": _Place("yields", "yields"),
    "payments-complete": _Place("payments_complete", "payments_complete"),
    "statement": _Place("statement", "statement"),
    "statements": _Place("statements", "statements"),
    "merge": _Place("merge", "merge"),
    "unmerge": _Place("merge", "unmerge"),
    "reassign": _Place("reassign", "reassign"),
    "follow": _Place("follow", "follow"),
    "rebuild": _Place("rebuild", "rebuild"),
    "status": _Place("status", "status"),
    "serve": _Place("serve", "serve"),
    "keys": _Place("keys", "keys"),
    "users": _Place("users", "users"),
    "person": _Place("person", "person"),
    "outbox": _Place("outbox", "outbox"),
    "export": _Place("export", "export"),
    "backup": _Place("backup", "backup"),
    "restore": _Place("restore", "restore"),
    "rotate-master-key": _Place("rotate_master_key", "rotate_master_key"),
    "renew-log-id": _Place("renew_log_id", "renew_log_id"),
    "accept-clock": _Place("accept_clock", "accept_clock"),
    "upgrade": _Place("upgrade", "upgrade"),
    "settings": _Place("settings", "show_settings"),
}


def load(name: str) -> Any:
    """The command of a name, imported."""
    place = COMMANDS[name]
    # A command is done sooner than everything is imported. What is imported is no garbage: looking for some would take a
    # tenth of the time; and pydantic would look through all packages for plugins that nobody has.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    gc.disable()
    try:
        found = getattr(import_module(f"{__name__}.{place.module}"), place.name)
    finally:
        gc.freeze()
        gc.enable()
    if not isinstance(found, typer.Typer):
        one = Commands(no_args_is_help=False, context_settings=_HELP)
        one.command(name)(found)
        found = one
    command = typer.main.get_command(found)
    command.name = name
    return command


def _line_of_help(place: _Place) -> str:
    """The first paragraph of a command's help: its function's docstring, or the `help` of its Typer."""
    tree = ast.parse(Path(__file__).with_name(f"{place.module}.py").read_text("utf-8"))
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name == place.name:
            return (ast.get_docstring(node) or "").partition("\n\n")[0]
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == place.name:
            assert isinstance(node.value, ast.Call)
            return str(next(ast.literal_eval(one.value) for one in node.value.keywords if one.arg == "help"))
    raise AssertionError(place)


class _All(Group):
    """The group that imports a command when it is called."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self.commands = dict.fromkeys(COMMANDS)  # type: ignore[assignment]  # the names, for "did you mean"

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """What `--help` needs of a command: its name and its first line."""
        place = COMMANDS.get(cmd_name)
        return None if place is None else TyperCommand(cmd_name, help=_line_of_help(place))

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        name, command, rest = super().resolve_command(ctx, args)
        return name, command and load(command.name or ""), rest


_HELP = {"help_option_names": ["-h", "--help"]}
app = Commands(cls=_All, context_settings=_HELP)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"jht {__version__}")
        raise typer.Exit


@app.callback()
def jht(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version and end.", callback=_show_version, is_eager=True)
    ] = False,
) -> None:
    """The JHT ledger: contributions in, balances out, projections rebuilt."""


def main() -> None:
    """Run a command; every error is told as sentences with a code, never as a traceback."""
    # A file of 100,000 lines makes millions of objects, and none of them in circles.
    gc.set_threshold(100_000)
    try:
        code = app(prog_name="jht", standalone_mode=False)
    except UsageError as error:
        code = _misunderstood(error)
    except typer.Abort:
        from api.terminal import say

        typer.echo(err=True)  # behind the question that was not answered
        say(Problem("command-cancelled"))
        code = 1
    except JhtError as error:
        from api.terminal import failed

        code = failed(error)
    sys.exit(code)


def _misunderstood(error: Any) -> int:
    """Tell what could not be understood, beside how the command is used; the exit code."""
    from rich.text import Text

    from api.terminal import err, failed

    typed = " ".join(["jht", *(name for name in sys.argv[1:2] if name in COMMANDS)])
    if type(error).__name__ == "NoArgsIsHelpError":
        error.show()  # all there is to choose from
    else:
        err.print(Text(error.ctx.get_usage() if error.ctx else f"Usage: {typed} ..."))
    return failed(refusal_of(error, typed))
