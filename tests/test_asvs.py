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

LEVEL_2 = """
1.1.1-7 1.2.1-4 1.4.1 1.4.4-5 1.5.1-4 1.6.1-4 1.7.1-2 1.8.1-2 1.9.1-2 1.10.1 1.11.1-2 1.12.2 1.14.1-6
2.1.1-12 2.2.1-3 2.3.1-3 2.4.1-5 2.5.1-7 2.6.1-3 2.7.1-6 2.8.1-7 2.9.1-3 2.10.1-4
3.1.1 3.2.1-4 3.3.1-4 3.4.1-5 3.5.1-3 3.7.1 4.1.1-3 4.1.5 4.2.1-2 4.3.1-3
5.1.1-5 5.2.1-8 5.3.1-10 5.4.1-3 5.5.1-4 6.1.1-3 6.2.1-6 6.3.1-2 6.4.1-2
7.1.1-4 7.2.1-2 7.3.1 7.3.3-4 7.4.1-3 8.1.1-4 8.2.1-3 8.3.1-8 9.1.1-3 9.2.1-4 10.2.1-2 10.3.1-3
11.1.1-8 12.1.1-3 12.2.1 12.3.1-6 12.4.1-2 12.5.1-2 12.6.1
13.1.1 13.1.3-5 13.2.1-3 13.2.5-6 13.3.1-2 13.4.1-2 14.1.1-4 14.2.1-6 14.3.2-3 14.4.1-7 14.5.1-4
"""
"""The requirements that level 2 of version 4.0.3 has, level 1 among them; `a-b` are the numbers from a to b."""


def level_2() -> list[str]:
    """Each requirement's id."""
    found = []
    for group in LEVEL_2.split():
        section, numbers = group.rsplit(".", 1)
        first, _, last = numbers.partition("-")
        found += [f"{section}.{number}" for number in range(int(first), int(last or first) + 1)]
    return found


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


def test_every_met_row_says_what_its_tests_would_fail_for() -> None:
    met = [cells for chapter, cells in ROWS if chapter == "Met"]
    assert [cells[0] for cells in met if len(cells) != 5 or len(cells[4].split()) < 4] == []
    said = Counter(cells[4] for cells in met)
    assert [text for text, times in said.items() if times > 1] == []


def test_every_requirement_of_level_2_stands_in_exactly_one_table_and_no_other_does() -> None:
    rows = [one for _, cells in ROWS for one in cells[0].split(", ")]
    wanted = level_2()
    assert len(wanted) == len(set(wanted)) == 259
    places = {one: [row for row in rows if f"{one}.".startswith(f"{row}.")] for one in wanted}
    assert {one: found for one, found in places.items() if len(found) != 1} == {}
    assert [row for row in rows if not any(f"{one}.".startswith(f"{row}.") for one in wanted)] == []
