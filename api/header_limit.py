"""What one connection may cost before anybody is asked who it is: the size and time of a head, the pace of a body.

The server's parser takes a head without end into memory, waits for ever for one that does not come, and for a body that
comes a byte a minute. Here a head has LARGEST bytes and HEAD_SECONDS; a body must bring BODY_LEAST bytes in every
BODY_SECONDS in which we are ready to take them. When many connections are open, the idle ones of whoever has most of them
are closed first, so one address cannot use up what all share.
"""

from __future__ import annotations

import asyncio
import resource
from collections import OrderedDict, defaultdict

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

LARGEST = 64 * 1024
"""Bytes; browsers and proxies send a few KiB."""
HEAD_SECONDS = 10.0
BODY_SECONDS, BODY_LEAST = 10.0, 4_096
MOST_OPEN = 8_192
"""Connections of one process, or half of the files that it may open if that is less."""
_TOO_SLOW = b"HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


def most_open() -> int:
    """How many connections a process takes before it closes idle ones."""
    return min(MOST_OPEN, resource.getrlimit(resource.RLIMIT_NOFILE)[0] // 2)


def take_more_files() -> None:
    """Let the process open as many files as its user may: each connection is one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and (hard == resource.RLIM_INFINITY or soft < hard):
        wanted = 4 * MOST_OPEN if hard == resource.RLIM_INFINITY else min(hard, 4 * MOST_OPEN)
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))


class Idle:
    """The connections of a process; those that wait for a head by address, the oldest first."""

    def __init__(self) -> None:
        self.open = 0
        self._waiting: defaultdict[str, OrderedDict[LimitedHead, None]] = defaultdict(OrderedDict)

    def waits(self, address: str, one: LimitedHead) -> None:
        self._waiting[address][one] = None

    def works(self, address: str, one: LimitedHead) -> None:
        """It does not wait any more."""
        self._waiting[address].pop(one, None)
        if not self._waiting[address]:
            del self._waiting[address]

    def make_room(self, most: int) -> None:
        """Close the oldest idle connection of the address that has most of them, when too many are open."""
        if self.open > most and self._waiting:
            held = max(self._waiting.values(), key=len)
            next(iter(held)).transport.close()


_idle = Idle()


class LimitedHead(HttpToolsProtocol):
    """uvicorn's protocol with these limits."""

    _in_head, _received = True, 0
    _in_body, _brought = False, 0
    _timer: asyncio.TimerHandle | None = None
    _address = ""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._address = self.client[0] if self.client else ""
        _idle.open += 1
        _idle.make_room(most_open())
        self._wait_for_head()

    def connection_lost(self, exc: Exception | None) -> None:
        _idle.open -= 1
        _idle.works(self._address, self)
        self._stop()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        self._in_head, self._received = True, 0
        if self._timer is None:
            self._wait_for_head()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._in_head = False
        _idle.works(self._address, self)
        self._stop()
        super().on_headers_complete()
        self._in_body, self._brought = True, 0
        self._timer = self.loop.call_later(BODY_SECONDS, self._look_at_pace)

    def on_body(self, body: bytes) -> None:
        self._brought += len(body)
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._in_body = False
        self._stop()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if not self.transport.is_closing():
            _idle.waits(self._address, self)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._timer is None and not self._in_body and (self.cycle is None or self.cycle.response_complete):
            # Blank lines between two requests begin none, and have ended the wait that the last answer began.
            self._wait_for_head()
        # After parsing: what came in one piece with its body is not all head.
        if self._in_head:
            self._received += len(data)
            if self._received > LARGEST and not self.transport.is_closing():
                self.send_400_response("The head of the request is too large.")

    def _wait_for_head(self) -> None:
        _idle.waits(self._address, self)
        self._timer = self.loop.call_later(HEAD_SECONDS, self._too_slow)

    def _look_at_pace(self) -> None:
        self._timer = None
        if not self._in_body:
            return
        if self._brought < BODY_LEAST and not self.flow.read_paused:
            self._too_slow()
            return
        self._brought = 0
        self._timer = self.loop.call_later(BODY_SECONDS, self._look_at_pace)

    def _too_slow(self) -> None:
        """End the connection, with a word where no answer has begun."""
        self._timer = None
        if self.transport.is_closing():
            return
        if self.cycle is None or not self.cycle.response_started or self.cycle.response_complete:
            self.transport.write(_TOO_SLOW)
        self.transport.close()

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
