"""`jht init`, `upgrade`, `renew-log-id`, `accept-clock`, `settings`: the ledger itself."""

from __future__ import annotations

from api.commands.console import header, opened, out, settings
from ledger.settings import Settings
from ledger.store.log import Log
from ledger.store.vault import Vault


def init() -> None:
    """Make the ledger that JHT_DATABASE_URL names; does nothing to one that is there."""
    log = Log.open(settings(), create=True)
    try:
        Vault.open(log)
        out.print(f"The ledger is ready: log {log.log_id}, at position {log.head():,}.")
    finally:
        log.close()


def renew_log_id() -> None:
    """After restoring the log from a backup: give it a new id, so that older positions are refused. Then rebuild."""
    with opened() as log:
        out.print(f"The log is now {log.renew_log_id(header().by)}. Run jht rebuild next.")


def accept_clock() -> None:
    """Record that the log's last moment stands although it is ahead of the clock; appends are taken again."""
    with opened() as log:
        moment = log.accept_clock(header().by)
        out.print(
            f"Recorded: the log stands at {moment}; later events carry that moment until the clock has passed it."
        )


def upgrade() -> None:
    """Bring the ledger's tables up to this program. Can be interrupted and run again; take a backup first."""
    before, now = Log.upgrade(settings())
    out.print(f"The ledger has schema {now}." if before == now else f"The ledger's schema went from {before} to {now}.")


def show_settings() -> None:
    """Every setting with its meaning and default; set them as environment variables."""
    for name, field in Settings.model_fields.items():
        default = "" if field.default is None else f" (default {field.default})"
        out.print(f"JHT_{name.upper()}{default}\n    {field.description}")
