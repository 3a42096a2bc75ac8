"""`jht restore`: a ledger made from a backup."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from api.cli.console import moment, settings
from api.terminal import err, out, say
from ledger.errors import Problem, Refused
from ledger.settings import Settings
from ledger.store import backup
from ledger.store.master_key import fingerprint, master_key


def restore(
    folder: Annotated[Path, typer.Argument(help="The folder that jht backup made.", metavar="FOLDER")],
    keep_log_id: Annotated[
        bool,
        typer.Option("--keep-log-id", help="Nothing was written after the backup: the ledger only moves."),
    ] = False,
) -> None:
    """Make the ledger that JHT_DATABASE_URL names from a backup; never over one that is there. Then rebuild.

    The files are compared with their hashes first. The log gets a new id, so that positions that were handed out after
    the backup are refused instead of being taken for others.
    """
    chosen = settings()
    made = backup.restore(chosen, folder, new_log_id=not keep_log_id)
    out.print(f"Restored the ledger of {moment(made.made_at)}, up to position {made.position:,}.")
    _tell_about_the_key(chosen, made)
    out.print("Next: jht rebuild. Then erase again whom you erased after that moment: the backup knows them still.")


def _tell_about_the_key(chosen: Settings, made: backup.Manifest) -> None:
    """What is wrong with the master key at hand, which commands that open the vault would refuse."""
    if not made.master_key:
        return
    try:
        found = fingerprint(master_key(chosen, create=False))
    except Refused:
        where = "name its file in JHT_MASTER_KEY_FILE"
        if chosen.sqlite_path is not None:
            where = f"put it at {chosen.beside('key')}, or {where}"
        err.print(f"Its master key has the fingerprint {made.master_key}: {where}.", style="yellow")
        return
    if found != made.master_key:
        say(Problem("master-key-wrong", details={"found": found, "expected": made.master_key}), "yellow")
