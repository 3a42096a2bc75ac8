"""HTTP clients as a child process: raw keep-alive sockets, requests made ready before the clock starts.

python -m tests.bench.client remittances URL ...   many small remittances by 16 clients at once
python -m tests.bench.client follow URL ...        a steady stream, and how long until a balance shows it
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from tests.bench import files


class Connection:
    """One keep-alive connection; one request at a time."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.host, self.port = str(parts.hostname), int(parts.port or 80)
        self.reader: asyncio.StreamReader | None = None

    async def ask(self, request: bytes) -> tuple[int, bytes]:
        """Sends a whole request; (status, body)."""
        if self.reader is None:
            self.reader, self.writer = await asyncio.open_connection(self.host, self.port, limit=1 << 20)
        self.writer.write(request)
        head = await self.reader.readuntil(b"\r\n\r\n")
        status, length, chunked = int(head[9:12]), 0, False
        for line in head.split(b"\r\n")[1:]:
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
            chunked = chunked or (name.lower() == b"transfer-encoding" and b"chunked" in value)
        if not chunked:
            return status, await self.reader.readexactly(length)
        body = b""
        while size := int((await self.reader.readline()).strip(), 16):
            body += (await self.reader.readexactly(size + 2))[:-2]
        await self.reader.readline()
        return status, body


def request(method: str, path: str, key: str, body: bytes = b"", content_type: str = "application/json") -> bytes:
    """The bytes of a request."""
    head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\n"
    if body:
        head += f"Content-Type: {content_type}\r\nContent-Length: {len(body)}\r\n"
    return head.encode() + b"\r\n" + body


def lines_of(employer: int, lines: int, month: str) -> Iterator[dict[str, Any]]:
    """The contribution lines of one employer's month."""
    for account in range(employer * lines, (employer + 1) * lines):
        from_employer, from_worker = files.shares(files.wage(account))
        yield {
            "npp": files.npp(employer),
            "month": month,
            "kpj": files.kpj(account),
            "wage": files.wage(account),
            "employer": from_employer,
            "worker": from_worker,
            "paid_on": files.paid_on(month),
            "reference": f"BYR/{month}",
        }


def posting(employer: int, lines: int, month: str, key: str, *, as_csv: bool, prefix: str = "") -> bytes:
    """The request that posts one employer's month."""
    rows = list(lines_of(employer, lines, month))
    if not as_csv:
        return request("POST", f"{prefix}/v1/contributions", key, json.dumps(rows, separators=(",", ":")).encode())
    text = ",".join(rows[0]) + "\n" + "".join(",".join(map(str, row.values())) + "\n" for row in rows)
    return request("POST", "/v1/contributions", key, text.encode(), "text/csv")


def find(answer: Any, name: str) -> Any:
    """The outermost value of a key in a JSON answer, breadth first; None when there is none."""
    level = [answer]
    while level:
        for item in level:
            if isinstance(item, dict) and name in item:
                return item[name]
        level = [
            inner
            for item in level
            if isinstance(item, (dict, list))
            for inner in (item.values() if isinstance(item, dict) else item)
        ]
    return None


def percentiles(milliseconds: list[float]) -> dict[str, float]:
    """p50 and p99 of a list."""
    ordered = sorted(milliseconds)
    return {
        "p50_ms": round(ordered[len(ordered) // 2], 2),
        "p99_ms": round(ordered[min(len(ordered) - 1, len(ordered) * 99 // 100)], 2),
    }


def accept(status: int, body: bytes, lines: int) -> Any:
    """The receipt of a posting; ends the run when not every line was posted."""
    if not 200 <= status < 300:
        raise SystemExit(f"status {status}: {body[:300].decode(errors='replace')}")
    receipt = json.loads(body)
    if find(receipt, "posted") != lines:
        raise SystemExit(f"not {lines} posted: {body[:300].decode(errors='replace')}")
    return receipt


async def remittances(options: argparse.Namespace, key: str) -> dict[str, Any]:
    """`--count` remittances of `--lines` lines by `--clients` clients."""
    ready = [
        posting(employer, options.lines, options.month, key, as_csv=False, prefix=options.prefix)
        for employer in range(options.count)
    ]
    waiting = iter(ready)
    times: list[float] = []
    answers: list[tuple[int, bytes]] = []

    async def client() -> None:
        connection = Connection(options.url)
        for sending in waiting:
            began = time.perf_counter()
            answers.append(await connection.ask(sending))
            times.append((time.perf_counter() - began) * 1000)

    began = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(options.clients)))
    seconds = time.perf_counter() - began
    for status, body in answers:
        accept(status, body, options.lines)
    return {"units": options.count * options.lines, "seconds": seconds} | percentiles(times)


async def follow(options: argparse.Namespace, key: str) -> dict[str, Any]:
    """Remittances of `--lines` lines at `--rate` lines a second; every fifth is waited for in a balance."""
    spacing = options.lines / options.rate
    free: asyncio.Queue[Connection] = asyncio.Queue()
    for _ in range(4):
        free.put_nowait(Connection(options.url))
    visible: list[float] = []

    async def one(number: int, sending: bytes) -> None:
        connection = await free.get()
        receipt = accept(*await connection.ask(sending), options.lines)
        committed = time.perf_counter()
        if number % 5 == 0:
            kpj = files.kpj(number * options.lines)
            path = f"/v1/accounts/{kpj}/balance?min_position={find(receipt, 'position')}"
            status, body = await connection.ask(request("GET", path, key))
            visible.append((time.perf_counter() - committed) * 1000)
            if status != 200:
                raise SystemExit(f"status {status}: {body[:300].decode(errors='replace')}")
        free.put_nowait(connection)

    ready = [posting(employer, options.lines, options.month, key, as_csv=True) for employer in range(options.count)]
    began = time.perf_counter()
    async with asyncio.TaskGroup() as tasks:
        for number, sending in enumerate(ready):
            await asyncio.sleep(max(0.0, began + number * spacing - time.perf_counter()))
            tasks.create_task(one(number, sending))
    seconds = time.perf_counter() - began
    return {"units": options.count * options.lines, "seconds": seconds} | percentiles(visible)


def main() -> None:
    """The command line of this module; the API key comes in BENCH_KEY."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.client")
    parser.add_argument("what", choices=["remittances", "follow"])
    parser.add_argument("url")
    parser.add_argument("--month", default="2026-10")
    parser.add_argument("--count", type=int, default=1_000)
    parser.add_argument("--lines", type=int, default=20)
    parser.add_argument("--prefix", default="")
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--rate", type=float, default=50_000)
    options = parser.parse_args()
    work = remittances if options.what == "remittances" else follow
    print(json.dumps(asyncio.run(work(options, os.environ.get("BENCH_KEY", "")))))


if __name__ == "__main__":
    main()
