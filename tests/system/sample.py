"""A part of the sample, small enough to be sent many times: everybody with a story and every 40th of the others."""

from __future__ import annotations

import csv
from collections import Counter
from pathlib import Path
from typing import NamedTuple

from api.sample import write_sample

Row = dict[str, str]


class Part(NamedTuple):
    """The files, and what has to come of them, worked out from the rows alone.

    `owed`: card -> rupiah that count for it once everybody is registered. `held`: rupiah of (card, month) that wait at
    first; `late`: the cards that are registered later, whose lines wait until then.
    """

    files: Path
    contributions: list[Path]
    owed: Counter[str]
    held: dict[tuple[str, str], int]
    late: list[str]

    @property
    def cards(self) -> list[str]:
        return sorted(self.owed)


def rows_of(path: Path) -> list[Row]:
    """The rows of a CSV file."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def amount(row: Row) -> int:
    """What a contribution's row brings."""
    return int(row["employer"] or 0) + int(row["worker"] or 0)


def small_sample(directory: Path) -> Part:
    """Write the sample and cut its files down."""
    stories = write_sample(directory)
    registered = rows_of(directory / "registrations.csv")
    late = [row["kpj"] for row in rows_of(directory / "registrations-late.csv")]
    kept = {row["kpj"] for row in registered[::40]} | {story.number for story in stories} | set(late)
    kept |= {row["kpj"] for row in registered if not row["kpj"].isdigit()}
    known = {row["kpj"] for row in _cut(directory / "registrations.csv", kept)}
    disagreeing = {(story.number, story.month) for story in stories if story.story == "amounts-disagree"}
    contributions = sorted(directory.glob("contributions-*.csv"))
    owed: Counter[str] = Counter(dict.fromkeys([*known, *late], 0))
    held: dict[tuple[str, str], int] = {}
    for path in contributions:
        for row in _cut(path, kept):
            place = row["kpj"], row["month"]
            if row["kpj"] not in known or place in disagreeing:
                held[place] = amount(row)
            if (row["kpj"] in known or row["kpj"] in late) and place not in disagreeing:
                owed[row["kpj"]] += amount(row)
    return Part(directory, contributions, owed, held, late)


def _cut(path: Path, kept: set[str]) -> list[Row]:
    rows = [row for row in rows_of(path) if row["kpj"] in kept]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return rows
