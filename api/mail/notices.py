"""How a notice lists what was posted or is missing: months and amounts in words, for a mail and for one SMS.

The rows of such a letter are codes (`projections.notices.telling`): month, amount in rupiah and, by mail alone, payer, the
card's last digits, then the wage or the day it was due.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

from babel.dates import format_date

from api import formats
from ledger.identifiers import month_number
from ledger.money import rupiah
from ledger.store.outbox import Letter


def details(letter: Letter, words: Mapping[str, str]) -> dict[str, str]:
    """What the sentences of a notice are filled with: `months`, `amount` (the sum) and `until`; empty for other letters."""
    if not letter.rows:
        return {}
    months = sorted({row[0] for row in letter.rows})
    first, last = (_short(month, letter.language) for month in (months[0], months[-1]))
    said = first if len(months) == 1 else words["several"].format(n=len(months), first=first, last=last)
    return {"months": said, "amount": rupiah(sum(int(row[1]) for row in letter.rows))}


def listed(letter: Letter, words: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """(what, amounts) of each row, for a mail."""
    return tuple(_row(row, words, letter.language) for row in letter.rows)


def _row(row: tuple[str, ...], words: Mapping[str, str], language: str) -> tuple[str, str]:
    month, amount, payer, card, more = row
    head = words["line"].format(month=formats.month(month, language), payer=payer or words["own"], card=card)
    filled = {"amount": rupiah(int(amount)), "wage": "", "due": ""}
    if more.isdigit():
        filled["wage"] = rupiah(int(more))
    elif more:
        filled["due"] = formats.day(more, language)
    return head, words["about"].format(**filled)


def _short(month: str, language: str) -> str:
    number = month_number(month)
    assert number is not None, month
    return format_date(date(number // 12, number % 12 + 1, 1), "MMM-yy", locale=language)
