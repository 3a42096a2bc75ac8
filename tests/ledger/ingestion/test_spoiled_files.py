"""Whatever comes in is read and decided, or refused with a sentence: never a crash, and never a line without an answer."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator

import pytest

from ledger.errors import Refused
from ledger.ingestion.readers.reading import Limits
from ledger.layouts import LAYOUTS
from ledger.settings import Settings
from ledger.store.log import Log
from tests.ledger.ingestion.readers.spoiled import good_files, spoiled
from tests.office import Office, person

MUTATIONS = 1_000_000 if os.environ.get("LONG") else 3_000


@pytest.fixture
def office(settings: Settings) -> Iterator[Office]:
    log = Log.open(settings)
    made = Office(log)
    made.employers("12345678")
    made.register(person("12345678901", npp="12345678"))
    yield made
    made.close()
    log.close()


@pytest.mark.timeout(24 * 3600)
@pytest.mark.parametrize("settings", ["sqlite"], indirect=True)
def test_spoiled_files_are_decided_or_refused_and_nothing_else(office: Office) -> None:
    chance = random.Random(20261128)
    started = [(layout, body) for layout in LAYOUTS for body in good_files(layout)]
    few = Limits(max_lines=1000, max_bytes=1 << 20, max_array=1 << 20, block=256)
    most, head = office.door.limits, office.log.head()
    for number in range(MUTATIONS):
        layout, whole = chance.choice(started)
        body = spoiled(whole, chance)
        office.door.limits = few if chance.random() < 0.9 else most
        try:
            receipt = office.ingest(layout, body, dry_run=True)
        except Refused as refused:
            assert refused.problem.say("id")  # noqa: PT017
            assert refused.problem.say("en")  # noqa: PT017
        except BaseException as error:
            raise AssertionError(f"file {number}, {layout}: {body!r}") from error
        else:
            assert all(told.problem.say("id") and told.problem.say("en") for told in receipt.problems)
            totals = receipt.totals
            if totals["refused"] or totals["suspended"]:
                assert receipt.problems, body
    assert office.log.head() == head
