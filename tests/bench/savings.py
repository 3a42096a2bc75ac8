"""What a declared year costs: balances before and after it, its effect told beforehand, a card's working, statements.

    python -m tests.bench.savings check RATE ACCOUNTS

holds every card's credited yield against the same worked out anew from what the generated files say, year by year and
without the product's code.

    python -m tests.bench.savings live ACCOUNTS

adds what the accounts were paid in the thirty years before YEARS, as events: no rule of those years is known, so no file
of them is taken.
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
OLD_MONTHS = tuple(f"{year}-{month:02d}" for year in range(YEARS[0] - 30, YEARS[0]) for month in range(1, 13))
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
        child.run([sys.executable, "-m", "tests.bench.savings", "check", RATE, str(accounts)], store.env)
        world.drop(store)
        extra = {**after.extra, "before": before.value, "of_before": after.value / before.value}
        return Measure(after.value, after.memory, extra)

    return measure


def plain(kind: str, full: int) -> Callable[[World], Measure]:
    """Balances without key and record, as the row `query` asks for them, where ten years are declared."""

    def measure(world: World) -> Measure:
        accounts = world.scaled(full)
        store = world.fresh(kind, _saved(world, kind, accounts, TEN_YEARS))
        _declare(store, YEARS[-1])
        ours.jht(store, "follow", "--once")
        with load.server(ours.PLAIN_APP, store.env) as running:
            told = ours.rate(load.wrk(running, accounts, world.seconds, key=""))
        world.drop(store)
        return told

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


def _lived(world: World, kind: str, accounts: int) -> Store:
    """A store whose accounts were paid into every month of forty years."""

    def prepare(store: Store) -> None:
        child.run([sys.executable, "-m", "tests.bench.savings", "live", str(accounts)], store.env)
        ours.jht(store, "follow", "--once")

    start = _saved(world, kind, accounts, EVERY_MONTH)
    return world.prepared(f"{accounts} x {len(OLD_MONTHS) + len(EVERY_MONTH)} lines", kind, prepare, start)


def working(kind: str, full: int, what: str, *, forty: bool = False) -> Callable[[World], Measure]:
    """Milliseconds, p99, of a question about cards with ten years, or `forty`, of monthly lines, by four clients."""

    def measure(world: World) -> Measure:
        accounts = world.scaled(full)
        store = _lived(world, kind, accounts) if forty else _saved(world, kind, accounts, EVERY_MONTH)
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


def check(rate: int, accounts: int) -> None:
    """Raises SystemExit for the first card whose yield is another one."""
    from ledger.clock import jakarta_date, read_now
    from ledger.settings import load as settings
    from ledger.store.log import Log
    from projections.generations import Store as ReadModels
    from projections.queries import Queries
    from projections.results import BalanceRow

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


def live(accounts: int) -> None:
    """Append the lines of OLD_MONTHS, a thousand accounts an event."""
    from ledger.clock import read_now
    from ledger.events import ContributionsPosted, Event, Lines, RuleIds
    from ledger.settings import load as settings
    from ledger.store.log import Log

    log = Log.open(settings())
    for month in OLD_MONTHS:
        events = []
        for start in range(0, accounts, 1_000):
            some = range(start, min(start + 1_000, accounts))
            wages = [files.wage(account) for account in some]
            employer, worker = zip(*map(files.shares, wages), strict=True)
            lines = Lines.made(
                kpj=list(map(files.kpj, some)), wage=wages, employer=list(employer), worker=list(worker)
            )  # fmt: skip
            fact = ContributionsPosted(
                month=month, paid_on=files.paid_on(month), reference=f"B{month}", rules=RuleIds("bench"), lines=lines
            )
            stream = f"remittance-e:{files.npp(start // 1_000)}:{month}"
            events.append(Event(stream=stream, version=1, fact=fact, by="bench", channel="bench"))
        log.append(events, read_now())


def main() -> None:
    what, *given = sys.argv[1:]
    if what == "live":
        live(int(given[0]))
    else:
        check(round(float(given[0]) * 10_000), int(given[1]))


if __name__ == "__main__":
    main()
