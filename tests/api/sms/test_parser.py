"""What people type, and what it asks for."""

from __future__ import annotations

import random
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.sms.parser import Asked, Balance, Help, Misread, Number, Registration, Stop, Tell, Unknown, parse
from ledger.identifiers import clean_kpj, clean_nik
from tests.conftest import LONG, TODAY

NIK, KPJ, EMAIL = "3171011705900001", "26000000017", "budi@contoh.id"
FIRST = Registration(NIK, "1990-05-17", KPJ, "", EMAIL)
SECOND = Registration("3523418097870002", "1987-09-01", "2345678901", "ADI SUNARYO")
MUTATED = 1_000_000 if LONG else 5_000


def asked(text: str) -> Asked:
    return parse(text, TODAY)


@pytest.mark.parametrize(
    "text",
    [
        f"DAFTAR SALDO#{NIK}#17-05-1990#{KPJ}#{EMAIL}",
        f"daftar saldo#{NIK}#17-05-1990#{KPJ}#{EMAIL}",
        f"  Daftar   Saldo # {NIK} # 17-05-1990 # {KPJ} # {EMAIL}  ",
        f"DAFTARSALDO#{NIK}#17-05-1990#{KPJ}#{EMAIL}",
        f"DAFTAR(spasi)SALDO#{NIK}#17-05-1990#{KPJ}#{EMAIL}",
        f"DAFTAR <spasi> SALDO#{NIK}#17-05-1990#{KPJ}#{EMAIL}",
        f"Daftar spasi Saldo#{NIK}#17-05-1990#{KPJ}#{EMAIL}",
        f"DAFTAR SALDO#({NIK}#17-05-1990#{KPJ}#{EMAIL}",
        f"DAFTAR SALDO#({NIK})#(17-05-1990)#<{KPJ}>#[{EMAIL}]",
        f"DAFTAR SALDO {NIK}#17-05-1990#{KPJ}#{EMAIL}",
        f"DAFTAR#{NIK}#17-05-1990#{KPJ}#{EMAIL}",
        f"DAFTAR SALDO##{NIK}#17-05-1990#{KPJ}#{EMAIL}#",
        f'"DAFTAR SALDO#{NIK}#17-05-1990#{KPJ}#{EMAIL}"',
        f"DAFTAR SALDO#3171 0117 0590 0001#17-05-1990#260 0000 0017#{EMAIL}",
        f"DAFTAR\nSALDO\n#{NIK}\r\n#17-05-1990#{KPJ}#{EMAIL}\n",
        f"ＤＡＦＴＡＲ　ＳＡＬＤＯ＃{NIK}＃17-05-1990＃{KPJ}＃{EMAIL}",
    ],
)  # fmt: skip
def test_a_registration_with_the_date_third_is_read_however_it_is_typed(text: str) -> None:
    assert asked(text) == FIRST


@pytest.mark.parametrize(
    "text",
    [
        "DAFTAR SALDO#3523418097870002#ADI SUNARYO#01-09-1987#2345678901",
        "daftar saldo # 3523418097870002 # ADI  SUNARYO # 1/9/1987 # 2345678901 #",
        "Daftar(spasi)Saldo#(3523418097870002)#(ADI SUNARYO)#01-09-1987#<2345678901>",
    ],
)
def test_a_registration_with_the_name_third_is_told_apart_by_where_the_date_stands(text: str) -> None:
    assert asked(text) == SECOND


@pytest.mark.parametrize(
    "written",
    [
        "17-05-1990", "17/05/1990", "17.05.1990", "17 05 1990", "17051990", "17-5-1990", "17 - 05 - 1990", "1990-05-17",
        "19900517", "17-05-90", "17 Mei 1990", "17-mei-1990", "17MEI1990", "17–05–1990",
    ],
)  # fmt: skip
def test_a_birth_date_is_read_in_every_usual_way(written: str) -> None:
    assert asked(f"DAFTAR SALDO#{NIK}#{written}#{KPJ}#{EMAIL}") == FIRST


@pytest.mark.parametrize(
    ("month", "number"),
    [("Jan", 1), ("Pebruari", 2), ("Februari", 2), ("Agt", 8), ("Ags", 8), ("Agustus", 8), ("Nop", 11), ("Des", 12)],
)
def test_months_are_known_by_name(month: str, number: int) -> None:
    found = asked(f"DAFTAR SALDO#{NIK}#05 {month} 1991#{KPJ}")
    assert isinstance(found, Registration)
    assert found.birth_date == f"1991-{number:02d}-05"


def test_a_year_of_two_digits_is_the_latest_that_is_past() -> None:
    for written, year in (("01-01-26", 2026), ("21-11-26", 2026), ("22-11-26", 1926), ("01-01-27", 1927)):
        found = asked(f"DAFTAR SALDO#{NIK}#{written}#{KPJ}")
        assert isinstance(found, Registration)
        assert found.birth_date.startswith(str(year)), written


@pytest.mark.parametrize(
    "text",
    [
        f"SALDO {KPJ}", f"saldo {KPJ}", f"Saldo{KPJ}", f"Saldo<{KPJ}>", f"SALDO ({KPJ})", f"SALDO#{KPJ}", f"SALDO: {KPJ}.",
        f"saldo(spasi){KPJ}", f"SALDO spasi {KPJ}", f"Cek saldo {KPJ}", f"INFO SALDO {KPJ}", f"SALDO JHT {KPJ}",
        f"SALDO KPJ {KPJ}", "SALDO 260 0000 0017", "SALDO 260.0000.0017", "SALDO 260-0000-0017",
        "SALDO ２６０００００００１７", f"\u200bSALDO\u00a0{KPJ}\u200e", f"Saldo\t{KPJ}", f"“Saldo {KPJ}”",
        f"Saldo ‘{KPJ}’",
    ],
)  # fmt: skip
def test_a_balance_of_one_card_is_read_however_it_is_typed(text: str) -> None:
    assert asked(text) == Balance(KPJ)


@pytest.mark.parametrize(
    "text",
    [
        "SALDO", "saldo", " Saldo. ", "SALDO?", "Saldo JHT", "cek saldo", "#SALDO", "SALDO#", "'saldo'", "SALDO ( )",
        "saldo saya",
    ],
)  # fmt: skip
def test_the_word_alone_asks_for_the_cards_of_the_phone(text: str) -> None:
    assert asked(text) == Balance()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("BANTUAN", Help()), ("help", Help()), ("Info", Help()), ("INFO JHT", Help()), ("(bantuan)", Help()),
        ("STOP", Stop()), ("stop!", Stop()), ("Berhenti", Stop()), ("STOP SALDO", Stop()),
        ("KABAR", Tell(wanted=True)), ("kabar iuran", Tell(wanted=True)), ("STOP KABAR", Tell(wanted=False)),
        ("berhenti  kabar", Tell(wanted=False)), ("STOPKABAR", Tell(wanted=False)), ("KABARI", Unknown()),
        ("", Unknown()), ("halo", Unknown()), ("saldoku berapa", Unknown()), ("daftarkan saya", Unknown()),
        ("stopwatch", Unknown()), (f"{NIK}#17-05-1990#{KPJ}", Unknown()), ("####", Unknown()),
        ("DAFTAR", Misread("registration")), ("DAFTAR SALDO", Misread("registration")),
        (f"DAFTAR SALDO#{NIK}#{KPJ}", Misread("registration")),
        (f"DAFTAR SALDO#{NIK}#17-05-1990#{KPJ}#{EMAIL}#lagi", Misread("registration")),
        (f"DAFTAR SALDO#{NIK}#BUDI#17-05-1990", Misread("registration")),
        (f"DAFTAR SALDO#{NIK}#31-02-1990#{KPJ}", Misread("birth_date")),
        (f"DAFTAR SALDO#{NIK}#05-17-1990#{KPJ}", Misread("birth_date")),
        (f"DAFTAR SALDO#317101170590000#17-05-1990#{KPJ}", Misread("nik")),
        (f"DAFTAR SALDO#{NIK}#17-05-1990#kartu", Misread("kpj")),
        (f"DAFTAR SALDO#{NIK}#17-05-1990#{KPJ}#budi", Misread("email")),
        (f"DAFTAR SALDO#{NIK}#{'A' * 101}#17-05-1990#{KPJ}", Misread("name")),
        (f"SALDO {NIK}", Misread("kpj")), ("SALDO berapa", Misread("kpj")), (f"SALDO {KPJ} {KPJ}", Misread("kpj")),
    ],
)  # fmt: skip
def test_what_else_is_typed_is_understood_or_told_apart(text: str, expected: Asked) -> None:
    assert asked(text) == expected


def check(found: Asked) -> None:
    """Whatever comes out is clean enough to be looked up."""
    if isinstance(found, Registration):
        assert clean_nik(found.nik) == found.nik
        assert clean_kpj(found.kpj) == found.kpj
        assert date.fromisoformat(found.birth_date).isoformat() == found.birth_date
        assert found.email.isascii()
        assert len(found.name) <= 100
    elif isinstance(found, Balance):
        assert not found.kpj or clean_kpj(found.kpj) == found.kpj


_PIECES = st.sampled_from(
    ["DAFTAR", "SALDO", "daftar saldo", "STOP", "INFO", "#", " ", "(spasi)", "<", ")", "\n", "\0", "\ud83d", "ﷺ", "İ", "ß",
     NIK, KPJ, "17-05-1990", "17 Mei 1990", "0000-00-00", "99-99-9999", EMAIL, "@", "ADI", "٣٤", "²"]
)  # fmt: skip


@given(st.one_of(st.text(max_size=600), st.lists(st.one_of(_PIECES, st.characters()), max_size=60).map("".join)))
def test_no_text_is_too_much_for_the_parser(text: str) -> None:
    check(asked(text))


@given(st.text(alphabet=" \t\n()<>[]{}", max_size=5), st.booleans())
def test_blanks_and_brackets_around_a_field_do_not_count(noise: str, small: bool) -> None:
    text = f"DAFTAR SALDO#{noise}{NIK}{noise}#17-05-1990{noise}#{noise}{KPJ}#{EMAIL}{noise}"
    assert asked(text.replace("DAFTAR SALDO", "daftar saldo") if small else text) == FIRST


def test_a_great_many_mutated_texts_raise_nothing() -> None:
    chance = random.Random(2757)
    whole = [
        f"DAFTAR SALDO#{NIK}#17-05-1990#{KPJ}#{EMAIL}", f"DAFTAR SALDO#{NIK}#ADI SUNARYO#17-05-1990#{KPJ}",
        f"Saldo<{KPJ}>", f"SALDO {KPJ}", "SALDO", "BANTUAN", "STOP",
    ]  # fmt: skip
    kinds = set()
    for _ in range(MUTATED):
        text = list(chance.choice(whole))
        for _ in range(chance.randint(1, 6)):
            at = chance.randrange(len(text) + 1)
            step = chance.random()
            if step < 0.35:
                text[at : at + chance.randint(1, 3)] = []
            elif step < 0.7:
                text.insert(at, chr(chance.randrange(0x110000) if step < 0.4 else chance.randrange(256)))
            elif step < 0.85:
                other = chance.choice(whole)
                text[at:at] = other[chance.randrange(len(other)) :]
            else:
                text[at : at + 2] = reversed(text[at : at + 2])
        found = asked("".join(text))
        check(found)
        kinds.add(type(found))
    assert kinds == {Balance, Registration, Number, Help, Stop, Misread, Unknown}
