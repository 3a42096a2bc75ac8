"""`jht serve --workers 2`: real processes on one port over one store."""

from __future__ import annotations

import os
import re
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
import pytest

from api.access.keys import Keys, open_store
from ledger.clock import read_now
from ledger.settings import Settings
from ledger.store.log import Log
from tests.api.conftest import PAID, posting, small_ledger
from tests.system.running import Running, environment, run, started
from tests.system.serving import Server, serving

ONLY_SQLITE = pytest.mark.parametrize("settings", ["sqlite"], indirect=True)


def key_of(settings: Settings) -> str:
    access = open_store(settings)
    key, _ = Keys(access).create("test", ["read", "post", "register", "metrics"], now=read_now())
    access.close()
    return key


@contextmanager
def two(settings: Settings, log: Path) -> Iterator[Server]:
    """Two workers over a small ledger, both answering."""
    opened = Log.open(settings)
    opened.append(small_ledger(), read_now())
    opened.close()
    with serving(settings.model_copy(update={"workers": 2}), key_of(settings), log) as server:
        soon(lambda: len(told(server, "worker-started")) == 2)
        yield server


def told(server: Server, event: str) -> list[dict[str, Any]]:
    """The lines of an event in the server's log."""
    lines = [line for line in server.log.read_bytes().splitlines(keepends=True) if line.endswith(b"\n")]
    found = [msgspec.json.decode(line) for line in lines if line.startswith(b"{")]
    return [line for line in found if line["event"] == event]


def soon(reached: Callable[[], bool], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < end
        time.sleep(0.02)


class Line:
    """A connection of its own, which stays with the worker that the kernel chose for it."""

    def __init__(self, server: Server) -> None:
        parts = urlsplit(server.address)
        self._connection = HTTPConnection(str(parts.hostname), int(parts.port or 0), timeout=30)
        self._key = server.key
        self.worker = self.ask("/livez")[1].split("-")[0]

    def ask(self, path: str, method: str = "GET", body: bytes | None = None, **headers: str) -> tuple[int, str, Any]:
        """Status, request id, body."""
        given = {"Authorization": f"Bearer {self._key}"} | {n.replace("_", "-"): v for n, v in headers.items()}
        self._connection.request(method, path, body, given)
        answer = self._connection.getresponse()
        text = answer.read()
        kind = answer.headers.get("content-type", "")
        return answer.status, answer.headers["x-request-id"], msgspec.json.decode(text) if "json" in kind else text

    def close(self) -> None:
        self._connection.close()


@contextmanager
def both_workers(server: Server) -> Iterator[tuple[Line, Line]]:
    """A connection to each of two workers: an id of a request begins with what its process drew."""
    with closing(Line(server)) as first:
        for _ in range(200):
            with closing(Line(server)) as other:
                if other.worker != first.worker:
                    yield first, other
                    return
        raise AssertionError("one worker takes every connection")


def test_both_answer_quickly_and_the_counters_add_up(settings: Settings, tmp_path: Path) -> None:
    with two(settings, tmp_path / "log") as server, both_workers(server) as lines:
        took = []
        for line in lines * 20:
            began = time.monotonic()
            assert line.ask(f"/v1/accounts/{PAID}/balance")[2]["balance"] == 570_000
            took.append(time.monotonic() - began)
        # 40 ms each where the client's acknowledgement is waited for.
        assert sorted(took)[len(took) // 2] < 0.03
        for line in lines:
            text = line.ask("/metrics")[2].decode()
            counted = re.search(
                r'jht_http_requests_total\{[^}]*route="/v1/accounts/\{kpj\}/balance",status="200"\} (.*)', text
            )
            assert counted
            assert float(counted[1]) == 40
            assert "jht_access_records_written_total 40.0" in text
            assert len(re.findall("^jht_log_position ", text, re.MULTILINE)) == 1
            assert "pid=" not in text
            assert PAID not in text


def test_a_worker_that_is_killed_is_replaced_and_another_follows(settings: Settings, tmp_path: Path) -> None:
    with two(settings, tmp_path / "log") as server:
        # The first to start got the lease; the second told that it waits.
        soon(lambda: bool(told(server, "follower-waits")))
        assert [line["worker"] for line in told(server, "follower-waits")] == [2]
        first = told(server, "worker-started")[0]
        os.kill(first["pid"], signal.SIGKILL)
        log = Log.open(settings)
        log.append(posting("10000001", "2026-11", "2026-11-20", PAID), read_now())
        wanted = f"{log.log_id}-{log.head()}"
        log.close()
        soon(lambda: server.ask(f"/v1/accounts/{PAID}/balance?min_position={wanted}").status == 200)
        assert server.ask(f"/v1/accounts/{PAID}/balance").json["balance"] == 855_000
        soon(lambda: len(told(server, "worker-started")) == 3)
        (died,) = told(server, "worker-died")
        assert (died["worker"], died["code"], died["level"]) == (1, -signal.SIGKILL, "error")
        assert told(server, "worker-started")[2]["worker"] == 1
        with both_workers(server):
            assert server.ask("/readyz").status == 200


@contextmanager
def running(settings: Settings) -> Iterator[tuple[Running, Server]]:
    """The parent itself, with two workers that answer."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    with started(
        settings.model_copy(update={"public_url": address}), "serve", "--port", port, "--workers", 2
    ) as parent:
        server = Server(address, "", parent.places["stderr"])
        soon(lambda: len(told(server, "worker-started")) == 2, 60)
        yield parent, server


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


@ONLY_SQLITE
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_all_end_in_good_order_with_the_parent(settings: Settings, number: int) -> None:
    with running(settings) as (parent, server):
        workers = [line["pid"] for line in told(server, "worker-started")]
        os.kill(parent.process.pid, number)
        assert parent.process.wait(30) == 0
        assert not any(alive(pid) for pid in workers)
        assert told(server, "worker-died") == []
        text = server.log.read_text()
        assert text.count("Docs:") == 1
        assert "Traceback" not in text


@ONLY_SQLITE
def test_no_worker_outlives_a_parent_that_was_killed(settings: Settings) -> None:
    with running(settings) as (parent, server):
        workers = [line["pid"] for line in told(server, "worker-started")]
        assert all(alive(pid) for pid in workers)
        os.kill(parent.process.pid, signal.SIGKILL)
        soon(lambda: not any(alive(pid) for pid in workers))
        with pytest.raises(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port_of(server)), 5):
            pass


def port_of(server: Server) -> int:
    return int(urlsplit(server.address).port or 0)


@ONLY_SQLITE
@pytest.mark.parametrize("workers", [1, 3])
def test_what_prevents_the_start_is_told_once_with_its_code(settings: Settings, workers: int, tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        nowhere = {"JHT_DATABASE_URL": f"postgresql://nobody@127.0.0.1:{free_port()}/none"}
        wrong: dict[str, tuple[dict[str, str], tuple[object, ...], int]] = {
            "port-taken": ({}, ("--port", taken), 2),
            "setting-wrong": ({}, ("--port", 70_000), 2),
            "address-unusable": ({}, ("--host", "192.0.2.1", "--port", taken), 2),
            "ledger-missing": ({"JHT_DATABASE_URL": f"sqlite:///{tmp_path / 'none.db'}"}, ("--port", taken), 2),
            "store-failed": (nowhere, ("--port", taken), 75),
        }
        for code, (given, arguments, leaves) in wrong.items():
            done = run(
                environment(settings) | given, "serve", *arguments, "--workers", workers,
                smaller={"ledger.store.database.LOCK_SECONDS": 1},
            )  # fmt: skip
            assert done.code == leaves, (code, done)
            assert done.stderr.count(f"{code}\n") == 1, done.stderr
            assert "Traceback" not in done.stderr
            assert "Docs:" not in done.stderr


@ONLY_SQLITE
def test_what_only_a_worker_finds_is_told_once_too(settings: Settings) -> None:
    # Whom mails are from is looked at by who sends them.
    wrong = environment(settings) | {"JHT_MAIL_FROM": "nobody"}
    done = run(wrong, "serve", "--workers", 2, "--port", free_port())
    assert done.code == 2, done.stderr
    assert done.stderr.count("setting-wrong\n") == 1, done.stderr
    assert "Traceback" not in done.stderr
