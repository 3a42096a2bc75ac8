"""A PostgreSQL that is not as the program would like it: another schema, no patience, no writing, nobody let in."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from ledger.errors import JhtError
from ledger.events import Line
from ledger.identifiers import card_number
from ledger.settings import Settings
from ledger.store.log import Log
from projections.generations import NAMES, Store
from projections.projector import Projector
from projections.queries import Queries
from projections.rebuild import rebuild
from projections.status import status
from tests.conftest import MASTER_KEY, NOW, TODAY, postgres_database
from tests.projections.history import KPJS, NPPS, Writer, registered
from tests.system.lacking import lacking

PAID = 285_000
FAILED = ("store-failed", "store-unreachable")


@pytest.fixture
def empty(postgres_server: str) -> Iterator[str]:
    """The URL of a database with nothing in it."""
    with postgres_database(postgres_server, "template0") as url:
        yield url


@pytest.fixture
def followed(postgres_server: str, postgres_template: str) -> Iterator[str]:
    """The URL of a database with a ledger that was followed: one posted line."""
    with postgres_database(postgres_server, postgres_template) as url:
        everything(url)
        yield url


def with_(url: str, **parameters: str) -> str:
    """The URL with parameters of libpq added."""
    given = "&".join(f"{name}={value}" for name, value in parameters.items())
    return f"{url}{'&' if '?' in url else '?'}{given}"


def options(url: str, **settings: str) -> str:
    """The URL with settings of the session added."""
    return with_(url, options="%20".join(f"-c{name}%3D{value}" for name, value in settings.items()))


def settings_of(url: str) -> Settings:
    return Settings(database_url=url, master_key=MASTER_KEY)


def post(url: str, month: str = "2026-10") -> None:
    log = Log.open(settings_of(url))
    try:
        version = len(log.events(f"remittance-e:{NPPS[0]}:{month}"))
        made = Writer()
        made.versions[f"remittance-e:{NPPS[0]}:{month}"] = version
        log.append([made.post(NPPS[0], month, "2026-11-14", [Line(KPJS[0], 0, 0, 185_000, 100_000)])], NOW)
    finally:
        log.close()


def follow(url: str) -> None:
    log, store = Log.open(settings_of(url)), Store.open(settings_of(url))
    try:
        Projector(log, store, now=lambda: NOW).run_once()
    finally:
        store.close()
        log.close()


def made_again(url: str) -> None:
    log, store = Log.open(settings_of(url)), Store.open(settings_of(url))
    try:
        assert log.check_account_index() == (0, [])
        rebuild(log, store, NAMES)
    finally:
        store.close()
        log.close()


def balance(url: str) -> int:
    log, store = Log.open(settings_of(url)), Store.open(settings_of(url))
    reader = Queries(log, store)
    try:
        return reader.balance(card_number(KPJS[0]), TODAY, NOW).total
    finally:
        reader.close()
        store.close()
        log.close()


def conditions(url: str) -> list[str]:
    log, store = Log.open(settings_of(url)), Store.open(settings_of(url))
    try:
        return [one.condition for one in status(log, store, NOW).projections]
    finally:
        store.close()
        log.close()


def everything(url: str) -> None:
    """A ledger made, written, followed, made again, read."""
    log = Log.open(settings_of(url), create=True)
    log.append(registered(), NOW)
    log.close()
    post(url)
    follow(url)
    made_again(url)
    assert conditions(url) == ["", "", ""]
    follow(url)
    assert balance(url) == PAID


def code(ask: Callable[[], object]) -> str:
    """The code with which something ends."""
    with pytest.raises(JhtError) as told:
        ask()
    return told.value.code


def database(url: str) -> str:
    return str(psycopg.conninfo.conninfo_to_dict(url)["dbname"])


def sql(url: str, statement: str) -> list[tuple[object, ...]]:
    with psycopg.connect(
        options(url, statement_timeout="0", default_transaction_read_only="off"), autocommit=True
    ) as c:
        cursor = c.execute(statement.encode())
        return cursor.fetchall() if cursor.description else []


def test_tables_stand_where_the_url_says(empty: str) -> None:
    """Case: the second connection dropped `options`, and the tables lay in two schemas."""
    sql(empty, "drop schema public cascade")
    sql(empty, "create schema jht")
    everything(options(empty, search_path="jht"))
    found = sql(empty, "select distinct schemaname from pg_tables where schemaname !~ '^(pg_|information_schema)'")
    assert {name for (name,) in found} == {"jht", "projections"}


def test_every_connection_is_made_from_the_url_as_it_stands(empty: str) -> None:
    """A name for connections goes the way of sslmode and all else; the server tells what they are called."""
    url = with_(empty, application_name="jht-named", target_session_attrs="read-write", connect_timeout="5")
    log, store = Log.open(settings_of(url), create=True), Store.open(settings_of(url))
    log.append(registered(), NOW)
    reader = Queries(log, store)
    Projector(log, store, now=lambda: NOW).run_once()
    reader.refresh()
    names = sql(
        empty,
        "select distinct application_name from pg_stat_activity where datname = current_database() "
        "and pid <> pg_backend_pid()",
    )
    for one in (reader, store, log):
        one.close()
    assert names == [("jht-named",)]


def test_a_service_file_names_the_server(followed: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    info = psycopg.conninfo.conninfo_to_dict(followed)
    lines = [f"{name}={value}" for name, value in info.items() if value]
    (tmp_path / "services").write_text("[jht]\n" + "\n".join(lines) + "\n", "utf-8")
    monkeypatch.setenv("PGSERVICEFILE", str(tmp_path / "services"))
    assert balance("postgresql:///?service=jht") == PAID


ACTS: dict[str, Callable[[str], object]] = {
    "post": post, "follow": follow, "rebuild": made_again, "balance": balance, "status": conditions,
}  # fmt: skip


def test_a_server_without_patience_ends_every_act_with_a_code(followed: str) -> None:
    head = sql(followed, "select max(notification_id) from ledger_events")
    url = options(followed, statement_timeout="1ms")
    sql(
        followed,
        "create function wait() returns trigger language plpgsql as "
        "$$begin perform pg_sleep(1); return new; end$$; "
        "create trigger slow before insert on ledger_events for each row execute function wait()",
    )
    assert code(lambda: post(url)) in FAILED
    assert sql(followed, "select max(notification_id) from ledger_events") == head
    sql(followed, "drop trigger slow on ledger_events")
    for act in ACTS.values():
        with contextlib.suppress(JhtError):  # quick enough, or told: nothing else
            act(url)
    post(followed, "2026-09")
    follow(followed)
    assert balance(followed) >= 2 * PAID


def test_a_lock_that_is_not_let_go_is_told(followed: str) -> None:
    url = options(followed, lock_timeout="50ms")
    with psycopg.connect(followed) as other:
        other.execute("lock table ledger_events in exclusive mode")
        assert code(lambda: post(url, "2026-09")) == "store-failed"
        assert balance(url) == PAID
        assert conditions(url) == ["", "", ""]
        other.rollback()
    post(url, "2026-09")


def test_a_server_that_can_only_be_read_is_read_and_says_that_it_is(followed: str) -> None:
    sql(followed, f"alter database {database(followed)} set default_transaction_read_only = on")
    assert balance(followed) == PAID
    assert conditions(followed) == ["", "", ""]
    for writes in (post, follow, made_again):
        assert code(lambda writes=writes: writes(followed)) == "store-read-only"  # type: ignore[misc]


def test_a_server_that_lets_nobody_more_in_is_told(followed: str) -> None:
    name = database(followed)
    sql(followed, f"create role crowd_{name} login password 'x' connection limit 0")
    sql(followed, f"grant pg_read_all_data to crowd_{name}")
    url = followed.replace("//postgres:", f"//crowd_{name}:x")
    try:
        for act in ACTS.values():
            assert code(lambda act=act: act(url)) in FAILED  # type: ignore[misc]
    finally:
        sql(followed, f"drop owned by crowd_{name}")
        sql(followed, f"drop role crowd_{name}")


def test_sessions_that_end_under_open_handles_cost_one_answer_each(followed: str) -> None:
    settings = settings_of(followed)
    log, store = Log.open(settings), Store.open(settings)
    reader = Queries(log, store)
    follower = Projector(log, store, now=lambda: NOW)
    follower.run_once()
    sql(
        followed,
        "select pg_terminate_backend(pid) from pg_stat_activity "
        "where datname = current_database() and pid <> pg_backend_pid()",
    )
    made = Writer()
    acts: list[Callable[[], object]] = [
        lambda: log.append([made.post(NPPS[0], "2026-08", "2026-11-14", [Line(KPJS[0], 0, 0, 1, 1)])], NOW),
        follower.run_once,
        lambda: reader.balance(card_number(KPJS[0]), TODAY, NOW).total,
    ]
    answers = []
    for act in acts:
        for _ in range(5):
            made.versions.clear()
            try:
                answers.append(act())
                break
            except JhtError as error:
                assert error.code == "store-failed"  # noqa: PT017
    assert len(answers) == 3
    assert answers[-1] == PAID + 2
    for one in (reader, store, log):
        one.close()


BOUNCER = """
[databases]
* = {server}
[pgbouncer]
listen_port = {port}
listen_addr =
unix_socket_dir = {folder}
auth_type = any
pool_mode = {mode}
default_pool_size = 10
server_tls_sslmode = disable
pidfile =
"""


@pytest.mark.parametrize("mode", ["transaction", "session"])
def test_a_pooler_may_give_every_transaction_another_session(followed: str, mode: str, tmp_path: Path) -> None:
    """Case: prepared statements met sessions that did not know them, and a session's lease stayed with the pooler."""
    program = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None:
        lacking("no pgbouncer: apt install pgbouncer")
    info = psycopg.conninfo.conninfo_to_dict(followed)
    server = " ".join(f"{name}={info[name]}" for name in ("host", "port", "user") if info.get(name))
    folder = Path(tempfile.mkdtemp(prefix="jht-pool-"))  # a socket's path is short
    text = BOUNCER.format(server=server, port=(port := 6432), folder=folder, mode=mode)
    (tmp_path / "pgbouncer.ini").write_text(text, "utf-8")
    folder.chmod(0o777)
    (tmp_path / "pgbouncer.ini").chmod(0o644)
    # It refuses to be root, and the server's socket lets its owner in.
    owner = pwd.getpwuid(os.stat(str(info["host"])).st_uid).pw_name
    as_whom = ["--user", owner] if os.geteuid() == 0 else []
    running = subprocess.Popen([program, "--quiet", *as_whom, str(tmp_path / "pgbouncer.ini")])
    try:
        url = f"postgresql://postgres@/{database(followed)}?host={folder}&port={port}"
        _until_there(folder / f".s.PGSQL.{port}", running)
        post(url, "2026-09")
        log, store = Log.open(settings_of(url)), Store.open(settings_of(url))
        with store.lease("follow", "follower-elsewhere"):
            assert code(lambda: follow(url)) == "follower-elsewhere"
            assert code(lambda: follow(followed)) == "follower-elsewhere"
        for one in (store, log):
            one.close()
        for _ in range(7):  # a statement is prepared when it comes for the sixth time
            follow(url)
            assert balance(url) == 2 * PAID
        made_again(url)
        assert conditions(url) == ["", "", ""]
    finally:
        running.terminate()
        running.wait(20)
        shutil.rmtree(folder)


def _until_there(path: Path, running: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + 30
    while not path.exists():
        assert running.poll() is None
        assert time.monotonic() < end
        time.sleep(0.05)
