"""The rules as data: what was published about JHT, and the project's rounding."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.identifiers import month_number
from ledger.rules import rules

OCTOBER = month_number("2026-10") or 0


@pytest.mark.parametrize(
    ("wage", "employer", "worker"),
    [
        (1_000_000, 37_000, 20_000),
        (2_000_000, 74_000, 40_000),
        (3_000_000, 111_000, 60_000),
        (5_000_000, 185_000, 100_000),
        (5_060_000, 187_220, 101_200),
        (7_000_000, 259_000, 140_000),
        (1_234_567, 45_679, 24_691),
        (3_333_333, 123_333, 66_667),
        (1_000_025, 37_001, 20_001),
        (4_901_798, 181_367, 98_036),
        (5_067_381, 187_493, 101_348),
    ],
)
def test_employees_pay_37_and_20_per_mille_each_share_rounded_half_up(wage: int, employer: int, worker: int) -> None:
    rule = rules().pu_in(OCTOBER)
    assert rule is not None
    shares = rule.shares(np.array([wage]))
    assert (int(shares[0][0]), int(shares[1][0])) == (employer, worker)


@given(st.lists(st.integers(0, 10**13), min_size=1, max_size=50))
def test_a_share_is_never_more_than_half_a_rupiah_from_its_exact_part(wages: list[int]) -> None:
    rule = rules().pu_in(OCTOBER)
    assert rule is not None
    employer, worker = rule.shares(np.array(wages, np.int64))
    for wage, first, second in zip(wages, employer.tolist(), worker.tolist(), strict=True):
        assert -1000 < 2 * (1000 * first - 37 * wage) <= 1000
        assert -1000 < 2 * (1000 * second - 20 * wage) <= 1000


@pytest.mark.parametrize(
    ("income", "amount"),
    [
        (1, 20_000), (1_099_999, 20_000), (1_100_000, 24_000), (2_000_000, 40_000), (2_699_999, 52_000),
        (2_700_000, 59_000), (3_000_000, 59_000), (8_199_999, 159_000), (8_200_000, 174_000), (20_199_999, 394_000),
        (20_200_000, 414_000), (10**12, 414_000),
    ],
)  # fmt: skip
def test_the_self_employed_pay_the_amount_of_their_income_band(income: int, amount: int) -> None:
    rule = rules().bpu_in(OCTOBER)
    assert rule is not None
    assert len(rule.amounts) == 33
    employer, worker = rule.shares(np.array([income]))
    assert (int(employer[0]), int(worker[0])) == (0, amount)


def test_migrant_workers_choose_one_of_seven_amounts() -> None:
    rule = rules().pmi_in(OCTOBER)
    assert rule is not None
    assert rule.choices == (50_000, 100_000, 200_000, 300_000, 400_000, 500_000, 600_000)


def test_a_month_before_the_rules_has_none_and_never_a_later_rate() -> None:
    before = month_number("2015-06") or 0
    assert rules().pu_in(before) is None
    assert rules().bpu_in(before) is None
    assert rules().pmi_in(month_number("2023-02") or 0) is None


def test_every_row_names_its_source_and_how_sure_it_is() -> None:
    known = {"well sourced", "single source", "recalled", "project's choice"}
    rows = [row for part in rules().table.values() for row in (part if isinstance(part, list) else [part])]
    for row in rows:
        assert row["source"]
        assert row["sure"] in known
