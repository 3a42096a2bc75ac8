"""An event: a fact with its header."""

from __future__ import annotations

from msgspec import Struct

from ledger.events.fact import Fact


class Event(Struct, frozen=True, kw_only=True, gc=False):
    """A fact with its header. `position` and `recorded_at` are given by the log when it appends.

    `by` says who, `channel` by which door, `reason` a code where a person decided, `request` what caused it.
    """

    stream: str
    version: int
    fact: Fact
    by: str
    channel: str
    reason: str = ""
    request: str = ""
    recorded_at: str = ""
    position: int = 0

    @property
    def name(self) -> str:
        """The stored name of its fact."""
        return self.fact.NAME

    @property
    def kind(self) -> type[Fact]:
        """The class of its fact."""
        return type(self.fact)

    @property
    def originator_id(self) -> str:
        return self.stream

    @property
    def originator_version(self) -> int:
        return self.version
