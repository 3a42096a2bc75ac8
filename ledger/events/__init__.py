"""The facts of the log, as they are stored for ever: frozen, past tense, what was decided, no running totals.

    employer, person, account, remittance, scheme, member, idempotency   one file per stream
    lines       the lines of a remittance as columns
    fact        what every fact is; event: a fact with its header
    upcasters   older versions of a fact, read as the present one

Each fact has a stored name with a version (`contributions-posted.v1`); `FACTS` is the whole list. Money is whole rupiah.
A month is `yyyy-mm`, a date `yyyy-mm-dd`. An absent key is the default. Three dates stay apart: the month money is FOR
(`month`), the day it was PAID (`paid_on`, its value date) and the moment it was RECORDED (the header).

How to change an event: give the class the next version, keep the old shape as a function in `upcasters.py`, add a sample
beside the golden ones. An optional field that is added is a new version as well. Nothing that is stored is ever edited.
"""

from __future__ import annotations

from ledger.events.account import (
    LEAVING,
    PAYOUTS,
    AccountOpened,
    Base,
    CardsMerged,
    CardsUnmerged,
    MembershipEnded,
    MembershipStarted,
    Opening,
    OpeningBalanceRecorded,
    OpeningBalanceReversed,
    Payout,
    SegmentChanged,
)
from ledger.events.employer import EmployerRegistered
from ledger.events.event import Event
from ledger.events.fact import BALANCES, DIRECTORY, ENTRIES, FOLDS, INDEX, NOWHERE, Fact
from ledger.events.idempotency import (
    OUTCOMES_KEPT,
    PROBLEMS_KEPT,
    KeptCode,
    KeptOutcome,
    KeptProblem,
    RequestFinished,
    RequestStarted,
)
from ledger.events.lines import (
    LINES_AN_EVENT,
    Columns,
    Line,
    Lines,
    ReleasedLine,
    ReleasedLines,
    ReversedLine,
    ReversedLines,
    SuspendedLine,
    SuspendedLines,
    line_bytes,
)
from ledger.events.member import (
    CardLinked,
    DataRequestClosed,
    DataRequested,
    MemberClosed,
    MemberConfirmed,
    MemberDenied,
    MemberRegistered,
    MemberVerified,
    NoticesChosen,
    PasswordChanged,
    PhoneAsked,
    PhoneBound,
    PhoneDenied,
    PhoneUnbound,
)
from ledger.events.person import PersonCorrected, PersonErased, PersonRegistered
from ledger.events.remittance import (
    ContributionsPosted,
    ContributionsReversed,
    LinesSuspended,
    Remitted,
    RuleIds,
    SuspenseReleased,
)
from ledger.events.scheme import (
    Change,
    PaymentsComplete,
    ProvisionalProposed,
    ProvisionalRateSet,
    Rates,
    SchemeStarted,
    StatementsIssued,
    YieldDeclared,
    YieldProposed,
)

FACTS: dict[str, type[Fact]] = {
    fact.NAME: fact
    for fact in (
        EmployerRegistered,
        PersonRegistered,
        PersonCorrected,
        PersonErased,
        AccountOpened,
        MembershipStarted,
        MembershipEnded,
        SegmentChanged,
        CardsMerged,
        CardsUnmerged,
        OpeningBalanceRecorded,
        OpeningBalanceReversed,
        ContributionsPosted,
        LinesSuspended,
        SuspenseReleased,
        ContributionsReversed,
        SchemeStarted,
        YieldDeclared,
        ProvisionalRateSet,
        PaymentsComplete,
        StatementsIssued,
        YieldProposed,
        ProvisionalProposed,
        RequestStarted,
        RequestFinished,
        MemberRegistered,
        MemberVerified,
        MemberConfirmed,
        MemberDenied,
        MemberClosed,
        PasswordChanged,
        CardLinked,
        PhoneAsked,
        PhoneBound,
        PhoneUnbound,
        PhoneDenied,
        DataRequested,
        DataRequestClosed,
        NoticesChosen,
    )
}
"""Stored name -> fact: the present versions."""

__all__ = [
    "BALANCES",
    "DIRECTORY",
    "ENTRIES",
    "FACTS",
    "FOLDS",
    "INDEX",
    "LEAVING",
    "LINES_AN_EVENT",
    "NOWHERE",
    "OUTCOMES_KEPT",
    "PAYOUTS",
    "PROBLEMS_KEPT",
    "AccountOpened",
    "Base",
    "CardLinked",
    "CardsMerged",
    "CardsUnmerged",
    "Change",
    "Columns",
    "ContributionsPosted",
    "ContributionsReversed",
    "DataRequestClosed",
    "DataRequested",
    "EmployerRegistered",
    "Event",
    "Fact",
    "KeptCode",
    "KeptOutcome",
    "KeptProblem",
    "Line",
    "Lines",
    "LinesSuspended",
    "MemberClosed",
    "MemberConfirmed",
    "MemberDenied",
    "MemberRegistered",
    "MemberVerified",
    "MembershipEnded",
    "MembershipStarted",
    "NoticesChosen",
    "Opening",
    "OpeningBalanceRecorded",
    "OpeningBalanceReversed",
    "PasswordChanged",
    "PaymentsComplete",
    "Payout",
    "PersonCorrected",
    "PersonErased",
    "PersonRegistered",
    "PhoneAsked",
    "PhoneBound",
    "PhoneDenied",
    "PhoneUnbound",
    "ProvisionalProposed",
    "ProvisionalRateSet",
    "Rates",
    "ReleasedLine",
    "ReleasedLines",
    "Remitted",
    "RequestFinished",
    "RequestStarted",
    "ReversedLine",
    "ReversedLines",
    "RuleIds",
    "SchemeStarted",
    "SegmentChanged",
    "StatementsIssued",
    "SuspendedLine",
    "SuspendedLines",
    "SuspenseReleased",
    "YieldDeclared",
    "YieldProposed",
    "line_bytes",
]
