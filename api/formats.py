"""How numbers, dates and addresses are written for people. Amounts are written the same in both languages."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime
from functools import cache, lru_cache

from babel.dates import format_date, get_month_names
from babel.lists import format_list
from markupsafe import Markup
from msgspec.structs import replace

from api.month_spans import spans
from ledger.clock import JAKARTA, jakarta_date
from ledger.errors import Problem
from ledger.identifiers import month_number
from ledger.members import masked_email, masked_phone, whole_phone
from ledger.money import rupiah
from ledger.numbers import percent, whole

__all__ = [
    "amount", "day", "day_short", "factor", "jakarta_day", "masked_email", "masked_nik", "masked_phone", "moment", "month",
    "month_list", "month_short", "percent", "rupiah", "rupiah_exact", "sentence", "whole",
    "whole_phone",
]  # fmt: skip

_LONG, _LONGER = 10**9, 10**12
_LISTS = {"id": "id", "en": "en_GB"}
"""American English has a comma before the last of a list."""
_IN_A_ROW = 3
"""Months that follow one another and are told by the first and the last of them."""


@lru_cache(2048)
def day(value: date | str, language: str) -> str:
    """`20 November 2026` for a date or an ISO date."""
    return format_date(date.fromisoformat(value) if isinstance(value, str) else value, "d MMMM y", locale=language)


@lru_cache(2048)
def day_short(value: date | str, language: str) -> str:
    """`20 Nov 2026`, for the columns of a table."""
    return format_date(date.fromisoformat(value) if isinstance(value, str) else value, "d MMM y", locale=language)


@lru_cache(2048)
def month(value: int | str, language: str) -> str:
    """`November 2026` for a month number or `2026-11`."""
    number = _number(value)
    return f"{get_month_names('wide', locale=language)[number % 12 + 1]} {number // 12}"


@lru_cache(2048)
def month_short(value: int | str, language: str) -> str:
    """`Nov` for a month number or `2026-11`."""
    return str(get_month_names("abbreviated", locale=language)[_number(value) % 12 + 1])


def month_list(months: Iterable[int], language: str) -> str:
    """`Maret, Juli, dan September–November 2026; Oktober 2023–Mei 2024` for month numbers in any order, newest first."""
    names = get_month_names("wide", locale=language)
    told: list[tuple[int, bool, str]] = []
    years: dict[int, list[str]] = {}
    for first, last in spans(months, _IN_A_ROW):
        if first // 12 < last // 12:
            told.append((first // 12, True, f"{month(first, language)}–{month(last, language)}"))
            continue
        in_year = years.setdefault(first // 12, [])
        in_year.append(names[first % 12 + 1] if first == last else f"{names[first % 12 + 1]}–{names[last % 12 + 1]}")
    # What begins in one year and ends in another stands before what else is of the first, and behind that of the last.
    told += [(year, False, f"{format_list(some, locale=_LISTS[language])} {year}") for year, some in years.items()]
    return "; ".join(text for *_, text in sorted(told, reverse=True))


def sentence(problem: Problem, language: str) -> str:
    """What a problem says on a page: days and months in it by name, where an API writes 2026-11-14."""
    named = {
        name: _named(value, language) if isinstance(value, str) else value for name, value in problem.details.items()
    }
    return replace(problem, details=named).say(language)


def _named(value: str, language: str) -> str:
    """A detail with days and months by name; anything else as it is."""
    if value.count("-") == 2 and (found := _day_of(value)):
        return day(found, language)
    return month(value, language) if len(value) == 7 and month_number(value) is not None else value


def _day_of(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


@cache
def month_names(language: str) -> tuple[str, ...]:
    """The twelve months by name."""
    return tuple(get_month_names("wide", locale=language).values())


def moment(value: datetime | str, language: str) -> str:
    """`20 November 2026, pukul 09.14 WIB` for a moment in any zone; an ISO text is UTC unless it says otherwise."""
    at = (_utc(value) if isinstance(value, str) else value).astimezone(JAKARTA)
    clock = f"pukul {at:%H.%M} WIB" if language == "id" else f"{at:%H:%M} WIB"
    return f"{day(at.date(), language)}, {clock}"


def jakarta_day(value: str) -> date:
    """The date in Jakarta of an ISO moment (UTC)."""
    return jakarta_date(_utc(value))


def amount(value: int, kind: str = "") -> Markup:
    """The large amount of a page: smaller letters from 10 and from 13 digits. `kind`: more classes, as `mid`."""
    size = " longer" if abs(value) >= _LONGER else " long" if abs(value) >= _LONG else ""
    sign, digits = ("−" if value < 0 else ""), rupiah(abs(value)).removeprefix("Rp")
    classes = f"amount{size}{' ' + kind if kind else ''}"
    return Markup('<span class="{}">{}<span class="rp">Rp</span>{}</span>').format(classes, sign, digits)


def rupiah_exact(thousandths: int) -> str:
    """`Rp4.649.347,812` for thousandths of a rupiah: only inside a working."""
    return f"{rupiah(thousandths // 1_000)},{thousandths % 1_000:03d}"


def factor(rate: int) -> str:
    """`5,63` for 56300 parts per million: the percentage inside a working, written as the amounts beside it are."""
    return percent(rate, "id").removesuffix(" %")


def masked_nik(nik: str) -> str:
    """The first and last four digits of a NIK."""
    return f"{nik[:4]}********{nik[-4:]}"


def _number(value: int | str) -> int:
    number = month_number(value) if isinstance(value, str) else value
    assert number is not None, value
    return number


def _utc(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
