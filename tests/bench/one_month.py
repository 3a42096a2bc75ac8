"""One employer's month as a contender: reversed, released, supplemented whole, or brought in posts of twenty lines.

    python -m tests.bench.one_month release|posts DIRECTORY --lines N

runs an act inside one process and prints {"seconds": ...}; the others are commands.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from time import perf_counter
from typing import Any

from tests.bench import child, files, ours
from tests.bench.client import find
from tests.bench.rows import Measure
from tests.bench.world import Store, World

POST = 20


def _directory(world: World, lines: int) -> Path:
    return world.files(lines, lines, ours.MONTH)


def _posted(world: World, kind: str, lines: int) -> Store:
    directory = _directory(world, lines)

    def prepare(store: Store) -> None:
        ours.take_in(store, "contributions", directory / f"contributions-{ours.MONTH}.csv", lines)

    return world.prepared(f"one remittance of {lines} lines", kind, prepare, ours.registered(world, kind, lines, lines))


def reverse(kind: str, full: int) -> Callable[[World], Measure]:
    """The whole remittance taken back by one command."""

    def measure(world: World) -> Measure:
        lines = world.scaled(full)
        store = world.fresh(kind, _posted(world, kind, lines))
        finished = ours.jht(
            store, "reverse", "--npp", files.npp(0), "--month", ours.MONTH, "--reason", "wrong-amount", "--json"
        )
        if find(finished.json(), "posted") != lines:
            raise child.Failed(f"not every line was reversed: {finished.output[:300]}")
        world.drop(store)
        return Measure(lines / (finished.seconds - ours.start_up()), finished.memory)

    return measure


def supplement(kind: str, full: int) -> Callable[[World], Measure]:
    """As many supplements into the month that is there."""

    def measure(world: World) -> Measure:
        lines = world.scaled(full)
        store = world.fresh(kind, _posted(world, kind, lines))
        file = _directory(world, lines) / "supplements.csv"
        if not file.exists():
            with (
                (file.parent / f"contributions-{ours.MONTH}.csv").open(encoding="utf-8") as given,
                file.open("w", encoding="utf-8") as written,
            ):
                for number, row in enumerate(given):
                    written.write(row.rstrip("\n") + (",kind\n" if not number else ",supplement\n"))
        finished = ours.take_in(store, "contributions", file, lines)
        world.drop(store)
        return Measure(lines / find(finished.json(), "seconds"), finished.memory)

    return measure


def release(kind: str, full: int) -> Callable[[World], Measure]:
    """The whole remittance, which waited, posted after its workers were registered."""
    return _inside(kind, full, "release", registered=False)


def posts(kind: str, full: int) -> Callable[[World], Measure]:
    """The month in posts of twenty lines, one after the other."""
    return _inside(kind, full, "posts", registered=True)


def _inside(kind: str, full: int, what: str, *, registered: bool) -> Callable[[World], Measure]:
    def measure(world: World) -> Measure:
        lines = world.scaled(full)
        directory = _directory(world, lines)
        store = world.fresh(kind, ours.registered(world, kind, lines, lines) if registered else None)
        if not registered:
            ours.jht(store, "init")
            ours.take_in(store, "employers", directory / "employers.csv", lines)
            ours.jht(store, "ingest", "contributions", directory / f"contributions-{ours.MONTH}.csv")
        command = [sys.executable, "-m", "tests.bench.one_month", what, str(directory), "--lines", str(lines)]
        finished = child.run(command, store.env)
        world.drop(store)
        return Measure(lines / find(finished.json(), "seconds"), finished.memory)

    return measure


def _release(directory: Path, lines: int) -> float:
    from ledger.acts.release import release_all
    from ledger.clock import jakarta_date, read_now
    from ledger.ingestion import registrations
    from ledger.ingestion.readers.reading import Source, read
    from ledger.receipt import Header
    from ledger.settings import load
    from ledger.store.log import Log
    from ledger.store.vault import Vault

    log = Log.open(load())
    header, now = Header("bench", "bench"), read_now()
    table = read(Source.of((directory / "registrations.csv").read_bytes()), "registrations")
    registrations.ingest(log, Vault.open(log), table, header, jakarta_date(now), now)
    began = perf_counter()
    released = release_all(log, header, now)
    seconds = perf_counter() - began
    if released.lines != lines:
        raise SystemExit(f"{released.lines} of {lines} lines were released")
    return seconds


def _posts(directory: Path, lines: int) -> float:
    from ledger.clock import read_now
    from ledger.ingestion.door import Door
    from ledger.ingestion.readers.reading import Source
    from ledger.receipt import Header
    from ledger.settings import load
    from ledger.store.log import Log
    from ledger.store.vault import Vault

    log = Log.open(load())
    door = Door(log, Vault.open(log), read_now)
    bodies = list(_bodies(directory / f"contributions-{ours.MONTH}.csv"))
    began, taken = perf_counter(), 0
    for number, body in enumerate(bodies):
        header = Header("bench", "bench", f"post-{number}")
        taken += door.ingest("contributions", Source.of(body), header).totals["posted"]
    seconds = perf_counter() - began
    door.close()
    if taken != lines:
        raise SystemExit(f"{taken} of {lines} lines were posted")
    return seconds


def _bodies(file: Path) -> Iterator[bytes]:
    """The rows of a file as JSON arrays of POST lines."""
    with file.open(encoding="utf-8", newline="") as given:
        rows = csv.DictReader(given)
        while some := list(islice(rows, POST)):
            yield json.dumps([_row(row) for row in some]).encode()


def _row(row: dict[str, str]) -> dict[str, Any]:
    money = ("wage", "back_pay", "employer", "worker")
    return {name: int(text) if name in money else text for name, text in row.items() if text}


def main() -> None:
    """The command line of this module."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.one_month")
    parser.add_argument("what", choices=["release", "posts"])
    parser.add_argument("directory", type=Path)
    parser.add_argument("--lines", type=int, required=True)
    options = parser.parse_args()
    act = _release if options.what == "release" else _posts
    print(json.dumps({"seconds": act(options.directory, options.lines)}))


if __name__ == "__main__":
    main()
