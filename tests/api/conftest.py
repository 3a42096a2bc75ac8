"""A running API over a small ledger whose facts were appended directly, on each store."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from starlette.testclient import TestClient

from api.access.keys import Keys, open_store
from api.app import create_app
from ledger.clock import read_now
from ledger.events import (
    AccountOpened,
    EmployerRegistered,
    Event,
    Fact,
    Line,
    PaymentsComplete,
    PersonRegistered,
    RuleIds,
    SuspendedLine,
)
from ledger.settings import Settings
from ledger.store.log import Log
from projections.generations import Store
from projections.projector import Projector
from tests.api.described import keep_to_the_description
from tests.conftest import MASTER_KEY, NOW, postgres_database, template_database
from tests.facts import posted, started, suspended

ALL = ("read", "suspense", "persons", "register", "post", "backdate", "correct", "metrics")
PERSON, OTHER = "a" * 32, "b" * 32
PAID, SECOND, EMPTY, STRANGER = "26000000017", "26000000025", "26000000033", "26000000041"
"""Two cards of PERSON at employer 10000001; one card without money, and one at 10000002, of OTHER."""


def event(stream: str, version: int, fact: Fact) -> Event:
    return Event(stream=stream, version=version, fact=fact, by="test", channel="test")


def opened_card(kpj: str, person: str, npp: str) -> list[Event]:
    return [
        event(f"account:{kpj}", 1, AccountOpened(kpj, person, "PU", "2025-01-02")),
        event(f"account:{kpj}", 2, started("PU", "2025-01", npp)),
    ]


def posting(npp: str, month: str, paid_on: str, *kpjs: str, version: int = 1) -> Event:
    lines = [Line(kpj, 5_000_000, 0, 185_000, 100_000) for kpj in kpjs]
    fact = posted(lines, month, paid_on, rules=RuleIds("pu-pp46-2015"))
    return event(f"remittance-e:{npp}:{month}", version, fact)


def small_ledger() -> list[Event]:
    held, other = (
        SuspendedLine(kpj, 5_000_000, 0, 185_000, 100_000, reason="account-unknown")
        for kpj in ("26999999999", "26999999998")
    )
    return [
        event("employer:10000001", 1, EmployerRegistered("10000001", "PT Satu", "2025-01-02")),
        event("employer:10000002", 1, EmployerRegistered("10000002", "PT Dua", "2025-01-02")),
        event(f"person:{PERSON}", 1, PersonRegistered("sealed")),
        event(f"person:{OTHER}", 1, PersonRegistered("sealed")),
        *opened_card(PAID, PERSON, "10000001"),
        *opened_card(SECOND, PERSON, "10000001"),
        *opened_card(EMPTY, OTHER, "10000001"),
        *opened_card(STRANGER, OTHER, "10000002"),
        posting("10000001", "2026-09", "2026-10-12", PAID, SECOND),
        posting("10000001", "2026-10", "2026-11-12", PAID),
        posting("10000002", "2026-10", "2026-11-13", STRANGER),
        event(
            "remittance-e:10000001:2026-08", 1, suspended([held, other], "2026-08", "2026-09-10")
        ),
        event("remittance-e:10000002:2026-08", 1, suspended([held], "2026-08", "2026-09-11")),
        event("scheme", 1, PaymentsComplete(until="2026-11-20")),
    ]  # fmt: skip


class Api:
    """The API under test, with its clock and its ledger in hand."""

    def __init__(self, settings: Settings, *, live: bool = False, **changes: Any) -> None:
        self.settings = settings.model_copy(update={"follow": False, "max_wait": 0.3} | changes)
        self.clock = NOW
        self.log = Log.open(self.settings)
        self.store = Store.open(self.settings)
        self.access = open_store(self.settings)
        self.keys = Keys(self.access)
        self.app = create_app(self.settings, now=read_now if live else lambda: self.clock)
        self._stack = ExitStack()
        self.client: TestClient

    def __enter__(self) -> Api:
        self.client = self._stack.enter_context(TestClient(self.app, raise_server_exceptions=False))
        self.client.event_hooks = {"request": [], "response": [keep_to_the_description]}
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()
        self.access.close()
        self.store.close()
        self.log.close()

    def follow(self) -> None:
        """Bring the read side to the log's head, confirmed at the present."""
        Projector(self.log, self.store, now=lambda: self.clock).run_once()

    def append(self, *events: Event) -> str:
        """Append facts; the outside position of the last."""
        appended = self.log.append(list(events), self.clock)
        return f"{self.log.log_id}-{appended.positions[-1]}"

    def key(self, *scopes: str, npps: list[int] | None = None, expires_at: datetime | None = None) -> dict[str, str]:
        """The headers of a new key."""
        key, _ = self.keys.create("test", scopes or ALL, now=NOW, npps=npps, expires_at=expires_at)
        # The server reads keys at most once a second; a test does not wait for that.
        self.app.state.application.keys._read_at = float("-inf")
        return {"Authorization": f"Bearer {key}"}

    def records(self) -> list[tuple[Any, ...]]:
        """The access records: what, position, key, why, route."""
        prefix = "access." if self.access.dialect == "postgres" else ""
        with self.access.read() as tx:
            return tx.rows(f"select what, position, key, why, route from {prefix}records order by at")


@pytest.fixture(autouse=True)
def _no_full_collections(monkeypatch: pytest.MonkeyPatch) -> None:
    """A start of the app collects all garbage of the process: in a test's, a tenth of a second for nothing."""
    nothing = SimpleNamespace(collect=lambda: 0, freeze=lambda: None, unfreeze=lambda: None)
    monkeypatch.setattr("api.app.gc", nothing)


def _started(settings: Settings) -> None:
    """Let an app make every table it wants."""
    Log.open(settings, create=True).close()
    with Api(settings):
        pass


@pytest.fixture(scope="session")
def _sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("template")
    _started(Settings(database_url=f"sqlite:///{folder / 'jht.db'}", master_key=MASTER_KEY))
    return folder


@pytest.fixture(scope="session")
def _postgres_template(postgres_server: str) -> Iterator[str]:
    with template_database(postgres_server) as (name, url):
        _started(Settings(database_url=url, master_key=MASTER_KEY))
        yield name


STORES = ("sqlite", "postgres")


@contextmanager
def _copied(store: str, request: pytest.FixtureRequest, folder: Path) -> Iterator[Settings]:
    """Settings of a fresh ledger, as an app has left it that was started once: copied, not made anew each time."""
    if store == "sqlite":
        shutil.copytree(request.getfixturevalue("_sqlite_template"), folder, dirs_exist_ok=True)
        yield Settings(database_url=f"sqlite:///{folder / 'jht.db'}", master_key=MASTER_KEY)
        return
    server, template = request.getfixturevalue("postgres_server"), request.getfixturevalue("_postgres_template")
    with postgres_database(server, template) as url:
        yield Settings(database_url=url, master_key=MASTER_KEY)


@pytest.fixture(params=STORES)
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Settings]:
    """Settings of a fresh ledger on each store in turn."""
    with _copied(request.param, request, tmp_path) as made:
        yield made


@pytest.fixture
def both(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[list[Settings]]:
    """Settings of a fresh ledger on each store, for a test whose questions cost more than their answers."""
    with ExitStack() as stack:
        yield [stack.enter_context(_copied(store, request, tmp_path)) for store in STORES]


@pytest.fixture
def empty_api(settings: Settings) -> Iterator[Api]:
    """The API over an empty ledger whose read side was never built."""
    with Api(settings) as api:
        yield api


@pytest.fixture
def api(empty_api: Api) -> Api:
    """The API over the small ledger, read side up to date."""
    empty_api.append(*small_ledger())
    empty_api.follow()
    return empty_api


Maker = Callable[..., Api]
