"""One cell: from its text to a number or a clean text, or the code of what is wrong with it.

This is the only definition of what a cell means. `blocks.py` has a faster way for well-formed cells and asks here for
every other one. A `Bad` cell carries no value, so nothing personal can leak into a problem.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from datetime import date

from msgspec import Struct

from ledger.events import LEAVING, PAYOUTS, Base, Payout
from ledger.identifiers import KINDS, SEGMENTS, card_number, clean_division, clean_kpj, clean_nik, month_number
from ledger.layouts import Column
from ledger.store.account_index import day_number

SEXES = ("L", "P")
BAD_NUMBER = -1

_CONSTRUCTION = {"JAKON", "JASA KONSTRUKSI", "JASAKONSTRUKSI"}
_DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")
_EXCEL_GUARD = re.compile(r"'(?=[=+\-@])")
_DIGITS = re.compile(r"[0-9]+")
_NEGATIVE = re.compile(r"-[0-9]+")
_NPP = re.compile(r"[0-9]{8}")
_REFERENCE = re.compile(r"[A-Za-z0-9./-]*")
_EMAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@([A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+)")
_PHONE_NOISE = re.compile(r"[ .()\-]")
_PHONE = re.compile(r"\+?[0-9]{8,15}")
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
_FORBIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


class Bad(Struct, frozen=True):
    """A cell that cannot be read: the code, and details without personal data."""

    code: str
    details: dict[str, str | int] = {}


Value = int | str
Read = Callable[[str, int], "Value | Bad"]


def _rupiah(text: str, limit: int) -> Value | Bad:
    if not _DIGITS.fullmatch(text):
        return Bad("number-negative" if _NEGATIVE.fullmatch(text) else "number-unreadable")
    digits = text.lstrip("0") or "0"
    if len(digits) > len(str(limit)) or int(digits) > limit:
        return Bad("amount-absurd", {"limit": limit})
    return int(digits)


def _kpj(text: str, limit: int) -> Value | Bad:
    kpj = clean_kpj(text) if text.isascii() else None
    return card_number(kpj) if kpj else Bad("kpj-unreadable")


def _npp(text: str, limit: int) -> Value | Bad:
    # Eight zeros would read as "no employer" in every table.
    return int(text) if _NPP.fullmatch(text) and int(text) else Bad("npp-unreadable")


def _nik(text: str, limit: int) -> Value | Bad:
    return clean_nik(text) or Bad("nik-unreadable")


def _month(text: str, limit: int) -> Value | Bad:
    month = month_number(text)
    return Bad("month-unreadable") if month is None else month


def _birth(text: str, limit: int) -> Value | Bad:
    match = _DATE.fullmatch(text)
    try:
        return day_number(date(*map(int, match.groups()))) if match else Bad("date-unreadable")
    except ValueError:
        return Bad("date-unreadable")


def _date(text: str, limit: int) -> Value | Bad:
    day = _birth(text, limit)
    # The scheme is younger than 1970. Only births are earlier, so -1 stays free to say "no date" here.
    return Bad("date-unreadable") if isinstance(day, int) and day < 0 else day


def _division(text: str, limit: int) -> Value | Bad:
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


def _reference(text: str, limit: int) -> Value | Bad:
    return text if len(text) <= limit and _REFERENCE.fullmatch(text) else Bad("reference-unreadable")


def _text(text: str, limit: int) -> Value | Bad:
    text = unicodedata.normalize("NFC", text)
    if len(text) > limit:
        return Bad("text-too-long", {"limit": limit})
    if any(unicodedata.category(character) in _FORBIDDEN for character in text):
        return Bad("text-unreadable")
    return text


def _email(text: str, limit: int) -> Value | Bad:
    match = _EMAIL.fullmatch(text)
    if not match or len(text) > limit:
        return Bad("email-unreadable")
    # The part before the @ may tell letter case apart, a domain never does.
    return text[: match.start(1)] + match[1].lower()


def _phone(text: str, limit: int) -> Value | Bad:
    text = _PHONE_NOISE.sub("", text.removeprefix("'"))
    if text.startswith("00"):
        text = "+" + text[2:]
    elif text.startswith("0"):
        text = "+62" + text[1:]
    elif text.startswith("8"):
        # A spreadsheet dropped the leading zero of an Indonesian mobile number.
        text = "+62" + text
    elif not text.startswith("+"):
        text = "+" + text
    return text if _PHONE.fullmatch(text) else Bad("phone-unreadable")


def _year(text: str, limit: int) -> Value | Bad:
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

    Blanks around the text do not count, nor does the apostrophe that a file of rejects puts before a formula's sign.
    """
    text = raw.strip()
    if text.startswith("'"):
        text = _EXCEL_GUARD.sub("", text, count=1)
    if not text:
        return Bad("cell-empty") if column.filled else EMPTY[column.type]
    return READERS[column.type](text, column.limit)
