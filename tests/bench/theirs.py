"""The peers as contenders: plain SQL, the library's own way, the bare endpoint."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.bench import child, load
from tests.bench.ours import MONTH, POSTED_MONTHS, asked, input_months, logged_in, rate
from tests.bench.rows import Measure
from tests.bench.world import Store, World

ENDPOINT = "tests.bench.peers.endpoint:app"


def plain_sql(*arguments: str | Path) -> tuple[dict[str, Any], int]:
    """Runs the plain SQL peer: (what it told, memory)."""
    finished = child.run([sys.executable, "-m", "tests.bench.peers.plain_sql", *map(str, arguments)])
    return finished.json(), finished.memory


def sql_registered(world: World, lines: int, shape: int) -> Store:
    """The plain SQL peer's database with the accounts; do not change it."""
    directory = world.files(lines, shape, *input_months(shape))

    def prepare(store: Store) -> None:
        plain_sql("register", store.url, directory)

    return world.prepared(f"plain SQL, {lines} accounts, {shape} an employer", "postgres", prepare)


def sql_posted(world: World, accounts: int, months: tuple[str, ...] = POSTED_MONTHS) -> Store:
    """The same with a contribution for each account and month."""
    directory = world.files(accounts, 1_000, *months)

    def prepare(store: Store) -> None:
        for month in months if months == POSTED_MONTHS else months[: -len(POSTED_MONTHS)]:
            plain_sql("ingest-with-balances", store.url, directory / f"contributions-{month}.csv")

    start = sql_registered(world, accounts, 1_000) if months == POSTED_MONTHS else sql_posted(world, accounts)
    return world.prepared(f"plain SQL, {accounts} x {len(months)} lines", "postgres", prepare, start)


def a_second(told: dict[str, Any], memory: int) -> Measure:
    """Units a second."""
    return Measure(told["units"] / told["seconds"], memory)


def sql_register(full: int) -> Callable[[World], Measure]:
    """Accounts with personal data in clear."""

    def measure(world: World) -> Measure:
        directory = world.files(world.scaled(full), 1_000, *POSTED_MONTHS)
        store = world.fresh("postgres")
        told = plain_sql("register", store.url, directory)
        world.drop(store)
        return a_second(*told)

    return measure


def sql_ingest(full: int, lines_an_employer: int, *, balances: bool) -> Callable[[World], Measure]:
    """One contributions file, with or without the upsert of balances."""

    def measure(world: World) -> Measure:
        lines = world.scaled(full)
        shape = min(lines_an_employer, lines)
        store = world.fresh("postgres", sql_registered(world, lines, shape))
        file = world.files(lines, shape, *input_months(shape)) / f"contributions-{MONTH}.csv"
        told, memory = plain_sql("ingest-with-balances" if balances else "ingest", store.url, file)
        world.drop(store)
        if told["units"] != lines:
            raise child.Failed(f"posted {told['units']} of {lines}")
        return a_second(told, memory)

    return measure


def sql_rebuild(
    full: int, *names: str, best: bool = False, months: tuple[str, ...] = POSTED_MONTHS
) -> Callable[[World], Measure]:
    """GROUP BY into a keyed table, and the statement's rows with their index; `best`: in the quickest way known."""

    def measure(world: World) -> Measure:
        store = sql_posted(world, world.scaled(full // len(months)), months)
        return a_second(*plain_sql("rebuild-best" if best else "rebuild", store.url, ",".join(names)))

    return measure


def sql_small(full: int) -> Callable[[World], Measure]:
    """Remittances of 20 lines by 16 connections, no HTTP between."""

    def measure(world: World) -> Measure:
        lines = world.scaled(full)
        store = world.fresh("postgres", sql_registered(world, lines, 20))
        told = plain_sql("small", store.url, "--month", MONTH, "--count", str(lines // 20))
        world.drop(store)
        return a_second(*told)

    return measure


def sql_http(full: int) -> Callable[[World], Measure]:
    """The same through a FastAPI endpoint with a pool, a transaction a request."""

    def measure(world: World) -> Measure:
        lines = world.scaled(full)
        store = world.fresh("postgres", sql_registered(world, lines, 20))
        with load.server(ENDPOINT, {"BENCH_PLAIN_SQL": store.url}, core=None) as running:
            measured = asked(running, "remittances", "--count", str(lines // 20), "--prefix", "/plain-sql")
        world.drop(store)
        return measured

    return measure


def bare_query(world: World) -> Measure:
    """`async def -> Model` without a store."""
    with load.server(ENDPOINT, {}) as running:
        return rate(load.wrk(running, world.scaled(1_000_000), world.seconds))


def bare_mobile(world: World) -> Measure:
    """The same behind the verification of the members' JWT."""
    _, file, key = logged_in(world, "sqlite", world.scaled(1_000_000))
    with load.server(ENDPOINT, {"BENCH_JWT_KEY": key}) as running:
        return rate(load.members(running, file, world.seconds))


def sql_query(world: World) -> Measure:
    """The balance by primary key through a psycopg pool."""
    accounts = world.scaled(1_000_000)
    with load.server(ENDPOINT, {"BENCH_PLAIN_SQL": sql_posted(world, accounts).url}) as running:
        return rate(load.wrk(running, accounts, world.seconds, prefix="/plain-sql"))


def library(what: str, full: int) -> Callable[[World], Measure]:
    """The library's own way, on fewer lines: its rate does not depend on their number."""

    def measure(world: World) -> Measure:
        limit = world.scaled(full)
        directory = world.files(limit, 1_000, *POSTED_MONTHS)
        store = world.fresh("postgres")
        command = [sys.executable, "-m", "tests.bench.peers.library", what, store.url, str(directory)]
        finished = child.run([*command, "--limit", str(limit), "--month", MONTH])
        world.drop(store)
        told = finished.json()
        if what == "follow":
            return Measure(told["p99_ms"], finished.memory, {"p50_ms": told["p50_ms"], "lines/s": 300})
        return a_second(told, finished.memory)

    return measure
