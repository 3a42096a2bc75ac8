"""README is true: its blocks run, and everything that exists is mentioned."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from api.cli import COMMANDS, load
from ledger.settings import Settings

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
        listed = re.search(rf"`jht {name} ([a-z|\\]+)`", README)
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
