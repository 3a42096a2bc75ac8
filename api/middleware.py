"""The outermost layer: every request gets an id, a line in the log and a place in the counters, every answer the headers
that all have.

A line holds the route's template and a masked card number, never an address as it came, a body or a person's data.
"""

from __future__ import annotations

import itertools
import re
import secrets
import time
from typing import Any

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.metrics import Metrics
from api.problems import broken

_ID = re.compile(rb"[0-9a-f]{8}(?:-?[0-9a-f]{4}){3}-?[0-9a-f]{12}")
"""Only a UUID is taken over from the caller: anything freer could carry personal data into the log."""
_ALWAYS = ((b"x-content-type-options", b"nosniff"),)
_OVER_TLS = b"strict-transport-security"
_HSTS = {False: b"max-age=31536000", True: b"max-age=31536000; includeSubDomains"}
_METHODS = frozenset({"GET", "POST", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH"})


def masked(kpj: str) -> str:
    """The last four characters of a card number: enough to find a line again, not enough to use it."""
    return "***" + kpj[-4:] if len(kpj) > 4 else "***"


class Watch:
    """Pure ASGI: a BaseHTTPMiddleware would cost more than the request."""

    def __init__(self, app: ASGIApp, metrics: Metrics, *, https: bool, subdomains: bool = False) -> None:
        self.app = app
        self._always = (*_ALWAYS, (_OVER_TLS, _HSTS[subdomains])) if https else _ALWAYS
        self.metrics = metrics
        self._prefix = secrets.token_hex(4)
        self._numbers = itertools.count(1)
        self._log = structlog.get_logger()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        given = scope["given"] = dict(scope["headers"])
        request_id = self._id(given.get(b"x-request-id"))
        scope["request_id"] = request_id
        header = (b"x-request-id", request_id.encode())
        started = time.perf_counter()
        status = 499

        async def sent(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message.get("headers", ()), header, *self._always]
            await send(message)

        try:
            await self.app(scope, receive, sent)
        except ClientDisconnect:
            pass  # nobody is there to be answered
        except Exception as error:
            answer = await broken(Request(scope), error)
            if status == 499:
                await answer(scope, receive, sent)
        finally:
            seconds = time.perf_counter() - started
            route = scope.get("route")
            path: str = getattr(route, "path", "other")
            method = scope["method"] if scope["method"] in _METHODS else "other"
            self.metrics.observe(method, path, status, seconds)
            self._tell(scope, method, path, status, seconds, request_id)

    def _id(self, given: bytes | None) -> str:
        if given is not None and _ID.fullmatch(given):
            return given.decode()
        return f"{self._prefix}-{next(self._numbers):x}"

    def _tell(self, scope: Scope, method: str, path: str, status: int, seconds: float, request_id: str) -> None:
        said: dict[str, Any] = {
            "request": request_id, "method": method, "route": path, "status": status, "ms": round(seconds * 1000, 2),
        }  # fmt: skip
        caller = scope.get("caller")
        if caller is not None:
            said["key"] = caller.id
        said |= scope.get("trace", {})
        if "problem" in scope:
            said["code"] = scope["problem"]
        kpj = scope.get("path_params", {}).get("kpj")
        if kpj is not None:
            said["kpj"] = masked(kpj)
        self._log.info("request", **said)
