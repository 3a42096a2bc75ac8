"""An employer: registered once, under its NPP. Pure: the name is known here in clear, and sealed when it is recorded."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

from ledger.errors import Conflict, Refused


class Employer(NamedTuple):
    """Who may remit contributions: eight digits, a name, an ISO date. `name` None: recorded, but it cannot be opened."""

    npp: str
    name: str | None
    registered_on: str


def decide_register(registered: Employer | None, wanted: Employer, today: date) -> bool:
    """Whether the employer is to be recorded; False when it is there already.

    Raises Refused(date-in-future), Conflict(employer-conflict) when name or date differ from what is recorded.
    """
    if registered is not None:
        if registered != wanted:
            raise Conflict("employer-conflict", column="npp")
        return False
    if wanted.registered_on > today.isoformat():
        raise Refused("date-in-future", column="registered_on")
    return True
