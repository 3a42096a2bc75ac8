"""README is true: its blocks run, and everything that exists is mentioned."""

from __future__ import annotations

import configparser
import os
import re
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from api.cli import COMMANDS, load
from ledger.settings import Settings
from tests.conftest import client_programs

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```sh\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


@pytest.fixture
def shell(tmp_path: Path) -> dict[str, str]:
    """An environment in which `jht` is this project's command and nothing of ours is set."""
    place = tmp_path / "bin"
    place.mkdir()
    script = place / "jht"
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m api.cli "$@"\n')
    script.chmod(0o755)
    clean = {name: value for name, value in os.environ.items() if not name.startswith("JHT_")}
    return clean | {"PATH": f"{place}:{os.environ['PATH']}", "PYTHONPATH": str(ROOT)}


def test_there_are_blocks_to_run() -> None:
    assert BLOCKS
    assert README.count("```sh") == len(BLOCKS)


@pytest.mark.parametrize("block", BLOCKS, ids=[str(number) for number in range(len(BLOCKS))])
def test_a_block_of_the_readme_runs(block: str, shell: dict[str, str], tmp_path: Path) -> None:
    done = subprocess.run(
        ["sh", "-e"], input=block, env=shell, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Traceback" not in done.stderr


SUDO = f"""#!{sys.executable}
# What stands behind sudo is run as whoever runs the tests: no other users, no owners of files.
import os, sys
_, *words = sys.argv
if words[0] == "-u":
    if words[1] == "postgres":
        os.environ.update(PGUSER=os.environ["SUPERUSER"], PGDATABASE="postgres")
    words = words[2:]
if words[0] == "chown":
    sys.exit()
if words[0] == "install":
    words = [one for at, one in enumerate(words) if not {{one, words[at - 1]}} & {{"-o", "-g"}}]
os.execvp(words[0], words)
"""


def test_the_ledger_on_postgresql_is_made_and_its_backup_restored_as_described(
    shell: dict[str, str], tmp_path: Path, postgres_server: str
) -> None:
    section = README[README.index("## Run it on PostgreSQL") :].split("\n## ")[0]
    blocks = re.findall(r"^```bash\n(.*?)^```$", section, re.MULTILINE | re.DOTALL)
    assert len(blocks) == 5
    sudo = tmp_path / "bin" / "sudo"
    sudo.write_text(SUDO)
    sudo.chmod(0o755)
    info = psycopg.conninfo.conninfo_to_dict(postgres_server)
    surroundings = shell | {
        "PATH": f"{sudo.parent}:{client_programs(postgres_server)}:{os.environ['PATH']}",
        "PGHOST": str(info["host"]), "PGPORT": str(info.get("port") or 5432), "SUPERUSER": str(info["user"]),
    }  # fmt: skip
    script = "\n".join(blocks)
    places = {
        "/etc/jht": f"{tmp_path}/etc/jht",
        "/var/backups/jht": f"{tmp_path}/backups",
        "/run/postgresql": info["host"],
    }
    for place, here in places.items():
        assert place in script
        script = script.replace(place, str(here))
    try:
        done = subprocess.run(
            ["sh", "-e"], input=script, env=surroundings, cwd=tmp_path,
            capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        assert "Restored the ledger" in done.stdout
        assert (tmp_path / "etc/jht/master.key").stat().st_mode & 0o077 == 0
    finally:
        with psycopg.connect(postgres_server, autocommit=True) as connection:
            for name in ("jht", "jht_drill"):
                connection.execute(f"drop database if exists {name} with (force)".encode())
            connection.execute("drop role if exists jht")


def test_the_services_start_commands_that_exist() -> None:
    unit = configparser.RawConfigParser(strict=False)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read_string(next(iter(re.findall(r"^```ini\n(\[Unit\].*?)^```$", README, re.MULTILINE | re.DOTALL))))
    assert unit["Service"]["ProtectSystem"] == "strict"
    started = re.findall(r"ExecStart=\S+/jht (\S+?)[\s`]", README)
    assert started == ["serve", "follow"]
    assert set(started) <= set(COMMANDS)


def test_the_first_steps_show_what_the_readme_says(shell: dict[str, str], tmp_path: Path) -> None:
    block = next(block for block in BLOCKS if "jht ingest contributions" in block)
    held = re.search(r"--rejects (\S+)", block)
    assert held
    assert f"`{held[1]}`" in README
    columns = dict(
        re.findall(r"^\| (employers|registrations|contributions|opening-balances) \| (.*) \|$", README, re.M)
    )
    from ledger.layouts import LAYOUTS

    for layout, named in columns.items():
        required = [name for name in named.split(", ") if not name.startswith("[")]
        optional = [name.strip("[]") for name in named.split(", ") if name.startswith("[")]
        assert required == [column.name for column in LAYOUTS[layout] if column.required]
        assert optional == [column.name for column in LAYOUTS[layout] if not column.required]
    assert columns.keys() == LAYOUTS.keys()


def test_every_command_is_mentioned() -> None:
    for name in COMMANDS:
        inner = getattr(load(name), "commands", None)
        if inner is None:
            assert re.search(rf"`jht {name}\b", README), name
            continue
        listed = re.search(rf"`jht {name} ([a-z|\\-]+)`", README)
        assert listed, name
        assert set(listed[1].replace("\\", "").split("|")) == set(inner), name


def test_every_setting_is_explained(shell: dict[str, str], tmp_path: Path) -> None:
    assert "jht settings" in README
    shown = subprocess.run(
        ["jht", "settings"], env=shell, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=True
    ).stdout
    for name, field in Settings.model_fields.items():
        assert field.description
        assert re.search(rf"^JHT_{name.upper()}\b", shown, re.MULTILINE), name
        assert field.description.split(".")[0][:40] in shown
    known = {f"JHT_{name.upper()}" for name in Settings.model_fields} | {"JHT_TEST_DATABASE_URL"}
    mentioned = set(re.findall(r"\bJHT_[A-Z_]*[A-Z]\b", README + (ROOT / "Makefile").read_text()))
    assert mentioned <= known, mentioned - known


def test_named_make_targets_files_and_links_exist() -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    named = set(re.findall(r"(?:`|^)make ([a-z-]+)", README, re.MULTILINE))
    assert named
    assert named <= targets, named - targets
    for path in re.findall(r"`((?:ledger|projections|api|tests)/[\w./-]+)`", README):
        assert (ROOT / path).exists(), path
    for path in re.findall(r"\]\((?!http)([^)#]+)\)", README):
        assert (ROOT / path).exists(), path
