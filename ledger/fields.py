"""One cell: from its text to a number or a clean text, or the code of what is wrong with it.

This is the only definition of what a cell means. `readers/typed.py` has a faster way for well-formed cells and asks here
for every other one. A `Bad` cell carries no value, so nothing personal can leak into a problem. A cell that cannot be
read is never an empty cell: empty is only what holds nothing at all.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from datetime import date
from decimal import ROUND_HALF_EVEN, Context, Decimal, InvalidOperation

from msgspec import Struct

from ledger.contacts import clean_email, clean_phone
from ledger.days import day_number
from ledger.events import LEAVING, PAYOUTS, Base, Payout
from ledger.identifiers import (
    KINDS,
    SEGMENTS,
    card_number,
    clean_division,
    clean_kpj,
    clean_nik,
    clean_npp,
    is_legacy,
    month_number,
)
from ledger.layouts import Column

SEXES = ("L", "P")

_CONSTRUCTION = {"JAKON", "JASA KONSTRUKSI", "JASAKONSTRUKSI"}
_DATE = re.compile(r"([0-9]{4})[-/]([0-9]{2})[-/]([0-9]{2})(?:[T ]00:00(?::00(?:\.0+)?)?)?")
_MONTH_BEFORE_DAY = re.compile(
    r"(?:0?[1-9]|1[0-2])[-/](?:1[3-9]|2[0-9]|3[01])[-/][0-9]{4}|[0-9]{4}[-/](?:1[3-9]|2[0-9]|3[01])[-/](?:0[1-9]|1[0-2])"
)
"""A date that can only mean month and day in that order; read with the day first it has a month beyond the twelfth."""
_MONTH_FIRST = re.compile(r"(0?[1-9]|1[0-2])[-/]([0-9]{4})")
_MONTH_DAY = re.compile(r"([0-9]{4})[-/]([0-9]{2})(?:[-/]01(?:[T ]00:00(?::00(?:\.0+)?)?)?)?")
_FORMULA = ("=", "+", "-", "@")
_GUARD = re.compile(r"'(?=[=+\-@0-9])")
_TEXT_FORMULA = re.compile(r'="([^"]*)"')
_DIGITS = re.compile(r"[0-9]+")
_DOT_ZERO = re.compile(r"([0-9]+)[.,]0{1,2}")
_DOT_ZEROS = re.compile(r"([0-9]+)[.,]0+")
"""A number that is no amount, as a program writes it; of an amount three zeros may be thousands."""
_NEGATIVE = re.compile(r"-[0-9]+(?:\.0{1,2})?|\([0-9.,]+\)")
_GROUPED = re.compile(r"[0-9]{1,3}(?:[.,][0-9]{3})+")
_FRACTION = re.compile(r"[0-9]+[.,][0-9]+")
_DASH = re.compile(r"(?:Rp\.?\s*)?[-\u2012\u2013\u2014\u2212]", re.IGNORECASE)
_SHORTENED = re.compile(r"[0-9]+[.,][0-9]+E[+-]?[0-9]+|[0-9]+E\+[0-9]+", re.IGNORECASE)
_REFERENCE = re.compile(r"[A-Za-z0-9./-]*")
_YEAR = re.compile(r"[0-9]{4}")
_WORDS = re.compile(r"[ _-]+")
_AMOUNT = r"([0-9]{1,15})"
_BASE = re.compile(rf"([0-9]{{4}}):{_AMOUNT}(?::{_AMOUNT})?")
_PAYOUT = re.compile(rf"([0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}):{_AMOUNT}:([a-z0-9-]+)")
FIRST_YEAR = 1977
"""The scheme's forerunner began in 1977 (PP 33/1977)."""
LEAVING_IN_INDONESIAN = {
    "mengundurkan-diri": "resigned", "resign": "resigned", "phk": "laid-off", "kontrak-berakhir": "contract-ended",
    "habis-kontrak": "contract-ended", "pkwt-berakhir": "contract-ended", "pensiun": "pension",
    "meninggal": "died", "meninggal-dunia": "died", "berhenti": "stopped", "berhenti-usaha": "stopped",
    "pindah": "moved", "pindah-perusahaan": "moved", "mutasi": "moved", "tidak-diketahui": "unknown",
}  # fmt: skip
"""What Indonesian files call the kinds of leaving, in small letters with hyphens."""
_ERROR = re.compile(r"#(?:N/A(?: N/A)?|[A-Z][A-Z0-9_/]*[!?]|GETTING_DATA|#+)|ERR:[0-9]{3}", re.IGNORECASE)
_ERROR_SIGNS = ("#", "E", "e")
_NOTHING = frozenset({"nan", "NaN", "NAN", "null", "NULL", "Null", "N/A", "n/a", "<NA>", "NaT", "None", "none"})
_NOT_NAMES = _NOTHING - {"None", "none", "Null", "NAN"}
"""Signs with which programs mark a missing value; as a name only those that nobody is called."""
_NUMERIC = frozenset(
    {"rupiah", "count", "kpj", "npp", "nik", "month", "birth", "date", "phone", "division", "reference"}
)
_FORBIDDEN = {"Cs", "Co", "Cn"}
_ZERO_WIDTH = (
    "\u00ad\u061c\u180e\u200b\u200c\u200d\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2061\u2062\u2063\u2064\ufeff"
)
_BLANKS = "".join(chr(code) for code in range(0x3001) if chr(code).isspace())
_ENDS = _BLANKS + _ZERO_WIDTH + "\x1a"
"""What does not count at the ends of a cell: blanks, characters nobody sees, and the end-of-file sign of DOS."""
_SIGNIFICANT = 15
"""Digits that a spreadsheet shows and keeps; what it writes beyond them is the noise of binary fractions."""
_ROUNDED = Context(prec=_SIGNIFICANT, rounding=ROUND_HALF_EVEN)
_LONGEST_NUMBER = 40
_EXACT = 2**53


class Bad(Struct, frozen=True):
    """A cell that cannot be read: the code, and details without personal data."""

    code: str
    details: dict[str, str | int] = {}


Value = int | str
Read = Callable[[str, int], "Value | Bad"]


def bare(text: str) -> str:
    """A text without the blanks and invisible characters at its ends."""
    return text.strip(_ENDS)


def whole_number(text: str) -> int | None:
    """A spreadsheet's number as it is shown, when that is whole: 184999.99999999997 -> 185000; None for fractions."""
    if len(text) > _LONGEST_NUMBER:
        return None
    if text.isdigit() and text.isascii():
        return int(text)
    try:
        number = Decimal(text)
        if not number.is_finite() or number.adjusted() > _LONGEST_NUMBER:
            return None
        shown = number if number == number.to_integral_value() else _ROUNDED.plus(number)
        return int(shown) if shown == shown.to_integral_value() else None
    except InvalidOperation:
        return None


def _rupiah(text: str, limit: int) -> Value | Bad:
    if not _DIGITS.fullmatch(text):
        if _DASH.fullmatch(text):
            # How a spreadsheet's accounting format shows a zero.
            return 0
        if _NEGATIVE.fullmatch(text):
            return Bad("number-negative")
        if match := _DOT_ZERO.fullmatch(text):
            text = match[1]
        elif _FRACTION.fullmatch(text) and not _GROUPED.fullmatch(text):
            number = whole_number(text.replace(",", "."))
            if number is None:
                return Bad("number-fraction", {"where": ""})
            text = str(number)
        else:
            return Bad("number-unreadable")
    digits = text.lstrip("0") or "0"
    if len(digits) > len(str(limit)) or int(digits) > limit:
        return Bad("amount-absurd", {"limit": limit})
    return int(digits)


def _kpj(text: str, limit: int) -> Value | Bad:
    if match := _DOT_ZEROS.fullmatch(text):
        # A program's number: with all its digits it is the card, else its zeros are gone with the text.
        if is_legacy(match[1]):
            return Bad("cell-lost-digits", {"where": ""})
        text = match[1]
    kpj = clean_kpj(text) if text.isascii() else None
    # Zeros alone stand in lists for a number that nobody has.
    return card_number(kpj) if kpj and kpj.strip("0") else Bad("kpj-unreadable")


def _npp(text: str, limit: int) -> Value | Bad:
    if match := _DOT_ZEROS.fullmatch(text):
        text = match[1]
    # Eight zeros would read as "no employer" in every table.
    if clean_npp(text) == text and int(text):
        return int(text)
    if _DIGITS.fullmatch(text) and len(text) < 8 and int(text):
        return Bad("npp-zeros-lost", {"digits": len(text)})
    return Bad("npp-unreadable")


def _nik(text: str, limit: int) -> Value | Bad:
    if match := _DOT_ZEROS.fullmatch(text):
        if int(match[1]) >= _EXACT:
            return Bad("cell-lost-digits", {"where": ""})
        text = match[1]
    nik = clean_nik(text) if text.isascii() else None
    if nik is None:
        return Bad("nik-unreadable")
    return Bad("nik-cut") if nik.endswith("0000") else nik


def _month(text: str, limit: int) -> Value | Bad:
    if match := _MONTH_FIRST.fullmatch(text):
        text = f"{match[2]}-{match[1]:0>2}"
    elif match := _MONTH_DAY.fullmatch(text):
        text = f"{match[1]}-{match[2]}"
    month = month_number(text)
    return Bad("month-unreadable") if month is None else month


def _birth(text: str, limit: int) -> Value | Bad:
    match = _DATE.fullmatch(text)
    try:
        if match:
            return day_number(date(*map(int, match.groups())))
    except ValueError:
        pass
    return Bad("date-order-unclear" if _MONTH_BEFORE_DAY.fullmatch(text) else "date-unreadable")


def _date(text: str, limit: int) -> Value | Bad:
    day = _birth(text, limit)
    # The scheme is younger than 1970. Only births are earlier, so -1 stays free to say "no date" here.
    return Bad("date-unreadable") if isinstance(day, int) and day < 0 else day


def _division(text: str, limit: int) -> Value | Bad:
    if match := _DOT_ZEROS.fullmatch(text):
        text = match[1]
    return (clean_division(text) if text.isascii() else None) or Bad("division-unreadable")


def _kind(text: str, limit: int) -> Value | Bad:
    kind = text.lower()
    # An opening balance has its own layout; no contribution line may call itself one.
    return KINDS.index(kind) if kind in KINDS and kind != "opening" else Bad("kind-unknown")


def _segment(text: str, limit: int) -> Value | Bad:
    segment = text.upper()
    if segment in SEGMENTS:
        return SEGMENTS.index(segment)
    return Bad("segment-without-jht" if segment in _CONSTRUCTION else "segment-unknown")


def _sex(text: str, limit: int) -> Value | Bad:
    return SEXES.index(text.upper()) if text.upper() in SEXES else Bad("sex-unknown")


def _yes(text: str, limit: int) -> Value | Bad:
    answer = text.lower()
    if answer in ("ya", "yes", "y", "1", "true"):
        return 1
    return 0 if answer in ("tidak", "no", "n", "0", "false") else Bad("answer-unreadable")


def _reference(text: str, limit: int) -> Value | Bad:
    if match := _DOT_ZEROS.fullmatch(text):
        # The same reference without a program's decimals, or two payments would be made of one.
        if len(match[1]) > _SIGNIFICANT:
            return Bad("cell-lost-digits", {"where": ""})
        text = match[1]
    return text if len(text) <= limit and _REFERENCE.fullmatch(text) else Bad("reference-unreadable")


def _text(text: str, limit: int) -> Value | Bad:
    text = unicodedata.normalize("NFC", text)
    return Bad("text-too-long", {"limit": limit}) if len(text) > limit else text


def _email(text: str, limit: int) -> Value | Bad:
    address = clean_email(text) if len(text) <= limit else None
    return address or Bad("email-unreadable")


def _phone(text: str, limit: int) -> Value | Bad:
    if match := _DOT_ZEROS.fullmatch(text):
        text = match[1]
    return clean_phone(text) or Bad("phone-unreadable")


def _year(text: str, limit: int) -> Value | Bad:
    if match := _DOT_ZEROS.fullmatch(text):
        text = match[1]
    return int(text) if _YEAR.fullmatch(text) and int(text) >= FIRST_YEAR else Bad("year-unreadable")


def _leaving(text: str, limit: int) -> Value | Bad:
    why = _WORDS.sub("-", text.lower())
    why = LEAVING_IN_INDONESIAN.get(why, why)
    return why if why in LEAVING else Bad("leaving-unknown", {"known": ", ".join(LEAVING)})


def _bases(text: str, limit: int) -> Value | Bad:
    bad = Bad("bases-unreadable")
    if len(text) > limit:
        return Bad("text-too-long", {"limit": limit})
    years = []
    for item in text.split(";"):
        match = _BASE.fullmatch(item.strip())
        if not match or int(match[1]) < FIRST_YEAR:
            return bad
        years.append(match[1])
    return ";".join(sorted(item.strip() for item in text.split(";"))) if len(set(years)) == len(years) else bad


def _payouts(text: str, limit: int) -> Value | Bad:
    bad = Bad("payouts-unreadable", {"known": ", ".join(PAYOUTS)})
    if len(text) > limit:
        return Bad("text-too-long", {"limit": limit})
    items = sorted(item.strip().lower() for item in text.split(";"))
    for item in items:
        match = _PAYOUT.fullmatch(item)
        if not match or match[3] not in PAYOUTS or isinstance(_date(match[1], 0), Bad):
            return bad
    return ";".join(items)


def bases_of(text: str) -> tuple[list[Base], bool]:
    """The bases in a clean cell, by year, and whether each of them names both sub-accounts."""
    parts = [item.split(":") for item in text.split(";")] if text else []
    return [Base(*map(int, part)) for part in parts], all(len(part) > 2 for part in parts)


def payouts_of(text: str) -> list[Payout]:
    """The payouts in a clean cell, by day."""
    parts = [item.split(":") for item in text.split(";")] if text else []
    return [Payout(day, int(gross), kind) for day, gross, kind in parts]


READERS: dict[str, Read] = {
    "rupiah": _rupiah,
    "count": _rupiah,
    "kpj": _kpj,
    "npp": _npp,
    "nik": _nik,
    "month": _month,
    "birth": _birth,
    "date": _date,
    "division": _division,
    "kind": _kind,
    "segment": _segment,
    "sex": _sex,
    "yes": _yes,
    "reference": _reference,
    "text": _text,
    "email": _email,
    "phone": _phone,
    "year": _year,
    "leaving": _leaving,
    "bases": _bases,
    "payouts": _payouts,
}
EMPTY: dict[str, Value] = {
    "rupiah": -1,
    "count": -1,
    "kpj": -1,
    "npp": 0,
    "nik": "",
    "month": -1,
    "birth": -1,
    "date": -1,
    "division": "000",
    "kind": 0,
    "segment": -1,
    "sex": -1,
    "yes": 0,
    "reference": "",
    "text": "",
    "email": "",
    "phone": "",
    "year": -1,
    "leaving": "",
    "bases": "",
    "payouts": "",
}


def read_cell(column: Column, raw: str) -> Value | Bad:
    """The value of a cell's text, or what is wrong with it.

    Blanks and invisible characters around the text do not count, nor do the apostrophe and the `="..."` that keep a
    spreadsheet from changing it.
    """
    text = bare(raw)
    if text.startswith("'"):
        text = _GUARD.sub("", text, count=1)
    if text.startswith('="') and (match := _TEXT_FORMULA.fullmatch(text)):
        text = bare(match[1])
    if not text:
        return Bad("cell-empty") if column.filled else EMPTY[column.type]
    bad = _not_a_value(column, text)
    if bad is not None:
        return bad
    if column.type in _NUMERIC and not text.isascii():
        # Digits of another script or width are the digits they show.
        text = "".join(str(unicodedata.decimal(sign)) if sign.isdecimal() else sign for sign in text)
    if not text.isprintable():
        if column.type in ("text", "kpj", "nik", "phone"):
            text = "".join(" " if unicodedata.category(sign) == "Zs" else sign for sign in text)
        if (sign := _unseen(text)) is not None:
            return sign
    return READERS[column.type](text, column.limit)


def harmless(text: str) -> str:
    """A text as a cell that no spreadsheet runs as a formula: an apostrophe stands before one that it would."""
    text = bare(text)
    return f"'{text}" if text.startswith(_FORMULA) else text


def _not_a_value(column: Column, text: str) -> Bad | None:
    """What stands where a value should be: a spreadsheet's error, a formula, a program's sign for nothing, a number in
    the short form that has lost its last digits."""
    if text.startswith(_ERROR_SIGNS) and _ERROR.fullmatch(text):
        return Bad("cell-error", {"error": text.upper(), "where": ""})
    if text.startswith("="):
        return Bad("cell-not-calculated", {"where": ""})
    if text in (_NOT_NAMES if column.type == "text" else _NOTHING):
        return Bad("cell-says-nothing", {"sign": text})
    if column.type in _NUMERIC and text[0].isdigit() and _SHORTENED.fullmatch(text):
        return Bad("cell-lost-digits", {"where": ""})
    return None


def _unseen(text: str) -> Bad | None:
    """The first character that nobody sees, named, or a character that no text may have."""
    for sign in text:
        category = unicodedata.category(sign)
        if category in _FORBIDDEN:
            return Bad("text-unreadable")
        if category[0] == "C" or category in ("Zl", "Zp") or (category == "Zs" and sign != " "):
            return Bad("cell-invisible", {"sign": f"U+{ord(sign):04X}"})
    return None
