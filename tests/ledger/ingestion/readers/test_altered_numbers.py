"""What programs do to numbers: nothing of it makes a new card, another person's card or a second payment."""

from __future__ import annotations

import json

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ledger.contacts import PLAIN_EMAIL, PLAIN_PHONE, clean_email, clean_phone
from ledger.errors import Refused
from ledger.fields import Bad, read_cell
from ledger.identifiers import card_number, clean_division, kpj_of, zeros_lost
from ledger.ingestion.readers.reading import Source, read
from ledger.layouts import CONTRIBUTIONS, LAYOUTS, REGISTRATIONS
from tests.ledger.ingestion.readers.books import Page, Raw, book
from tests.ledger.ingestion.readers.spoiled import value_of

COLUMNS = {column.name: column for column in (*REGISTRATIONS, *CONTRIBUTIONS)}
KPJ, NPP, NIK, WAGE = COLUMNS["kpj"], COLUMNS["npp"], COLUMNS["nik"], COLUMNS["wage"]
CARDS = st.from_regex(r"0{0,3}[0-9]{8,11}", fullmatch=True).filter(lambda text: len(text) == 11 and int(text))


def altered(number: str) -> list[str]:
    """A number of digits alone as programs write it: without zeros, as a float, short, guarded."""
    value = int(number)
    return [
        number, str(value), f"{value}.0", f"{float(value)}", f"{float(value):.3e}", f"{float(value):E}", f"'{number}",
        f'="{number}"', f" {number} ", f"\u200b{number}", f"{number}\u00a0", f"{value},0", f"{float(value):.6G}",
        f"{value}.000",
    ]  # fmt: skip


@given(CARDS)
def test_a_card_stays_itself_is_refused_or_shows_what_it_was(number: str) -> None:
    card = card_number(number)
    for text in altered(number):
        value = read_cell(KPJ, text)
        assert isinstance(value, Bad) or value == card or zeros_lost(int(value)) == card, text


@given(st.integers(1, 99_999_999))
def test_an_employer_stays_itself_or_is_refused(npp: int) -> None:
    for text in altered(f"{npp:08d}"):
        assert read_cell(NPP, text) == npp or isinstance(read_cell(NPP, text), Bad), text


@given(st.from_regex(r"[1-9][0-9]{15}", fullmatch=True))
def test_a_nik_stays_itself_or_is_refused(nik: str) -> None:
    assume(not nik.endswith("0000"))
    for text in altered(nik):
        value = read_cell(NIK, text)
        assert value == nik or isinstance(value, Bad), text
    row = {column.name: value_of(column) for column in REGISTRATIONS} | {"nik": Raw("", f"<v>{float(nik)!r}</v>")}
    table = read(Source.of(book(Page([list(row), list(row.values())]))), "registrations")
    assert [(one.code, one.column) for one in table.problems] == [("cell-lost-digits", "nik")]


@given(st.integers(1, 10**18))
def test_a_reference_stays_itself_or_is_refused(number: int) -> None:
    # A spreadsheet keeps fifteen digits: two references that differ behind them would be one payment.
    assume(number % 1000 or number < 10**15)
    for text in altered(str(number)):
        assert read_cell(COLUMNS["reference"], text) == str(number) or isinstance(
            read_cell(COLUMNS["reference"], text), Bad
        ), text
    row = {column.name: value_of(column) for column in CONTRIBUTIONS} | {"reference": Raw("", f"<v>{number:.15G}</v>")}
    table = read(Source.of(book(Page([list(row), list(row.values())]))), "contributions")
    reference = table.columns["reference"]
    shown = reference.texts[reference.codes[0]] if reference.codes[0] >= 0 else None
    assert shown == (str(number) if number < 10**15 else None)


@pytest.mark.parametrize("name", ["kpj", "npp", "nik", "phone", "reference", "name"])
def test_a_date_or_a_sign_of_yes_is_no_number_and_no_name(name: str) -> None:
    layout = "registrations" if name == "phone" else "contributions"
    for cell in (Raw('t="d"', "<v>2026-10-01</v>"), Raw('t="b"', "<v>1</v>")):
        row = {column.name: value_of(column) for column in LAYOUTS[layout]} | {name: cell}
        table = read(Source.of(book(Page([list(row), list(row.values())]))), layout)
        assert [one.column for one in table.problems] == [name]


def test_zeros_alone_are_no_card() -> None:
    assert read_cell(KPJ, "0" * 11) == Bad("kpj-unreadable")
    lines = "kpj;as_of;employer;worker;credited_yield;months\n" + "00000000000;2025-12-31;1;1;0;1\n" * 500
    table = read(Source.of(lines.encode()), "opening-balances")
    assert table.counts == {"kpj-unreadable": 500}


@given(st.integers(0, 10**12))
def test_rupiah_stay_themselves_or_are_refused(amount: int) -> None:
    # Three zeros behind a point may be thousands: an amount is then refused, never a thousandth or a thousandfold.
    for text in (*altered(str(amount)), f"{amount}.00", f"{amount},00", f"{amount:,}", f"{amount:,}".replace(",", ".")):
        value = read_cell(WAGE, text)
        assert value == amount or isinstance(value, Bad), text


@given(st.from_regex(r"[0-9]{1,6}", fullmatch=True))
def test_a_division_is_the_same_without_its_zeros(division: str) -> None:
    column = COLUMNS["division"]
    assert {read_cell(column, text) for text in (division, division.lstrip("0") or "0", f"0{division}"[-6:])} == {
        clean_division(division)
    }


def test_only_digits_that_are_too_few_may_have_lost_zeros() -> None:
    assert zeros_lost(card_number("123456789")) == card_number("00123456789")
    for number in ("12345678901", "00000012345", "15A1234567", "123456789012"):
        assert zeros_lost(card_number(number)) is None
    assert kpj_of(card_number("0123456789")) == "0123456789"


ROW = {"npp": "12345678", "month": "2026-10", "kpj": "12345678901", "wage": 5_000_000, "paid_on": "2026-11-14"}
SPELLED = st.tuples(st.sampled_from(list(ROW)), st.lists(st.booleans(), min_size=8, max_size=8), st.sampled_from(
    ["", " ", "\ufeff", "\u200b", "\u00a0", "\t"]))  # fmt: skip


@given(SPELLED, st.integers(0, len(ROW)), st.booleans(), st.integers(0, 400_000))
def test_a_key_twice_is_refused_however_it_is_spelled(
    spelled: tuple[str, list[bool], str], place: int, lines: bool, padding: int
) -> None:
    name, shifts, around = spelled
    key = "".join(f"\\u{ord(sign):04x}" if shift else sign.upper() for sign, shift in zip(name, shifts * 2))
    key += "".join(f"\\u{ord(sign):04x}" for sign in around)
    pairs = [f"{json.dumps(n)}:{json.dumps(v)}" for n, v in ROW.items()]
    pairs.insert(place, f'"{key}":{json.dumps(ROW[name])}')
    one = "{" + ",".join(pairs) + "}"
    plain = json.dumps(ROW)
    body = one if lines else f"[{plain},{' ' * padding}{one}]"
    with pytest.raises(Refused) as refused:
        read(Source.of(body.encode()), "contributions")
    assert refused.value.code == "column-twice"


@given(st.from_regex(PLAIN_PHONE, fullmatch=True))
def test_plain_phones_are_what_the_library_makes_of_them(phone: str) -> None:
    phone = phone.strip()
    assert clean_phone(phone) == phone
    assert clean_phone("0" + phone[3:]) == clean_phone(phone[3:]) == clean_phone(phone[1:]) == phone


@given(st.from_regex(PLAIN_EMAIL, fullmatch=True))
def test_plain_addresses_are_what_the_library_makes_of_them(address: str) -> None:
    address = address.strip()
    assert clean_email(address) == address


@pytest.mark.parametrize(
    ("text", "phone"),
    [
        ("+62 812-3456-7890", "+6281234567890"), ("(021) 555-1234", "+62215551234"), ("00628123456789", "+628123456789"),
        ("60123456789", "+60123456789"), ("+12025550123", "+12025550123"), ("12", None), ("0812345678901234567", None),
        ("08AB", None), ("", None), ("+", None),
    ],
)  # fmt: skip
def test_phones_are_written_one_way(text: str, phone: str | None) -> None:
    assert clean_phone(text) == phone


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("Budi@Contoh.ID", "Budi@contoh.id"), (" a@b.id ", "a@b.id"), ("a@münchen.de", "a@xn--mnchen-3ya.de"),
        ("zoë@contoh.id", None), ("a..b@c.id", None), ("a@-b.id", None), ("a@b", None), ("a@b.invalid", None),
        ('"a b"@c.id', None), ("a@[127.0.0.1]", None), ("", None), ("a" * 65 + "@c.id", None),
    ],
)  # fmt: skip
def test_addresses_are_written_one_way(text: str, address: str | None) -> None:
    assert clean_email(text) == address
