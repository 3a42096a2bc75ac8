"""A request's head (its first line and headers) has a limit: the server's parser takes one without end into memory."""

from __future__ import annotations

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

LARGEST = 64 * 1024
"""Bytes; browsers and proxies send a few KiB."""


class LimitedHead(HttpToolsProtocol):
    """uvicorn's protocol, which ends a connection whose head does not end."""

    _in_head, _received = True, 0

    def on_message_begin(self) -> None:
        self._in_head, self._received = True, 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._in_head = False
        super().on_headers_complete()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        # After parsing: what came in one piece with its body is not all head.
        if self._in_head:
            self._received += len(data)
            if self._received > LARGEST and not self.transport.is_closing():
                self.send_400_response("The head of the request is too large.")
