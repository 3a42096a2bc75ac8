"""The command `jht` as a process of its own, on the store a test's settings name."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import SecretStr

from ledger.settings import PREFIX, Settings
from tests.system.forks import ROOT, Forked


class Done(NamedTuple):
    """What a command left: its exit code and what it printed."""

    code: int
    stdout: str
    stderr: str

    @property
    def json(self) -> Any:
        """What it printed, as JSON."""
        return json.loads(self.stdout)


def environment(settings: Settings) -> dict[str, str]:
    """The environment in which `jht` finds the test's ledger."""
    assert settings.master_key is not None
    clean = {name: value for name, value in os.environ.items() if not name.startswith("JHT_")}
    given = {f"{PREFIX}{name.upper()}": getattr(settings, name) for name in sorted(settings.model_fields_set)}
    return clean | {
        **{
            name: value.get_secret_value() if isinstance(value, SecretStr) else str(value)
            for name, value in given.items()
        },
        "PYTHONPATH": str(ROOT),
        "COLUMNS": "160",
    }


def command(*arguments: object) -> list[str]:
    """A real start of the command."""
    return [sys.executable, "-m", "api.cli", *map(str, arguments)]


class Running:
    """A `jht` that runs meanwhile; its output is in files."""

    def __init__(
        self,
        surroundings: Mapping[str, str],
        *arguments: object,
        stdin: bytes = b"",
        directory: Path = ROOT,
        smaller: Mapping[str, int] | None = None,
    ) -> None:
        self._files = tempfile.TemporaryDirectory(prefix="jht-run-")
        self.places = {name: Path(self._files.name, name) for name in ("stdin", "stdout", "stderr")}
        self.places["stdin"].write_bytes(stdin)
        self.process = Forked(
            {
                "arguments": [str(one) for one in arguments],
                "environment": dict(surroundings),
                "directory": str(directory),
                "smaller": dict(smaller or {}),
                **{name: str(path) for name, path in self.places.items()},
            }
        )

    def told(self) -> str:
        """What it has printed so far, on both outputs."""
        return "".join(self.places[name].read_text() for name in ("stdout", "stderr") if self.places[name].exists())

    def done(self, seconds: float = 120) -> Done:
        """Wait for its end."""
        try:
            code = self.process.wait(seconds)
            return Done(code, self.places["stdout"].read_text(), self.places["stderr"].read_text())
        finally:
            self._files.cleanup()

    def stop(self) -> Done:
        """Ask it to end, as a service manager does."""
        if not self.process.ended():
            os.kill(self.process.pid, signal.SIGTERM)
        return self.done(30)

    def kill(self) -> None:
        """kill -9."""
        self.process.kill()
        self._files.cleanup()


def run(surroundings: Mapping[str, str], *arguments: object, **how: Any) -> Done:
    """Run a command to its end, whatever becomes of it."""
    return Running(surroundings, *arguments, **how).done()


def jht(settings: Settings, *arguments: object, code: int = 0, **how: Any) -> Done:
    """Run a command to its end; its exit code must be `code`."""
    done = run(environment(settings), *arguments, **how)
    assert done.code == code, f"jht {arguments}: {done.code}\n{done.stdout}\n{done.stderr}"
    return done


def receipt(settings: Settings, *arguments: object, code: int = 0) -> dict[str, int]:
    """The totals of an ingestion."""
    totals: dict[str, int] = jht(settings, "ingest", *arguments, "--json", code=code).json["totals"]
    return totals


@contextmanager
def started(settings: Settings, *arguments: object) -> Iterator[Running]:
    """A command that runs meanwhile; killed at the end if it still does."""
    running = Running(environment(settings), *arguments)
    try:
        yield running
    finally:
        running.kill()


def killed_after(settings: Settings, seconds: float, *arguments: object) -> bool:
    """Start a command and kill -9 it after a while; False when it had ended before."""
    with started(settings, *arguments) as running:
        time.sleep(seconds)
        if running.process.ended():
            return False
        return running.process.kill() == -signal.SIGKILL


def killed_when(settings: Settings, reached: Callable[[], bool], *arguments: object, **how: Any) -> bool:
    """Start a command and kill -9 it once something is so; False when it had ended before."""
    running = Running(environment(settings), *arguments, **how)
    try:
        while not reached() and not running.process.ended():
            time.sleep(0.001)
        return not running.process.ended() and running.process.kill() == -signal.SIGKILL
    finally:
        running.kill()


def really_started(settings: Settings, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run a command from a fresh Python, as a shell does."""
    return subprocess.run(
        command(*arguments), env=environment(settings), capture_output=True, text=True, timeout=120, check=False
    )
