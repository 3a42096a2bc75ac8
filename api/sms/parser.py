"""What a text asks for: one pure parser for every gateway, which takes whatever people type and never raises.

Registrations are written in two ways, told apart by where the date stands:

    DAFTAR SALDO#NIK#DD-MM-YYYY#KPJ#EMAIL        the e-mail address may be left out
    DAFTAR SALDO#NIK#NAMA#DD-MM-YYYY#KPJ

KODE and eight digits, or the digits alone, are a one-time number that was sent to a phone on file.

Letter case, blanks, brackets and a written-out "(spasi)" do not count, because guides print them and people copy them.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date

from msgspec import Struct

from ledger.fields import Bad, read_cell
from ledger.identifiers import kpj_of
from ledger.layouts import REGISTRATIONS

LONGEST = 480
"""Characters that are looked at: three segments, more than the longest registration."""


class Balance(Struct, frozen=True):
    """SALDO: the balance of one card, or of the bound person's cards when `kpj` is empty."""

    kpj: str = ""


class Registration(Struct, frozen=True):
    """DAFTAR: cleaned fields, `birth_date` as yyyy-mm-dd; `name` and `email` are empty when they were not sent."""

    nik: str
    birth_date: str
    kpj: str
    name: str = ""
    email: str = ""


class Help(Struct, frozen=True):
    """BANTUAN, HELP, INFO: how it goes."""


class Stop(Struct, frozen=True):
    """STOP: unbind this phone."""


class Tell(Struct, frozen=True):
    """KABAR: notices by SMS; STOP KABAR (`wanted` false): none any more."""

    wanted: bool


class Number(Struct, frozen=True):
    """KODE: the one-time number that a phone on file was told, as it was typed."""

    digits: str


class Misread(Struct, frozen=True):
    """The word was understood, what follows was not. `what`: registration, nik, birth_date, kpj, name, email or number."""

    what: str


class Unknown(Struct, frozen=True):
    """No word that is known."""


Asked = Balance | Registration | Number | Help | Stop | Tell | Misread | Unknown

_PLAIN = str.maketrans(dict.fromkeys("()<>[]{}", " ") | dict.fromkeys("‐‑‒–—−", "-") | dict.fromkeys("“”„‘’‚", "'"))
"""Brackets go; the dashes and quotes that a phone puts in for the typed ones come back."""
_BLANK_IN_BRACKETS = re.compile(r"[(<\[{]\s*spasi\s*[)>\]}]", re.IGNORECASE)
_BLANK_WORD = re.compile(r"\bspasi\b", re.IGNORECASE)
_REGISTER = re.compile(r"DAFTAR(?:\s*SALDO)?(?![A-Z])(.*)", re.DOTALL)
_BALANCE = re.compile(r"(?:CEK\s*|INFO\s+)?SALDO(?:\s*JHT)?(?![A-Z])(.*)", re.DOTALL)
_NUMBER = re.compile(r"(?:KODE\s*)?([0-9](?:[\s.-]?[0-9]){7})")
_NUMBER_WORD = re.compile(r"KODE(?![A-Z])")
_TELL = re.compile(r"(?:(STOP|BERHENTI)\s*)?KABAR(?:\s*IURAN)?(?![A-Z])")
_STOP = re.compile(r"(?:STOP|BERHENTI)\b")
_HELP = re.compile(r"(?:BANTUAN|HELP|INFO)\b")
_FILLERS = re.compile(r"\b(?:JHT|SAYA|KPJ|NO|NOMOR|PESERTA|KARTU)\b")
_EDGES = " \t.,:;-_=+*/!?'\"`"

_PARTED = re.compile(r"([0-9]{1,4})[-/.,\s]+([0-9]{1,2}|[A-Z]{3,9})[-/.,\s]+([0-9]{1,4})")
_JOINED = re.compile(r"([0-9]{2})([0-9]{2}|[A-Z]{3,9})([0-9]{4})")
_JOINED_YEAR_FIRST = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})")
_MONTHS = (
    ("JANUARI",), ("FEBRUARI", "PEBRUARI"), ("MARET",), ("APRIL",), ("MEI", "MAY"), ("JUNI",), ("JULI",),
    ("AGUSTUS", "AGT", "AGS"), ("SEPTEMBER",), ("OKTOBER", "OCTOBER"), ("NOVEMBER", "NOPEMBER"),
    ("DESEMBER", "DECEMBER"),
)  # fmt: skip
_COLUMNS = {column.name: column for column in REGISTRATIONS}


def parse(text: str, today: date) -> Asked:
    """What a text asks for. `today` decides the century of a year with two digits, as in a NIK."""
    head, _, rest = _clean(text).lstrip(_EDGES + "#").partition("#")
    word = " ".join(_BLANK_WORD.sub(" ", head).upper().split())
    if found := _REGISTER.match(word):
        return _registration([found[1], *rest.split("#")], today)
    if found := _BALANCE.match(word):
        return _balance(found[1] + " " + rest.upper())
    if found := _NUMBER.fullmatch(word.strip(_EDGES)):
        return Number("".join(sign for sign in found[1] if sign.isdigit()))
    if _NUMBER_WORD.match(word):
        return Misread("number")
    if found := _TELL.match(word):
        return Tell(not found[1])
    if _STOP.match(word):
        return Stop()
    return Help() if _HELP.match(word) else Unknown()


def _clean(text: str) -> str:
    text = unicodedata.normalize("NFKC", text[:LONGEST])[:LONGEST]
    text = "".join(" " if character.isspace() else character for character in text if _is_written(character))
    return _BLANK_IN_BRACKETS.sub(" ", text).translate(_PLAIN)


def _is_written(character: str) -> bool:
    return character.isspace() or unicodedata.category(character)[0] != "C"


def _balance(said: str) -> Asked:
    number = _FILLERS.sub(" ", said.replace("#", " ")).strip(_EDGES)
    if not number:
        return Balance()
    kpj = _kpj(number)
    return Balance(kpj) if kpj else Misread("kpj")


def _registration(fields: list[str], today: date) -> Asked:
    """The fields by place; empty ones do not count, so a doubled or closing mark does no harm."""
    given = [field for field in (" ".join(part.split()).strip(_EDGES) for part in fields) if field]
    dates = [_date(field, today) for field in given[1:3]]
    if not 3 <= len(given) <= 5:
        return Misread("registration")
    if dates[0]:
        nik, name, birth_date, more = given[0], "", dates[0], given[2:]
    elif dates[1]:
        nik, name, birth_date, more = given[0], given[1], dates[1], given[3:]
    else:
        return Misread("birth_date")
    if not 1 <= len(more) <= 2:
        return Misread("registration")
    cells = {"nik": _cell("nik", nik), "kpj": _kpj(more[0])}
    cells["name"] = _cell("name", name) if name else ""
    cells["email"] = _cell("email", more[1]) if len(more) == 2 else ""
    for what, value in cells.items():
        if value is None:
            return Misread(what)
    return Registration(birth_date=birth_date, **{what: value or "" for what, value in cells.items()})


def _cell(column: str, text: str) -> str | None:
    value = read_cell(_COLUMNS[column], text)
    return None if isinstance(value, Bad) else str(value)


def _kpj(text: str) -> str | None:
    value = read_cell(_COLUMNS["kpj"], text)
    return kpj_of(value) if isinstance(value, int) else None


def _date(text: str, today: date) -> str:
    """A date as yyyy-mm-dd, "" when it is none: the day first, or the year first when it has four digits."""
    text = text.upper()
    for form in (_PARTED, _JOINED, _JOINED_YEAR_FIRST):
        found = form.fullmatch(text)
        if found is None:
            continue
        first, month, last = found.groups()
        day, year = (last, first) if len(first) == 4 else (first, last)
        born = _day(day, month, year, today)
        if born is not None:
            return born.isoformat()
    return ""


def _day(day: str, month: str, year: str, today: date) -> date | None:
    if len(year) not in {2, 4} or len(day) > 2:
        return None
    number = int(month) if month.isdigit() else _month(month)
    for century in (0,) if len(year) == 4 else (2000, 1900):
        try:
            born = date(century + int(year), number, int(day))
        except ValueError:
            continue
        if len(year) == 4 or born <= today:
            return born
    return None


def _month(word: str) -> int:
    """The number of a month's name or its beginning, 0 when there is none."""
    return next((n for n, names in enumerate(_MONTHS, 1) if any(name.startswith(word) for name in names)), 0)
