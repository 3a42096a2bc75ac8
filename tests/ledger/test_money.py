"""Whole rupiah: one rounding, one way of writing."""

from __future__ import annotations

from fractions import Fraction
from math import floor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.money import MAX_RUPIAH, round_half_up, rupiah


@pytest.mark.parametrize(
    ("numerator", "denominator", "rounded"),
    [(0, 1, 0), (1, 3, 0), (1, 2, 1), (2, 3, 1), (3, 2, 2), (499, 1000, 0), (500, 1000, 1), (1499, 1000, 1), (7, 7, 1)],
)
def test_a_half_goes_up(numerator: int, denominator: int, rounded: int) -> None:
    assert round_half_up(numerator, denominator) == rounded


@given(st.integers(0, 10**20), st.integers(1, 10**9))
def test_rounding_is_exact_for_any_size(numerator: int, denominator: int) -> None:
    assert round_half_up(numerator, denominator) == floor(Fraction(numerator, denominator) + Fraction(1, 2))


@pytest.mark.parametrize(
    ("amount", "text"),
    [(0, "Rp0"), (999, "Rp999"), (1_000, "Rp1.000"), (12_345_678, "Rp12.345.678"), (-1, "-Rp1"), (-1_500, "-Rp1.500")],
)
def test_rupiah_are_written_as_in_indonesia(amount: int, text: str) -> None:
    assert rupiah(amount) == text


def test_the_largest_amount_fits_a_column_of_64_bits() -> None:
    assert MAX_RUPIAH.bit_length() == 63
    assert (MAX_RUPIAH + 1).bit_length() == 64
