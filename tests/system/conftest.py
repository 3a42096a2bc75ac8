"""A ledger with something in it, for commands to work on."""

from __future__ import annotations

import pytest

from ledger.settings import Settings
from ledger.store.log import Log
from tests.office import NPP, Office, line

CARD, SECOND = "26000000017", "26000000025"


@pytest.fixture
def filled(settings: Settings) -> Settings:
    """A ledger with an employer, two cards and a paid month."""
    log = Log.open(settings)
    office = Office(log)
    office.employers(NPP)
    office.workers(CARD, SECOND)
    office.contribute(line(CARD))
    office.close()
    log.close()
    return settings
