"""Every decision of a member's stream, with every code it refuses with."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given as drawn
from hypothesis import strategies as st

from ledger.errors import Refused
from ledger.events import (
    CardLinked,
    ContactAsked,
    ContactConfirmed,
    ContactDenied,
    ContactReplaced,
    DataRequestClosed,
    DataRequested,
    Event,
    Fact,
    MemberClosed,
    MemberConfirmed,
    MemberDenied,
    MemberRegistered,
    MemberVerified,
    PasswordChanged,
    PhoneAsked,
    PhoneBound,
    PhoneDenied,
    PhoneUnbound,
)
from ledger.members.state import (
    MOST_UNKNOWN,
    Known,
    Member,
    decide_close,
    decide_close_request,
    decide_confirm,
    decide_deny,
    decide_link,
    decide_request,
    decide_verify,
    matches,
)
from tests.conftest import NOW
from tests.scenario import given

PERSON, CARD = "a" * 32, "26000000017"


def member(*facts: Fact) -> Member:
    return Member.of(
        PERSON,
        [Event(stream=f"member:{PERSON}", version=i, fact=f, by="t", channel="") for i, f in enumerate(facts, 1)],
    )


SENT = MemberRegistered("sealed", "PU", CARD, "known-contact")
NEW = MemberRegistered("sealed", "PU", CARD, "new-contact")
PROVEN = MemberVerified(1)


def test_verify() -> None:
    given(member(SENT)).when(decide_verify, 1).then(PROVEN)
    given(member(SENT)).when(decide_verify, 2).refused("link-used")
    given(member(SENT, SENT)).when(decide_verify, 1).then(PROVEN)
    given(member(SENT, NEW, SENT)).when(decide_verify, 1).then(PROVEN)
    given(member(SENT, PROVEN)).when(decide_verify, 1).refused("link-used")
    given(member(SENT, SENT, PROVEN)).when(decide_verify, 2).refused("link-used")
    given(member(NEW)).when(decide_verify, 1).refused("link-used")
    given(member(NEW, MemberConfirmed("number", 1))).when(decide_verify, 1).then(PROVEN)
    given(member()).when(decide_verify, 1).refused("link-used")


def test_confirm_and_deny() -> None:
    given(member(NEW)).when(decide_confirm, "office", 1).then(MemberConfirmed("office", 1))
    given(member(NEW, NEW)).when(decide_confirm, "email", 2).then(MemberConfirmed("email", 2))
    given(member(NEW, NEW)).when(decide_deny, 2).then(MemberDenied(2))
    for decide, more in ((decide_confirm, ("office",)), (decide_deny, ())):
        given(member(NEW)).when(decide, *more, 2).refused("link-used")
        given(member(SENT)).when(decide, *more, 1).refused("link-used")
        given(member(NEW, MemberConfirmed("office", 1))).when(decide, *more, 1).refused("link-used")
        given(member(NEW, MemberDenied(1))).when(decide, *more, 1).refused("link-used")


def test_close() -> None:
    given(member(SENT, PROVEN)).when(decide_close, "asked").then(MemberClosed("asked"))
    given(member(NEW)).when(decide_close, "asked").then(MemberClosed("asked"))
    given(member()).when(decide_close, "asked").refused("member-unknown")
    given(member(SENT, MemberClosed("asked"))).when(decide_close, "asked").refused("member-unknown")
    given(member(NEW, MemberDenied(1))).when(decide_close, "asked").refused("member-unknown")


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


def test_how_far_an_access_has_come() -> None:
    assert member(SENT, PROVEN).state == "active"
    assert [member(NEW).state, member(SENT, NEW).state, member(SENT).state] == ["waiting", "waiting", "sent"]
    assert member(NEW, MemberConfirmed("office", 1)).state == "sent"
    assert member(NEW, SENT, MemberVerified(2)).registrations == ()
    assert member(SENT, PROVEN, MemberClosed("asked")).state == "closed"


def test_what_an_address_or_a_phone_rests_on() -> None:
    none, mail, phone = Known.of([""], [""]), Known.of(["A@x.id", "a@X.id"], []), Known.of([], ["+62811"])
    assert mail == (("a@X.id",), ())
    assert [known.proof("a@x.id") for known in (none, mail, phone)] == ["no-contact", "known-contact", "new-contact"]
    assert [known.phone_proof("+62811") for known in (none, mail, phone)] == [
        "no-contact", "new-contact", "known-contact",
    ]  # fmt: skip


def test_only_contacts_that_are_not_known_are_counted_and_only_for_a_day() -> None:
    def at(hours: int, *facts: Fact) -> Member:
        moment = (NOW - timedelta(hours=hours)).isoformat()
        made = Member(PERSON)
        for i, fact in enumerate(facts, 1):
            made.evolve(
                Event(stream="s", version=i, fact=fact, by="t", channel="t", recorded_at=moment)
            )  # fmt: skip
        return made

    assert at(1, *[SENT] * 20).may_try(NOW)
    assert at(1, *[NEW] * (MOST_UNKNOWN - 1)).may_try(NOW)
    assert not at(1, *[NEW] * (MOST_UNKNOWN - 1), PhoneAsked("p")).may_try(NOW)
    assert at(25, *[NEW] * MOST_UNKNOWN).may_try(NOW)


def test_an_empty_claim_says_nothing_and_names_count_without_case_and_spacing() -> None:
    known = {"name": "Siti Aminah", "birth_date": "1990-03-12"}
    assert matches({"name": " siti  AMINAH ", "birth_date": ""}, known)
    assert not matches({"name": "Siti", "birth_date": "1990-03-12"}, known)


_FACTS = st.sampled_from(
    [SENT, NEW, PROVEN, MemberVerified(2), MemberConfirmed("office", 1), MemberConfirmed("number", 2), MemberDenied(1),
     MemberClosed("asked"), PasswordChanged("chosen"), CardLinked("26000000025"), PhoneAsked("p"),
     PhoneBound("p", "email", 2), PhoneDenied(3), PhoneUnbound(),
     ContactAsked("email", "c", "new-contact"), ContactAsked("phone", "c", "known-contact"), ContactConfirmed("email", 2),
     ContactReplaced(1, "l"), ContactDenied(2),
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
        try:
            if isinstance(fact, MemberVerified):
                decide_verify(state, fact.registered)
            if isinstance(fact, MemberConfirmed):
                decide_confirm(state, fact.how, fact.registered)
        except Refused:
            continue
        if isinstance(fact, MemberRegistered) and state.access is not None:
            continue
        allowed.append(fact)
    state = member(*allowed)
    if state.access is not None and state.access.proof == "new-contact":
        assert any(
            isinstance(fact, MemberConfirmed) and fact.registered == state.access.version
            for fact in allowed[state.access.version :]
        )
