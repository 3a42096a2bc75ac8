"""The table of OWASP's requirements names tests that exist, and every requirement once."""

from __future__ import annotations

import ast
import re
from collections import Counter
from pathlib import Path

from tests.test_style import ROOT

TABLE = (ROOT / "tests/ASVS.md").read_text("utf-8")
ROWS = [
    (chapter, [cell.strip() for cell in line.strip("|").split("|")])
    for chapter, body in re.findall(r"(?ms)^## ([^\n]+)\n(.*?)(?=^## |\Z)", TABLE)
    for line in body.splitlines()
    if re.match(r"\| [0-9]", line)
]


def functions_of(path: Path) -> set[str]:
    """The test functions of a file."""
    tree = ast.parse(path.read_text("utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")}


def test_every_named_test_exists() -> None:
    named = re.findall(r"`([\w/.]+\.py)::(\w+)`", TABLE)
    assert len(named) > 100
    missing = [f"{path}::{test}" for path, test in named if test not in functions_of(ROOT / path)]
    assert not missing, "\n".join(missing)


def test_every_requirement_that_is_met_has_a_test_and_stands_once() -> None:
    met = [cells for chapter, cells in ROWS if chapter == "Met"]
    assert [cells[0] for cells in met if "::" not in cells[3]] == []
    ids = [one for _, cells in ROWS for one in re.split(r", ", cells[0])]
    assert [one for one, times in Counter(ids).items() if times > 1] == []
    assert [one for one in ids if not re.fullmatch(r"[0-9]+(\.[0-9]+){1,2}", one)] == []


def test_a_group_that_does_not_apply_holds_no_requirement_that_does() -> None:
    groups = [one for chapter, cells in ROWS if chapter == "Does not apply" for one in cells[0].split(", ")]
    others = [cells[0] for chapter, cells in ROWS if chapter != "Does not apply"]
    assert [one for one in others for group in groups if f"{one}.".startswith(f"{group}.")] == []
