"""Stream `scheme`: acts of the agency that concern every account at once: yield, until when payments are complete, and which
yearly statements were made.

One fact credits every account: what each is worth is worked out from its own rows when it is asked for. Rates are parts per
million a year (5.63 % is 56300). Nothing here names a person.
"""

from __future__ import annotations

from typing import Annotated, ClassVar

from msgspec import Meta, Struct, field

from ledger.events.fact import BALANCES, NOWHERE, Count, Day, Fact, Year

STREAM = "scheme"
LONGEST_BASIS = 200

Rate = Annotated[int, Meta(ge=0, le=1_000_000)]
Position = Annotated[int, Meta(ge=1, le=2**63 - 1)]
Basis = Annotated[str, Meta(min_length=1, max_length=LONGEST_BASIS)]


class Rates(Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """The rate of each sub-account for a year."""

    utama: Rate
    tambahan: Rate


class SchemeStarted(Fact, frozen=True, kw_only=True):
    """The first year whose yield this ledger computes; the latest such fact counts. Money paid before that year is in its
    opening and has no yield of earlier years but what an opening balance brought."""

    NAME: ClassVar[str] = "scheme-started.v1"
    CONCERNS: ClassVar = frozenset((BALANCES,))
    first_year: Year


class YieldDeclared(Fact, frozen=True, kw_only=True):
    """What every account earned in `year`, credited on its 31 December; the latest declaration of a year counts.

    `policy`: how amounts follow from the rates (`ledger/yields.py`); `rule`: the row of the rules that the rates were held
    against; `basis`: the agency's decision, as it is cited; `instead_of`: the version of the declaration that it replaces.
    """

    NAME: ClassVar[str] = "yield-declared.v1"
    CONCERNS: ClassVar = frozenset((BALANCES,))
    year: Year
    rates: Rates
    policy: str
    rule: str
    basis: Basis
    instead_of: Count = 0


class ProvisionalRateSet(Fact, frozen=True, kw_only=True):
    """From a day on, what has no declared rate yet is estimated, and a claim valued, with this rate; of two for one day the
    later fact counts."""

    NAME: ClassVar[str] = "provisional-rate-set.v1"
    CONCERNS: ClassVar = frozenset((BALANCES,))
    since: Day = field(name="from")
    rate: Rate
    rule: str
    basis: Basis


class PaymentsComplete(Fact, frozen=True, kw_only=True):
    """Every payment made up to the end of `until` has been handed over: a month that was due by then and has not come is
    missing. The latest such fact counts, an earlier day as well (then with a reason)."""

    NAME: ClassVar[str] = "payments-complete.v1"
    CONCERNS: ClassVar = frozenset((BALANCES,))
    until: Day


class StatementsIssued(Fact, frozen=True, kw_only=True):
    """The statements of `year` of all members were made, from what the log held up to `position`: the opening of the next
    year's statement starts from the closing that they printed. The latest such fact of a year counts."""

    NAME: ClassVar[str] = "statements-issued.v1"
    CONCERNS: ClassVar = frozenset((BALANCES,))
    year: Year
    position: Position


class Change(Struct, frozen=True, forbid_unknown_fields=True):
    """By how many rupiah a card's credited yield would change."""

    kpj: str
    change: int


class YieldProposed(Fact, frozen=True, kw_only=True):
    """An officer (the header's `by`) proposed a year's rates, and another one declares them in the same append. What it
    changes was worked out up to `position`: of so many `cards` some gain and some lose, `total` in rupiah, the largest
    changes first.

    Logs of before recorded it when it was made: one that no declaration follows was never put in force.
    """

    NAME: ClassVar[str] = "yield-proposed.v1"
    CONCERNS: ClassVar = NOWHERE
    year: Year
    rates: Rates
    rule: str
    basis: Basis
    instead_of: Count = 0
    position: Position
    cards: Count
    gaining: Count
    losing: Count
    total: int
    largest: list[Change]


class ProvisionalProposed(Fact, frozen=True, kw_only=True):
    """An officer proposed a provisional rate, and another one sets it; recorded as a declaration's proposal is."""

    NAME: ClassVar[str] = "provisional-proposed.v1"
    CONCERNS: ClassVar = NOWHERE
    since: Day = field(name="from")
    rate: Rate
    rule: str
    basis: Basis
