"""Every decision of a member's stream, with every code it refuses with."""

from __future__ import annotations

from hypothesis import given as drawn
from hypothesis import strategies as st

from ledger.events import (
    CardLinked,
    DataRequestClosed,
    DataRequested,
    Event,
    Fact,
    MemberClosed,
    MemberConfirmed,
    MemberRegistered,
    MemberVerified,
    PasswordChanged,
    PhoneAsked,
    PhoneBound,
    PhoneDenied,
    PhoneUnbound,
)
from ledger.members.state import (
    Member,
    decide_close,
    decide_close_request,
    decide_confirm,
    decide_link,
    decide_request,
    decide_verify,
    matches,
    may_register,
    proof_of,
)
from tests.scenario import given

PERSON, CARD = "a" * 32, "26000000017"


def member(*facts: Fact) -> Member:
    return Member.of(
        PERSON,
        [Event(stream=f"member:{PERSON}", version=i, fact=f, by="t", channel="") for i, f in enumerate(facts, 1)],
    )


SENT = MemberRegistered("sealed", "PU", CARD, "known-contact")
NEW = MemberRegistered("sealed", "PU", CARD, "new-contact")
PROVEN = MemberVerified()


def test_verify() -> None:
    given(member(SENT)).when(decide_verify, 1).then(PROVEN)
    given(member(SENT)).when(decide_verify, 2).refused("link-used")
    given(member(SENT, SENT)).when(decide_verify, 1).refused("link-used")
    given(member(SENT, PROVEN)).when(decide_verify, 1).refused("link-used")
    given(member()).when(decide_verify, 1).refused("link-used")


def test_confirm() -> None:
    given(member(NEW, PROVEN)).when(decide_confirm, "office").then(MemberConfirmed("office"))
    given(member(NEW, PROVEN)).when(decide_confirm, "old-contact", 1).then(MemberConfirmed("old-contact"))
    given(member(NEW, PROVEN)).when(decide_confirm, "old-contact", 2).refused("link-used")
    given(member(NEW)).when(decide_confirm, "office").refused("link-used")
    given(member(SENT, PROVEN)).when(decide_confirm, "office").refused("link-used")


def test_close() -> None:
    given(member(SENT, PROVEN)).when(decide_close, "asked").then(MemberClosed("asked"))
    given(member(SENT, PROVEN)).when(decide_close, "denied", 2).refused("link-used")
    given(member()).when(decide_close, "asked").refused("member-unknown")
    given(member(SENT, MemberClosed("asked"))).when(decide_close, "asked").refused("member-unknown")


def test_link() -> None:
    given(member(SENT, PROVEN)).when(decide_link, "26000000025", PERSON).then(CardLinked("26000000025"))
    given(member(SENT, PROVEN)).when(decide_link, CARD, PERSON).then()
    given(member(SENT, PROVEN)).when(decide_link, "26000000033", "b" * 32).refused("card-not-yours")
    given(member(SENT, PROVEN)).when(decide_link, "26000000033", None).refused("card-not-yours")


def test_requests() -> None:
    asked = DataRequested("erase")
    given(member(SENT)).when(decide_request, "erase", "").then(asked)
    given(member(SENT)).when(decide_request, "everything", "").refused("parameter-unreadable")
    given(member(SENT, asked)).when(decide_request, "erase", "").refused("data-request-open")
    given(member(SENT, asked)).when(decide_request, "export", "").then(DataRequested("export"))
    given(member(SENT, asked)).when(decide_close_request, 2, "done").then(DataRequestClosed(2, "done"))
    given(member(SENT, asked)).when(decide_close_request, 1, "done").refused("data-request-unknown")
    given(member(SENT, asked)).when(decide_close_request, 2, "maybe").refused("parameter-unreadable")
    answered = member(SENT, asked, DataRequestClosed(2, "refused"))
    given(answered).when(decide_close_request, 2, "done").refused("data-request-unknown")
    given(answered).when(decide_request, "erase", "").then(asked)


def test_a_registration_opens_only_by_what_its_address_rests_on() -> None:
    assert member(SENT, PROVEN).state == "active"
    assert member(NEW, PROVEN).state == "waiting"
    assert member(NEW, PROVEN, MemberConfirmed("office")).state == "active"
    assert [may_register(m) for m in (member(), member(SENT), member(NEW, PROVEN), member(SENT, PROVEN))] == [
        True, True, True, False,
    ]  # fmt: skip
    assert [proof_of("a@x.id", known) for known in ("", "A@X.ID", "b@x.id")] == [
        "no-contact", "known-contact", "new-contact",
    ]  # fmt: skip


def test_an_empty_claim_says_nothing_and_names_count_without_case_and_spacing() -> None:
    known = {"name": "Siti Aminah", "birth_date": "1990-03-12"}
    assert matches({"name": " siti  AMINAH ", "birth_date": ""}, known)
    assert not matches({"name": "Siti", "birth_date": "1990-03-12"}, known)


_FACTS = st.sampled_from(
    [SENT, NEW, PROVEN, MemberConfirmed("office"), MemberClosed("asked"), PasswordChanged("chosen"),
     CardLinked("26000000025"), PhoneAsked("p"), PhoneBound("p", "email"), PhoneDenied(), PhoneUnbound(),
     DataRequested("erase"), DataRequestClosed(3, "done")]
)  # fmt: skip


@drawn(st.lists(_FACTS, max_size=12))
def test_what_will_be_after_facts_is_what_is_after_their_events(facts: list[Fact]) -> None:
    for cut in range(len(facts) + 1):
        assert member(*facts[:cut]).after(*facts[cut:]) == member(*facts)


@drawn(st.lists(_FACTS, max_size=12))
def test_nobody_is_active_whose_new_address_was_not_confirmed(facts: list[Fact]) -> None:
    allowed: list[Fact] = []
    for fact in facts:
        state = member(*allowed)
        if isinstance(fact, MemberVerified) and state.state != "sent":
            continue
        if isinstance(fact, MemberConfirmed) and state.state != "waiting":
            continue
        if isinstance(fact, MemberRegistered) and not may_register(state):
            continue
        allowed.append(fact)
    state = member(*allowed)
    if state.state == "active" and state.proof == "new-contact":
        assert any(isinstance(fact, MemberConfirmed) for fact in allowed[state.registered :])
