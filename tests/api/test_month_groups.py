"""Missing months of a long life: every one is told, none twice, in a list that stays short."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from api.web.absences import SHOWN_CHIPS, absences
from projections import month_grid
from projections.month_grid import Missing, Part
from tests.api.web.facts import entry, facts
from tests.conftest import TODAY


def absent(month: int, npp: str = "10000001", state: str = month_grid.ABSENT) -> Missing:
    return Missing(month, Part(1, npp, f"PT {npp}", "PU", state, 0, None, 100, (), ()))


def test_one_payer_is_told_once_and_a_whole_year_is_one_chip() -> None:
    one = facts(entry("2019-01"), since="2019-01")
    (group,), rest = absences(month_grid.missing(month_grid.years([one], TODAY)))
    assert rest == []
    assert group.employer == "PT Satu"
    assert group.months == 11 + 6 * 12 + 10, "from February 2019 to October 2026"
    shown = [*group.chips, *group.more]
    assert [chip.year for chip in shown if chip.month < 0] == [2025, 2024, 2023, 2022, 2021, 2020]
    assert group.estimate == group.months * 285_000
    assert len(group.chips) == SHOWN_CHIPS


def test_a_single_month_and_what_waits_keep_their_own_sentence() -> None:
    listed = [absent(24_310), absent(24_305, "10000002"), absent(24_304, "10000002"), absent(24_300, "3", "held")]
    groups, rest = absences(listed)
    assert [(one.npp, one.months) for one in groups] == [("10000002", 2)]
    assert rest == [listed[0], listed[3]]


@given(st.lists(st.tuples(st.integers(24_000, 24_300), st.sampled_from(["1", "2", ""])), unique=True))
def test_every_missing_month_is_told_exactly_once(given_months: list[tuple[int, str]]) -> None:
    groups, rest = absences([absent(month, npp) for month, npp in given_months])
    told = [(one.month, one.part.npp) for one in rest]
    for group in groups:
        for chip in (*group.chips, *group.more):
            months = [chip.month] if chip.month >= 0 else range(chip.year * 12, chip.year * 12 + 12)
            told += [(month, group.npp) for month in months]
    assert sorted(told) == sorted(given_months)
