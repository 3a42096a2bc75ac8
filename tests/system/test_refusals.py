"""Every command wrong in every way a person would: a stable code, both sentences, the exit code, nothing done."""

from __future__ import annotations

import contextlib
import re
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from ledger import __version__
from ledger.errors import StoreFailed, sentences
from ledger.numbers import PLACE
from ledger.settings import Settings
from ledger.store.place import check_place
from tests.conftest import MASTER_KEY, database_url, template_database
from tests.office import CONTRIBUTION, NPP, csv_of, line
from tests.system.conftest import CARD, SECOND
from tests.system.forks import ROOT
from tests.system.running import Done, environment, jht, really_started, run

UNKNOWN = "26000000033"
REFUSED, SOME_REFUSED, TRY_AGAIN = 2, 3, 75
MISSING = "/nowhere/at-all"
ONE_STORE = pytest.mark.parametrize("settings", ["sqlite"], indirect=True)


def _pattern(sentence: str) -> re.Pattern[str]:
    """The sentence with anything in its places."""
    return re.compile(".+".join(re.escape(part) for part in PLACE.split(sentence)[::3]))


def refusal(done: Done, exit_code: int, code: str) -> str:
    """What is wrong with how a command refused; '' when nothing is."""
    if "Traceback" in done.stdout + done.stderr:
        return "a traceback"
    if done.code != exit_code:
        return f"exit code {done.code}"
    if code not in re.split(r"[\s,]", done.stderr):
        return f"no {code}"
    sentence = sentences()[code]
    if not (_pattern(sentence.id).search(done.stderr) and _pattern(sentence.en).search(done.stderr)):
        return "not both sentences"
    told = re.sub(r"^Usage: .*", "", done.stderr)  # typer writes {arguments} there
    return "a place that is not filled" if re.search(r"[{}]|\?[,.) ]", told) else ""


TYPED: list[tuple[str, str, int]] = [
    (f"ingest contributions {MISSING}.csv", "file-unreadable", REFUSED),
    (f"ingest contributions - {MISSING}.csv", "file-unreadable", REFUSED),
    ("ingest contributions /", "file-unreadable", REFUSED),
    ("ingest contributions -", "file-empty", SOME_REFUSED),
    ("ingest salaries -", "value-not-offered", REFUSED),
    ("ingest contributions - --replace --reason paid-twice", "replace-only-openings", REFUSED),
    ("export --format pdf", "value-not-offered", REFUSED),
    (f"statement {CARD} --lang de", "value-not-offered", REFUSED),
    (f"statement {CARD} --out {MISSING}.doc", "value-not-offered", REFUSED),
    (f"statements --year 2025 --out {MISSING} --lang de", "value-not-offered", REFUSED),
    (f"ingest contributions {MISSING}.csv --reason because", "reason-unknown", REFUSED),
    (f"ingest employers --rejects {MISSING}/rejects.csv -", "file-unwritable", REFUSED),
    ("balance ABC", "kpj-unreadable", REFUSED),
    (f"balance {UNKNOWN}", "account-not-found", REFUSED),
    (f"balance {CARD} --as-of yesterday", "parameter-unreadable", REFUSED),
    (f"balance {CARD} --as-of 2199-01-01", "as-of-in-future", REFUSED),
    ("reverse", "reversal-unclear", REFUSED),
    (f"reverse --npp {NPP} --month 2026-10", "reason-missing", REFUSED),
    (f"reverse --npp {NPP} --month 2026-10 --reason because", "reason-unknown", REFUSED),
    (f"reverse --npp {NPP} --month 2026-13 --reason wrong-amount", "month-unreadable", REFUSED),
    ("reverse --npp 1 --month 2026-10 --reason wrong-amount", "npp-unreadable", REFUSED),
    (f"reverse --npp {NPP} --month 2026-10 --division much-too-long --reason wrong-amount", "division-unreadable", 2),
    (f"reverse --npp {NPP} --month 2026-10 --kpj x --reason wrong-amount", "kpj-unreadable", REFUSED),
    (f"reverse --npp {NPP} --month 2026-10 --kind odd --reason wrong-amount", "kind-unknown", REFUSED),
    (f"reverse --receipt 12ab --npp {NPP} --reason wrong-amount", "reversal-unclear", REFUSED),
    ("reverse --receipt 12ab --reason wrong-amount", "receipt-not-found", REFUSED),
    (f"reverse --npp {NPP} --month 2020-01 --reason wrong-amount", "remittance-not-found", REFUSED),
    (f"reverse --npp {NPP} --month 2026-10 --kpj {UNKNOWN} --reason wrong-amount", "line-not-found", REFUSED),
    ("rebuild everything", "projection-unknown", REFUSED),
    ("rebuild balances everything", "projection-unknown", REFUSED),
    ("rebuild balances --undo", "rebuild-nothing-to-undo", REFUSED),
    ("rebuild everything --undo", "projection-unknown", REFUSED),
    ("keys create branch everything", "scope-unknown", REFUSED),
    ("keys create branch read --npp 1", "npp-unreadable", REFUSED),
    ("keys revoke 12ab", "key-unknown", REFUSED),
    (f"person correct {CARD}", "json-unreadable", REFUSED),
    (f"person correct {CARD} --changes {MISSING}", "file-unreadable", REFUSED),
    ("person erase x --yes", "kpj-unreadable", REFUSED),
    (f"person erase {UNKNOWN} --yes", "account-not-found", REFUSED),
    (f"person erase {CARD} --yes", "erase-has-money", REFUSED),
    (f"person erase {CARD} --yes --order @@", "parameter-unreadable", REFUSED),
    ("person export x", "kpj-unreadable", REFUSED),
    ("users create x --role counter", "user-name-unreadable", REFUSED),
    ("users create Two.Words! --role counter", "user-name-unreadable", REFUSED),
    ("users create sari", "user-role-wrong", REFUSED),
    ("users create sari --role director", "user-role-wrong", REFUSED),
    ("users create sari --kind member", "user-kind-unknown", REFUSED),
    ("users create sari --kind employer", "user-employer-wrong", REFUSED),
    (f"users create sari --role counter --npp {NPP}", "user-employer-wrong", REFUSED),
    ("users create sari --kind employer --npp 1", "npp-unreadable", REFUSED),
    ("users create sari --role counter", "password-weak", REFUSED),
    ("users disable nobody", "user-unknown", REFUSED),
    ("users password nobody", "user-unknown", REFUSED),
    ("outbox send", "mail-server-missing", REFUSED),
    (f"backup {MISSING}/backup", "file-unwritable", REFUSED),
    ("backup /", "file-exists", REFUSED),
    (f"restore {MISSING}", "backup-unreadable", REFUSED),
    (f"master-key {MISSING}/key", "file-unwritable", REFUSED),
    ("master-key /", "file-exists", REFUSED),
    (f"rotate-master-key --new-key-file {MISSING}/key", "file-unwritable", REFUSED),
    ("rotate-master-key --new-key-file /", "setting-wrong", REFUSED),
    ("serve --host nowhere.invalid", "address-unusable", REFUSED),
    ("serve --host 192.0.2.1", "address-unusable", REFUSED),
    (f"person export {UNKNOWN}", "account-not-found", REFUSED),
    (f"export --to {MISSING}/jht.beancount", "file-unwritable", REFUSED),
    ("export --to /", "file-unwritable", REFUSED),
    ("export --to README.md/jht.beancount", "file-unwritable", REFUSED),
]  # fmt: skip


def test_a_mistake_is_told_with_its_code_in_both_languages(filled: Settings) -> None:
    jht(filled, "follow", "--once")
    wrong = []
    for typed, code, exit_code in TYPED:
        done = run(environment(filled), *typed.split())
        if said := refusal(done, exit_code, code):
            wrong.append(f"jht {typed}: {said} instead of {exit_code} {code}: {done.stderr[-300:]}")
    assert not wrong, "\n".join(wrong)


MISTYPED = {
    "nothing": "command-unknown", "--nothing": "option-unknown", "ingest contributions": "argument-missing",
    "users": "command-missing", "keys nothing": "command-unknown", "serve --port 99999": "whole-number-between",
    "serve --port": "option-value-missing", "backup one two": "argument-surplus", "status --json=1": "option-without-value",
    f"balance {CARD} --as-of 2026-01-01 --as-of 2026-02-01": "option-twice",
}  # fmt: skip


@ONE_STORE
def test_what_cannot_be_understood_is_explained_and_does_nothing(filled: Settings) -> None:
    before = jht(filled, "status", "--json").json["head"]
    for typed, code in MISTYPED.items():
        done = run(environment(filled), *typed.split())
        assert not refusal(done, REFUSED, code), (typed, done)
        assert "Usage: jht" in done.stdout + done.stderr, typed
    done = run(environment(filled), "person", "erase", CARD)  # nobody answers whether it is meant
    assert not refusal(done, 1, "command-cancelled"), done
    done = run(environment(filled), "person", "erase", CARD, stdin=b"y\n")
    assert not refusal(done, REFUSED, "card-differs"), done
    assert jht(filled, "status", "--json").json["head"] == before


EVERY = (
    "ingest employers -", "reverse --npp 10000001 --month 2026-10 --reason wrong-amount", f"balance {CARD}",
    "follow --once", "rebuild", "status", "keys list", f"person export {CARD}", "export", "renew-log-id",
    "serve --port 1",
)  # fmt: skip


def test_without_a_ledger_every_command_says_how_to_make_one(tmp_path: Path) -> None:
    settings = Settings(database_url=f"sqlite:///{tmp_path / 'jht.db'}", master_key=MASTER_KEY)
    wrong = []
    for typed in EVERY:
        if said := refusal(run(environment(settings), *typed.split()), REFUSED, "ledger-missing"):
            wrong.append(f"jht {typed}: {said}")
    assert not wrong, "\n".join(wrong)
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_setting_is_named_and_its_value_is_not_repeated(tmp_path: Path) -> None:
    good = Settings(database_url=f"sqlite:///{tmp_path / 'jht.db'}", master_key=MASTER_KEY)
    for name, value in (
        ("JHT_DATABSE_URL", "sqlite:///secret.db"),
        ("JHT_DATABASE_URL", "mysql://secret"),
        ("JHT_PUBLIC_URL", "https://x.example/secret"),
        ("JHT_QUIET_HOURS", "25-secret"),
        ("JHT_PORT", "secret"),
        ("JHT_PORT", "99999"),
        ("JHT_FOLLOW", "secret"),
        ("JHT_MAX_STALENESS", "-secret"),
        ("JHT_MASTER_KEY", "secret"),
        ("JHT_MASTER_KEY_FILE", "/nowhere/secret"),
    ):
        surroundings = environment(good) | {name: value}
        if name == "JHT_MASTER_KEY_FILE":
            del surroundings["JHT_MASTER_KEY"]
        done = run(surroundings, "init")
        assert done.code == REFUSED, (name, done)
        code = re.match(r"(setting|master-key)-\w+", done.stderr)
        assert code, (name, done)
        assert not refusal(done, REFUSED, code[0]), (name, done)
        # What the library says of a value it refuses would stand there in English.
        assert "nput should" not in done.stderr, (name, done)
        assert name in done.stderr, done
        assert "secret" not in done.stdout + done.stderr, (name, done)


def test_another_master_key_is_recognised_and_nothing_is_written(filled: Settings, tmp_path: Path) -> None:
    jht(filled, "follow", "--once")
    before = jht(filled, "status", "--json").json["head"]
    file = tmp_path / "october.csv"
    file.write_bytes(csv_of(CONTRIBUTION, [line(SECOND)]))
    surroundings = environment(filled) | {"JHT_MASTER_KEY": "43" * 32}
    for typed in (f"ingest contributions {file}", f"person export {CARD}", "serve --port 1", "init"):
        done = run(surroundings, *typed.split())
        assert not refusal(done, REFUSED, "master-key-wrong"), (typed, done)
        assert "43" * 32 not in done.stdout + done.stderr
    assert jht(filled, "status", "--json").json["head"] == before


def test_a_place_where_no_ledger_can_be_is_told_and_left_as_it_is(tmp_path: Path) -> None:
    other, text, loop = tmp_path / "other.db", tmp_path / "text.db", tmp_path / "loop.db"
    with contextlib.closing(sqlite3.connect(other)) as connection:
        connection.execute("create table songs (name text)")
    text.write_bytes(b"this is no database at all " * 400)
    loop.symlink_to(loop)
    places = {
        f"{MISSING}/jht.db": ("ledger-missing", "ledger-folder-missing"),
        str(text): ("ledger-foreign", "ledger-foreign"),
        str(tmp_path): ("ledger-foreign", "ledger-foreign"),
        str(loop): ("ledger-unreadable", "ledger-unreadable"),
        str(other): ("ledger-foreign", "ledger-foreign"),
    }
    before = {path: path.read_bytes() for path in (other, text)}
    for place, codes in places.items():
        settings = Settings(database_url=f"sqlite:///{place}", master_key=MASTER_KEY)
        for typed, code in zip(("status", "init"), codes, strict=True):
            done = run(environment(settings), typed)
            assert not refusal(done, REFUSED, code), (place, typed, done)
    assert before == {path: path.read_bytes() for path in before}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["loop.db", "other.db", "text.db"]


@contextlib.contextmanager
def away(postgres_server: str) -> Iterator[dict[str, tuple[str, str]]]:
    """URLs of servers that let nobody in, each with the code that is told and what is named."""
    info = psycopg.conninfo.conninfo_to_dict(postgres_server)
    user, host = info.get("user") or "postgres", str(info.get("host"))
    # One takes connections and never says a word; one has its queue full, so that whoever comes is dropped on the way.
    with socket.create_server(("127.0.0.1", 0)) as silent, socket.create_server(("127.0.0.1", 0), backlog=0) as full:
        queued = [socket.socket() for _ in range(8)]
        for one in queued:
            one.setblocking(False)
            one.connect_ex(full.getsockname())
        mute, dropped = (f"127.0.0.1:{one.getsockname()[1]}" for one in (silent, full))
        yield {
            "postgresql://jht:geheim@127.0.0.1:1/jht": ("store-unreachable", "127.0.0.1:1/jht"),
            "postgresql://jht:geheim@nowhere.invalid/jht": ("store-unreachable", "nowhere.invalid:5432/jht"),
            f"postgresql://jht:geheim@{'a' * 70}/jht": ("store-unreachable", "a:5432/jht"),
            f"postgresql://jht:geheim@{mute}/jht": ("store-silent", f"{mute}/jht"),
            f"postgresql://jht:geheim@{dropped}/jht": ("store-silent", f"{dropped}/jht"),
            f"postgresql://jht:geheim@{mute},{dropped},{mute}/jht": ("store-silent", f"{mute}, {dropped}, {mute}/jht"),
            database_url(postgres_server, "nowhere"): ("store-unreachable", host),
            database_url(postgres_server, "postgres").replace(f"//{user}", "//nobody", 1): (
                "store-unreachable",
                "nobody",
            ),
        }
        for one in queued:
            one.close()


def test_a_server_that_does_not_answer_is_told_within_three_seconds(postgres_server: str) -> None:
    with away(postgres_server) as places:
        for url, (code, told) in places.items():
            settings = Settings(database_url=url, master_key=MASTER_KEY)
            for typed in ("settings", "status", "init", f"balance {CARD}", "serve", "keys list"):
                began = time.monotonic()
                done = run(environment(settings), *typed.split())
                if typed == "settings":  # which only makes sure that everything is imported
                    continue
                assert time.monotonic() - began < 3, (url, typed)
                assert not refusal(done, TRY_AGAIN, code), (url, typed, done)
                assert told in done.stderr, (url, done)
                assert "geheim" not in done.stdout + done.stderr
                if code == "store-silent":  # all wait for it at one place
                    break


def test_a_name_that_nobody_resolves_is_waited_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    ended = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: ended.wait(30))
    began = time.monotonic()
    with pytest.raises(StoreFailed) as failed:
        check_place(Settings(database_url="postgresql://jht@db.example,two.example/jht"), create=False)
    assert (failed.value.code, time.monotonic() - began < 2.5) == ("store-silent", True)
    ended.set()


def test_who_gives_a_server_more_time_in_the_url_waits_that_long(postgres_server: str) -> None:
    with away(postgres_server) as places:
        silent = next(url for url, (code, _) in places.items() if code == "store-silent")
        began = time.monotonic()
        with pytest.raises(StoreFailed) as failed:
            check_place(Settings(database_url=f"{silent}?connect_timeout=3"), create=False)
        assert failed.value.code == "store-silent"
        assert time.monotonic() - began > 2.5


def test_a_wrong_url_of_a_server_is_a_wrong_setting() -> None:
    wrong = Settings(database_url="postgresql://jht:geheim@127.0.0.1/jht?nonsense=1", master_key=MASTER_KEY)
    done = run(environment(wrong), "status")
    assert not refusal(done, REFUSED, "setting-wrong"), done
    assert "geheim" not in done.stderr


@pytest.mark.parametrize("settings", ["postgres"], indirect=True)
def test_init_without_a_master_key_says_how_to_make_one_and_makes_nothing(
    postgres_server: str, tmp_path: Path, settings: Settings
) -> None:
    del settings
    with template_database(postgres_server) as (_, url):
        surroundings = environment(Settings(database_url=url, master_key=MASTER_KEY))
        del surroundings["JHT_MASTER_KEY"]
        done = run(surroundings, "init")
        assert not refusal(done, REFUSED, "master-key-missing"), done
        assert "jht master-key" in done.stderr
        with psycopg.connect(url) as connection:
            assert connection.execute("select count(*) from pg_class where relname ~ 'log_meta|vault'").fetchone() == (
                0,
            )
        key = tmp_path / "master.key"
        made = run(surroundings, "master-key", key)
        assert (made.code, key.stat().st_mode & 0o777) == (0, 0o600)
        assert str(key) in made.stdout
        assert key.read_text().strip() not in made.stdout
        assert run(surroundings | {"JHT_MASTER_KEY_FILE": str(key)}, "init").code == 0
        assert not refusal(run(surroundings, "master-key", key), REFUSED, "file-exists")


def test_a_port_that_another_program_has_is_told_before_anything_starts(filled: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = run(environment(filled), "serve", "--port", port)
        assert not refusal(done, REFUSED, "port-taken"), done
        assert f"127.0.0.1:{port}" in done.stderr
        done = run(environment(filled) | {"JHT_PORT": str(port)}, "serve")
        assert not refusal(done, REFUSED, "port-taken"), done


@ONE_STORE
def test_people_read_one_time_zone(filled: Settings) -> None:
    jht(filled, "keys", "create", "branch", "read")
    jht(filled, "follow", "--once")
    for typed in (f"balance {CARD} --entries", "keys list", "status", "outbox"):
        shown = jht(filled, *typed.split()).stdout
        assert not re.search(r"UTC|\d[T ]\d\d:\d\d(?!.* WIB)|\dZ", shown), shown
    assert re.search(r"\d{4}-\d\d-\d\d \d\d:\d\d WIB", jht(filled, "balance", CARD).stdout)


def imported_by(settings: Settings, *typed: str) -> set[str]:
    """The packages that a command has loaded when it ends."""
    program = (
        f"import sys, api.cli; sys.argv = {['jht', *typed]!r}\n"
        "try: api.cli.main()\nfinally: print(chr(35), *sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True, text=True, check=True, cwd=ROOT, env=environment(settings),
    )  # fmt: skip
    return {name.partition(".")[0] for name in done.stdout.rpartition("#")[2].split()}


@ONE_STORE
def test_a_reader_of_a_ledger_in_a_file_waits_for_no_driver_and_no_web_framework(filled: Settings) -> None:
    for typed in (f"balance {CARD}", "status", "follow --once"):
        loaded = imported_by(filled, *typed.split())
        assert "sqlite3" in loaded
        # Who follows also tells members, at their numbers.
        numbers = set() if typed.startswith("follow") else {"phonenumbers"}
        assert not loaded & (
            {"psycopg", "psycopg_pool", "fastapi", "starlette", "polars", "webauthn", "cbor2"} | numbers
        ), typed


@ONE_STORE
def test_version_and_help_do_not_wait_for_the_rest(settings: Settings) -> None:
    shown = really_started(settings, "--version")
    assert (shown.returncode, shown.stdout) == (0, f"jht {__version__}\n")
    # What costs is importing: neither the web framework nor the stores, whatever this machine's pace is.
    assert not imported_by(settings, "--help") & {
        "fastapi",
        "starlette",
        "numpy",
        "polars",
        "psycopg",
        "pydantic",
        "eventsourcing",
        "projections",
        "webauthn",
        "cbor2",
    }
