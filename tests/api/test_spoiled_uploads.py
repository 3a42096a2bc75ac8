"""Whatever comes in, by whatever door, is read and decided or refused with a sentence: never a crash, never a line without
an answer, and of what was only looked at nothing is written.

In long runs a million files, in PARTS that workers share; a door over HTTP costs some milliseconds a file.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Callable, Iterator

import pytest
from httpx2 import Response

from api.request_body import XLSX
from api.web.employer import check
from ledger.errors import Refused
from ledger.ingestion.readers.reading import Limits
from ledger.layouts import LAYOUTS
from ledger.settings import Settings
from tests.api.web.payroll import HOME, Clerk, Payroll
from tests.api.web.site import faults
from tests.conftest import LONG
from tests.ledger.ingestion.readers.spoiled import good_files, spoiled
from tests.office import person

PARTS = 8 if LONG else 1
EACH = 1_000_000 // PARTS if LONG else 2_000
KINDS = {b"{": "application/x-ndjson", b"[": "application/json", b"P": XLSX}
"""The first byte of a good file -> what a sender says that it is; anything else is text/csv."""
Door = Callable[["Doors", str, bytes, bytes], str]


class Doors:
    """A served ledger in one process, and what is needed to come in at each door."""

    def __init__(self, town: Payroll) -> None:
        self.town, self.key, self.clerk = town, town.key("register", "post"), town.clerk()
        found = re.search(r'name="csrf" value="([^"]+)"', self.clerk.get(HOME).text)
        assert found is not None
        self.csrf = found[1]

    def limited(self, limits: Limits) -> None:
        self.town.office.door.limits = self.town.application.door.limits = limits


def by_file(doors: Doors, layout: str, whole: bytes, body: bytes) -> str:
    """As the command line and the agency's folder: straight to the ingestion."""
    try:
        receipt = doors.town.office.ingest(layout, body, dry_run=True)
    except Refused as refused:
        said = [refused.problem.say(language) for language in ("id", "en")]
        return "refused" if all(said) else "without a sentence"
    assert all(told.problem.say("id") and told.problem.say("en") for told in receipt.problems)
    if receipt.totals["refused"] or receipt.totals["suspended"]:
        assert receipt.problems
    return "decided"


def by_api(doors: Doors, layout: str, whole: bytes, body: bytes) -> str:
    """As a program with a key."""
    headers = doors.key | {"Content-Type": KINDS.get(whole[:1], "text/csv")}
    answer = doors.town.client.post(f"/v1/{layout}?dry_run=true", content=body, headers=headers)
    said = answer.json()
    assert 200 <= answer.status_code < 500, said
    if "totals" in said:
        assert said["problems"] or not (said["totals"]["refused"] or said["totals"]["suspended"])
        return "decided"
    assert said["detail"]
    assert said["detail_en"]
    return "refused"


def by_employer(doors: Doors, layout: str, whole: bytes, body: bytes) -> str:
    """As a payroll clerk, who looks at what was found."""
    clerk: Clerk = doors.clerk
    sent: Response = clerk.client.post(
        HOME,
        data={"csrf": doors.csrf, "bulan": "2026-11"},
        files={"berkas": ("a", body, "x/y")},
        follow_redirects=False,
    )
    if sent.status_code == 303:
        page = clerk.get(sent.headers["location"])
        assert (page.status_code, faults(page.text)) == (200, [])
        return "decided"
    assert 400 <= sent.status_code < 500, sent.text
    assert faults(sent.text) == []
    return "refused"


DOORS: dict[Door, tuple[str, ...]] = {by_file: tuple(LAYOUTS), by_api: tuple(LAYOUTS), by_employer: ("report",)}
SHARES = (6, 3, 1)


@pytest.fixture
def doors(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Doors]:
    monkeypatch.setattr(check, "MOST_CHECKS", "100000/second")
    with Payroll(settings) as town:
        town.fill()
        town.office.employers("12345678")
        town.office.register(person("12345678901", 9, npp="12345678"))
        yield Doors(town)


@pytest.mark.timeout(6 * 3600)
@pytest.mark.parametrize("settings", ["sqlite"], indirect=True)
@pytest.mark.parametrize("part", range(PARTS))
def test_spoiled_files_are_decided_or_refused_and_nothing_else_at_every_door(doors: Doors, part: int) -> None:
    chance = random.Random(20261128 + part)
    few = Limits(max_lines=1000, max_bytes=1 << 20, max_array=1 << 20, block=256)
    started = {layout: good_files(layout) for layout in (*LAYOUTS, "report")}
    most, head = doors.town.office.door.limits, doors.town.log.head()
    came: Counter[tuple[str, str]] = Counter()
    for number in range(EACH):
        (door,) = chance.choices(list(DOORS), SHARES)
        layout = chance.choice(DOORS[door])
        whole = chance.choice(started[layout])
        body = spoiled(whole, chance)
        doors.limited(few if chance.random() < 0.9 else most)
        try:
            came[door.__name__, door(doors, layout, whole, body)] += 1
        except BaseException as error:
            raise AssertionError(f"file {number} of part {part}, {door.__name__}, {layout}: {body!r}") from error
    assert doors.town.log.head() == head
    assert came.total() == EACH
    assert {(door.__name__, what) for door in DOORS for what in ("decided", "refused")} == came.keys(), (
        "each door, both ways"
    )
