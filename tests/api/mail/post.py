"""A real mail server on loopback, and what it got."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope

_SECONDS = 10.0


class Post:
    """What a mail server got; `answers`: what it says next to a receiver (`RCPT`) or a text (`DATA`) instead of yes."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.receivers: list[str] = []
        self.answers: dict[str, str] = {}

    async def handle_RCPT(self, _: Any, __: Any, envelope: Envelope, address: str, ___: Any) -> str:
        refusal = self.answers.get("RCPT")
        if refusal:
            return f"{refusal} <{address}> is not wanted"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _: Any, __: Any, envelope: Envelope) -> str:
        refusal = self.answers.get("DATA")
        if refusal:
            return f"{refusal} no"
        assert isinstance(envelope.content, bytes)
        message = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(message, EmailMessage)
        self.mails.append(message)
        self.receivers += envelope.rcpt_tos
        return "250 OK"


class _Office(Controller):
    """A server that knows its connections: stopped with one open, it would leave the socket to the garbage collector."""

    def __init__(self, *given: Any, **how: Any) -> None:
        super().__init__(*given, **how)
        self.connections: set[SMTP] = set()

    def factory(self) -> SMTP:
        connections = self.connections

        class Connection(SMTP):
            def connection_made(self, transport: asyncio.BaseTransport) -> None:
                connections.add(self)
                super().connection_made(transport)

            def connection_lost(self, error: Exception | None) -> None:
                super().connection_lost(error)
                connections.discard(self)

        return Connection(self.handler, **self.SMTP_kwargs)

    def close(self) -> None:
        """Stop, after the connections that are being closed are closed."""
        end = time.monotonic() + _SECONDS
        while self.connections and time.monotonic() < end:
            time.sleep(0.001)
        asyncio.run_coroutine_threadsafe(asyncio.sleep(0.01), self.loop).result(_SECONDS)
        self.stop()


@contextmanager
def serving(post: Post, **how: Any) -> Iterator[int]:
    """A mail server on loopback; its port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    office = _Office(post, hostname="127.0.0.1", port=port, **how)
    office.start()
    try:
        yield port
    finally:
        office.close()
