"""`jht renew-log-id`: positions from before a restore become foreign."""

from __future__ import annotations

from api.cli.console import header, opened
from api.terminal import out


def renew_log_id() -> None:
    """After restoring the log from a backup: give it a new id, so that older positions are refused. Then rebuild."""
    with opened() as log:
        out.print(f"The log is now {log.renew_log_id(header().by)}. Run jht rebuild next.")
