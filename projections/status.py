"""How far the read side is, for `jht status` and the health routes."""

from __future__ import annotations

from datetime import datetime

import msgspec

from ledger.errors import Refused
from ledger.store.log import Log
from projections.generations import NAMES, Store


class ProjectionStatus(msgspec.Struct, frozen=True):
    """One projection. `generation` 0: never built. `behind` counts events not applied yet, not numbers between.

    `foreign`: it was built from another log and must be rebuilt. `incomplete`: accounts that are not answered for.
    """

    name: str
    generation: int
    previous: int
    position: int
    recorded_at: str
    behind: int
    foreign: bool
    incomplete: int
    broken: list[tuple[int, str]]


class Status(msgspec.Struct, frozen=True):
    """The whole read side. `confirmed_seconds`: since the follower last confirmed the head; None when it never did."""

    log_id: str
    head: int
    projections: list[ProjectionStatus]
    follower_running: bool
    head_seen: int
    confirmed_at: str
    confirmed_seconds: float | None
    error: str


def status(log: Log, store: Store, now: datetime) -> Status:
    """How far everything is. Raises StoreFailed."""
    pointers, heartbeat = store.pointers(), store.heartbeat()
    found = []
    for name in NAMES:
        live, previous = pointers.live.get(name), pointers.previous.get(name)
        if live is None:
            found.append(ProjectionStatus(name, 0, 0, 0, "", _behind(log, 0), False, 0, []))
            continue
        position = store.position(live)
        with store.database(live).read() as tx:
            incomplete = tx.rows(f"select count(*) from {live.table}_incomplete")[0][0]
            broken = tx.rows(f"select position, what from {live.table}_broken order by position desc limit 20")
        found.append(
            ProjectionStatus(
                name, live.number, previous.number if previous else 0, position.position, position.recorded_at,
                _behind(log, position.position), position.log_id != log.log_id, incomplete,
                [(where, what) for where, what in broken],
            )
        )  # fmt: skip
    confirmed = datetime.fromisoformat(heartbeat.confirmed_at) if heartbeat.confirmed_at else None
    return Status(
        log.log_id, log.head(), found, _follower_running(store), heartbeat.head_seen, heartbeat.confirmed_at,
        (now - confirmed).total_seconds() if confirmed else None, heartbeat.error,
    )  # fmt: skip


def _behind(log: Log, position: int) -> int:
    with log.database.read() as tx:
        return tx.rows(f"select count(*) from {log.table} where {log.key} > ?", [position])[0][0]  # type: ignore[no-any-return]


def _follower_running(store: Store) -> bool:
    try:
        with store.lease("follow", "follower-elsewhere"):
            return False
    except Refused:
        return True
