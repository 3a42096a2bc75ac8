"""The answer code of a statement, and what a camera reads beside it."""

from __future__ import annotations

import segno

from ledger.days import EPOCH_DAY
from ledger.store.answer_codes import STATEMENT, AnswerCodes, Question
from projections.statement import Period

CHECK = "/periksa"
"""The page where anybody may ask whether a figure on paper is ours."""
_MASK = 0


def question_of(card: int, period: Period, position: int, language: str) -> Question | None:
    """What a statement answers; None for days before 1970, which no code can say."""
    if period.since < EPOCH_DAY:
        return None
    return Question(card, STATEMENT, period.until, position, language, period.since)


def code_of(codes: AnswerCodes, question: Question | None) -> str:
    """The code, "" where there is none: of such days, and of somebody who was erased. Blocking.

    Raises NotFound(account-not-found), Unavailable(vault-rotating)."""
    return codes.seal_all([question])[0] or "" if question is not None else ""


def picture(code: str, site: str) -> str:
    """A QR code as SVG: the check page of a site with the code behind the #, which no server is told and no log keeps;
    of no site ("") the code alone."""
    text = f"{site}{CHECK}#{code}" if site else code
    # Which of the eight masks is best takes longer than all the rest of a paper; a code's signs have no pattern to break.
    return segno.make(text, error="m", mask=_MASK, micro=False).svg_inline(border=4, dark="#000", omitsize=True)
