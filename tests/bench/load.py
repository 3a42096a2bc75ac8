"""Balance queries: a server on core 0, wrk with 32 connections on core 1, both on this machine."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from os import cpu_count
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode

from tests.bench import child, files
from tests.bench.world import free_port

ACCOUNTS = """
local first, count = {first}, {count}
wrk.headers["Authorization"] = "Bearer {key}"
math.randomseed(1)
request = function()
  local kpj = string.format("%011.0f", first + math.random(0, count - 1))
  return wrk.format("GET", "{prefix}/v1/accounts/" .. kpj .. "/{what}{suffix}")
end
"""
MEMBERS = """
local asked = {{}}
function init()
  for line in io.lines("{file}") do
    local token, handle = line:match("(%S+) (%S+)")
    wrk.headers["Authorization"] = "Bearer " .. token
    asked[#asked + 1] = wrk.format("GET", "/v1/mobile/cards/" .. handle .. "/balance")
  end
end
math.randomseed(1)
request = function() return asked[math.random(1, #asked)] end
"""
VISITS = """
local asked, at = {{}}, 0
function init()
  for token in io.lines("{file}") do
    wrk.headers["Cookie"] = "jht=" .. token
    asked[#asked + 1] = wrk.format("GET", "/saldo")
    if #asked == {most} then break end
  end
end
request = function()
  at = at % #asked + 1
  return asked[at]
end
"""
LOGINS = """
local asked, at = {{}}, 0
function init()
  wrk.headers["Cookie"] = "{cookie}"
  wrk.headers["Content-Type"] = "application/x-www-form-urlencoded"
  for form in io.lines("{file}") do asked[#asked + 1] = wrk.format("POST", "/masuk", nil, form) end
end
request = function()
  at = at % #asked + 1
  return asked[at]
end
delay = function() return {wait} end
"""
DONE = """
done = function(summary, latency, requests)
  io.write(string.format('\\n{"requests":%d,"bytes":%d,"microseconds":%d,"p50":%d,"p99":%d,"not_ok":%d,"broken":%d}\\n',
    summary.requests, summary.bytes, summary.duration, latency:percentile(50), latency:percentile(99), summary.errors.status,
    summary.errors.connect + summary.errors.read + summary.errors.write + summary.errors.timeout))
end
"""


SMALLEST_PAGE = 10_000
"""Bytes of a balance page at least; the way to the login is a few hundred."""
BROWSERS = 8
THINKS_MS = 200
"""What a browser waits between two logins: with eight of them some thirty a second come, not as many as can."""


class Server(NamedTuple):
    """A running server: its URL and process."""

    url: str
    process: int


def pinned(core: int | None, command: Sequence[str]) -> list[str]:
    """The command on one core, where there are two and taskset exists."""
    if core is None or (cpu_count() or 1) < 2 or not shutil.which("taskset"):
        return list(command)
    return ["taskset", "-c", str(core), *command]


@contextmanager
def server(app: str, env: dict[str, str], *, core: int | None = 0) -> Iterator[Server]:
    """One uvicorn worker with httptools, answering when this begins and stopped when it ends.

    `core` None leaves it all cores: a writer has threads beside its event loop.
    """
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", app, "--port", str(port), "--loop", "asyncio", "--http", "httptools"]
    command += ["--no-access-log", "--log-level", "warning"]
    with _started(app, pinned(core, command), env, port) as running:
        yield running


@contextmanager
def served(workers: int, env: dict[str, str]) -> Iterator[Server]:
    """`jht serve` with so many workers, on all cores."""
    port = free_port()
    command = [*jht(), "serve", "--port", str(port), "--workers", str(workers)]
    with _started("jht serve", command, env, port) as running:
        until = time.monotonic() + 60
        # The first worker answers before the others are there.
        while workers > 1 and len(child.descendants(running.process)) <= workers:
            if time.monotonic() > until:
                raise child.Failed("the workers did not start")
            time.sleep(0.05)
        time.sleep(workers)
        yield running


@contextmanager
def _started(app: str, command: Sequence[str], env: dict[str, str], port: int) -> Iterator[Server]:
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            command, cwd=child.ROOT, env=child.clean_environment() | env,
            stdin=subprocess.DEVNULL, stdout=said, stderr=said,
        )  # fmt: skip
        try:
            until = time.monotonic() + 60
            while not _answers(f"http://127.0.0.1:{port}/livez"):
                if process.poll() is not None or time.monotonic() > until:
                    said.seek(0)
                    lines = said.read().decode(errors="replace").strip().splitlines() or ["nothing said"]
                    raise child.Failed(f"{app} did not start: {lines[-1][-300:]}")
                time.sleep(0.05)
            yield Server(f"http://127.0.0.1:{port}", process.pid)
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2):
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False


def wrk(
    running: Server, accounts: int, seconds: float, *, key: str = "", prefix: str = "", suffix: str = "",
    connections: int = 32, what: str = "balance",
) -> dict[str, Any]:  # fmt: skip
    """Balances, or `what`, of random accounts with an API key; see `loaded`."""
    asking = ACCOUNTS.format(first=files.FIRST_CARD, count=accounts, key=key, prefix=prefix, suffix=suffix, what=what)
    return loaded(running, asking, seconds, connections=connections)


def members(running: Server, file: Path, seconds: float) -> dict[str, Any]:
    """Balances of the members that `members` wrote into a file, each with the own token; see `loaded`."""
    return loaded(running, MEMBERS.format(file=file), seconds)


def visits(running: Server, file: Path, seconds: float, most: int) -> dict[str, Any]:
    """Balance pages of the first `most` sessions in a file, one after the other; see `loaded`.

    Raises Failed when the answers are too small for a balance page.
    """
    told = loaded(running, VISITS.format(file=file, most=most), seconds)
    if told["bytes"] < SMALLEST_PAGE:
        raise child.Failed(f"pages of {told['bytes']:.0f} bytes: these are not balances")
    return told


def logins(running: Server, accounts: int, seconds: float) -> dict[str, Any]:
    """Logins of members on the website, one after the other by a few browsers at once; see `loaded`."""
    with urllib.request.urlopen(f"{running.url}/masuk") as page:
        cookie = page.headers["Set-Cookie"].partition(";")[0]
        csrf = page.read().decode().partition('name="csrf" value="')[2].partition('"')[0]
    with tempfile.NamedTemporaryFile("w", suffix=".forms") as forms:
        for account in range(accounts):
            fields = {"csrf": csrf, "identifier": files.email(account), "password": files.PASSWORD}
            forms.write(urlencode(fields) + "\n")
        forms.flush()
        return loaded(
            running, LOGINS.format(cookie=cookie, file=forms.name, wait=THINKS_MS), seconds, connections=BROWSERS
        )


def loaded(running: Server, asking: str, seconds: float, *, connections: int = 32) -> dict[str, Any]:
    """Requests a second, latencies in ms, server CPU a request in us, memory in bytes.

    Raises Failed when wrk is missing or any answer was not a 2xx.
    """
    if not shutil.which("wrk"):
        raise child.Failed("wrk is not installed (Debian and Ubuntu: apt install wrk)")
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        script.write(asking + DONE)
        script.flush()
        base = ["wrk", "-t1", f"-c{connections}", "--timeout", "10s", "-s", script.name]
        child.run(pinned(1, [*base, "-d1s", running.url]))
        before = child.cpu_of_all(running.process)
        finished = child.run(pinned(1, [*base, f"-d{max(1, round(seconds))}s", running.url]))
        spent = child.cpu_of_all(running.process) - before
    told = json.loads(next(line for line in reversed(finished.output.splitlines()) if line.startswith("{")))
    if told["not_ok"] or told["broken"] or not told["requests"]:
        raise child.Failed(f"{told['not_ok']} answers not 2xx, {told['broken']} broken, of {told['requests']}")
    return {
        "bytes": told["bytes"] / told["requests"],
        "rate": told["requests"] / told["microseconds"] * 1e6,
        "p50_ms": told["p50"] / 1000,
        "p99_ms": told["p99"] / 1000,
        "cpu_us": spent / told["requests"] * 1e6,
        "memory": child.memory_of(child.descendants(running.process)),
    }


def jht() -> list[str]:
    """The command `jht` of this environment."""
    script = Path(sys.executable).parent / "jht"
    return [str(script)] if script.exists() else [sys.executable, "-c", "from api.cli import main; main()"]
