"""The command line as it is typed: every form of input and output."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path

import pytest

from api.cli import COMMANDS, load
from ledger.settings import Settings
from tests.office import CONTRIBUTION, NPP, csv_of, line
from tests.system.conftest import CARD, SECOND
from tests.system.running import environment, jht, really_started, run

UNKNOWN = "26000000033"
SOME_REFUSED = 3
ONE_STORE = pytest.mark.parametrize("settings", ["sqlite"], indirect=True)


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
    assert (empty.code, "file-empty" in empty.stderr) == (SOME_REFUSED, True)


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
