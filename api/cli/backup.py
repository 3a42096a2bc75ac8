"""`jht backup`: everything that cannot be made again, copied while the ledger is used."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from api.cli.console import opened
from api.terminal import out
from ledger.clock import read_now
from ledger.store.backup import back_up


def backup(
    folder: Annotated[Path, typer.Argument(help="The folder to make; it must not exist yet.", metavar="FOLDER")],
) -> None:
    """Copy the ledger into a new folder, consistent, also while it is used. Without read models and master key.

    On PostgreSQL this runs pg_dump, which must be of the server's version or newer.
    """
    with opened() as log:
        made = back_up(log, folder, read_now())
    size = sum(file.bytes for file in made.files.values())
    out.print(f"Backed up log {made.log_id} up to position {made.position:,} into {folder}: {size / 1e6:,.1f} MB.")
    if made.master_key:
        out.print(f"It can be used only with the master key of fingerprint {made.master_key}: keep that apart from it.")
