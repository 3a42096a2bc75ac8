"""How an event is stored: its name, and its header and fact as one JSON text, compressed where that pays.

    {"recorded_at":"2026-11-21T06:29:00.123456Z","by":"...","channel":"...","reason":"...","request":"...","fact":{...}}

`recorded_at` stands first and has a fixed width, because the log sets it inside the append lock, long after the rest
was encoded. A large state is stored as `z` + those 45 bytes in clear + zstd of the rest; its first byte tells.
Reading validates (`msgspec` checks every type and bound, columns are of one length), so a stored -5 never comes back as
money. Older versions are upgraded on reading (`ledger.events.upcasters`), for every reader.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any, Generic, TypeVar, cast

import msgspec
import zstandard
from eventsourcing.domain import DomainEventProtocol
from eventsourcing.persistence import Mapper, StoredEvent

from ledger.errors import BrokenLog
from ledger.events import FACTS, Event, Fact
from ledger.events.upcasters import KNOWN, upgraded

F = TypeVar("F")
_COMPRESS_FROM = 512
_UNSET = "0000-00-00T00:00:00.000000Z"
_STAMP = slice(16, 43)
_CLEAR = 45
_HEAD = b'{"recorded_at":"'
_PACKED = ord("z")
_LEVEL = 1
_LARGEST = 1 << 26
"""No state unpacks to more: a thousand lines take a hundredth of it."""

UNREADABLE = (KeyError, ValueError, TypeError, zstandard.ZstdError, msgspec.MsgspecError)
"""What reading a state that is not what its name says may raise before it is told as BrokenLog."""


class _Packing(threading.local):
    """Compressors are not to be shared by threads; a new one for each state costs as much as the compression."""

    def __init__(self) -> None:
        self.pack = zstandard.ZstdCompressor(level=_LEVEL)
        self.unpack = zstandard.ZstdDecompressor()


_packing = _Packing()


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
    """The decoder of a present stored name. Raises KeyError for any other."""
    kind: Any = FACTS[name]
    return msgspec.json.Decoder(Stored[kind])


class _Header(msgspec.Struct, frozen=True):
    """What `request_of` reads of a stored JSON; everything else is passed over, but must be JSON."""

    by: str
    channel: str
    request: str = ""


_header_decoder = msgspec.json.Decoder(_Header)
_old_decoder = msgspec.json.Decoder(Stored[dict[str, Any]])


def encode(event: Event) -> bytes:
    """The state of an event, `recorded_at` still unset; see `stamp`."""
    data = _encoder.encode(
        Stored(event.recorded_at or _UNSET, event.by, event.channel, event.fact, event.reason, event.request)
    )
    if len(data) < _COMPRESS_FROM:
        return data
    return b"z" + data[:_CLEAR] + _packing.pack.compress(data[_CLEAR:])


class EncodedEvent(msgspec.Struct, frozen=True, gc=False):
    """An event that waits to be appended, of which only the state is kept: a tenth of what the fact takes. Who asks for
    the fact gets it read from the state."""

    stream: str
    version: int
    name: str
    request: str
    state: bytes

    @property
    def kind(self) -> type[Fact]:
        """The class of its fact."""
        return FACTS[self.name]

    @property
    def fact(self) -> Fact:
        """What happened."""
        return decode(StoredRow(0, self.stream, self.version, self.name, self.state)).fact


NewEvent = Event | EncodedEvent


def encoded(event: Event) -> EncodedEvent:
    """The event with its state in place of its fact."""
    return EncodedEvent(event.stream, event.version, event.name, event.request, encode(event))


def states_of(events: Iterable[NewEvent]) -> list[bytes]:
    """The states of events."""
    return [one.state if isinstance(one, EncodedEvent) else encode(one) for one in events]


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
    return state[1 : 1 + _CLEAR] + _packing.unpack.decompress(state[1 + _CLEAR :], max_output_size=_LARGEST)


def decode(row: StoredRow) -> Event:
    """The event of a stored row. Raises BrokenLog when it cannot be read as what its name says."""
    try:
        data = state_json(row.state)
        stored: Stored[Any] = decoder(row.name).decode(data) if row.name in FACTS else _of_old_version(row.name, data)
    except UNREADABLE as error:
        raise _broken(row, error) from error
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


def request_of(row: StoredRow) -> str:
    """The request of a stored row, its fact passed over. Raises BrokenLog when the row is none of this log's."""
    try:
        if row.name not in KNOWN:
            raise KeyError(row.name)
        return _header_decoder.decode(state_json(row.state)).request
    except UNREADABLE as error:
        raise _broken(row, error) from error


def _broken(row: StoredRow, error: Exception) -> BrokenLog:
    what = "UnknownName" if isinstance(error, KeyError) else type(error).__name__
    return BrokenLog("log-broken", position=row.position, what=what)


def _of_old_version(name: str, data: bytes) -> Stored[Fact]:
    old = _old_decoder.decode(data)
    present, fact = upgraded(name, old.fact)
    return Stored(old.recorded_at, old.by, old.channel, msgspec.convert(fact, FACTS[present]), old.reason, old.request)


class JhtMapper(Mapper[str]):
    """The library's mapper, with stored names instead of import paths and checks on reading."""

    def to_stored_event(self, domain_event: DomainEventProtocol[str]) -> StoredEvent:
        event = cast(NewEvent, domain_event)
        (state,) = states_of([event])
        return StoredEvent(event.stream, event.version, event.name, state)

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
