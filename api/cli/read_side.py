"""The projections beside an opened log, as commands need them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from api.cli.console import opened
from ledger.clock import read_now
from ledger.errors import Refused, StoreFailed
from ledger.store.log import Log
from projections.generations import Store
from projections.projector import Projector
from projections.reactions import releaser


@contextmanager
def read_side() -> Iterator[tuple[Log, Store]]:
    """The log that the settings name and its projections."""
    with opened() as log:
        store = Store.open(log.settings)
        try:
            yield log, store
        finally:
            store.close()


def follower_of(log: Log, store: Store) -> Projector:
    """The follower, which also releases suspended lines."""
    return Projector(log, store, reactions=[releaser(log, read_now)])


def catch_up_alone(log: Log, store: Store) -> None:
    """Bring the read side to the head when nobody follows; a follower that runs does that itself."""
    try:
        follower_of(log, store).run_once()
    except Refused as refused:
        if refused.code != "follower-elsewhere":
            raise
    except StoreFailed as failed:
        # A standby answers what it has.
        if failed.code != "store-read-only":
            raise
