"""How an event is stored: its name, and its header and fact as one JSON text, compressed when that pays.

    {"recorded_at":"2026-11-21T06:29:00.123456Z","by":"...","channel":"...","reason":"...","request":"...","fact":{...}}

`recorded_at` stands first and has a fixed width, because the log sets it inside the append lock, long after the rest
was encoded. A large state is stored as `z` + those 45 bytes in clear + zlib of the rest; its first byte tells.
Reading validates (`msgspec` checks every type and bound), so a stored -5 never comes back as money.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from functools import cache
from typing import Any, Generic, TypeVar, cast

import msgspec
from eventsourcing.domain import DomainEventProtocol
from eventsourcing.persistence import Mapper, StoredEvent

from ledger.errors import BrokenLog
from ledger.events import FACTS, Event, Fact, Line

F = TypeVar("F")
_COMPRESS_FROM = 512
_UNSET = "0000-00-00T00:00:00.000000Z"
_STAMP = slice(16, 43)
_CLEAR = 45
_HEAD = b'{"recorded_at":"'
_PACKED = ord("z")


class Stored(msgspec.Struct, Generic[F], frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """The stored JSON of an event with fact `F`."""

    recorded_at: str
    by: str
    channel: str
    fact: F
    reason: str = ""
    request: str = ""


class StoredRow(msgspec.Struct, frozen=True, gc=False):
    """An event as the log returns it, not decoded yet: the library's Notification at a tenth of its cost."""

    position: int
    stream: str
    version: int
    name: str
    state: bytes

    @property
    def id(self) -> int:
        return self.position

    @property
    def originator_id(self) -> str:
        return self.stream

    @property
    def originator_version(self) -> int:
        return self.version

    @property
    def topic(self) -> str:
        return self.name


_encoder = msgspec.json.Encoder()


@cache
def decoder(name: str) -> msgspec.json.Decoder[Stored[Any]]:
    """The decoder of a stored name. Raises KeyError for a name this version does not know."""
    kind: Any = FACTS[name]
    return msgspec.json.Decoder(Stored[kind])


def encode(event: Event) -> bytes:
    """The state of an event, `recorded_at` still unset; see `stamp`."""
    data = _encoder.encode(
        Stored(event.recorded_at or _UNSET, event.by, event.channel, event.fact, event.reason, event.request)
    )
    if len(data) < _COMPRESS_FROM:
        return data
    return b"z" + data[:_CLEAR] + zlib.compress(data[_CLEAR:], 1)


def lines_as_json(lines: Sequence[str]) -> list[Line]:
    """The lines of a fact that is only going to be encoded, each as its JSON already; the encoder takes it over."""
    return cast(list[Line], msgspec.Raw(f"[{','.join(lines)}]"))


def stamp(state: bytes, recorded_at: str) -> bytes:
    """The state with its `recorded_at` set."""
    shift = 1 if state[:1] == b"z" else 0
    return state[: _STAMP.start + shift] + recorded_at.encode() + state[_STAMP.stop + shift :]


def stamp_all(states: Sequence[bytes], recorded_at: str) -> list[bytes]:
    """Many states with one `recorded_at`."""
    head, at = _HEAD + recorded_at.encode(), _STAMP.stop
    packed = b"z" + head
    return [head + state[at:] if state[0] != _PACKED else packed + state[at + 1 :] for state in states]


def recorded_at_of(state: bytes) -> str:
    """The `recorded_at` of a state, without decompressing it."""
    shift = 1 if state[:1] == b"z" else 0
    return state[_STAMP.start + shift : _STAMP.stop + shift].decode()


def state_json(state: bytes) -> bytes:
    """The uncompressed stored JSON: what a hash leaf covers."""
    if state[:1] != b"z":
        return state
    return state[1 : 1 + _CLEAR] + zlib.decompress(state[1 + _CLEAR :])


def decode(row: StoredRow) -> Event:
    """The event of a stored row. Raises BrokenLog when it cannot be read as what its name says."""
    try:
        stored = decoder(row.name).decode(state_json(row.state))
    except (KeyError, zlib.error, msgspec.DecodeError) as error:
        raise BrokenLog("log-broken", position=row.position, what=type(error).__name__) from error
    return Event(
        stream=row.stream,
        version=row.version,
        fact=cast(Fact, stored.fact),
        by=stored.by,
        channel=stored.channel,
        reason=stored.reason,
        request=stored.request,
        recorded_at=stored.recorded_at,
        position=row.position,
    )


class JhtMapper(Mapper[str]):
    """The library's mapper, with stored names instead of import paths and checks on reading."""

    def to_stored_event(self, domain_event: DomainEventProtocol[str]) -> StoredEvent:
        event = cast(Event, domain_event)
        return StoredEvent(event.stream, event.version, event.fact.NAME, encode(event))

    def to_domain_event(self, stored_event: StoredEvent) -> DomainEventProtocol[str]:
        row = stored_event if isinstance(stored_event, StoredRow) else _row_of(stored_event)
        return cast(DomainEventProtocol[str], decode(row))


def _row_of(stored_event: StoredEvent) -> StoredRow:
    return StoredRow(
        getattr(stored_event, "id", 0),
        str(stored_event.originator_id),
        stored_event.originator_version,
        stored_event.topic,
        bytes(stored_event.state),
    )
