"""`jht master-key`: a new key that wraps the persons' keys."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from api.terminal import out
from ledger.errors import Conflict
from ledger.output_file import writing
from ledger.store.master_key import fingerprint, write_key


def master_key(
    file: Annotated[Path, typer.Argument(help="The file to make; only its owner can read it.", metavar="FILE")],
) -> None:
    """Make a new random master key in a file. Never replaces one: without its key a ledger's personal data is lost."""
    if file.exists():
        raise Conflict("file-exists", file=str(file))
    with writing():
        write_key(file)
    made = bytes.fromhex(file.read_text("ascii"))
    out.print(
        f"Made {file}, fingerprint {fingerprint(made)}. Set JHT_MASTER_KEY_FILE={file.absolute()}, and keep a copy"
    )
    out.print("apart from the backups of the database: who has both can read everything, who has lost it nothing.")
