"""How far the read side is, for `jht status` and the health routes."""

from __future__ import annotations

from datetime import datetime

import msgspec

from ledger.acts.scheme import scheme_of
from ledger.errors import BrokenLog
from ledger.store import notices
from ledger.store.log import Log
from ledger.store.notices import NoticeState
from projections.condition import condition
from projections.generations import NAMES, Pointers, Store
from projections.results import confirmed_before


class ProjectionStatus(msgspec.Struct, frozen=True):
    """One projection. `generation` 0: never built. `behind`: events that are not applied yet.

    `condition`: what is wrong with it (`projections.condition`), "" when nothing is. `incomplete`: accounts that are not
    answered for.
    """

    name: str
    generation: int
    previous: int
    position: int
    recorded_at: str
    behind: int
    condition: str
    incomplete: int
    broken: list[tuple[int, str]]


class Status(msgspec.Struct, frozen=True):
    """The whole read side. `confirmed_seconds`: since the follower last confirmed the head; None when it never did.

    `complete_until`: the day (ISO) until which all payments were handed over, "" when nobody said so or the scheme's record
    cannot be read: no month is called missing then.
    """

    log_id: str
    head: int
    projections: list[ProjectionStatus]
    follower_running: bool
    head_seen: int
    confirmed_at: str
    confirmed_seconds: float | None
    error: str
    notices: NoticeState
    complete_until: str


def status(log: Log, store: Store, now: datetime) -> Status:
    """How far everything is. Raises StoreFailed."""
    pointers, heartbeat = store.pointers(), store.heartbeat()
    head = log.head()
    found = [_one(log, store, name, pointers, head) for name in NAMES]
    with log.database.read() as tx:
        told = notices.state(tx, head)
    confirmed = confirmed_before(heartbeat.confirmed_at, now)
    return Status(
        log.log_id, head, found, store.is_held("follow"), heartbeat.head_seen, heartbeat.confirmed_at,
        (now - confirmed).total_seconds() if confirmed else None, heartbeat.error, told, complete_until(log),
    )  # fmt: skip


def complete_until(log: Log) -> str:
    """The day of `Status.complete_until`. Raises StoreFailed."""
    try:
        return scheme_of(log).complete
    except BrokenLog:
        return ""


def _one(log: Log, store: Store, name: str, pointers: Pointers, head: int) -> ProjectionStatus:
    live, previous = pointers.live.get(name), pointers.previous.get(name)
    if live is None:
        return ProjectionStatus(name, 0, 0, 0, "", head, "", 0, [])
    before = previous.number if previous else 0
    word = condition(log, store, live)
    if word in ("missing", "damaged", "shape"):
        return ProjectionStatus(name, live.number, before, 0, "", head, word, 0, [])
    position = store.position(live)
    with store.database(live).read() as tx:
        incomplete = tx.rows(f"select count(*) from {live.table}_incomplete")[0][0]
        broken = tx.rows(f"select position, what from {live.table}_broken order by position desc limit 20")
    return ProjectionStatus(
        name, live.number, before, position.position, position.recorded_at, max(head - position.position, 0), word,
        incomplete, [(where, what) for where, what in broken],
    )  # fmt: skip
