"""What a declared year costs: balances before and after it, its effect told beforehand, a card's working, statements.

    python -m tests.bench.savings RATE ACCOUNTS

holds every card's credited yield against the same worked out anew from what the generated files say, year by year and
without the product's code.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

from tests.bench import child, files, load, ours
from tests.bench.client import find
from tests.bench.rows import Measure
from tests.bench.world import Store, World

YEARS = range(2016, 2026)
TEN_YEARS = tuple(f"{year}-06" for year in YEARS)
"""One line a year, paid in July."""
EVERY_MONTH = tuple(f"{year}-{month:02d}" for year in YEARS for month in range(1, 13))
RATE = "5.63"
_HELD = 500
"""Cards that are read at once."""


def _saved(world: World, kind: str, accounts: int, months: tuple[str, ...]) -> Store:
    """A store whose accounts were paid into in ten years, all of them declared but the last."""
    directory = world.files(accounts, 1_000, *months)

    def prepare(store: Store) -> None:
        ours.jht(store, "init")
        for what in ("employers", "registrations"):
            ours.take_in(store, what, directory / f"{what}.csv", accounts)
        for month in months:
            ours.take_in(store, "contributions", directory / f"contributions-{month}.csv", accounts)
        ours.jht(store, "yield", "start", str(YEARS[0]))
        for year in YEARS[:-1]:
            _declare(store, year)
        ours.jht(store, "rebuild")

    return world.prepared(f"{accounts} x {len(months)} lines, nine years declared", kind, prepare)


def _declare(store: Store, year: int) -> child.Finished:
    return ours.jht(store, "yield", "declare", str(year), "--rate", RATE, "--basis", "bench", "--yes")


def declare(kind: str, full: int) -> Callable[[World], Measure]:
    """Balances a second after the tenth year was declared; before it beside them. One event, and every balance verified."""

    def measure(world: World) -> Measure:
        accounts = world.scaled(full)
        store = world.fresh(kind, _saved(world, kind, accounts, TEN_YEARS))
        key = ours.api_key(store)
        with load.server(ours.APP, store.env) as running:
            before = ours.rate(load.wrk(running, accounts, world.seconds, key=key))
        head = _head(store)
        _declare(store, YEARS[-1])
        if _head(store) != head + 1:
            raise child.Failed("a declaration is to be one event")
        ours.jht(store, "follow", "--once")
        with load.server(ours.APP, store.env) as running:
            after = ours.rate(load.wrk(running, accounts, world.seconds, key=key))
        child.run([sys.executable, "-m", "tests.bench.savings", RATE, str(accounts)], store.env)
        world.drop(store)
        extra = {**after.extra, "before": before.value, "of_before": after.value / before.value}
        return Measure(after.value, after.memory, extra)

    return measure


def what_if(kind: str, full: int) -> Callable[[World], Measure]:
    """Seconds until the effect of a year on all accounts is told; nothing is written."""

    def measure(world: World) -> Measure:
        accounts = world.scaled(full)
        store = _saved(world, kind, accounts, TEN_YEARS)
        head = _head(store)
        finished = ours.jht(store, "yield", "declare", str(YEARS[-1]), "--rate", RATE, "--what-if", "--json")
        if find(finished.json(), "cards") != accounts or _head(store) != head:
            raise child.Failed("not every card was told, or something was written")
        return Measure(finished.seconds - ours.start_up(), finished.memory)

    return measure


def working(kind: str, full: int, what: str) -> Callable[[World], Measure]:
    """Milliseconds, p99, of a question about cards with ten years of monthly lines, by four clients."""

    def measure(world: World) -> Measure:
        accounts = world.scaled(full)
        store = _saved(world, kind, accounts, EVERY_MONTH)
        key = ours.api_key(store)
        with load.server(ours.APP, store.env) as running:
            told = ours.rate(load.wrk(running, accounts, world.seconds, key=key, what=what, connections=4))
        return Measure(told.extra["p99_ms"], told.memory, {"p50_ms": told.extra["p50_ms"], "requests/s": told.value})

    return measure


def statements(kind: str, full: int) -> Callable[[World], Measure]:
    """Yearly statements as PDF, made by one process."""

    def measure(world: World) -> Measure:
        accounts = world.scaled(full)
        store = world.fresh(kind, _saved(world, kind, accounts, TEN_YEARS))
        out = world.directory / "statements"
        began = perf_counter()
        finished = ours.jht(store, "statements", "--year", str(YEARS[-2]), "--out", out)
        seconds = perf_counter() - began - ours.start_up()
        made = sum(1 for _ in Path(out).rglob("*.pdf"))
        if made != accounts:
            raise child.Failed(f"{made} of {accounts} statements were made")
        child.run(["rm", "-rf", str(out)], store.env)
        world.drop(store)
        return Measure(made / seconds, finished.memory)

    return measure


def _head(store: Store) -> int:
    position = str(find(ours.jht(store, "balance", files.kpj(0), "--json").json(), "position"))
    return int(position.partition("-")[2])


def _credited(account: int, rate: int) -> int:
    """A card's yield of all years, by the rule as it is published here: a year's rate times twelve times what stood there at
    its start and each payment times the months after it, divided by twelve, half up."""
    amount, stood, earned = sum(files.shares(files.wage(account))), 0, 0
    for _ in YEARS:
        gained = (rate * (12 * stood + amount * 5) + 6_000_000) // 12_000_000
        earned += gained
        stood += amount + gained
    return earned


def main() -> None:
    from ledger.clock import jakarta_date, read_now
    from ledger.settings import load as settings
    from ledger.store.log import Log
    from projections.generations import Store as ReadModels
    from projections.queries import BalanceRow, Queries

    rate, accounts = round(float(sys.argv[1]) * 10_000), int(sys.argv[2])
    log = Log.open(settings())
    reader = Queries(log, ReadModels.open(log.settings))
    for start in range(0, accounts, _HELD):
        some = range(start, min(start + _HELD, accounts))
        now = read_now()
        found = reader.balances([int(files.kpj(account)) for account in some], jakarta_date(now), now)
        for account in some:
            row, expected = found[int(files.kpj(account))], _credited(account, rate)
            if not isinstance(row, BalanceRow) or row.credited != expected:
                raise SystemExit(f"card {files.kpj(account)}: {row}, expected {expected}")


if __name__ == "__main__":
    main()
