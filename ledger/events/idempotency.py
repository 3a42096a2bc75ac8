"""Stream `request:<hash>`: one write with an idempotency key."""

from __future__ import annotations

from typing import ClassVar

from ledger.events.fact import NOWHERE, Fact


class RequestStarted(Fact, frozen=True):
    """A write began; `hash` is that of its body."""

    NAME: ClassVar[str] = "request-started.v1"
    CONCERNS: ClassVar = NOWHERE
    hash: str
    route: str


class RequestFinished(Fact, frozen=True):
    """The answer that the same key and body get for ever."""

    NAME: ClassVar[str] = "request-finished.v1"
    CONCERNS: ClassVar = NOWHERE
    hash: str
    status: int
    receipt: str
