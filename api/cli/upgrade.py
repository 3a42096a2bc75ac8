"""`jht upgrade`: the ledger's tables as this program needs them."""

from __future__ import annotations

from api.cli.console import settings
from api.terminal import out
from ledger.store.log import Log


def upgrade() -> None:
    """Bring the ledger's tables up to this program. Can be interrupted and run again; take a backup first."""
    before, now = Log.upgrade(settings())
    out.print(f"The ledger has schema {now}." if before == now else f"The ledger's schema went from {before} to {now}.")
