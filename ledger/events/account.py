"""Stream `account:<kpj>`: one card of one person, its memberships, its opening balance."""

from __future__ import annotations

from typing import ClassVar

from msgspec import Struct

from ledger.events.fact import BALANCES, DIRECTORY, ENTRIES, INDEX, Count, Day, Fact, Month, Rupiah, Year

LEAVING = ("resigned", "laid-off", "contract-ended", "pension", "died", "stopped", "moved", "unknown")
"""Why a membership ended: claims count from it."""
PAYOUTS = ("partial-10", "partial-30", "partial", "full")
"""What an old system paid out: a tenth before pension, 30 % for housing, one of the two, or all (PP 46/2015, article 22)."""


class AccountOpened(Fact, frozen=True):
    """A card was issued to a person. `legacy`: its number is not eleven digits."""

    NAME: ClassVar[str] = "account-opened.v1"
    CONCERNS: ClassVar = frozenset((DIRECTORY, INDEX))
    kpj: str
    person: str
    segment: str
    opened_on: Day
    legacy: bool = False


class MembershipStarted(Fact, frozen=True, kw_only=True):
    """The card may receive money for months from `since` on: from employer `npp`, or from its holder (no npp).

    Payer, segment and `since` name the membership. `joined_on`: the day it began.
    """

    NAME: ClassVar[str] = "membership-started.v1"
    CONCERNS: ClassVar = frozenset((DIRECTORY, INDEX))
    npp: str = ""
    segment: str
    joined_on: Day
    since: Month


class MembershipEnded(Fact, frozen=True, kw_only=True):
    """The membership of `npp`, `segment` and `since` covers months up to and including `until`.

    `left_on`: the day; `why`: one of LEAVING. A card may have several memberships that last, so the fact names its own.
    """

    NAME: ClassVar[str] = "membership-ended.v1"
    CONCERNS: ClassVar = frozenset((DIRECTORY, INDEX))
    npp: str = ""
    segment: str
    since: Month
    left_on: Day
    until: Month
    why: str = "unknown"


class SegmentChanged(Fact, frozen=True):
    """The holder's segment is another from `since` on."""

    NAME: ClassVar[str] = "segment-changed.v1"
    CONCERNS: ClassVar = frozenset((DIRECTORY, INDEX))
    segment: str
    since: Month


class CardsMerged(Fact, frozen=True):
    """This card is shown together with card `into`, another of the same person: a pointer, no money moves.

    Yield is computed per card, and money that still comes for this card stays on it. `proposed_by`: the officer who
    asked for it, where another one (the header's `by`) confirmed it; "" where one person did it alone.
    """

    NAME: ClassVar[str] = "cards-merged.v1"
    CONCERNS: ClassVar = frozenset((DIRECTORY, INDEX))
    into: str
    proposed_by: str = ""


class CardsUnmerged(Fact, frozen=True):
    """The pointer of this card to card `into` is taken away: both are as if they had never been merged."""

    NAME: ClassVar[str] = "cards-unmerged.v1"
    CONCERNS: ClassVar = frozenset((DIRECTORY, INDEX))
    into: str
    proposed_by: str = ""


class AccountReassigned(Fact, frozen=True):
    """The card hung on the wrong person: it is `person`'s, and no longer `before`'s. Its money goes with it.

    `proposed_by` as in `CardsMerged`.
    """

    NAME: ClassVar[str] = "account-reassigned.v1"
    CONCERNS: ClassVar = frozenset((DIRECTORY, INDEX))
    person: str
    before: str
    proposed_by: str = ""


class Base(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """What a later year's yield is taken from, where an opening balance has no yield of that year inside:
    12 x opening + weighted, in rupiah times months, for each sub-account."""

    year: Year
    utama: Rupiah = 0
    tambahan: Rupiah = 0


class Payout(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """What the old system paid out: tax and the once-only partial claim need it. `gross` in rupiah; `kind`: one of
    PAYOUTS."""

    on: Day
    gross: Rupiah
    kind: str


class Opening(Fact, frozen=True, kw_only=True):
    """What an adopter's old system held for a card at a year's end, in rupiah.

    `employer` and `worker` are the contributions, `credited_yield` the yield of both sub-accounts; `tambahan` is the part
    of employer + worker that lies in the second sub-account, `tambahan_yield` the part of the yield. `yield_through`: the
    last year whose yield is inside; `bases`: one for each later year up to `as_of`.
    """

    as_of: Day
    employer: Rupiah = 0
    worker: Rupiah = 0
    credited_yield: Rupiah = 0
    tambahan: Rupiah = 0
    tambahan_yield: Rupiah = 0
    months: Count = 0
    member_since: str = ""
    source: str = ""
    yield_through: Year
    bases: tuple[Base, ...] = ()
    payouts: tuple[Payout, ...] = ()


class OpeningBalanceRecorded(Opening, frozen=True, kw_only=True):
    """The card begins with this balance."""

    NAME: ClassVar[str] = "opening-balance-recorded.v1"
    CONCERNS: ClassVar = frozenset((BALANCES, ENTRIES, DIRECTORY, INDEX))


class OpeningBalanceReversed(Opening, frozen=True, kw_only=True):
    """The opening balance of event version `event` is taken back; its amounts are repeated, so that folds need no other
    event."""

    NAME: ClassVar[str] = "opening-balance-reversed.v1"
    CONCERNS: ClassVar = frozenset((BALANCES, ENTRIES, DIRECTORY, INDEX))
    event: Count
