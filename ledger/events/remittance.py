"""Streams `remittance-e:<npp>:<yyyy-mm>` and `remittance-p:<kpj>:<yyyy-mm>`: one payer's contributions for one month.

All divisions of an employer share its stream; a holder's own payments carry their `segment`, because one card may be BPU
and PMI at once. Kind, division, paid day and reference are common to the lines of an event.
"""

from __future__ import annotations

from typing import ClassVar

from msgspec import Struct

from ledger.events.fact import BALANCES, ENTRIES, INDEX, Day, Fact, Month
from ledger.events.lines import Lines, ReleasedLines, ReversedLines, SuspendedLines

_MONEY = frozenset((BALANCES, ENTRIES, INDEX))


class RuleIds(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Which rows of the rules decided the amounts."""

    rates: str
    rounding: str = "half-up.v1"
    split: str = "single.v1"


class Remitted(Fact, frozen=True, kw_only=True):
    """What the lines of a remittance event have in common."""

    month: Month
    kind: str = "regular"
    division: str = "000"
    segment: str = ""
    paid_on: Day
    reference: str = ""


class ContributionsPosted(Remitted, frozen=True, kw_only=True):
    """Up to LINES_AN_EVENT lines credited to their cards."""

    NAME: ClassVar[str] = "contributions-posted.v1"
    CONCERNS: ClassVar = frozenset((BALANCES, ENTRIES))
    rules: RuleIds
    lines: Lines


class LinesSuspended(Remitted, frozen=True, kw_only=True):
    """Money received that nobody can be credited with yet; it waits with its paid date."""

    NAME: ClassVar[str] = "lines-suspended.v1"
    CONCERNS: ClassVar = frozenset((ENTRIES, INDEX))
    lines: SuspendedLines


class SuspenseReleased(Remitted, frozen=True, kw_only=True):
    """Suspended lines posted after all, with the month, kind and paid date they were suspended with."""

    NAME: ClassVar[str] = "suspense-released.v1"
    CONCERNS: ClassVar = _MONEY
    rules: RuleIds
    lines: ReleasedLines


class ContributionsReversed(Remitted, frozen=True, kw_only=True):
    """Lines of one month, kind and paid date neutralised; only `recorded_at` is new, so yield is neutral too."""

    NAME: ClassVar[str] = "contributions-reversed.v1"
    CONCERNS: ClassVar = _MONEY
    lines: ReversedLines
