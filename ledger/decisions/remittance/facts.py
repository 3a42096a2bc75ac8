"""Lines gathered into facts of the size that an event carries, and facts as the next events of a stream."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeVar

import msgspec

from ledger.events import LINES_AN_EVENT, Event, Fact

K = TypeVar("K", bound=tuple[Any, ...])
R = TypeVar("R")


def free_part(used: Sequence[int]) -> int:
    """The first part number that no live line has: one that was reversed may be used again."""
    return next(part for part in range(len(used) + 1) if part not in used)


def cut(columns: dict[str, list[Any]]) -> Iterator[dict[str, list[Any]]]:
    """Columns of at most LINES_AN_EVENT lines."""
    for start in range(0, len(columns["kpj"]), LINES_AN_EVENT):
        yield {name: column[start : start + LINES_AN_EVENT] for name, column in columns.items()}


def numbered(
    state_version: int, stream: str, facts: Iterable[Fact], by: str, channel: str, request: str, reason: str
) -> Iterator[Event]:
    """The facts as the stream's next events, one at a time."""
    for number, fact in enumerate(facts, 1):
        yield Event(
            stream=stream, version=state_version + number, fact=fact, by=by, channel=channel,
            reason=reason, request=request,
        )  # fmt: skip


def events(
    state_version: int, stream: str, facts: Iterable[Fact], by: str, channel: str, request: str, reason: str
) -> list[Event]:
    """The facts as the stream's next events."""
    return list(numbered(state_version, stream, facts, by, channel, request, reason))


def gathered(given: Iterable[tuple[K, R]]) -> Iterable[tuple[K, list[R]]]:
    """Everything that has one key together; keys in an order of their own, whatever came first."""
    found: dict[K, list[R]] = {}
    for key, one in given:
        found.setdefault(key, []).append(one)
    return in_order(found)


def in_order(found: dict[K, R]) -> Iterable[tuple[K, R]]:
    """What was found under each key, in the keys' own order."""
    return sorted(found.items(), key=lambda pair: msgspec.json.encode(pair[0])) if len(found) > 1 else found.items()
