"""Months of a long life: every one is told, none twice, no sentence twice, in a list that stays short."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from api.month_groups import grouped
from projections import month_grid
from projections.month_grid import Missing, Part
from tests.api.web.facts import entry, facts
from tests.conftest import TODAY

CAUSES = {month_grid.ABSENT: "not-received", month_grid.HELD: "no-membership", month_grid.REVERSED: "taken-back"}


def missing(month: int, npp: str = "10000001", state: str = month_grid.ABSENT, **changes: Any) -> Missing:
    part = Part(1, npp, f"PT {npp}", "PU", state, 0, None, 100, (), (), cause=CAUSES[state])
    return Missing(month, part._replace(**changes))


def test_one_payer_is_told_once_and_a_whole_year_is_one_chip() -> None:
    one = facts(entry("2019-01"), since="2019-01")
    (group,), rest = grouped(month_grid.missing(month_grid.years([one], TODAY)))
    assert rest == []
    assert group.part.employer == "PT Satu"
    assert len(group.months) == 11 + 6 * 12 + 10, "from February 2019 to October 2026"
    assert [chip.year for chip in group.chips if chip.month < 0] == [2025, 2024, 2023, 2022, 2021, 2020]
    assert group.estimate == len(group.months) * 285_000


def test_a_single_month_keeps_its_own_sentence_and_every_reason_its_own_entry() -> None:
    listed = [
        missing(24_310), missing(24_305, "10000002"), missing(24_304, "10000002"), missing(24_300, "3", "held"),
        missing(24_298, "10000002", "held", amount=7), missing(24_297, "10000002", "held", amount=8),
        missing(24_296, "10000002", "held", cause="second-payment"),
    ]  # fmt: skip
    groups, rest = grouped(listed)
    assert [(one.part.npp, one.part.cause, one.months, one.amount) for one in groups] == [
        ("10000002", "not-received", (24_305, 24_304), 0), ("10000002", "no-membership", (24_298, 24_297), 15),
    ]  # fmt: skip
    assert rest == [listed[0], listed[3], listed[6]]


def test_an_estimate_that_leaves_months_out_is_none() -> None:
    (known,), _ = grouped([missing(24_310), missing(24_309)])
    (unknown,), _ = grouped([missing(24_310), missing(24_309, estimate=0)])
    assert (known.estimate, unknown.estimate) == (200, 0)


def test_cards_are_told_together_or_apart() -> None:
    listed = [missing(24_310), missing(24_309, card=2)]
    assert [one.months for one in grouped(listed)[0]] == [(24_310, 24_309)]
    assert grouped(listed, by_card=True) == ([], listed)


@given(
    st.lists(
        st.tuples(st.integers(24_000, 24_300), st.sampled_from(["1", "2", ""]), st.sampled_from(list(CAUSES))),
        unique=True,
    )
)
def test_every_month_is_told_exactly_once(given_months: list[tuple[int, str, str]]) -> None:
    groups, rest = grouped([missing(*one) for one in given_months])
    told = [(one.month, one.part.npp, one.part.state) for one in rest]
    for group in groups:
        for chip in group.chips:
            months = [chip.month] if chip.month >= 0 else range(chip.year * 12, chip.year * 12 + 12)
            told += [(month, group.part.npp, group.part.state) for month in months]
    assert sorted(told) == sorted(given_months)
