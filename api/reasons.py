"""Why a month is not simply posted, in words: the sentences of `reasons.toml`, one for each cause, for whoever is told.

The website and the app speak to the member, the employer's door to the employer, everything else about the member; an SMS
has a few words. All of them know the same causes (`projections.month_grid.CAUSES`).
"""

from __future__ import annotations

import tomllib
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

from api.formats import day
from ledger.due_days import holidays_known
from ledger.money import rupiah
from projections.month_grid import Part

MEMBER, OTHERS, EMPLOYER = "member", "others", "employer"
_PAYER = {"id": "peserta sendiri", "en": "the member"}


@cache
def texts() -> dict[str, Any]:
    """The sentences: cause -> voice -> language -> text, and `sms` -> text."""
    return tomllib.loads(Path(__file__).with_name("reasons.toml").read_text("utf-8"))


def text_key(cause: str, *, own: bool, plain: bool = False) -> str:
    """The entry of a cause; `own`: the holder pays; `plain`: amounts disagree and no rule makes another."""
    if cause == "amounts-disagree" and plain:
        return f"{cause}-plain"
    return f"{cause}-own" if own and f"{cause}-own" in texts() else cause


def why(part: Part, language: str, voice: str, payer: str = "") -> str:
    """Why a payer's share of a month is not simply posted, "" for what is; `payer`: what an employer is called instead of
    its name."""
    if not part.cause:
        return ""
    key = _key(part)
    said = _text(key, voice, language).format(
        paid=day(part.paid_days[-1], language) if part.paid_days else "",
        payer=payer or part.employer or _PAYER[language],
        received=rupiah(part.amount), base=rupiah(part.base), expected=rupiah(part.expected),
        due=day(part.due, language) if part.due else "",
    )  # fmt: skip
    beside = without_holidays(part.due, language) if part.due and "{due}" in _text(key, voice, language) else ""
    return f"{said} {beside}".rstrip()


def why_several(part: Part, language: str, voice: str, payer: str = "") -> str:
    """`why` of several months for which it is the same, without what differs between them; `part`: one of them."""
    entry = texts()[_key(part)]
    said = entry.get("several_member") if voice == MEMBER else None
    said = said or entry.get("several") or entry["others"]
    return str(said[language]).format(payer=payer or part.employer or _PAYER[language])


def _key(part: Part) -> str:
    return text_key(part.cause, own=not part.npp, plain=not part.expected)


def why_blank(cause: str, language: str) -> str:
    """Why there is nothing for a month without any payer."""
    return _text(cause, OTHERS, language) if cause else ""


def to_employer(cause: str, language: str, *, received: int = 0, base: int = 0, expected: int = 0) -> str:
    """Why a line, or a whole month, of an employer is not simply posted, and what it can do; amounts in rupiah."""
    key = text_key(cause, own=False, plain=not expected)
    amounts = {"received": rupiah(received), "base": rupiah(base), "expected": rupiah(expected)}
    return _text(key, EMPLOYER, language).format(**amounts)


def without_holidays(due: date, language: str) -> str:
    """What is said beside a due day of a year whose holidays nobody has entered, "" beside another."""
    if holidays_known(due.year):
        return ""
    return _text("holidays-unknown", OTHERS, language).format(year=due.year)


def sms_words(cause: str) -> str:
    """A cause in a few words, for an SMS about a month without money."""
    return str(texts()[cause]["sms"])


def in_few_words(part: Part) -> str:
    """Why money waits, for an SMS."""
    entry = texts()[_key(part)]
    return str(entry["sms"]).format(received=rupiah(part.amount), expected=rupiah(part.expected))


def _text(key: str, voice: str, language: str) -> str:
    entry = texts()[key]
    return str(entry.get(voice, entry["others"])[language])
