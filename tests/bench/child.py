"""One measured child process: wall time from outside, CPU time, peak memory.

Linux carries the parent's peak memory into a child that it forks, so this process stays small: it imports
neither polars nor numpy nor the ledger. Memory is the larger of the greatest single process (`wait4`) and the
greatest sum over the child and its children (proportional set size, looked at four times a second).
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[2]


class Failed(Exception):
    """A measurement that did not work; the sentence goes into the table."""


class Finished(NamedTuple):
    """What a child took and printed; memory in bytes."""

    seconds: float
    memory: int
    output: str

    def json(self) -> Any:
        """The last line (or else all) of the output, which must be JSON."""
        for text in (self.output.strip().rpartition("\n")[2], self.output):
            try:
                return json.loads(text)
            except ValueError:
                continue
        raise Failed(f"no JSON in: {self.output.strip()[-200:]!r}")


def descendants(process: int) -> list[int]:
    """The process and all its living children."""
    found = [process]
    for parent in found:
        for task in Path(f"/proc/{parent}/task").glob("*/children"):
            try:
                found += map(int, task.read_text().split())
            except OSError:
                continue
    return found


def memory_of(processes: Iterable[int]) -> int:
    """The sum of the proportional set sizes, in bytes."""
    total = 0
    for process in processes:
        try:
            lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        total += sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))
    return total


def cpu_seconds(process: int) -> float:
    """User and system time of a living process so far."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def cpu_of_all(process: int) -> float:
    """The same of a process and its living children."""
    return sum(cpu_seconds(one) for one in descendants(process))


def run(command: Sequence[str], env: dict[str, str] | None = None, timeout: float = 7200) -> Finished:
    """Runs a command from the project's root to its end. Raises Failed on an error or a timeout."""
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        began = time.perf_counter()
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env=clean_environment() | (env or {}),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=errors,
        )
        ended = threading.Event()
        greatest = 0

        def watch() -> None:
            nonlocal greatest
            while not ended.wait(0.25):
                greatest = max(greatest, memory_of(descendants(process.pid)))

        watcher = threading.Thread(target=watch)
        watcher.start()
        alarm = threading.Timer(timeout, process.kill)
        alarm.start()
        try:
            _, status, usage = os.wait4(process.pid, 0)
            seconds = time.perf_counter() - began
        finally:
            alarm.cancel()
            ended.set()
            watcher.join()
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        errors.seek(0)
        said = errors.read().decode(errors="replace").strip()
        if process.returncode:
            lines = (said or output.read().decode(errors="replace").strip() or "nothing said").splitlines()
            raise Failed(f"exit {process.returncode}: {' '.join(lines[-2:])[-300:]}")
        return Finished(seconds, max(usage.ru_maxrss * 1024, greatest), output.read().decode())


def clean_environment() -> dict[str, str]:
    """The environment without settings of the ledger or of the library."""
    return {name: value for name, value in os.environ.items() if not name.startswith(("JHT_", "POSTGRES_"))}
