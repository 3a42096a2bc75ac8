"""Writes with an Idempotency-Key: the same key and body are answered the same for ever, whatever happened meanwhile.

Stream `request:<digest>`: request-started with a keyed hash of the body (a plain one would let anybody who reads the log
try bodies, and with them a NIK) comes before the first event of the write,
request-finished with the answer after the last. A write that started and never finished is resumed when it was given
up, its process is gone or a minute has passed: ingestion finds what the first run wrote and adds the rest. The next call
may come to another process, so what was given up stands in a table beside the log; it may be emptied at any time.
"""

from __future__ import annotations

import contextlib
import threading
from datetime import datetime, timedelta

from msgspec import Struct

from ledger.errors import Conflict, StoreFailed, Unavailable
from ledger.events import Event, Fact, RequestFinished, RequestStarted
from ledger.identifiers import request_stream
from ledger.store.handle import handle
from ledger.store.log import Log, VersionTaken
from ledger.store.processes import is_gone, process_name

RESUMED_AFTER = timedelta(seconds=60)
_PROCESS = process_name()

_running: set[str] = set()
_lock = threading.Lock()


class Started(Struct, frozen=True):
    """The caller now does the write and calls `finish` or `abandon`. `version`: the stream's last version."""

    digest: str
    body_hash: str
    version: int


class Replay(Struct, frozen=True):
    """The write was done before: this was the answer, in numbers and codes."""

    answer: RequestFinished


def digest_of(log: Log, client: str, route: str, key: str) -> str:
    """The name of a request: what one client calls by one key on one route, hashed under the log's secret."""
    return log.hmac("request", "\n".join((client, route, key)).encode())


def begin(
    log: Log, digest: str, body_hash: str, route: str, *, by: str, channel: str, now: datetime
) -> Started | Replay:
    """Begin a write, or find that it was done. `body_hash`: the SHA-256 of the body; its HMAC is what is kept.

    Raises Conflict(idempotency-key-reused) when the key came with another body, Unavailable(idempotency-in-progress)
    while another run is at it.
    """
    with _lock:
        if digest in _running:
            raise Unavailable("idempotency-in-progress")
        _running.add(digest)
    try:
        found = _begin(log, digest, log.hmac("request body", body_hash.encode()), route, by, channel, now)
    except BaseException:
        _forget(digest)
        raise
    if isinstance(found, Replay):
        _forget(digest)
    return found


def _begin(log: Log, digest: str, body_hash: str, route: str, by: str, channel: str, now: datetime) -> Started | Replay:
    stream = request_stream(digest)

    def act() -> Started | Replay:
        events = log.events(stream)
        if events:
            first = events[0].fact
            assert isinstance(first, RequestStarted)
            if first.hash != body_hash or first.route != route:
                raise Conflict("idempotency-key-reused")
            last = events[-1]
            if isinstance(last.fact, RequestFinished):
                return Replay(last.fact)
            if not _dead(last, now) and not _abandoned(log, last):
                raise Unavailable("idempotency-in-progress")
        version = len(events) + 1
        # The process is named, so that another one can see whether it still lives.
        log.append([_event(stream, version, RequestStarted(body_hash, route, _PROCESS), by, channel)], now)
        return Started(digest, body_hash, version)

    return handle(act)


def finish(log: Log, started: Started, answer: RequestFinished, *, by: str, channel: str, now: datetime) -> None:
    """Keep the answer. A run that was taken for dead may finish second: the first answer stands."""
    try:
        log.append([_event(request_stream(started.digest), started.version + 1, answer, by, channel)], now)
    except VersionTaken:
        pass
    finally:
        _forget(started.digest)


def abandon(log: Log, started: Started) -> None:
    """The write failed for a reason that may pass: the next call with the key resumes it at once, in any process.

    Where that cannot be kept, because the store is what failed, another process waits the minute. Blocking.
    """
    _forget(started.digest)
    with contextlib.suppress(StoreFailed), log.database.write() as tx:
        tx.run(
            "insert into requests_abandoned (stream, version) values (?, ?) on conflict do nothing",
            [request_stream(started.digest), started.version],
        )


def _abandoned(log: Log, last: Event) -> bool:
    with log.database.read() as tx:
        return bool(
            tx.rows("select 1 from requests_abandoned where stream = ? and version = ?", [last.stream, last.version])
        )


def _forget(digest: str) -> None:
    with _lock:
        _running.discard(digest)


def _dead(event: Event, now: datetime) -> bool:
    if now - datetime.fromisoformat(event.recorded_at) > RESUMED_AFTER:
        return True
    process = event.fact.process if isinstance(event.fact, RequestStarted) else ""
    if process == _PROCESS:
        return True  # this process, and it is not in `_running`
    if process.startswith(_PROCESS.rpartition("-")[0] + "-"):
        return True  # an earlier process that had this one's number
    return is_gone(process)


def _event(stream: str, version: int, fact: Fact, by: str, channel: str) -> Event:
    return Event(stream=stream, version=version, fact=fact, by=by, channel=channel)
