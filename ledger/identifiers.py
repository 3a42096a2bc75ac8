"""The numbers people and employers are known by, the months money is for, and the names of streams.

KPJ (the membership card's number) has no check digit. Eleven digits are canonical; other shapes come from older cards
and are accepted as `legacy`; digits alone, fewer than eleven, may also be a canonical KPJ whose leading zeros a
spreadsheet dropped. NIK is the national id: 16 digits PPRRSS DDMMYY NNNN, the day plus 40 for women, no check digit;
NNNN begins at 0001, and a spreadsheet, which keeps 15 digits, makes its last one 0. NPP is the employer's registration
number, 8 digits.
"""

from __future__ import annotations

import re
from datetime import date
from functools import lru_cache

_KPJ_DIGITS = 11
_CANONICAL_CARDS: int = 10**_KPJ_DIGITS
_LEGACY_ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_LEGACY = re.compile(r"(?=(?:[A-Z]*[0-9]){4})[0-9A-Z]{5,12}")
_NPP = re.compile(r"[0-9]{8}")
_NIK = re.compile(r"[0-9]{16}")
_SIXTEEN = re.compile(r"(?<![0-9])[0-9]{16}(?![0-9])")
_MONTH = re.compile(r"([0-9]{4})-(0[1-9]|1[0-2])")
_DIVISION = re.compile(r"[0-9A-Z]{1,6}")
_KPJ_NOISE = re.compile(r"[\s.\-]")

SEGMENTS = ("PU", "BPU", "PMI")
KINDS = ("regular", "supplement", "correction", "opening")


def clean_kpj(text: str) -> str | None:
    """The KPJ without blanks, dots and dashes, in capitals; None when no card ever had that shape."""
    kpj = _KPJ_NOISE.sub("", text).upper()
    return kpj if _LEGACY.fullmatch(kpj) else None


def is_legacy(kpj: str) -> bool:
    """True for a cleaned KPJ that is not eleven digits (cards older than the present numbering)."""
    return not (len(kpj) == _KPJ_DIGITS and kpj.isdigit())


def card_number(kpj: str) -> int:
    """The 63-bit integer that stands for a cleaned KPJ in every table: one to one, so no look-up is ever needed.

    Eleven digits are their own number; a legacy KPJ becomes 10^11 plus its digits in base 37 (so that leading zeros
    and the length survive).
    """
    if not is_legacy(kpj):
        return int(kpj)
    number = 0
    for character in kpj:
        number = number * 37 + _LEGACY_ALPHABET.index(character) + 1
    return _CANONICAL_CARDS + number


def kpj_of(card: int) -> str:
    """The KPJ behind a card number: the inverse of `card_number`."""
    if card < _CANONICAL_CARDS:
        return f"{card:011d}"
    number, characters = card - _CANONICAL_CARDS, ""
    while number:
        number, digit = divmod(number, 37)
        characters = _LEGACY_ALPHABET[digit - 1] + characters
    return characters


def zeros_lost(card: int) -> int | None:
    """The card that a legacy number of digits alone would be with its leading zeros, or None for any other card.

    `123456789` -> the card of `00123456789`. Which of the two is meant, only the register can tell.
    """
    if card < _CANONICAL_CARDS:
        return None
    kpj = kpj_of(card)
    return int(kpj) if kpj.isdigit() and len(kpj) < _KPJ_DIGITS else None


def clean_npp(text: str) -> str | None:
    """The employer's 8-digit number without blanks, or None."""
    npp = text.strip()
    return npp if _NPP.fullmatch(npp) else None


def clean_division(text: str) -> str | None:
    """An employer's division: capitals, without leading zeros, then three wide (`1` and `001` are one; `000` when empty);
    None when it has no such shape."""
    division = text.strip().upper() or "000"
    return division.lstrip("0").zfill(3) if _DIVISION.fullmatch(division) else None


def same_reference(text: str) -> str:
    """What all spellings of a payment's reference have in common: capitals, no zeros in front.

    A spreadsheet makes `000123` into `123`; taken for another reference, the payment would be booked a second time. Zeros
    alone stay one zero, for no reference at all is something else.
    """
    return text.upper().lstrip("0") or text[:1]


def clean_nik(text: str) -> str | None:
    """The 16 digits of a NIK without blanks, or None when they are not 16 digits."""
    nik = re.sub(r"[\s.\-]", "", text)
    return nik if _NIK.fullmatch(nik) else None


def nik_birth(nik: str, born_before: date) -> tuple[date, str] | None:
    """(birth date, sex `L` or `P`) that a 16-digit NIK states, or None when it states no real date.

    The year has two digits: the latest century not after `born_before` is taken. A day above 40 is a woman's
    (day - 40), and is range-checked after the subtraction.
    """
    day, month, year = int(nik[6:8]), int(nik[8:10]), int(nik[10:12])
    sex = "L"
    if day > 40:
        day, sex = day - 40, "P"
    for century in (2000, 1900):
        try:
            born = date(century + year, month, day)
        except ValueError:
            continue
        if born <= born_before:
            return born, sex
    return None


def holds_nik(text: str, today: date) -> bool:
    """Whether some sixteen digits of a text state a birth date as a NIK does: then it is taken for personal data."""
    return any(nik_birth(digits, today) is not None for digits in _SIXTEEN.findall(text))


def month_number(text: str) -> int | None:
    """`2025-10` -> months since year 0 (year * 12 + month - 1), or None when it is no month."""
    match = _MONTH.fullmatch(text.strip())
    return int(match[1]) * 12 + int(match[2]) - 1 if match else None


@lru_cache(4096)
def month_text(number: int) -> str:
    """The inverse of `month_number`: 24309 -> `2025-10`."""
    year, month = divmod(number, 12)
    return f"{year:04d}-{month + 1:02d}"


def month_of(day: date) -> int:
    """The month number of a date."""
    return day.year * 12 + day.month - 1


def employer_stream(npp: str) -> str:
    """`employer:<npp>`"""
    return f"employer:{npp}"


def person_stream(person: str) -> str:
    """`person:<32 hex digits>`: the id is random, so no event can be looked up by a NIK."""
    return f"person:{person}"


def account_stream(kpj: str) -> str:
    """`account:<kpj>`"""
    return f"account:{kpj}"


def employer_remittance_stream(npp: str, month: str) -> str:
    """`remittance-e:<npp>:<yyyy-mm>`: one employer's contributions for one month, all its divisions together."""
    return f"remittance-e:{npp}:{month}"


def own_remittance_stream(kpj: str, month: str) -> str:
    """`remittance-p:<kpj>:<yyyy-mm>`: what a BPU or PMI participant paid for one month."""
    return f"remittance-p:{kpj}:{month}"


def request_stream(digest: str) -> str:
    """`request:<hash of client, route and idempotency key>`"""
    return f"request:{digest}"


def member_stream(person: str) -> str:
    """`member:<person id>`: one person's access to the own accounts from outside."""
    return f"member:{person}"


def payer_of(stream: str) -> int:
    """The NPP in a remittance stream's name, 0 when participants pay for themselves."""
    return int(stream.split(":")[1]) if stream.startswith("remittance-e:") else 0
