"""`jht rotate-master-key`: another master key for the ledger that the settings name."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from api.cli.console import opened, settings
from api.terminal import out
from ledger.errors import Refused
from ledger.members import Members
from ledger.output_file import writing
from ledger.settings import Settings
from ledger.store.master_key import fingerprint, master_key, write_key
from ledger.store.vault import Vault


def rotate_master_key(
    new_key_file: Annotated[
        Path, typer.Option(help="The file with the new key, 64 hex digits; made with a random one when it is absent.")
    ],
) -> None:
    """Wrap all persons' keys and compute all look-up hashes with a new master key.

    Until it has ended nobody is looked up or registered (vault-rotating). When it was cut off, run it again with the
    same file.
    """
    chosen = settings()
    with opened(chosen) as log:
        try:
            members = Members.open(log, Vault.open(log))
        except Refused as refused:
            # Cut off after the last step, or called once more: the ledger has the new key, the settings not yet.
            if refused.code != "master-key-wrong" or not new_key_file.exists():
                raise
            if refused.problem.details["expected"] != fingerprint(_key(chosen, new_key_file)):
                raise
            out.print("The ledger has this master key already.")
        else:
            # Only now: a ledger that cannot be opened, or waits for another key, leaves no key that is nobody's.
            if not new_key_file.exists():
                members.vault.must_not_rotate()
                with writing():
                    write_key(new_key_file)
            key = _key(chosen, new_key_file)
            out.print(f"Done for {members.rotate(key):,} persons; the fingerprint is {fingerprint(key)}.")
    out.print(_next(chosen, new_key_file))


def _key(chosen: Settings, file: Path) -> bytes:
    return master_key(chosen.model_copy(update={"master_key": None, "master_key_file": file}), create=False)


def _next(chosen: Settings, new_key_file: Path) -> str:
    if chosen.master_key is not None:
        do = f"Set JHT_MASTER_KEY to what {new_key_file} holds, or JHT_MASTER_KEY_FILE={new_key_file} instead of it."
    elif chosen.master_key_file is not None:
        do = f"Set JHT_MASTER_KEY_FILE={new_key_file}."
    else:
        do = f"Move it to its place: mv {new_key_file} {chosen.beside('key')}"
    return f"{do}\nThen restart every jht serve and jht follow. Keep the old key as long as the oldest backup that needs it."
