from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from api import formats


@pytest.mark.parametrize(
    ("value", "classes"),
    [
        (0, "amount"), (25_039_310, "amount"), (999_999_999, "amount"), (1_250_393_100, "amount long"),
        (1_250_393_100_425, "amount longer"),
    ],
)  # fmt: skip
def test_a_large_amount_gets_smaller_letters(value: int, classes: str) -> None:
    made = formats.amount(value)
    assert f'class="{classes}"' in made
    assert f"{value:,}".replace(",", ".") in made


def test_a_minus_stands_before_rp() -> None:
    assert formats.amount(-5).index("−") < formats.amount(-5).index("Rp")


def test_dates_are_written_in_words_of_the_language() -> None:
    assert formats.day(date(2026, 8, 17), "id") == "17 Agustus 2026"
    assert formats.day("2026-08-17", "en") == "17 August 2026"
    assert formats.day_short("2026-08-17", "id") == "17 Agu 2026"
    assert formats.month("2026-05", "id") == "Mei 2026"
    assert formats.month_short("2026-05", "en") == "May"


def test_a_moment_is_told_in_jakartas_time_whatever_zone_it_came_in() -> None:
    assert formats.moment(datetime(2026, 11, 20, 2, 14, tzinfo=UTC), "id") == "20 November 2026, pukul 09.14 WIB"
    assert formats.moment("2026-11-19T18:30:00+00:00", "en") == "20 November 2026, 01:30 WIB"
    assert formats.moment("2026-11-20 02:14:00", "id") == "20 November 2026, pukul 09.14 WIB", "UTC without a zone"
    assert formats.jakarta_day("2026-11-19T18:30:00.000000Z") == date(2026, 11, 20)


@pytest.mark.parametrize("phone", ["081234567890", "+6281234567890"])
def test_a_masked_phone_shows_its_last_three_digits_alone(phone: str) -> None:
    assert formats.masked_phone(phone).endswith("*890")
    assert "4567" not in formats.masked_phone(phone)


def test_a_masked_nik_hides_the_birth_date() -> None:
    assert formats.masked_nik("3171011705900001") == "3171********0001"
