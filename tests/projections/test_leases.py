"""A lease is what it says, whatever happens to the sessions of its holder."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import psycopg
import pytest

from ledger.errors import Refused
from ledger.settings import Settings
from ledger.store.log import Log
from projections import leases
from projections.generations import Store
from projections.projector import Projector
from tests.conftest import NOW


@pytest.fixture
def store(settings: Settings) -> Iterator[Store]:
    opened = Store.open(settings)
    yield opened
    opened.close()


def refused(ask: Callable[[], object]) -> str:
    with pytest.raises(Refused) as told:
        ask()
    return told.value.code


def take(store: Store) -> None:
    with store.lease("follow", "follower-elsewhere"):
        pass


def test_one_holder_at_a_time(settings: Settings, store: Store) -> None:
    other = Store.open(settings)
    assert not other.is_held("follow")
    with store.lease("follow", "follower-elsewhere") as lease:
        lease.check()
        assert other.is_held("follow")
        assert refused(lambda: take(other)) == "follower-elsewhere"
        take_rebuild = other.lease("rebuild-balances", "rebuild-elsewhere")
        with take_rebuild:
            pass
    assert not other.is_held("follow")
    take(other)
    other.close()


def test_sessions_that_are_killed_let_nobody_else_in(log: Log, settings: Settings, store: Store) -> None:
    if not log.postgres:
        pytest.skip("a file's lock has no session")
    stop, other = threading.Event(), Store.open(settings)
    thread = threading.Thread(target=Projector(log, store, now=lambda: NOW).run, args=(stop,))
    thread.start()
    try:
        _until(lambda: other.is_held("follow"))
        with psycopg.connect(settings.database_url, autocommit=True) as connection:
            connection.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity "
                "where datname = current_database() and pid <> pg_backend_pid()"
            )
        end = time.monotonic() + 2 * leases.RENEWED_EVERY
        while time.monotonic() < end:
            _until(lambda: _held(settings))
            assert refused(lambda: _take_anew(settings)) == "follower-elsewhere"
            time.sleep(0.2)
        assert thread.is_alive()
    finally:
        stop.set()
        thread.join()
        other.close()


def _held(settings: Settings) -> bool:
    store = Store.open(settings)
    try:
        return store.is_held("follow")
    finally:
        store.close()


def _take_anew(settings: Settings) -> None:
    store = Store.open(settings)
    try:
        take(store)
    finally:
        store.close()


def test_a_lease_that_went_to_somebody_else_is_noticed(log: Log, store: Store) -> None:
    with store.lease("follow", "follower-elsewhere") as lease:
        if log.postgres:
            with log.database.write() as tx:
                tx.run("update projections.leases set holder = '00000000-1-ab', until = now() + interval '10 s'")
            lease._until = 0.0  # type: ignore[attr-defined]
        else:
            store.settings.beside("follow.lock").unlink()
        assert refused(lease.check) == "follower-elsewhere"


@pytest.mark.parametrize(
    ("holder", "until", "free"),
    [
        ("00000000-1-ab", "interval '5 s'", False),
        ("00000000-1-ab", "interval '-1 s'", True),
        ("00000000-1-ab", "interval '1 day'", True),  # a sign of life from the future counts as none
    ],
)
def test_a_row_counts_until_its_end(log: Log, store: Store, holder: str, until: str, free: bool) -> None:
    if not log.postgres:
        pytest.skip("a file's lock has no end")
    with log.database.write() as tx:
        tx.run(f"insert into projections.leases values ('follow', ?, clock_timestamp() + {until})", [holder])
    assert store.is_held("follow") == (not free)
    if free:
        take(store)
    else:
        assert refused(lambda: take(store)) == "follower-elsewhere"


def _until(holds: Callable[[], bool], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.02)
