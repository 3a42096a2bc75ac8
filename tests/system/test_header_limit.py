from __future__ import annotations

import contextlib
import itertools
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from api.header_limit import BODY_SECONDS, HEAD_SECONDS, LARGEST, Idle
from ledger.settings import Settings
from tests.system.serving import Server, serving


@pytest.fixture
def server(settings: Settings, tmp_path: Path) -> Iterator[Server]:
    with serving(settings, "", tmp_path / "log", until="/livez") as running:
        yield running


def first_line(server: Server, *pieces: bytes) -> bytes:
    """What the server says to bytes that come in pieces; "" when it has hung up without a word."""
    address = urlsplit(server.address)
    with socket.create_connection((address.hostname, address.port), timeout=20) as connection:
        try:
            for piece in pieces:
                connection.sendall(piece)
            return connection.recv(200).partition(b"\r\n")[0]
        except ConnectionError:
            return b""


@pytest.mark.parametrize("settings", ["sqlite"], indirect=True)
def test_a_head_without_end_is_not_taken_into_memory(server: Server) -> None:
    begin, piece = b"GET /livez HTTP/1.1\r\nHost: x\r\n", b"a" * 8_192
    endless = {
        "a header": (begin, b"X: ", *[piece] * 1_000),
        "headers": (begin, *[b"".join(b"X%d: a\r\n" % number for number in range(1_000))] * 300),
        "an address": (b"GET /", *[piece] * 1_000),
        "blank lines": (b"\r\n" * 4_096,) * 300,
    }
    for what, pieces in endless.items():
        assert first_line(server, *pieces) in {b"", b"HTTP/1.1 400 Bad Request"}, what
    assert first_line(server, begin, b"X: ", b"a" * (LARGEST // 2), b"\r\n\r\n") == b"HTTP/1.1 200 OK"
    # A body is none of it, neither in one piece with its head nor after it.
    post = b"POST /lupa HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n"
    for size in (15_000, 3 * LARGEST):
        status = b" 403 " if size < LARGEST else b" 413 "
        assert status in first_line(server, post % size + b"a" * size)
    assert server.ask("/livez").status == 200


def ended_after(connection: socket.socket, pieces: Iterator[bytes], pause: float) -> tuple[float, bytes]:
    """Seconds until the server hung up on somebody who sends a piece now and then, and what it said."""
    began, said = time.monotonic(), b""
    connection.settimeout(pause)
    while time.monotonic() - began < 40:
        try:
            connection.sendall(next(pieces, b""))
            got = connection.recv(4_096)
        except TimeoutError:
            continue
        except ConnectionError:
            break
        if not got:
            break
        said += got
    return time.monotonic() - began, said


def drops(piece: bytes) -> Iterator[bytes]:
    return itertools.repeat(piece)


@pytest.mark.parametrize("settings", ["sqlite"], indirect=True)
def test_who_sends_slowly_is_ended_within_seconds_and_an_honest_neighbour_is_served(server: Server) -> None:
    address = urlsplit(server.address)
    head = b"POST /lupa HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 15000\r\n"
    slow = {
        "nothing": (b"", drops(b"")), "a head": (b"GET / HTTP/1.1\r\n", drops(b"X: a\r\n")),
        "a body": (head + b"\r\n", drops(b"a")),
        "a second head": (b"GET /livez HTTP/1.1\r\nHost: x\r\n\r\nGET /", drops(b"a")),
    }  # fmt: skip
    with ThreadPoolExecutor(len(slow)) as pool, contextlib.ExitStack() as stack:
        futures = {}
        for what, (begin, pieces) in slow.items():
            connection = stack.enter_context(socket.create_connection((address.hostname, address.port)))
            connection.sendall(begin)
            futures[what] = pool.submit(ended_after, connection, pieces, 0.5)
        assert server.ask("/livez").status == 200
        for what, future in futures.items():
            seconds, said = future.result()
            assert seconds < max(HEAD_SECONDS, BODY_SECONDS) + 8, what
            assert said == b"" or said.rpartition(b"HTTP/1.1 ")[2].startswith((b"408", b"403")), (what, said)


def test_the_idle_connections_of_one_address_make_room_for_others() -> None:
    closed: list[str] = []

    class Transport:
        def __init__(self, name: str) -> None:
            self.name = name

        def close(self) -> None:
            closed.append(self.name)

    class One:
        def __init__(self, name: str) -> None:
            self.transport = Transport(name)

    idle = Idle()
    greedy = [One(f"greedy {number}") for number in range(5)]
    for one in greedy:
        idle.waits("198.51.100.1", one)  # type: ignore[arg-type]
    idle.waits("198.51.100.2", One("other"))  # type: ignore[arg-type]
    idle.open = 6
    idle.make_room(6)
    assert closed == []
    idle.works("198.51.100.1", greedy[0])  # type: ignore[arg-type]
    idle.make_room(5)
    assert closed == ["greedy 1"], "the oldest that waits, of whoever has most"
