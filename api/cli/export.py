"""`jht export`: the whole ledger as plain-text accounting."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from api.cli.console import opened
from api.cli.typed_line import one_of
from ledger.output_file import writing
from projections.journal import FORMATS, journal


def export(
    form: Annotated[str, typer.Option("--format", help=f"One of {', '.join(FORMATS)}.")] = "beancount",
    to: Annotated[Path | None, typer.Option(help="The file to write; standard output when absent.")] = None,
) -> None:
    """Write the ledger as plain-text accounting: contributions, suspense, releases, reversals, opening balances, yield."""
    chosen = one_of(form, FORMATS, "--format")
    with opened() as log:
        lines = journal(log, chosen)
        if to is None:
            sys.stdout.writelines(lines)
            return
        # Beside its place first, so that a full disk leaves no half journal that looks whole.
        unfinished = Path(f"{to}.part")
        with writing(), unfinished.open("w", encoding="utf-8") as file:
            try:
                file.writelines(lines)
                file.close()
                unfinished.replace(to)
            except BaseException:
                unfinished.unlink(missing_ok=True)
                raise
