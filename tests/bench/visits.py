"""The website's rows: members who look at their balance, and members who log in while balances are read."""

from __future__ import annotations

import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.bench import child, load
from tests.bench.ours import APP, MEMBERS, MONTH, api_key, jht, rate, take_in, with_members
from tests.bench.rows import Measure
from tests.bench.world import Store, World

VISITORS = 3_000
"""More than a process keeps pages for, so that one after the other each finds nothing kept."""
RETURNING = 200
YEARS = range(2019, 2027)
SINCE = f"{YEARS[0]}-01-02"
"""A member of nearly eight years, each month paid."""


def visited(world: World, kind: str) -> tuple[Store, Path]:
    """A store of members with years of months, and a file with a session's token for each; do not change the store."""
    months = [month for year in YEARS for place in range(1, 13) if (month := f"{year}-{place:02d}") <= MONTH]
    directory = world.files(VISITORS, 1_000, *months, since=SINCE)

    def prepare(store: Store) -> None:
        jht(store, "init")
        take_in(store, "employers", directory / "employers.csv", VISITORS)
        take_in(store, "registrations", directory / "registrations.csv", VISITORS)
        files = [directory / f"contributions-{month}.csv" for month in months]
        jht(store, "ingest", "contributions", *files, "--backdate")
        child.run([sys.executable, "-m", "tests.bench.members", "register", str(VISITORS)], store.env)
        jht(store, "rebuild")

    store = world.prepared(f"{VISITORS} members, {len(months)} months", kind, prepare)
    file = world.directory / f"visits-{kind}"
    child.run([sys.executable, "-m", "tests.bench.members", "visit", str(file)], store.env)
    return store, file


def pages(kind: str, members: int) -> Callable[[World], Measure]:
    """The balance page of so many members, one after the other: session, balance, page, record of the read."""

    def measure(world: World) -> Measure:
        store, file = visited(world, kind)
        with load.server(APP, store.env) as running:
            return rate(load.visits(running, file, world.seconds, members))

    return measure


def logins(kind: str) -> Callable[[World], Measure]:
    """Members who log in with their password, some thirty a second, while balances are read by key.

    Beside it: what is left of the rate of the same reads alone, in per cent. The server has all cores, as argon2 runs
    in threads.
    """

    def measure(world: World) -> Measure:
        accounts = world.scaled(1_000_000)
        store = world.fresh(kind, with_members(world, kind, accounts))
        key, members = api_key(store), min(MEMBERS, accounts)
        try:
            with load.server(APP, store.env | {"JHT_ADDRESS_TRIES": "1000000"}, core=None) as running:
                alone = load.wrk(running, accounts, world.seconds, key=key)
                with ThreadPoolExecutor(1) as beside:
                    # They begin before the reads are measured and end after them.
                    entering = beside.submit(load.logins, running, members, world.seconds + 2)
                    reading = load.wrk(running, accounts, world.seconds, key=key)
                    entered = entering.result()
        finally:
            world.drop(store)
        extra = {"reads_kept_%": 100 * reading["rate"] / alone["rate"], "reads_p99_ms": reading["p99_ms"]}
        return Measure(entered["rate"], int(entered["memory"]), {"p99_ms": entered["p99_ms"], **extra})

    return measure
