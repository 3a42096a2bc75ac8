from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from api.header_limit import LARGEST
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
