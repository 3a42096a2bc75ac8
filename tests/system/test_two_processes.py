"""Two processes at the same work at once: each line once, and one follower."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path

from ledger.events import ContributionsPosted
from ledger.settings import Settings
from ledger.store.codec import decode
from ledger.store.log import Log
from tests.office import NPP, OTHER_NPP, Office, csv_of, line, person
from tests.system.running import Running, environment, jht, started

MONTHS = [f"{year}-{month:02d}" for year in (2024, 2025) for month in range(1, 13)]
CARDS = [f"{43_000_000_000 + number}" for number in range(200)]


def test_two_ingestions_of_one_file_post_each_line_once(settings: Settings, tmp_path: Path) -> None:
    log = Log.open(settings)
    office = Office(log)
    office.employers(NPP, OTHER_NPP)
    office.register(*(person(kpj, n, registered_on="2024-01-02") for n, kpj in enumerate(CARDS, 1)))
    office.close()
    rows = [line(kpj, month=month, paid_on=f"{month}-28", reference="") for month in MONTHS for kpj in CARDS]
    file = tmp_path / "contributions.csv"
    file.write_bytes(csv_of(("npp", "month", "kpj", "wage", "paid_on"), [_without(row) for row in rows]))
    both = [Running(environment(settings), "ingest", "contributions", file, "--backdate", "--json") for _ in range(2)]
    done = [one.done() for one in both]
    assert [one.code for one in done] == [0, 0], done
    totals = [one.json["totals"] for one in done]
    assert all(one["posted"] + one["already"] == len(rows) and not one["refused"] for one in totals)
    assert totals[0]["posted"] + totals[1]["posted"] == len(rows)
    posted: Counter[tuple[str, str]] = Counter()
    after = 0
    while found := log.read(after, 1000):
        after = found[-1].position
        for fact in (decode(row).fact for row in found):
            if isinstance(fact, ContributionsPosted):
                posted.update((one.kpj, fact.month) for one in fact.lines)
    log.close()
    assert len(posted) == len(rows)
    assert set(posted.values()) == {1}


def _without(row: dict[str, object]) -> dict[str, object]:
    return {name: row[name] for name in ("npp", "month", "kpj", "wage", "paid_on")}


def test_a_second_follower_says_that_another_runs(settings: Settings) -> None:
    with started(settings, "follow") as first:
        end = time.monotonic() + 20
        while not jht(settings, "status", "--json").json["follower_running"]:
            assert time.monotonic() < end
            assert not first.process.ended(), first.told()
        for arguments in (("follow",), ("follow", "--once")):
            second = jht(settings, *arguments, code=2)
            assert "follower-elsewhere" in second.stderr
        assert first.stop().code == 0
    assert jht(settings, "follow", "--once").code == 0
