"""The edges of a registration: days that just fit, months that just meet, and what a refusal names."""

from __future__ import annotations

import pytest

from ledger.days import day_number
from ledger.decisions.account import Registration, check_registration, decide_register
from ledger.decisions.card import Card
from ledger.errors import Conflict, Problem
from ledger.events import AccountOpened, MembershipStarted, SegmentChanged
from tests.conftest import TODAY
from tests.facts import ended, started
from tests.ledger.decisions.test_account import ANI, BUDI, CARD, KPJ, card, row
from tests.scenario import given

NPP = "10000001"
OLDEST = "1906-11-21"


def checked(wrong: Registration, known: bool = True) -> Problem | None:
    return check_registration(wrong, employer_known=known, today=day_number(TODAY), oldest_birth=day_number(OLDEST))


@pytest.mark.parametrize(
    "right",
    [
        row("2026-11-21"), row("2026-11-21", birth="2026-11-21"), row(birth=OLDEST), row(left="2025-01-15"),
        row(segment="BPU", npp=0), row(segment="PMI", npp=0), row("2026-11-21", left="2026-11-21"),
    ],
)  # fmt: skip
def test_the_last_day_that_can_be_is_taken(right: Registration) -> None:
    assert checked(right) is None


def test_the_first_obstacle_by_precedence_is_told() -> None:
    wrong = row("2026-11-23", left="2026-11-22", birth="2026-11-22", npp=0)
    order = [
        (wrong, "birth-date-impossible", "birth_date"),
        (wrong := row("2026-11-23", left="2026-11-22", npp=0), "date-in-future", "registered_on"),
        (wrong := row("2026-11-20", left="2026-11-19", npp=0), "employer-unknown", "npp"),
    ]
    for one, code, column in order:
        problem = checked(one, known=False)
        assert problem is not None
        assert (problem.code, problem.column, problem.line) == (code, column, 7)
    problem = checked(row("2026-11-20", left="2026-11-19", npp=0))
    assert problem is not None
    assert problem.code == "npp-missing"


def test_an_unknown_employer_is_named_with_eight_digits() -> None:
    problem = checked(row(npp=42), known=False)
    assert problem is not None
    assert problem.details == {"npp": "00000042"}


def registered(state: Card | None, one: Registration) -> list[object]:
    return list(decide_register(state, ANI, one))


@pytest.mark.parametrize(
    ("since", "until", "joined", "left"),
    [
        ("2025-03", "2025-06", "2025-06-20", ""),  # comes back in the month of leaving
        ("2025-03", "2025-06", "2025-07-01", ""),
        ("2025-03", "2025-06", "2025-01-15", "2025-03-02"),  # left in the month in which the other began
        ("2025-03", "2025-06", "2025-01-15", "2025-02-28"),
        ("2025-03", "", "2025-01-15", "2025-03-02"),
    ],
)
def test_memberships_of_one_payer_may_share_the_month_of_leaving(
    since: str, until: str, joined: str, left: str
) -> None:
    expected = [started("PU", joined[:7], NPP, joined)]
    if left:
        expected.append(ended("PU", joined[:7], left[:7], NPP, day=left))  # type: ignore[arg-type]
    given(card(since, until)).when(registered, row(joined, left)).then(*expected)


@pytest.mark.parametrize(
    ("since", "until", "joined", "left", "column", "held", "sent"),
    [
        ("2025-03", "2025-06", "2025-05-31", "", "registered_on", "2025-03 - 2025-06", "2025-05 - ..."),
        ("2025-03", "2025-06", "2025-01-15", "2025-04-01", "registered_on", "2025-03 - 2025-06", "2025-01 - 2025-04"),
        ("2025-03", "2025-06", "2025-01-15", "", "registered_on", "2025-03 - 2025-06", "2025-01 - ..."),
        ("2025-03", "", "2025-01-15", "2025-04-01", "registered_on", "2025-03 - ...", "2025-01 - 2025-04"),
        ("2025-03", "", "2025-04-15", "", "registered_on", "2025-03 - ...", "2025-04 - ..."),
        ("2025-03", "2025-06", "2025-03-15", "2025-07-01", "left_on", "2025-03 - 2025-06", "2025-03 - 2025-07"),
    ],
)
def test_memberships_of_one_payer_do_not_overlap_by_more(
    since: str, until: str, joined: str, left: str, column: str, held: str, sent: str
) -> None:
    with pytest.raises(Conflict) as refused:
        decide_register(card(since, until), ANI, row(joined, left))
    problem = refused.value.problem
    assert (problem.code, problem.column, problem.line) == ("membership-conflict", column, 7)
    assert problem.details == {"held": held, "sent": sent}


def test_a_card_of_somebody_else_is_refused_at_its_column() -> None:
    with pytest.raises(Conflict) as refused:
        decide_register(card(), BUDI, row())
    assert (refused.value.problem.column, refused.value.problem.line) == ("kpj", 7)


def test_an_old_card_says_that_it_is_old() -> None:
    import msgspec

    from ledger.identifiers import card_number

    old = msgspec.structs.replace(row(), card=card_number("97K0100505"))
    opened, _ = registered(None, old)
    assert opened == AccountOpened("97K0100505", ANI, "PU", "2025-01-15", legacy=True)
    (opened, _) = registered(None, row())
    assert opened == AccountOpened(KPJ, ANI, "PU", "2025-01-15")


def test_the_same_payer_in_another_segment_is_another_membership() -> None:
    own = card(segment="BPU", npp=0)
    given(own).when(registered, row("2025-03-04", segment="PMI", npp=0)).then(
        SegmentChanged("PMI", "2025-03"), started("PMI", "2025-03", day="2025-03-04")
    )


def test_the_number_of_an_employer_keeps_its_zeros() -> None:
    begun, over = registered(card(), row("2025-09-01", left="2025-10-31", npp=42))
    assert isinstance(begun, MembershipStarted)
    assert begun.npp == "00000042"
    assert over == ended("PU", "2025-09", "2025-10", "00000042", day="2025-10-31")
    assert int(KPJ) == CARD
