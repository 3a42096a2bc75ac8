"""The answer code of a statement, and what a camera reads beside it."""

from __future__ import annotations

from datetime import date

from api.statement.squares import BORDER, square, squares
from ledger.days import EPOCH_DAY
from ledger.store.answer_codes import STATEMENT, AnswerCodes, Question
from projections.results import BalanceRow
from projections.statement import Period

CHECK = "/periksa"
"""The page where anybody may ask whether a figure on paper is ours."""


def question_of(row: BalanceRow, period: Period, language: str, day: date) -> Question | None:
    """What a statement answers that was made with a balance, on a day; None for days before 1970, which no code can say."""
    if period.since < EPOCH_DAY:
        return None
    told = told_on(period, row.recorded_on, day)
    return Question(row.card, STATEMENT, period.until, row.position, language, period.since, told)


def told_on(period: Period, recorded_on: date, day: date) -> date | None:
    """What a code says of the day on which a statement was made: nothing where the period, and the day on which its position
    was recorded, say the same."""
    return None if day == max(period.until, recorded_on) else day


def code_of(codes: AnswerCodes, question: Question | None) -> str:
    """The code, "" where there is none: of such days, and of somebody who was erased. Blocking.

    Raises NotFound(account-not-found), Unavailable(vault-rotating)."""
    return codes.seal_all([question])[0] or "" if question is not None else ""


def picture(code: str, site: str) -> str:
    """A QR code as SVG: the check page of a site with the code behind the #, which no server is told and no log keeps;
    of no site ("") the code alone."""
    text = f"{site}{CHECK}#{code}" if site else code
    return square(text).svg_inline(border=BORDER, dark="#000", omitsize=True)


def one_of_many(code: str, site: str) -> str:
    """The same `picture`, for who makes thousands of one site: the first ones take longer, the others hardly any time."""
    if not site:
        return picture(code, site)
    start = f"{site}{CHECK}#"
    return squares(start, len(start) + len(code)).svg(code)
