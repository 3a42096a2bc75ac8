"""A number in a sentence has the signs of its language."""

from __future__ import annotations

import pytest

from ledger.errors import Problem
from ledger.numbers import fill, percent, quantity, whole

SENTENCES = [
    ("yield-rate-out-of-range", {"rate": 990_000, "low": 0, "high": 200_000}, "99,00 %", "99.00 %"),
    ("yield-declared", {"year": 2025, "utama": 56_300, "tambahan": 50_050}, "5,63 % / 5,005 %", "5.63 % / 5.005 %"),
    ("file-too-large", {"limit": "5000000 lines"}, "5.000.000 baris", "5,000,000 lines"),
    ("file-too-large", {"limit": "67108864 bytes"}, "67.108.864 bita", "67,108,864 bytes"),
    ("file-expands-too-far", {"limit": "100:1"}, "100:1", "100:1"),
    ("line-too-long", {"limit": 65_536}, "65.536 karakter", "65,536 characters"),
    ("yield-year-ahead", {"year": 12_026, "today": "2026-11-30"}, "12026", "12026"),
]  # fmt: skip


@pytest.mark.parametrize(("code", "details", "indonesian", "english"), SENTENCES)
def test_a_refusal_writes_numbers_as_its_language_does(
    code: str, details: dict[str, str | int], indonesian: str, english: str
) -> None:
    problem = Problem(code, details=details)
    assert indonesian in problem.say("id")
    assert english in problem.say("en")


def test_signs() -> None:
    assert [whole(n, "id") for n in (0, 999, -1_000, 12_345_678)] == ["0", "999", "-1.000", "12.345.678"]
    assert [whole(n, "en") for n in (0, 999, -1_000, 12_345_678)] == ["0", "999", "-1,000", "12,345,678"]
    assert [percent(n, "id") for n in (0, 56_300, 56_301, 56_310, 5_000, -30_000)] == [
        "0,00 %", "5,63 %", "5,6301 %", "5,631 %", "0,50 %", "-3,00 %",
    ]  # fmt: skip
    assert percent(11_234_500, "en") == "1123.45 %"
    assert [quantity(one, "id") for one in ("7 merged cells", "seven", "3 things")] == [
        "7 sel gabungan",
        "seven",
        "3 things",
    ]


def test_a_text_is_filled_once_and_whole() -> None:
    assert fill("{a} {b:percent}", "id", {"a": "{b}", "b": 15_000}) == "{b} 1,50 %"
    with pytest.raises(KeyError):
        fill("{a}", "id", {})
    assert Problem("line-too-long").say("id").startswith("Baris ini lebih panjang dari ? karakter")
