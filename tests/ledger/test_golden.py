"""What is stored once is read for ever: a stored sample of every event, byte for byte.

A sample is never changed (`frozen.py`). A new shape gets a new name with a new sample, and the old one still has to be read:
its entry in `MEANT` is then the fact it is upgraded to. `python -m tests.ledger.regenerate` writes the samples of new names.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ledger.events import (
    FACTS,
    AccountOpened,
    AccountReassigned,
    Base,
    CardLinked,
    CardsMerged,
    CardsUnmerged,
    CardUnlinked,
    Change,
    ContactAsked,
    ContactConfirmed,
    ContactDenied,
    ContactReplaced,
    ContributionsPosted,
    DataRequestClosed,
    DataRequested,
    EmployerRegistered,
    Fact,
    KeptCode,
    KeptOutcome,
    KeptProblem,
    Line,
    MemberClosed,
    MemberConfirmed,
    MemberDenied,
    MemberRegistered,
    MemberVerified,
    NoticesChosen,
    OpeningBalanceRecorded,
    OpeningBalanceReversed,
    PasskeyAdded,
    PasskeyRemoved,
    PasswordChanged,
    PaymentsComplete,
    Payout,
    PersonCorrected,
    PersonErased,
    PersonRegistered,
    PersonsJoined,
    PersonsParted,
    PhoneAsked,
    PhoneBound,
    PhoneDenied,
    PhoneUnbound,
    ProvisionalProposed,
    ProvisionalRateSet,
    Rates,
    ReleasedLine,
    RequestFinished,
    RequestStarted,
    ReversedLine,
    RuleIds,
    SchemeStarted,
    SegmentChanged,
    StatementsIssued,
    SuspendedLine,
    YieldDeclared,
    YieldProposed,
)
from ledger.events.upcasters import KNOWN
from ledger.store.codec import StoredRow, decode, encode, recorded_at_of, stamp, state_json
from tests import facts

GOLDEN = Path(__file__).parent / "golden"
RECORDED_AT = "2026-11-21T06:29:00.123456Z"
PERSON = "0123456789abcdef0123456789abcdef"
MEMBER = f"member:{PERSON}"
KPJ, SECOND, LEGACY = "26000000017", "26000000025", "97K0100505"
REMITTANCE = "remittance-e:10000001:2026-10"
RULES = RuleIds("pu-pp46-2015", "half-up.v1", "single.v1")

OPENING: dict[str, Any] = {
    "as_of": "2025-12-31", "employer": 18_500_000, "worker": 10_000_000, "credited_yield": 1_500_000, "tambahan": 500_000,
    "tambahan_yield": 20_000, "months": 100, "member_since": "2017-09-01", "source": "OLD/1", "yield_through": 2024,
    "bases": (Base(2025, 330_000_000, 6_000_000),), "payouts": (Payout("2022-05-10", 1_000_000, "partial"),),
}  # fmt: skip

# What each stored sample means: (stream, version, fact, reason).
MEANT: dict[str, tuple[str, int, Fact, str]] = {
    "employer-registered.v1": (
        "employer:10000001", 1, EmployerRegistered("10000001", "1:bmFtZQ", "2024-01-02"), "",
    ),
    "person-registered.v1": (f"person:{PERSON}", 1, PersonRegistered("1:c2VhbGVk", "1:Y29udGFjdA"), ""),
    "person-corrected.v1": (f"person:{PERSON}", 2, PersonCorrected("1:YW5vdGhlcg"), "correction-asked"),
    "person-erased.v1": (f"person:{PERSON}", 3, PersonErased("PN-JKT/12.2026"), "erasure-asked"),
    "persons-parted.v1": (
        f"person:{PERSON}", 5, PersonsParted("f" * 32, (KPJ, LEGACY)), "joined-by-mistake",
    ),
    "persons-joined.v1": (
        f"person:{PERSON}", 4, PersonsJoined("f" * 32, (KPJ, LEGACY), "user:5f2c"), "registered-twice",
    ),
    "account-opened.v1": (f"account:{LEGACY}", 1, AccountOpened(LEGACY, PERSON, "PU", "2025-01-06", legacy=True), ""),
    "membership-started.v1": (f"account:{LEGACY}", 2, facts.started("PU", "2025-01", "10000001", "2025-01-06"), ""),
    "membership-ended.v1": (
        f"account:{LEGACY}", 3, facts.ended("PU", "2025-01", "2026-03", "10000001", day="2026-03-20", why="resigned"), "",
    ),
    "segment-changed.v1": (f"account:{LEGACY}", 4, SegmentChanged("BPU", "2026-04"), ""),
    "cards-merged.v1": (f"account:{LEGACY}", 5, CardsMerged(KPJ, "user:5f2c"), "member-asked"),
    "cards-unmerged.v1": (f"account:{LEGACY}", 6, CardsUnmerged(KPJ), "merged-by-mistake"),
    "account-reassigned.v1": (
        f"account:{LEGACY}", 7, AccountReassigned("f" * 32, PERSON, "user:5f2c"), "wrong-person",
    ),
    "opening-balance-recorded.v1": (f"account:{KPJ}", 3, OpeningBalanceRecorded(**OPENING), ""),
    "opening-balance-reversed.v1": (f"account:{KPJ}", 4, OpeningBalanceReversed(**OPENING, event=3), "wrong-amount"),
    "contributions-posted.v1": (
        REMITTANCE, 1,
        facts.posted(
            [Line(KPJ, 5_000_000, 0, 185_000, 100_000),
             Line(SECOND, 4_000_000, 250_000, 157_250, 85_000, epoch=1, tambahan=7, part=2, months=0)],
            "2026-10", "2026-11-14", "supplement", "TRX-1", rules=RULES, division="0A1",
        ), "",
    ),
    "lines-suspended.v1": (
        REMITTANCE, 2,
        facts.suspended(
            [SuspendedLine(SECOND, 4_000_000, 0, 148_000, 80_000, reason="account-unknown"),
             SuspendedLine(KPJ, 4_000_000, 0, 148_000, 80_000, part=1, reason="second-payment")],
            reference="TRX-1",
        ), "",
    ),
    "suspense-released.v1": (
        REMITTANCE, 3,
        facts.released(
            [ReleasedLine(SECOND, 4_000_000, 0, 148_000, 80_000, event=2, line=0, waited_as=KPJ)],
            reference="TRX-1", rules=RULES, segment="BPU",
        ), "",
    ),
    "contributions-reversed.v1": (
        REMITTANCE, 4,
        facts.taken_back(
            [ReversedLine(KPJ, 5_000_000, 0, 185_000, 100_000, months=-1, event=1, line=0),
             ReversedLine("26000000033", 4_000_000, 0, 148_000, 80_000, months=0, event=2, line=1, suspended=True)],
        ), "wrong-amount",
    ),
    "scheme-started.v1": ("scheme", 1, SchemeStarted(first_year=2023), ""),
    "yield-declared.v1": (
        "scheme", 4,
        YieldDeclared(
            year=2023, rates=Rates(59_000, 61_500), policy="monthly-simple.v1", rule="yield-2015",
            basis="Perdir 12/PERDIR.03/012024", instead_of=2,
        ), "wrong-rate",
    ),
    "provisional-rate-set.v1": (
        "scheme", 3,
        ProvisionalRateSet(since="2024-01-01", rate=50_000, rule="yield-2015", basis="Perdir 13/PERDIR.03/012024"), "",
    ),
    "yield-proposed.v1": (
        "scheme", 6,
        YieldProposed(
            year=2024, rates=Rates(56_300, 56_300), rule="yield-2015", basis="Perdir 2/PERDIR.03/012025", position=4_711,
            cards=3, gaining=1, losing=1, total=-1_234, largest=[Change(KPJ, -2_000), Change(SECOND, 766)],
        ), "rate-revised",
    ),
    "provisional-proposed.v1": (
        "scheme", 7,
        ProvisionalProposed(since="2025-01-01", rate=51_000, rule="yield-2015", basis="Perdir 3/PERDIR.03/012025"), "",
    ),
    "payments-complete.v1": ("scheme", 5, PaymentsComplete(until="2026-10-31"), "wrong-day"),
    "statements-issued.v1": ("scheme", 6, StatementsIssued(year=2025, position=48211), ""),
    "request-started.v1": ("request:5f2c", 1, RequestStarted("ab" * 32, "/v1/contributions", "5f2c1a9e-4711-0b1c2d3e"), ""),
    "member-registered.v1": (MEMBER, 1, MemberRegistered("1:bG9naW4", "PU", KPJ, "known-contact"), ""),
    "member-verified.v1": (MEMBER, 2, MemberVerified(1), ""),
    "member-confirmed.v1": (MEMBER, 3, MemberConfirmed("office", 1), ""),
    "password-changed.v1": (MEMBER, 4, PasswordChanged("reset"), ""),
    "passkey-added.v1": (MEMBER, 19, PasskeyAdded(), ""),
    "passkey-removed.v1": (MEMBER, 20, PasskeyRemoved(19, "chosen"), ""),
    "card-linked.v1": (MEMBER, 5, CardLinked(SECOND), ""),
    "card-unlinked.v1": (MEMBER, 14, CardUnlinked(SECOND), "wrong-person"),
    "phone-asked.v1": (MEMBER, 6, PhoneAsked("1:cGhvbmU"), ""),
    "phone-denied.v1": (MEMBER, 7, PhoneDenied(6), ""),
    "phone-bound.v1": (MEMBER, 8, PhoneBound("1:cGhvbmU", "email", 6), ""),
    "phone-unbound.v1": (MEMBER, 9, PhoneUnbound(), ""),
    "contact-asked.v1": (MEMBER, 14, ContactAsked("email", "1:Y29udGFjdA", "new-contact"), ""),
    "contact-confirmed.v1": (MEMBER, 15, ContactConfirmed("number", 14), ""),
    "contact-replaced.v1": (MEMBER, 16, ContactReplaced(14, "1:bG9naW4"), ""),
    "contact-denied.v1": (MEMBER, 18, ContactDenied(17), ""),
    "data-requested.v1": (MEMBER, 10, DataRequested("correct", "1:dGV4dA"), ""),
    "data-request-closed.v1": (MEMBER, 11, DataRequestClosed(10, "done"), ""),
    "member-denied.v1": (MEMBER, 13, MemberDenied(12), ""),
    "member-closed.v1": (MEMBER, 12, MemberClosed("asked"), ""),
    "notices-chosen.v1": (MEMBER, 14, NoticesChosen(("posted", "missing"), ("posted",), "en"), ""),
    "request-finished.v1": (
        "request:5f2c", 2,
        RequestFinished(
            hash="ab" * 32, status=200, layout="contributions", receipt="9f86d081884c7d65",
            totals={"posted": 1, "refused": 1}, codes=(KeptCode("refused", "no-money", 1, 2, ("worker",)),),
            problems=(KeptProblem("no-money", "refused", 3, "worker", {"limit": "Rp1"}),), outcomes_total=1,
            outcomes=(KeptOutcome(REMITTANCE, 2, posted=1, refused=1),),
        ), "",
    ),
}  # fmt: skip


def _row(name: str, state: bytes) -> StoredRow:
    stream, version, _, _ = MEANT[name]
    return StoredRow(7, stream, version, name, state)


def test_every_event_has_a_stored_sample() -> None:
    assert {path.stem for path in GOLDEN.glob("*.json")} == KNOWN == MEANT.keys()


@pytest.mark.parametrize("name", MEANT)
def test_a_stored_event_is_read_as_it_was_meant_and_written_again_byte_for_byte(name: str) -> None:
    stored = (GOLDEN / f"{name}.json").read_bytes()
    stream, version, fact, reason = MEANT[name]
    event = decode(_row(name, stored))
    assert (event.fact, event.stream, event.version, event.position) == (fact, stream, version, 7)
    assert (event.by, event.channel, event.reason) == ("cli:1000", "cli", reason)
    assert (event.request, event.recorded_at) == ("9f86d081884c7d65", RECORDED_AT)
    if name in FACTS:
        assert state_json(encode(event)) == stored
    assert json.loads(stored)["fact"] is not None


def test_a_compressed_state_is_read_whatever_the_compressor_makes_of_it_today() -> None:
    stored = bytes.fromhex((GOLDEN / "contributions-posted.v1.compressed.hex").read_text())
    assert stored[:1] == b"z"
    assert recorded_at_of(stored) == RECORDED_AT
    event = decode(_row("contributions-posted.v1", stored))
    assert isinstance(event.fact, ContributionsPosted)
    assert list(event.fact.lines) == [
        Line(f"{26_000_000_000 + n}", 5_000_000 + n, 0, 185_000, 100_000) for n in range(20)
    ]
    # Another zlib may compress otherwise; what counts is the JSON inside.
    assert state_json(encode(event)) == state_json(stored)


def test_the_moment_is_set_without_touching_the_rest() -> None:
    other = "2027-01-01T00:00:00.000000Z"
    for stored in (
        (GOLDEN / "contributions-posted.v1.json").read_bytes(),
        bytes.fromhex((GOLDEN / "contributions-posted.v1.compressed.hex").read_text()),
    ):
        stamped = stamp(stored, other)
        assert recorded_at_of(stamped) == other
        assert stamp(stamped, RECORDED_AT) == stored
        assert decode(_row("contributions-posted.v1", stamped)).recorded_at == other
