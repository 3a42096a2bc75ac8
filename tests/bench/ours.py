"""The ledger as a contender: its public commands and its HTTP API, on either store."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from tests.bench import child, files, load
from tests.bench.client import find
from tests.bench.rows import Measure
from tests.bench.world import Store, World

MONTH = "2026-10"
POSTED_MONTHS = ("2022-10", "2023-10", "2024-10", "2025-10", "2026-10")
MANY_MONTHS = tuple(f"{year}-{month:02d}" for year in range(2024, 2027) for month in range(5, 10)) + POSTED_MONTHS
"""The last five are POSTED_MONTHS: a store that has those is the start."""
SCOPES = ("read", "register", "post")
APP = "api.app:app"
PLAIN_APP = "tests.bench.plain_read:app"
MEMBERS = 1_000


def jht(store: Store, *arguments: str | Path) -> child.Finished:
    """Runs a command of the ledger."""
    return child.run([*load.jht(), *map(str, arguments)], store.env)


def take_in(store: Store, kind: str, file: Path, lines: int) -> child.Finished:
    """Ingests a file. Raises Failed when the receipt does not say that every line was posted."""
    # The oldest months are paid longer ago than the rule allows by itself.
    old = ["--backdate"] if kind == "contributions" else []
    finished = jht(store, "ingest", kind, file, *old, "--json")
    if kind == "contributions" and find(finished.json(), "posted") != lines:
        raise child.Failed(f"the receipt does not say posted = {lines}: {finished.output[:300]}")
    return finished


def registered(world: World, kind: str, lines: int, lines_an_employer: int) -> Store:
    """A store with the accounts of the generated input; do not change it."""
    directory = world.files(lines, lines_an_employer, *input_months(lines_an_employer))

    def prepare(store: Store) -> None:
        jht(store, "init")
        take_in(store, "employers", directory / "employers.csv", lines)
        take_in(store, "registrations", directory / "registrations.csv", lines)

    return world.prepared(f"{lines} accounts, {lines_an_employer} an employer", kind, prepare)


def input_months(lines_an_employer: int) -> tuple[str, ...]:
    """The months that are generated for a shape of input."""
    return POSTED_MONTHS if lines_an_employer == 1_000 else (MONTH,)


def posted(world: World, kind: str, accounts: int, months: tuple[str, ...] = POSTED_MONTHS) -> Store:
    """A store with a line for each account and month; do not change it."""
    directory = world.files(accounts, 1_000, *months)

    def prepare(store: Store) -> None:
        for month in months if months == POSTED_MONTHS else months[: -len(POSTED_MONTHS)]:
            take_in(store, "contributions", directory / f"contributions-{month}.csv", accounts)

    start = registered(world, kind, accounts, 1_000) if months == POSTED_MONTHS else posted(world, kind, accounts)
    return world.prepared(f"{accounts} x {len(months)} lines", kind, prepare, start)


def rebuilt(world: World, kind: str, accounts: int, months: tuple[str, ...] = POSTED_MONTHS) -> Store:
    """The store of `posted` with all its projections."""

    def prepare(store: Store) -> None:
        jht(store, "rebuild")

    start = posted(world, kind, accounts, months)
    return world.prepared(f"{accounts} x {len(months)} lines, projected", kind, prepare, start)


def api_key(store: Store) -> str:
    """A key with SCOPES."""
    return str(find(jht(store, "keys", "create", "bench", *SCOPES, "--json").json(), "key"))


def ingest(kind: str, full: int, lines_an_employer: int) -> Callable[[World], Measure]:
    """One contributions file into a store that knows the accounts."""

    def measure(world: World) -> Measure:
        lines = world.scaled(full)
        shape = min(lines_an_employer, lines)
        store = world.fresh(kind, registered(world, kind, lines, shape))
        directory = world.files(lines, shape, *input_months(shape))
        finished = take_in(store, "contributions", directory / f"contributions-{MONTH}.csv", lines)
        world.drop(store)
        return Measure(lines / find(finished.json(), "seconds"), finished.memory)

    return measure


def register(kind: str, full: int) -> Callable[[World], Measure]:
    """Registrations into an empty store."""

    def measure(world: World) -> Measure:
        lines = world.scaled(full)
        directory = world.files(lines, 1_000, *POSTED_MONTHS)
        store = world.fresh(kind)
        jht(store, "init")
        take_in(store, "employers", directory / "employers.csv", lines)
        finished = take_in(store, "registrations", directory / "registrations.csv", lines)
        world.drop(store)
        return Measure(lines / find(finished.json(), "seconds"), finished.memory)

    return measure


def rebuild(kind: str, full: int, *names: str, months: tuple[str, ...] = POSTED_MONTHS) -> Callable[[World], Measure]:
    """Projections from zero, compared with those that are served, and served; `full` is the number of posted lines.

    Without names everything is made again, the account index too; then the start of the command is timed as well.
    """

    def measure(world: World) -> Measure:
        accounts = world.scaled(full // len(months))
        store = world.fresh(kind, rebuilt(world, kind, accounts, months))
        finished = jht(store, "rebuild", *names, "--json")
        world.drop(store)
        told = finished.json()
        if not all(one["compared"] and one["switched"] for one in told["projections"]):
            raise child.Failed(f"nothing to compare with, or not switched: {finished.output[-300:]}")
        if told["lines"] != accounts * len(months):
            raise child.Failed(f"folded {told['lines']} lines")
        return Measure(told["lines"] / (told["seconds"] if names else finished.seconds), finished.memory)

    return measure


def query(kind: str, *, checked: bool) -> Callable[[World], Measure]:
    """Balance queries; `checked`: with the key and the record of the read, as every real request."""

    def measure(world: World) -> Measure:
        accounts = world.scaled(1_000_000)
        store = rebuilt(world, kind, accounts)
        key = api_key(store) if checked else ""
        with load.server(APP if checked else PLAIN_APP, store.env) as running:
            return rate(load.wrk(running, accounts, world.seconds, key=key))

    return measure


def past(kind: str, full: int) -> Callable[[World], Measure]:
    """Milliseconds, p99, of balances with `known_at`, by a few clients: of the day and place in the log where half of the
    contributions had been recorded."""

    def measure(world: World) -> Measure:
        accounts = world.scaled(full // len(POSTED_MONTHS))
        store = rebuilt(world, kind, accounts)
        here = str(find(jht(store, "balance", files.kpj(0), "--json").json(), "position"))
        log_id, _, head = here.partition("-")
        # A thousand lines an event, and they stand last.
        place = f"{log_id}-{int(head) - accounts * len(POSTED_MONTHS) // 2_000}"
        key = api_key(store)
        with load.server(APP, store.env) as running:
            told = rate(load.wrk(running, accounts, world.seconds, key=key, suffix=f"?known_at={place}", connections=4))
        return Measure(told.extra["p99_ms"], told.memory, {"p50_ms": told.extra["p50_ms"], "requests/s": told.value})

    return measure


def with_members(world: World, kind: str, accounts: int) -> Store:
    """The store of `rebuilt` where some of the accounts' holders are members."""

    def prepare(store: Store) -> None:
        child.run([sys.executable, "-m", "tests.bench.members", "register", str(min(MEMBERS, accounts))], store.env)
        jht(store, "follow", "--once")

    return world.prepared(f"{accounts * 5} lines, members", kind, prepare, rebuilt(world, kind, accounts))


def logged_in(world: World, kind: str, accounts: int) -> tuple[Store, Path, str]:
    """The store of `with_members`, a file of good access tokens with handles, and the key they are signed with."""
    store = with_members(world, kind, accounts)
    file = world.directory / f"tokens-{kind}"
    told = child.run([sys.executable, "-m", "tests.bench.members", "login", str(file)], store.env).json()
    return store, file, str(told["key"])


def mobile(kind: str) -> Callable[[World], Measure]:
    """Balances that members ask for with the app: token, log-in still standing, own card, record of the read."""

    def measure(world: World) -> Measure:
        store, file, _ = logged_in(world, kind, world.scaled(1_000_000))
        with load.server(APP, store.env) as running:
            return rate(load.members(running, file, world.seconds))

    return measure


def rate(told: dict[str, float]) -> Measure:
    """A measure out of what wrk told."""
    return Measure(told["rate"], int(told["memory"]), {name: told[name] for name in ("p50_ms", "p99_ms", "cpu_us")})


def client(world: World, store: Store, key: str, what: str, *arguments: str) -> Measure:
    """Runs the HTTP client against a server over this store; the value is lines a second."""
    with load.server(APP, store.env, core=None) as running:
        measured = asked(running, what, *arguments, key=key)
    world.drop(store)
    return measured


def asked(running: load.Server, what: str, *arguments: str, key: str = "") -> Measure:
    """Runs the HTTP client against a running server."""
    command = [sys.executable, "-m", "tests.bench.client", what, running.url, "--month", MONTH, *arguments]
    told = child.run(command, {"BENCH_KEY": key}).json()
    memory = child.memory_of(child.descendants(running.process))
    return Measure(told["units"] / told["seconds"], memory, {name: told[name] for name in ("p50_ms", "p99_ms")})


def worker_reads(kind: str, workers: int) -> Callable[[World], Measure]:
    """Balances with key and record from `jht serve` with so many workers, on all cores."""

    def measure(world: World) -> Measure:
        accounts = world.scaled(1_000_000)
        store = rebuilt(world, kind, accounts)
        key = api_key(store)
        with load.served(workers, store.env) as running:
            return rate(load.wrk(running, accounts, world.seconds, key=key))

    return measure


def worker_writes(kind: str, workers: int, full: int) -> Callable[[World], Measure]:
    """Remittances of 20 lines by 16 clients to `jht serve` with so many workers."""

    def measure(world: World) -> Measure:
        lines = world.scaled(full)
        store = world.fresh(kind, registered(world, kind, lines, 20))
        jht(store, "rebuild")
        key = api_key(store)
        with load.served(workers, store.env) as running:
            measured = asked(running, "remittances", "--count", str(lines // 20), key=key)
        world.drop(store)
        return measured

    return measure


def small_remittances(kind: str, full: int) -> Callable[[World], Measure]:
    """Remittances of 20 lines by 16 clients over HTTP."""

    def measure(world: World) -> Measure:
        lines = world.scaled(full)
        store = world.fresh(kind, registered(world, kind, lines, 20))
        jht(store, "rebuild")  # else the follower of the server would read all registrations meanwhile
        return client(world, store, api_key(store), "remittances", "--count", str(lines // 20))

    return measure


def follow(kind: str, full: int, a_second: int) -> Callable[[World], Measure]:
    """Milliseconds, p99, from a receipt to the balance that shows it, at a steady stream of lines."""

    def measure(world: World) -> Measure:
        lines = world.scaled(full)
        accounts = max(lines, 20_000)
        store = world.fresh(kind, registered(world, kind, accounts, 1_000))
        jht(store, "rebuild")
        size = ("--count", str(accounts // 1_000), "--lines", "1000", "--rate", str(a_second))
        told = client(world, store, api_key(store), "follow", *size)
        extra = {"p50_ms": told.extra["p50_ms"], "lines/s": told.value}
        return Measure(told.extra["p99_ms"], told.memory, extra)

    return measure


def start_up() -> float:
    """Seconds that the command takes to say its help: contained in every figure of a command."""
    return min(child.run([*load.jht(), "--help"]).seconds for _ in range(3))
