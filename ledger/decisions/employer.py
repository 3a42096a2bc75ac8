"""An employer: registered once, under its NPP. Pure."""

from __future__ import annotations

from datetime import date

from ledger.errors import Conflict, Refused
from ledger.events import EmployerRegistered


def decide_register(
    registered: EmployerRegistered | None, wanted: EmployerRegistered, today: date
) -> EmployerRegistered | None:
    """The fact to record, or None when it is there already.

    Raises Refused(date-in-future), Conflict(employer-conflict) when name or date differ from what is recorded.
    """
    if registered is not None:
        if registered != wanted:
            raise Conflict("employer-conflict", column="npp")
        return None
    if wanted.registered_on > today.isoformat():
        raise Refused("date-in-future", column="registered_on")
    return wanted
