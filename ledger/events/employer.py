"""Stream `employer:<npp>`."""

from __future__ import annotations

from typing import ClassVar

from ledger.events.fact import DIRECTORY, INDEX, Day, Fact


class EmployerRegistered(Fact, frozen=True):
    """An employer may remit contributions. `name` is sealed (`employer_names.py`): a sole trader is a person."""

    NAME: ClassVar[str] = "employer-registered.v1"
    CONCERNS: ClassVar = frozenset((DIRECTORY, INDEX))
    npp: str
    name: str
    registered_on: Day
