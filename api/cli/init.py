"""`jht init`: the ledger itself."""

from __future__ import annotations

from api.cli.console import settings
from api.terminal import out
from ledger.store.log import Log
from ledger.store.master_key import master_key
from ledger.store.vault import Vault


def init() -> None:
    """Make the ledger that JHT_DATABASE_URL names; does nothing to one that is there."""
    chosen = settings()
    if chosen.sqlite_path is None or chosen.master_key or chosen.master_key_file:
        master_key(chosen, create=False)  # a key that is missing or wrong is told before anything is made
    log = Log.open(chosen, create=True)
    try:
        Vault.open(log)
        out.print(f"The ledger is ready: log {log.log_id}, at position {log.head():,}.")
    finally:
        log.close()
