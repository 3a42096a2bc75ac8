"""The command line as it is typed: every command wrong once, and every form of input and output right once."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path

import pytest

from api.cli import COMMANDS, load
from ledger.errors import sentences
from ledger.settings import Settings
from ledger.store.log import Log
from tests.conftest import LONG, MASTER_KEY
from tests.office import CONTRIBUTION, NPP, Office, csv_of, line
from tests.system.running import Done, environment, jht, really_started, run

CARD, SECOND, UNKNOWN = "26000000017", "26000000025", "26000000033"
REFUSED, SOME_REFUSED, TRY_AGAIN = 2, 3, 75
MISSING = "/nowhere/at-all"
ONE_STORE = pytest.mark.parametrize("settings", ["sqlite"], indirect=True)


@pytest.fixture
def filled(settings: Settings) -> Settings:
    """A ledger with an employer, two cards and a paid month."""
    log = Log.open(settings)
    office = Office(log)
    office.employers(NPP)
    office.workers(CARD, SECOND)
    office.contribute(line(CARD))
    office.close()
    log.close()
    return settings


def _pattern(sentence: str) -> re.Pattern[str]:
    """The sentence with anything in its places."""
    return re.compile(".+".join(re.escape(part) for part in re.split(r"\{\w+\}", sentence)))


def _refusal(done: Done, exit_code: int, code: str) -> str:
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
    return "a place that is not filled" if re.search(r"[{}]|\?[,.) ]", done.stderr) else ""


TYPED: list[tuple[str, str, int]] = [
    (f"ingest contributions {MISSING}.csv", "file-unreadable", SOME_REFUSED),
    ("ingest contributions /", "file-unreadable", SOME_REFUSED),
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
    (f"person export {UNKNOWN}", "account-not-found", REFUSED),
    (f"export --to {MISSING}/jht.beancount", "file-unwritable", REFUSED),
]  # fmt: skip


def test_a_mistake_is_told_with_its_code_in_both_languages(filled: Settings) -> None:
    jht(filled, "follow", "--once")
    wrong = []
    for typed, code, exit_code in TYPED:
        done = run(environment(filled), *typed.split())
        if said := _refusal(done, exit_code, code):
            wrong.append(f"jht {typed}: {said} instead of {exit_code} {code}: {done.stderr[-300:]}")
    assert not wrong, "\n".join(wrong)


MISTYPED = [
    "nothing", "ingest", "ingest contributions", "ingest salaries x.csv", "balance", "follow --twice",
    "rebuild --processes 0", "export --format pdf", "keys create", "keys create branch", "keys revoke", "keys nothing",
    "person correct", "person erase", "person export", "serve --port x", "init now", "status now", "settings now",
    "renew-log-id now", "reverse now",
]  # fmt: skip


@ONE_STORE
def test_what_cannot_be_understood_is_explained_and_does_nothing(filled: Settings) -> None:
    before = jht(filled, "status", "--json").json["head"]
    for typed in MISTYPED:
        done = run(environment(filled), *typed.split())
        assert done.code == REFUSED, typed
        assert "Usage" in done.stderr, typed
        assert "Traceback" not in done.stderr, typed
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
        if said := _refusal(run(environment(settings), *typed.split()), REFUSED, "ledger-missing"):
            wrong.append(f"jht {typed}: {said}")
    assert not wrong, "\n".join(wrong)
    assert list(tmp_path.iterdir()) == []


def test_a_wrong_setting_is_named_and_its_value_is_not_repeated(tmp_path: Path) -> None:
    good = Settings(database_url=f"sqlite:///{tmp_path / 'jht.db'}", master_key=MASTER_KEY)
    for name, value in (
        ("JHT_DATABSE_URL", "sqlite:///secret.db"),
        ("JHT_DATABASE_URL", "mysql://secret"),
        ("JHT_PORT", "secret"),
        ("JHT_MAX_STALENESS", "-secret"),
        ("JHT_MASTER_KEY", "secret"),
        ("JHT_MASTER_KEY_FILE", "/nowhere/secret"),
    ):
        surroundings = environment(good) | {name: value}
        if name == "JHT_MASTER_KEY_FILE":
            del surroundings["JHT_MASTER_KEY"]
        done = run(surroundings, "init")
        assert done.code == REFUSED, (name, done)
        assert re.search(r"^(setting-wrong|master-key-\w+)", done.stderr), (name, done)
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
        assert not _refusal(done, REFUSED, "master-key-wrong"), (typed, done)
        assert "43" * 32 not in done.stdout + done.stderr
    assert jht(filled, "status", "--json").json["head"] == before


def test_a_store_that_does_not_answer_is_worth_another_try(tmp_path: Path) -> None:
    broken = tmp_path / "broken.db"
    broken.write_bytes(b"this is no database at all " * 400)
    # A server that is away is waited for, half a minute: too long for every run.
    away = ["postgresql://postgres@127.0.0.1:1/nowhere"] if LONG else []
    for url in (f"sqlite:///{broken}", *away):
        settings = Settings(database_url=url, master_key=MASTER_KEY)
        done = run(environment(settings), "status")
        assert not _refusal(done, TRY_AGAIN, "store-failed"), done


@ONE_STORE
def test_help_lists_every_command_with_a_sentence(settings: Settings) -> None:
    shown = really_started(settings, "--help")
    assert (shown.returncode, shown.stderr) == (0, "")
    for name in COMMANDS:
        assert re.search(rf"^\W*{name}\s+[A-Z][^│]{{10,}}", shown.stdout, re.MULTILINE), name
    for name in COMMANDS:
        inner = getattr(load(name), "commands", {})
        for typed in ([name, one] for one in inner) if inner else ([name],):
            done = jht(settings, *typed, "--help")
            assert f"Usage: jht {' '.join(typed)}" in done.stdout
    nothing = run(environment(settings))
    assert "Usage: jht" in nothing.stdout + nothing.stderr


def test_every_json_output_can_be_parsed(filled: Settings, tmp_path: Path) -> None:
    file = tmp_path / "october.csv"
    file.write_bytes(csv_of(CONTRIBUTION, [line(SECOND)]))
    jht(filled, "follow", "--once")
    one = jht(filled, "ingest", "contributions", file, "--json").json
    assert one["totals"]["posted"] == 1
    two = jht(filled, "ingest", "contributions", file, file, "--json").json
    assert [receipt["totals"]["already"] for receipt in two] == [1, 1]
    # The receipt of a file is the file's: it finds again what it brought.
    assert {receipt["receipt"] for receipt in two} == {one["receipt"]}
    reversed_ = jht(filled, "reverse", "--receipt", one["receipt"], "--reason", "paid-twice", "--json").json
    assert reversed_["totals"]["posted"] == 1
    jht(filled, "follow", "--once")
    assert jht(filled, "balance", CARD, "--json").json["balance"] == 285_000
    assert jht(filled, "balance", SECOND, "--entries", "--json").json["balance"]["balance"] == 0
    assert jht(filled, "rebuild", "--json").json["register_differences"] == 0
    assert jht(filled, "rebuild", "register", "--json").json == {"register_differences": 0}
    assert jht(filled, "status", "--json").json["follower_running"] is False
    key = jht(filled, "keys", "create", "branch", "read", "--npp", NPP, "--days", "3", "--json").json
    assert jht(filled, "keys", "list", "--json").json[0]["npps"] == [NPP]
    jht(filled, "keys", "revoke", key["id"])
    assert jht(filled, "keys", "list", "--json").json[0]["revoked_at"]
    assert key["key"] not in jht(filled, "keys", "list", "--json").stdout
    exported = jht(filled, "person", "export", CARD).json
    assert exported["identity"]["name"] == "Budi Santoso 1"
    changes = json.dumps({"name": "Budi Santosa"}).encode()
    assert "Corrected" in jht(filled, "person", "correct", CARD, stdin=changes).stdout
    assert jht(filled, "person", "export", CARD).json["identity"]["name"] == "Budi Santosa"
    assert "Nothing changed" in jht(filled, "person", "correct", CARD, stdin=changes).stdout


@ONE_STORE
def test_rejected_rows_can_be_mended_and_sent_again(filled: Settings, tmp_path: Path) -> None:
    file, rejects, mended = (tmp_path / name for name in ("october.csv", "rejects.csv", "mended.csv"))
    rows = [line(SECOND), line(UNKNOWN), line(CARD, 6_000_000), line(SECOND, "5.000.000", npp="10000009")]
    file.write_bytes(csv_of(CONTRIBUTION, rows))
    done = jht(filled, "ingest", "contributions", file, "--rejects", rejects, "--json", code=SOME_REFUSED).json
    assert {k: v for k, v in done["totals"].items() if v} == {"posted": 1, "suspended": 1, "refused": 2}
    text = rejects.read_text()
    assert {"account-unknown", "line-conflict", "number-unreadable"} <= set(re.findall(r"[a-z]+-[a-z]+", text))
    assert "5.000.000" in text
    # The columns that explain are taken out, as a clerk does, and the cells put right.
    kept = [row.split(",") for row in text.splitlines()]
    places = [i for i, name in enumerate(kept[0]) if name not in {"line", "reason", "sentence"}]
    again = [",".join(row[i] for i in places) for row in kept]
    again = [row.replace(",6000000,", ",5000000,").replace(",5.000.000,", ",5000000,") for row in again]
    mended.write_text("\n".join(again).replace("10000009", NPP).replace("2026-10,", "2026-09,") + "\n")
    done = jht(filled, "ingest", "contributions", mended, "--json").json
    assert {k: v for k, v in done["totals"].items() if v} == {"posted": 2, "suspended": 1}


@ONE_STORE
def test_standard_input_and_gzip_are_the_same_as_a_file(filled: Settings, tmp_path: Path) -> None:
    body = csv_of(CONTRIBUTION, [line(SECOND)])
    packed = tmp_path / "october.csv.gz"
    packed.write_bytes(gzip.compress(body))
    first = jht(filled, "ingest", "contributions", "-", "--json", stdin=body).json
    assert first["totals"]["posted"] == 1
    second = jht(filled, "ingest", "contributions", packed, "--json").json
    assert (second["totals"]["already"], second["receipt"]) == (1, first["receipt"])
    third = jht(filled, "ingest", "contributions", "-", "--json", stdin=packed.read_bytes()).json
    assert third["totals"]["already"] == 1
    empty = run(environment(filled), "ingest", "contributions", "-")
    assert not _refusal(empty, SOME_REFUSED, "file-empty"), empty


@ONE_STORE
def test_a_dry_run_says_what_would_be_and_writes_nothing(filled: Settings) -> None:
    before = jht(filled, "status", "--json").json["head"]
    body = csv_of(CONTRIBUTION, [line(SECOND)])
    done = jht(filled, "ingest", "contributions", "-", "--dry-run", stdin=body)
    assert "1 posted" in done.stdout
    assert "would be" in done.stdout
    reverse = ("reverse", "--npp", NPP, "--month", "2026-10", "--reason", "wrong-amount", "--dry-run")
    assert "Would reverse 1 lines" in jht(filled, *reverse).stdout
    assert jht(filled, "status", "--json").json["head"] == before
