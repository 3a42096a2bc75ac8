"""Numbers of cards, employers and persons, months, and the names of streams: what is read, what is refused."""

from __future__ import annotations

import random
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger import identifiers
from ledger.identifiers import (
    card_number,
    clean_division,
    clean_kpj,
    clean_nik,
    clean_npp,
    holds_nik,
    is_legacy,
    kpj_of,
    month_number,
    month_of,
    month_text,
    nik_birth,
)
from tests.conftest import TODAY


@pytest.mark.parametrize(
    ("typed", "kpj"),
    [
        ("26000000017", "26000000017"), (" 260.0000-0017 ", "26000000017"), ("97k0100505", "97K0100505"),
        ("AB1234", "AB1234"), ("1234", None), ("12345", "12345"), ("123456789012", "123456789012"),
        ("1234567890123", None), ("ABC123", None), ("ABC1234", "ABC1234"), ("", None), ("12345/78901", None),
        ("2600000001７", None), ("1A2B3C4", "1A2B3C4"), ("1A2B3CD", None),
    ],
)  # fmt: skip
def test_a_kpj_is_read_as_people_type_it_or_not_at_all(typed: str, kpj: str | None) -> None:
    assert clean_kpj(typed) == kpj


@pytest.mark.parametrize(
    ("kpj", "legacy"),
    [("26000000017", False), ("2600000001", True), ("260000000170", True), ("2600000001A", True), ("AB1234", True)],
)
def test_a_card_is_old_unless_it_has_eleven_digits(kpj: str, legacy: bool) -> None:
    assert is_legacy(kpj) is legacy
    assert kpj_of(card_number(kpj)) == kpj


def test_the_numbers_of_cards_are_kept_for_ever() -> None:
    assert card_number("26000000017") == 26_000_000_017
    assert card_number("00000000000") == 0
    assert card_number("99999999999") == 10**11 - 1
    assert card_number("12345") == 10**11 + ((((2 * 37 + 3) * 37 + 4) * 37 + 5) * 37 + 6)
    assert card_number("012345") != card_number("12345")
    assert card_number("ZZZZZZZZ9999") < 2**63
    assert kpj_of(7) == "00000000007"
    assert kpj_of(10**11 - 1) == "99999999999"
    assert kpj_of(10**11 + 1) == "0"


@given(st.text("0123456789", min_size=4, max_size=8), st.text("ABKZ", max_size=4), st.randoms(use_true_random=False))
def test_every_kpj_has_its_own_number(digits: str, letters: str, order: random.Random) -> None:
    characters = [*digits, *letters]
    order.shuffle(characters)
    kpj = "".join(characters)
    assert clean_kpj(kpj) == (kpj if len(kpj) > 4 else None)
    assert kpj_of(card_number(kpj)) == kpj


@pytest.mark.parametrize(
    ("typed", "npp"),
    [("10000001", "10000001"), (" 10000001\n", "10000001"), ("1000001", None), ("100000011", None), ("1000000A", None)],
)
def test_an_employer_has_eight_digits(typed: str, npp: str | None) -> None:
    assert clean_npp(typed) == npp


@pytest.mark.parametrize(
    ("typed", "division"),
    [("", "000"), ("  ", "000"), ("0", "000"), ("000", "000"), ("1", "001"), ("001", "001"), ("0001", "001"), ("a1", "0A1"),
     ("012345", "12345"), ("X1", "0X1"), ("ABCDEF", "ABCDEF"), ("0000001", None), ("A-1", None), ("1 2", None)],
)  # fmt: skip
def test_a_division_is_three_wide_without_more_zeros(typed: str, division: str | None) -> None:
    assert clean_division(typed) == division


@pytest.mark.parametrize(
    ("typed", "nik"),
    [
        ("3171011705900001", "3171011705900001"), ("3171 0117.0590-0001", "3171011705900001"), ("317101170590000", None),
        ("31710117059000012", None), ("317101170590000X", None),
    ],
)  # fmt: skip
def test_a_nik_has_sixteen_digits(typed: str, nik: str | None) -> None:
    assert clean_nik(typed) == nik


@pytest.mark.parametrize(
    ("digits", "born"),
    [
        ("170590", (date(1990, 5, 17), "L")), ("570590", (date(1990, 5, 17), "P")), ("310190", (date(1990, 1, 31), "L")),
        ("400190", None), ("410190", (date(1990, 1, 1), "P")), ("710190", (date(1990, 1, 31), "P")), ("720190", None),
        ("010126", (date(2026, 1, 1), "L")), ("211126", (date(2026, 11, 21), "L")), ("221126", (date(1926, 11, 22), "L")),
        ("290200", (date(2000, 2, 29), "L")), ("290201", None), ("001390", None), ("011390", None), ("000190", None),
    ],
)  # fmt: skip
def test_a_nik_states_a_birth_date_and_a_sex(digits: str, born: tuple[date, str] | None) -> None:
    assert nik_birth(f"317101{digits}0001", TODAY) == born


def test_a_day_that_only_the_older_century_had_is_found_there() -> None:
    # 29 February 2100 will not exist, that of 1996 did.
    assert nik_birth("3171012902960001", TODAY) == (date(1996, 2, 29), "L")
    # 1900 had no 29 February and 2000 had one, which is after this day.
    assert nik_birth("3171012902000001", date(1999, 12, 31)) is None


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("3171011705900001", True), ("NIK 3171011705900001 lunas", True), ("3171013513900001", False), ("TRX-1", False),
        ("13171011705900001", False), ("31710117059000012", False), ("9999999999999999 3171011705900001", True), ("", False),
    ],
)  # fmt: skip
def test_sixteen_digits_are_personal_data_where_they_state_a_birth_date(text: str, holds: bool) -> None:
    assert holds_nik(text, TODAY) is holds


@pytest.mark.parametrize(
    ("text", "number"),
    [("2025-10", 24_309), (" 2025-10 ", 24_309), ("2025-01", 24_300), ("2025-12", 24_311), ("2025-13", None),
     ("2025-00", None), ("2025-1", None), ("25-10", None), ("2025-10-01", None), ("", None), ("0000-01", 0)],
)  # fmt: skip
def test_a_month_is_a_number(text: str, number: int | None) -> None:
    assert month_number(text) == number


@given(st.integers(0, 9999 * 12 + 11))
def test_a_month_reads_back(number: int) -> None:
    assert month_number(month_text(number)) == number


@pytest.mark.parametrize("day", [date(2025, 1, 1), date(2025, 1, 31), date(2025, 12, 31), date(2024, 2, 29)])
def test_the_month_of_a_day(day: date) -> None:
    assert month_of(day) == month_number(day.isoformat()[:7])


def test_the_names_of_streams_are_kept_for_ever() -> None:
    names = [
        identifiers.employer_stream("10000001"), identifiers.person_stream("ab"), identifiers.account_stream("26000000017"),
        identifiers.employer_remittance_stream("10000001", "2026-10"),
        identifiers.own_remittance_stream("26000000017", "2026-10"), identifiers.request_stream("ff"),
        identifiers.member_stream("ab"),
    ]  # fmt: skip
    assert names == [
        "employer:10000001", "person:ab", "account:26000000017", "remittance-e:10000001:2026-10",
        "remittance-p:26000000017:2026-10", "request:ff", "member:ab",
    ]  # fmt: skip
