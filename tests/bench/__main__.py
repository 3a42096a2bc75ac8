"""The command line: rounds over the chosen rows, then one table in Markdown."""

from __future__ import annotations

import argparse
import os
import platform
import signal
import sys
from datetime import date
from pathlib import Path
from statistics import median

from tests.bench import ours
from tests.bench.child import Failed
from tests.bench.rows import Contender, Measure, Row, rows
from tests.bench.world import World

Results = dict[tuple[str, str], list[Measure]]


def say(text: str) -> None:
    """Progress, beside the table."""
    print(text, file=sys.stderr, flush=True)


def figure(value: float) -> str:
    """Four digits at most are meant."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def compared(row: Row, contender: Contender, results: Results) -> str:
    """Our median over each peer's: `3.4 x plain SQL`."""
    if not contender.ours:
        return ""
    told = []
    mine = results[row.name, contender.name]
    for peer in (other for other in row.contenders if not other.ours):
        theirs = results.get((row.name, peer.name))
        if not theirs:
            continue
        text = f"{median(m.value for m in mine) / median(m.value for m in theirs):.3g} x {peer.name}"
        if "p99_ms" in mine[0].extra and "p99_ms" in theirs[0].extra:
            tail = median(m.extra["p99_ms"] for m in mine) / median(m.extra["p99_ms"] for m in theirs)
            text += f" (p99 {tail:.2g} x)"
        told.append(text)
    return ", ".join(told)


def line(row: Row, contender: Contender, results: Results, failures: dict[tuple[str, str], str]) -> list[str]:
    """The cells of one contender."""
    name = contender.name if not contender.ours else f"**JHT, {contender.name}**"
    measures = results.get((row.name, contender.name), [])
    if not measures:
        return [
            row.title,
            name,
            "failed",
            "",
            "",
            "",
            failures.get((row.name, contender.name), ""),
            contender.goal,
        ]
    values = [measure.value for measure in measures]
    best = min(values) if row.unit in {"ms", "MB"} else max(values)
    extra = ", ".join(
        f"{key.replace('_', ' ')} {figure(median(m.extra[key] for m in measures))}" for key in measures[0].extra
    )
    memory = max(measure.memory for measure in measures)
    return [
        row.title, name, f"{figure(median(values))} {row.unit}", figure(best), f"{memory / 1e6:,.0f} MB",
        extra, compared(row, contender, results), contender.goal,
    ]  # fmt: skip


def machine(world: World) -> str:
    """What the figures were taken on."""
    try:
        told = Path("/proc/cpuinfo").read_text().splitlines()
        model = next(row.partition(":")[2].strip() for row in told if row.startswith("model name"))
    except (OSError, StopIteration):
        model = platform.machine()
    gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"{date.today().isoformat()}, {os.cpu_count()} cores {model}, {gib:.0f} GiB, {platform.system()}, "
        f"Python {platform.python_version()}, PostgreSQL {world.postgres.version} with default settings "
        f"(fsync {world.postgres.fsync}, its memory is not counted), load {os.getloadavg()[0]:.1f} at the end"
    )


def table(cells: list[list[str]]) -> str:
    """Cells as Markdown, columns aligned."""
    header = ["row", "who", "median", "best", "memory", "beside it", "compared", "goal"]
    shown = [[cell.replace("|", "/").replace("\n", " ") for cell in row] for row in [header, *cells]]
    widths = [max(len(row[column]) for row in shown) for column in range(len(header))]
    written = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in shown
    ]
    written.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(written)


def main() -> int:
    """Measures and prints; 1 when a contender failed."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench",
        description="Every row of the table beside its peers. Full scale takes an hour or more and 30 GB.",
    )
    parser.add_argument("--only", default="", help="rows by name, comma-separated; `ingest` is all of ingest-...")
    parser.add_argument("--who", default="", help="only contenders whose name holds this text")
    parser.add_argument("--scale", type=float, default=1.0, help="of the number of lines")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--list", action="store_true", help="name the rows and stop")
    options = parser.parse_args()
    wanted = [word.strip() for word in options.only.split(",") if word.strip()]
    chosen = [row for row in rows() if not wanted or any(f"{row.name}-".startswith(f"{word}-") for word in wanted)]
    if options.list or not chosen:
        print("\n".join(f"{row.name:18} {row.title}" for row in rows()))
        return 0 if options.list else 2
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the server is stopped and the files go
    results: Results = {}
    failures: dict[tuple[str, str], str] = {}
    with World(options.scale, say=say) as world:
        for number in range(1, options.rounds + 1):
            for row in chosen:
                for contender in row.contenders:
                    key = row.name, contender.name
                    if key in failures or options.who not in contender.name:
                        continue
                    where = f"round {number}  {row.name:16} {contender.name:34}"
                    try:
                        measured = contender.measure(world)
                    except Failed as failure:
                        failures[key] = str(failure)
                        say(f"{where} failed: {failure}")
                        continue
                    results.setdefault(key, []).append(measured)
                    say(f"{where} {figure(measured.value):>12} {row.unit}")
        cells = [
            line(row, contender, results, failures)
            for row in chosen
            for contender in row.contenders
            if options.who in contender.name
        ]
        print(table(cells))
        print(f"\n{machine(world)}; scale {options.scale:g}, {options.rounds} rounds.")
    try:
        print(
            "Our ingestions and rebuilds are timed from opening the input to the last commit, as the peers are;\n"
            f"starting a command takes {ours.start_up():.2f} s more."
        )
    except Failed as failure:
        say(f"jht --help failed: {failure}")
    return 1 if failures else 0


if __name__ == "__main__":
    raise SystemExit(main())
