"""Decisions about accounts: registration."""

from __future__ import annotations

from datetime import date

import pytest

from ledger.days import day_number
from ledger.decisions.account import Registration, check_registration, decide_register
from ledger.decisions.card import Card, Membership
from ledger.events import AccountOpened, SegmentChanged
from ledger.identifiers import month_number, month_of
from tests.conftest import TODAY
from tests.facts import ended, started
from tests.scenario import given

ANI, BUDI = "a" * 32, "b" * 32
CARD = 26000000001
KPJ = "26000000001"


def row(
    joined: str = "2025-01-15", left: str = "", segment: str = "PU", npp: int = 10000001, birth: str = "1990-03-12"
) -> Registration:
    return Registration(
        7, CARD, "3174015203900001", "Ani", day_number(birth), "P", segment, npp, "", "", day_number(joined),
        month_of(date.fromisoformat(joined)), day_number(left) if left else None,
        month_of(date.fromisoformat(left)) if left else 0,
    )  # fmt: skip


def card(since: str = "2025-01", until: str = "", segment: str = "PU", npp: int = 10000001) -> Card:
    one = Membership(npp, segment, month_number(since) or 0, (month_number(until) or 0) if until else 0)
    return Card(CARD, ANI, segment, (one,))


STARTED = started("PU", "2025-01", "10000001", "2025-01-15")
ENDED = ended("PU", "2025-01", "2025-06", "10000001", day="2025-06-30")


def test_a_new_card_is_opened_with_its_membership() -> None:
    given(None).when(decide_register, ANI, row()).then(AccountOpened(KPJ, ANI, "PU", "2025-01-15"), STARTED)


def test_a_new_card_of_somebody_who_left_is_opened_and_ended() -> None:
    given(None).when(decide_register, ANI, row(left="2025-06-30")).then(
        AccountOpened(KPJ, ANI, "PU", "2025-01-15"), STARTED, ENDED
    )


def test_a_self_employed_holder_has_no_employer() -> None:
    given(None).when(decide_register, ANI, row(segment="BPU", npp=0)).then(
        AccountOpened(KPJ, ANI, "BPU", "2025-01-15"), started("BPU", "2025-01", day="2025-01-15")
    )


@pytest.mark.parametrize("joined", ["2025-01-15", "2025-01-31"])
def test_a_membership_of_the_joining_month_is_there_already(joined: str) -> None:
    given(card()).when(decide_register, ANI, row(joined)).then()
    given(card(until="2025-06")).when(decide_register, ANI, row(joined)).then()


def test_a_leaving_date_ends_the_membership_once() -> None:
    given(card()).when(decide_register, ANI, row(left="2025-06-30")).then(ENDED)
    given(card(until="2025-06")).when(decide_register, ANI, row(left="2025-06-30")).then()


@pytest.mark.parametrize(
    ("until", "joined", "left"),
    [
        ("2025-06", "2025-01-15", "2025-08-30"),
        ("2025-06", "2025-01-15", "2025-05-30"),
        ("2025-06", "2025-05-01", ""),
        ("2025-06", "2024-11-01", "2025-02-01"),
        ("", "2025-09-01", ""),
        ("", "2025-03-01", "2025-06-30"),
        ("", "2024-11-01", ""),
    ],
)
def test_dates_that_do_not_fit_the_recorded_membership_are_refused(until: str, joined: str, left: str) -> None:
    given(card(until=until)).when(decide_register, ANI, row(joined, left)).refused("membership-conflict")


def test_somebody_may_come_back_in_the_month_he_left() -> None:
    again = started("PU", "2025-06", "10000001", "2025-06-20")
    given(card(until="2025-06")).when(decide_register, ANI, row("2025-06-20")).then(again)
    given(card("2025-06")).when(decide_register, ANI, row(left="2025-06-10")).then(
        STARTED, ended("PU", "2025-01", "2025-06", "10000001", day="2025-06-10")
    )


def test_of_two_memberships_that_last_the_named_one_ends() -> None:
    both = Card(CARD, ANI, "PMI", (Membership(0, "PMI", 24302, 0), Membership(0, "BPU", 24300, 0)))
    given(both).when(decide_register, ANI, row(left="2025-06-30", segment="BPU", npp=0)).then(
        ended("BPU", "2025-01", "2025-06", day="2025-06-30")
    )


def test_coming_back_later_starts_another_membership() -> None:
    given(card(until="2025-06")).when(decide_register, ANI, row("2025-09-01")).then(
        started("PU", "2025-09", "10000001", "2025-09-01")
    )


def test_another_employer_starts_another_membership_of_the_same_card() -> None:
    given(card()).when(decide_register, ANI, row("2025-09-01", npp=10000002)).then(
        started("PU", "2025-09", "10000002", "2025-09-01")
    )


def test_another_segment_is_told_before_its_membership() -> None:
    given(card()).when(decide_register, ANI, row("2025-09-01", segment="BPU", npp=0)).then(
        SegmentChanged("BPU", "2025-09"), started("BPU", "2025-09", day="2025-09-01")
    )


def test_the_card_of_another_person_is_refused() -> None:
    given(card()).when(decide_register, BUDI, row()).refused("kpj-of-another-person")


@pytest.mark.parametrize(
    ("wrong", "known", "code", "column"),
    [
        (row(birth="2026-11-22"), True, "birth-date-impossible", "birth_date"),
        (row(birth="1906-11-20"), True, "birth-date-impossible", "birth_date"),
        (row("2026-11-22"), True, "date-in-future", "registered_on"),
        (row(), False, "employer-unknown", "npp"),
        (row(npp=0), True, "npp-missing", "npp"),
        (row(segment="BPU"), True, "npp-not-for-segment", "npp"),
        (row(segment="PMI"), True, "npp-not-for-segment", "npp"),
        (row(left="2025-01-14"), True, "left-before-joined", "left_on"),
    ],
)
def test_a_row_that_cannot_be_is_refused_at_its_column(
    wrong: Registration, known: bool, code: str, column: str
) -> None:
    found = check_registration(
        wrong, employer_known=known, today=day_number(TODAY), oldest_birth=day_number("1906-11-21")
    )
    assert found is not None
    assert (found.code, found.column, found.line) == (code, column, 7)


def test_a_row_that_can_be_is_not_refused() -> None:
    today = day_number(TODAY)
    assert check_registration(row(), employer_known=True, today=today, oldest_birth=day_number("1906-11-21")) is None
