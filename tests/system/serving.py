"""A real `jht serve` on a free port, asked over real HTTP."""

from __future__ import annotations

import json
import os
import signal
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from ledger.settings import Settings
from tests.system.forks import ROOT, Forked
from tests.system.running import environment

# The usual opener would ask the environment for a proxy.
_open = urllib.request.build_opener(urllib.request.ProxyHandler({})).open


class Answer(NamedTuple):
    """A status, the headers and the body as it came."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Server:
    """A running server and the key it is asked with; `log` is the file its standard error goes to."""

    def __init__(self, address: str, key: str, log: Path) -> None:
        self.address, self.key, self.log = address, key, log

    def ask(self, path: str, **headers: str) -> Answer:
        """GET."""
        return self.send("GET", path, None, **headers)

    def post(self, path: str, body: bytes, kind: str = "application/json", **headers: str) -> Answer:
        """POST; header names are given with underscores."""
        return self.send("POST", path, body, content_type=kind, **headers)

    def send(self, method: str, path: str, body: bytes | None, **headers: str) -> Answer:
        given = {"Authorization": f"Bearer {self.key}"} | {n.replace("_", "-"): v for n, v in headers.items()}
        request = urllib.request.Request(self.address + path, body, given, method=method)
        try:
            with _open(request, timeout=30) as answer:
                return Answer(answer.status, answer.headers, answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, error.headers, error.read())


@contextmanager
def serving(
    settings: Settings, key: str, log: Path, *, until: str = "/readyz", port: int = 0, host: str = "127.0.0.1"
) -> Iterator[Server]:  # fmt: skip
    """`jht serve`, once `until` answers; ended as a service manager does, which it must survive with exit code 0.

    On a free port, unless one is given that was served on before; `host`: the name of this machine that people use.
    """
    if not port:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
    address = f"http://{host}:{port}"
    given = environment(settings.model_copy(update={"public_url": address}))
    log.write_bytes(b"")
    process = Forked(
        {
            "arguments": ["serve", "--port", str(port)], "environment": given, "directory": str(ROOT), "smaller": {},
            "stdin": os.devnull, "stdout": str(log), "stderr": str(log),
        }
    )  # fmt: skip
    try:
        server = Server(address, key, log)
        end = time.monotonic() + 60
        while not _ready(server, until):
            assert not process.ended(), log.read_text()
            assert time.monotonic() < end, log.read_text()
            time.sleep(0.05)
        yield server
        os.kill(process.pid, signal.SIGTERM)
        # uvicorn finishes its work and then lets the signal have its way.
        assert process.wait(30) in (0, -signal.SIGTERM), log.read_text()
    finally:
        process.kill()


def _ready(server: Server, path: str) -> bool:
    try:
        return server.ask(path).status == 200
    except OSError:
        return False
