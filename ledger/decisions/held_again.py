"""Money that an opening balance sets free when it is taken back waits again when one is recorded again. Pure.

It was paid on or before the balance's day and may be part of it, so it must not be counted beside it; and it must not keep
the balance out either, or an opening balance that was once taken back could never be put right.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ledger.decisions import remittance
from ledger.decisions.remittance import BEFORE_OPENING, LiveLine, Remittance, by_event, columns_of
from ledger.events import LINES_AN_EVENT, Fact, LinesSuspended, SuspendedLines


class Act(NamedTuple):
    """A fact with the request that caused it; "" stands for the one that is under way."""

    fact: Fact
    request: str = ""


def hold_again(state: Remittance, taken: Sequence[LiveLine]) -> list[Act]:
    """Facts that take posted lines back and let them wait anew, with their part, epoch and paid day.

    The waiting line still belongs to the upload that brought its money.
    """
    acts = [Act(fact) for fact in remittance.reverse(state, taken)]
    gathered: dict[tuple[object, ...], list[LiveLine]] = {}
    for one in taken:
        gathered.setdefault((one.under, one.request), []).append(one)
    for some in gathered.values():
        under, request = some[0].under, some[0].request
        for start in range(0, len(some), LINES_AN_EVENT):
            columns = columns_of(by_event(some[start : start + LINES_AN_EVENT]))
            columns["reason"] = [BEFORE_OPENING] * len(columns["kpj"])
            fact = LinesSuspended(month=some[0].month, **under._asdict(), lines=SuspendedLines.made(**columns))
            acts.append(Act(fact, request))
    return acts
