"""The sample: the same for the same seed, right by the rules, and every story really in it."""

from __future__ import annotations

import csv
from collections import Counter
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from api.sample import COMPLETE_UNTIL, EMPLOYERS, MONTHS, PARTICIPANTS, Story, write_sample
from ledger.due_days import due_day
from ledger.identifiers import clean_kpj, month_number, nik_birth
from ledger.rules import BpuRule, PmiRule, PuRule, rules
from tests.conftest import TODAY

Rows = list[dict[str, str]]


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Story]]:
    directory = tmp_path_factory.mktemp("sample")
    return directory, write_sample(directory)


def read(directory: Path, pattern: str) -> Rows:
    rows: Rows = []
    for file in sorted(directory.glob(pattern)):
        with file.open(newline="", encoding="utf-8") as source:
            rows += csv.DictReader(source)
    return rows


def numbers(stories: list[Story], story: str) -> list[str]:
    return [told.number for told in stories if told.story == story]


def expected(row: dict[str, str], segment: str) -> tuple[int, int]:
    month = month_number(row["month"])
    assert month is not None
    rule = rules().for_segment(segment, month)
    if isinstance(rule, PmiRule):
        return 0, int(row["worker"]) if int(row["worker"]) in rule.choices else -1
    assert isinstance(rule, PuRule | BpuRule)
    employer, worker = rule.shares(np.array([int(row["wage"]) + int(row.get("back_pay") or 0)], np.int64))
    return int(employer[0]), int(worker[0])


def test_the_same_seed_writes_the_same_bytes(sample: tuple[Path, list[Story]], tmp_path: Path) -> None:
    write_sample(tmp_path / "again")
    write_sample(tmp_path / "other", seed=2)
    for file in sample[0].iterdir():
        assert (tmp_path / "again" / file.name).read_bytes() == file.read_bytes()
    assert (tmp_path / "other" / "registrations.csv").read_bytes() != (sample[0] / "registrations.csv").read_bytes()


def test_the_sample_has_its_size(sample: tuple[Path, list[Story]]) -> None:
    directory, _ = sample
    registrations = read(directory, "registrations*.csv")
    assert len(read(directory, "employers.csv")) == EMPLOYERS
    assert len({row["nik"] for row in registrations}) == PARTICIPANTS
    assert len({row["month"] for row in read(directory, "contributions-*.csv")}) == MONTHS
    segments = Counter(row["segment"] for row in registrations)
    assert [round(segments[name] / len(registrations), 2) for name in ("PU", "BPU", "PMI")] == [
        0.85,
        0.11,
        0.04,
    ]


def test_amounts_follow_the_rules_except_where_a_story_says_so(sample: tuple[Path, list[Story]]) -> None:
    directory, stories = sample
    segments = {row["kpj"]: row["segment"] for row in read(directory, "registrations*.csv")}
    odd = [
        row["kpj"]
        for row in read(directory, "contributions-*.csv")
        if (int(row["employer"] or 0), int(row["worker"])) != expected(row, segments.get(row["kpj"], "PU"))
    ]
    assert sorted(odd) == sorted(numbers(stories, "one-rupiah-off") + numbers(stories, "amounts-disagree"))


def test_only_mistyped_cards_are_unknown(sample: tuple[Path, list[Story]]) -> None:
    directory, stories = sample
    known = {row["kpj"] for row in read(directory, "registrations*.csv")}
    paid = {row["kpj"] for row in read(directory, "contributions-*.csv")}
    assert all(clean_kpj(kpj) == kpj for kpj in known | paid)
    assert sorted(paid - known) == sorted(numbers(stories, "mistyped-card"))


def test_every_employers_line_has_a_membership_that_covers_its_month(
    sample: tuple[Path, list[Story]],
) -> None:
    directory, stories = sample
    memberships: dict[tuple[str, str], tuple[str, str]] = {
        (row["kpj"], row["npp"]): (row["registered_on"][:7], row["left_on"][:7] or "9999-12")
        for row in read(directory, "registrations*.csv")
    }
    mistyped = numbers(stories, "mistyped-card")
    for row in read(directory, "contributions-*.csv"):
        if row["kpj"] not in mistyped:
            since, until = memberships[row["kpj"], row["npp"]]
            assert since <= row["month"] <= until, row


def test_the_silent_employer_is_silent_and_the_late_one_late(sample: tuple[Path, list[Story]]) -> None:
    directory, stories = sample
    rows = read(directory, "contributions-2*.csv")
    months: dict[str, set[str]] = {}
    for row in rows:
        months.setdefault(row["npp"], set()).add(row["month"])
    [silent], [late] = numbers(stories, "silent-employer"), numbers(stories, "late-employer")
    assert [npp for npp, paid in months.items() if len(paid) < MONTHS] == [silent]
    assert "2026-09" not in months[silent]
    [story] = [told for told in stories if told.story == "late-employer"]
    paid_on = {row["paid_on"] for row in rows if row["npp"] == late and row["month"] == story.month}
    assert [day[:7] for day in paid_on] == ["2026-08"]
    assert max(row["paid_on"] for row in rows) < TODAY.isoformat()


def test_the_day_up_to_which_the_demo_has_all_payments_covers_its_last_months_due_day(
    sample: tuple[Path, list[Story]],
) -> None:  # fmt: skip
    rows = read(sample[0], "contributions-*.csv")
    last = month_number(max(row["month"] for row in rows)) or 0
    assert due_day("PU", last) == COMPLETE_UNTIL < TODAY
    assert max(row["paid_on"] for row in rows) <= COMPLETE_UNTIL.isoformat()


def test_most_nik_agree_with_birth_date_and_sex_and_a_few_do_not(sample: tuple[Path, list[Story]]) -> None:
    registrations = read(sample[0], "registrations*.csv")
    differing = sum(
        nik_birth(row["nik"], TODAY) != (date.fromisoformat(row["birth_date"]), row["sex"]) for row in registrations
    )
    assert 5 <= differing <= 40


def test_two_cards_have_one_nik_and_the_mover_has_two_employers(sample: tuple[Path, list[Story]]) -> None:
    directory, stories = sample
    registrations = read(directory, "registrations*.csv")
    cards = numbers(stories, "two-cards")
    assert len(cards) == 2
    assert len({row["nik"] for row in registrations if row["kpj"] in cards}) == 1
    [mover] = numbers(stories, "changed-employer")
    assert len({row["npp"] for row in registrations if row["kpj"] == mover}) == 2
