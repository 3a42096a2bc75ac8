"""`jht serve --workers 2`: real processes on one port over one store."""

from __future__ import annotations

import os
import re
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from email.message import Message
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode, urlsplit

import msgspec
import pytest

from api.access import tables
from api.access.keys import Keys, open_store
from api.access.sessions import EMPLOYER, Sessions
from api.access.users import Users
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
    text = server.log.read_bytes() if server.log.exists() else b""
    lines = [line for line in text.splitlines(keepends=True) if line.endswith(b"\n")]
    found = [msgspec.json.decode(line) for line in lines if line.startswith(b"{")]
    return [line for line in found if line["event"] == event]


def soon(reached: Callable[[], bool], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not reached():
        assert time.monotonic() < end
        time.sleep(0.02)


def answered(server: Server, path: str) -> bool:
    """Whether it is answered now; a connection may still have gone to a worker that is just dying."""
    try:
        return server.ask(path).status == 200
    except OSError:
        return False


class Said(NamedTuple):
    """An answer: the body as JSON where it is, else as text."""

    status: int
    headers: Message
    body: Any


class Line:
    """A connection of its own, which stays with the worker that the kernel chose for it."""

    def __init__(self, server: Server) -> None:
        parts = urlsplit(server.address)
        self._connection = HTTPConnection(str(parts.hostname), int(parts.port or 0), timeout=30)
        self._key = server.key
        self.worker = self.ask("/livez").headers["x-request-id"].split("-")[0]

    def ask(self, path: str, body: bytes | None = None, **headers: str) -> Said:
        """GET, or POST of a body."""
        given = {"Authorization": f"Bearer {self._key}"} | {n.replace("_", "-"): v for n, v in headers.items()}
        self._connection.request("GET" if body is None else "POST", path, body, given)
        answer = self._connection.getresponse()
        text = answer.read()
        is_json = "json" in answer.headers.get("content-type", "")
        return Said(answer.status, answer.headers, msgspec.json.decode(text) if is_json else text.decode())

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
            assert line.ask(f"/v1/accounts/{PAID}/balance").body["balance"] == 570_000
            took.append(time.monotonic() - began)
        # 40 ms or more, each of them, where the client's acknowledgement is waited for.
        assert min(took) < 0.03
        for line in lines:
            text = line.ask("/metrics").body
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
        log.append([posting("10000001", "2026-11", "2026-11-20", PAID)], read_now())
        wanted = f"{log.log_id}-{log.head()}"
        log.close()
        soon(lambda: answered(server, f"/v1/accounts/{PAID}/balance?min_position={wanted}"))
        assert server.ask(f"/v1/accounts/{PAID}/balance").json["balance"] == 855_000
        soon(lambda: len(told(server, "worker-started")) == 3)
        (died,) = told(server, "worker-died")
        assert (died["worker"], died["code"], died["level"]) == (1, -signal.SIGKILL, "error")
        assert told(server, "worker-started")[2]["worker"] == 1
        with both_workers(server):
            assert server.ask("/readyz").status == 200


def test_both_count_one_address_and_find_what_the_other_keeps(settings: Settings, tmp_path: Path) -> None:
    log = Log.open(settings)
    tables.prepare(log.database)
    Users(log.database).create("hrd", EMPLOYER, "", read_now(), npps=[10000001])
    token = Sessions(log.database, settings).create(EMPLOYER, "hrd", 0, "test", read_now()).token
    log.close()
    with (
        two(settings.model_copy(update={"address_tries": TRIES}), tmp_path / "log") as server,
        both_workers(server) as (one, other),
    ):
        tried = []
        for line in (one, other) * 2:
            # A link that nobody was sent: the door that counts an address and then shuts.
            tried.append(line.ask(f"/tautan/{'A' * 43}").status)
        assert tried == [410] * TRIES + [429] * (4 - TRIES)

        home, cookie = "/perusahaan/10000001", f"jht={token}"
        form = re.search(r'name="csrf" value="([^"]+)"', one.ask(home, Cookie=cookie).body)
        assert form
        month = f"{read_now():%Y-%m}"
        sent = one.ask(
            home, upload(form[1], month, f"kpj;wage\r\n{PAID};5000000\r\n"), Cookie=cookie, Content_Type=MULTIPART
        )
        assert sent.status == 303, sent
        result = sent.headers["location"]
        assert PAID in other.ask(f"{result}/diterima.csv", Cookie=cookie).body
        assert other.ask(result, Cookie=cookie).status == one.ask(result, Cookie=cookie).status == 200
        form = re.search(r'name="csrf" value="([^"]+)"', other.ask(home, Cookie=cookie).body)
        assert form
        fields = urlencode({"csrf": form[1]}).encode()
        out = other.ask("/perusahaan/keluar", fields, Cookie=cookie, Content_Type="application/x-www-form-urlencoded")
        assert out.status == 303
        # What was found is remembered for a second where it was found.
        soon(lambda: one.ask(result, Cookie=cookie).status == 303, 10)


MULTIPART = "multipart/form-data; boundary=xxxx"
TRIES = 3


def upload(csrf: str, month: str, table: str) -> bytes:
    """The form that sends a file to be checked."""
    part = '--xxxx\r\nContent-Disposition: form-data; name="{}"\r\n\r\n{}\r\n'
    fields = part.format("csrf", csrf) + part.format("bulan", month)
    return (fields + part.format('berkas"; filename="gaji.csv', table) + "--xxxx--\r\n").encode()


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
            "whole-number-between": ({}, ("--port", 70_000), 2),
            "address-unusable": ({}, ("--host", "192.0.2.1", "--port", taken), 2),
            "ledger-missing": ({"JHT_DATABASE_URL": f"sqlite:///{tmp_path / 'none.db'}"}, ("--port", taken), 2),
            "store-unreachable": (nowhere, ("--port", taken), 75),
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
