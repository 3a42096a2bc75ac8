"""Texts end to end: the operator's end of a real Kannel sends them and counts the replies that come back.

    python -m tests.bench.sms OPERATOR_PORT registrations.csv --members 500 --each 4

Members register by DAFTAR first, which is not part of the figure, then each asks for its balance some times; so many
texts are under way at once, as an operator keeps them.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import json
import sys
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from tests.bench import child, load
from tests.bench.client import percentiles
from tests.bench.ours import APP, POSTED_MONTHS, rebuilt
from tests.bench.rows import Measure
from tests.bench.world import World
from tests.system import kannel

PASSWORD = "kunci-gateway"
ANSWER = b"JHT ***8901 Rp12.345.678 per 21-11-26. Iuran terakhir Okt-26."
EACH = 4
"""Balances a member asks for: below the limit of a sender."""
UNDER_WAY = 64
SECONDS = 60.0


async def bare(scope: dict[str, Any], receive: Callable[..., Any], send: Callable[..., Any]) -> None:
    """An ASGI application that answers every text the same: what Kannel alone can do."""
    if scope["type"] == "lifespan":
        for done in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{done}.complete"})
        return
    while (await receive()).get("more_body"):
        pass
    headers = [(b"content-type", b"text/plain"), (b"content-length", str(len(ANSWER)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": ANSWER})


def alone(full: int) -> Callable[[World], Measure]:
    """Kannel in front of an endpoint that does nothing."""

    def measure(world: World) -> Measure:
        directory = world.files(world.scaled(1_000_000), 1_000, *POSTED_MONTHS)
        with load.server("tests.bench.sms:bare", {}, core=None) as running:
            return _through_kannel(running, directory, world.scaled(full), register=False)

    return measure


def texts(kind: str, full: int) -> Callable[[World], Measure]:
    """SALDO texts of registered members; `full` is their number."""

    def measure(world: World) -> Measure:
        accounts = world.scaled(1_000_000)
        store = world.fresh(kind, rebuilt(world, kind, accounts))
        directory = world.files(accounts, 1_000, *POSTED_MONTHS)
        try:
            with load.server(APP, store.env | {"JHT_SMS_GATEWAY_PASSWORD": PASSWORD}, core=None) as running:
                return _through_kannel(running, directory, world.scaled(full), register=True)
        finally:
            world.drop(store)

    return measure


def _through_kannel(running: load.Server, directory: Path, count: int, *, register: bool) -> Measure:
    if not kannel.is_there():
        raise child.Failed(kannel.MISSING)
    door = running.url.replace("http://", f"http://kannel:{PASSWORD}@") + "/channels/sms/kannel"
    with tempfile.TemporaryDirectory() as files, kannel.kannel(Path(files), door) as box:
        command = [sys.executable, "-m", "tests.bench.sms", str(box.operator), str(directory / "registrations.csv")]
        size = ["--members", str(count // EACH), "--each", str(EACH), *(["--register"] if register else [])]
        told = child.run([*command, *size]).json()
        memory = child.memory_of(child.descendants(running.process))
    extra = {name: told[name] for name in ("p50_ms", "p99_ms", "registrations_a_second") if name in told}
    return Measure(told["texts"] / told["seconds"], memory, extra)


class Operator:
    """The operator's end of Kannel's fake SMSC: lines `sender receiver text ...` both ways."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def converse(self, sendings: list[tuple[str, str]], begins: str) -> tuple[float, list[float]]:
        """Send (phone, text) and wait for a reply to each: seconds, milliseconds each took.

        Ends the run when a reply begins otherwise.
        """
        room, took = asyncio.Semaphore(UNDER_WAY), list[float]()
        began: dict[str, deque[float]] = {phone: deque() for phone, _ in sendings}

        async def listen() -> None:
            for _ in sendings:
                line = (await self.reader.readline()).decode()
                _, phone, _, reply = line.split(" ", 3)
                if not reply.startswith(begins):
                    raise SystemExit(f"not the reply that was expected: {reply[:80]}")
                took.append((time.perf_counter() - began[phone].popleft()) * 1000)
                room.release()

        listening = asyncio.create_task(listen())
        start = time.perf_counter()
        for phone, text in sendings:
            await room.acquire()
            if listening.done():
                break
            began[phone].append(time.perf_counter())
            self.writer.write(f"{phone} 2757 text {text}\n".encode())
        await asyncio.wait_for(listening, SECONDS)
        return time.perf_counter() - start, took


def members(path: Path, count: int) -> Iterator[tuple[str, dict[str, str]]]:
    """(phone, registration) of the first members of a file."""
    with path.open(encoding="utf-8", newline="") as file:
        for row in islice(csv.DictReader(file), count):
            yield "+62" + row["phone"].removeprefix("0"), row


async def run(options: argparse.Namespace) -> dict[str, Any]:
    """The whole conversation."""
    operator = Operator(*await asyncio.open_connection("127.0.0.1", options.operator))
    chosen, told = list(members(options.registrations, options.members)), {}
    if options.register:
        asked = [(phone, f"DAFTAR SALDO#{m['nik']}#{m['birth_date']}#{m['kpj']}") for phone, m in chosen]
        seconds, _ = await operator.converse(asked, "Nomor HP ini terdaftar")
        told["registrations_a_second"] = round(len(asked) / seconds, 1)
    asked = [(phone, f"SALDO {m['kpj']}") for _ in range(options.each) for phone, m in chosen]
    seconds, took = await operator.converse(asked, "JHT ***")
    operator.writer.close()
    return told | {"texts": len(asked), "seconds": seconds} | percentiles(took)


def main() -> None:
    """The command line of this module."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.sms")
    parser.add_argument("operator", type=int)
    parser.add_argument("registrations", type=Path)
    parser.add_argument("--members", type=int, default=500)
    parser.add_argument("--each", type=int, default=EACH)
    parser.add_argument("--register", action="store_true")
    print(json.dumps(asyncio.run(run(parser.parse_args()))))


if __name__ == "__main__":
    main()
