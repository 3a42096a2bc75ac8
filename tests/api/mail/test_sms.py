"""Texts that answer nothing: what the gateway is sent, and what happens when it does not take it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import NamedTuple

import pytest
from pydantic import SecretStr

from api.mail.sms import send_sms
from api.sms.phones import normal
from ledger.errors import JhtError, Refused, Unavailable
from ledger.settings import Settings

PHONE, TEXT, PASSWORD = "+6281234560001", "Kabar #1 @ JHT", "rahasia/sms"


class Sent(NamedTuple):
    """A request as a gateway saw it."""

    path: str
    headers: dict[str, str]
    body: bytes


class Gateway:
    """A real HTTP server that answers with `status`."""

    def __init__(self) -> None:
        self.status, self.seen = 202, list[Sent]()
        gateway = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                size = int(self.headers["content-length"])
                gateway.seen.append(Sent(self.path, dict(self.headers.items()), self.rfile.read(size)))
                self.send_response(gateway.status)
                self.send_header("Content-Length", "0")
                self.send_header("Location", "/elsewhere")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Quiet."""

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        self.settings = Settings(
            sms_send_url=SecretStr(f"http://ledger:rahasia%2Fsms@127.0.0.1:{self.server.server_port}/cgi-bin/sendsms")
        )

    def take(self) -> None:
        asyncio.run(send_sms(self.settings, PHONE, TEXT))


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    made = Gateway()
    thread = threading.Thread(target=made.server.serve_forever, args=[0.01])
    thread.start()
    yield made
    made.server.shutdown()
    made.server.server_close()
    thread.join()


def test_number_text_and_password_are_not_in_the_address(gateway: Gateway) -> None:
    gateway.take()
    (sent,) = gateway.seen
    assert sent.path == "/cgi-bin/sendsms"
    assert sent.body == TEXT.encode()
    told = {name.lower(): value for name, value in sent.headers.items() if name.lower().startswith("x-kannel")}
    assert told == {
        "x-kannel-username": "ledger", "x-kannel-password": PASSWORD, "x-kannel-from": "2757", "x-kannel-to": PHONE,
    }  # fmt: skip
    assert "authorization" not in {name.lower() for name in sent.headers}


@pytest.mark.parametrize("status", [200, 302, 403, 503])
def test_what_the_gateway_does_not_accept_is_tried_again_later(gateway: Gateway, status: int) -> None:
    gateway.status = status
    with pytest.raises(Unavailable, match=f"HTTP {status}") as told:
        gateway.take()
    assert told.value.code == "sms-not-sent"
    assert len(gateway.seen) == 1


def test_a_gateway_that_is_not_there_is_tried_again_later_without_its_password_in_the_error(gateway: Gateway) -> None:
    gone = Settings(sms_send_url=SecretStr("http://ledger:rahasia@127.0.0.1:9/cgi-bin/sendsms"))
    with pytest.raises(Unavailable) as told:
        asyncio.run(send_sms(gone, PHONE, TEXT))
    assert told.value.code == "sms-not-sent"
    for clear in ("rahasia", PHONE, TEXT):
        assert clear not in str(told.value)
        assert clear not in repr(gone)


def test_without_an_address_nothing_is_sent() -> None:
    with pytest.raises(Refused) as told:
        asyncio.run(send_sms(Settings(), PHONE, TEXT))
    assert told.value.code == "setting-wrong"


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("081234560001", PHONE), ("6281234560001", PHONE), ("+6281234560001", PHONE), (" 6281234560001", PHONE),
        ("0812-3456-0001", PHONE), ("006281234560001", PHONE), ("81234560001", PHONE), ("+6591234567", "+6591234567"),
        ("2757", ""), ("TELKOMSEL", ""), ("", ""), ("+62", ""), ("0812 3456 000 x", ""), ("\ud83d", ""),
        ("+62812345600012345", ""),
    ],
)  # fmt: skip
def test_a_phone_has_one_form_and_a_machine_has_none(written: str, expected: str) -> None:
    assert normal(written) == expected


@pytest.mark.parametrize(
    ("url", "refused"),
    [
        ("http://ledger:rahasia@sms.example:13013/cgi-bin/sendsms", True),
        ("http://ledger:rahasia@127.0.0.1:9/cgi-bin/sendsms", False),
        ("https://ledger:rahasia@127.0.0.1:9/cgi-bin/sendsms", False),
    ],
)
def test_a_password_goes_over_plain_http_to_this_machine_only(url: str, refused: bool) -> None:
    with pytest.raises(JhtError) as error:
        asyncio.run(send_sms(Settings(sms_send_url=SecretStr(url)), "+62811", "x"))
    assert (error.value.code == "setting-wrong") is refused
    assert "rahasia" not in str(error.value)
