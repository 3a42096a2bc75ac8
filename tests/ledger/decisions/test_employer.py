"""Decisions about employers."""

from __future__ import annotations

from ledger.decisions.employer import Employer, decide_register
from tests.conftest import TODAY
from tests.scenario import given

ONE = Employer("10000001", "PT Satu", "2025-01-02")


def test_an_unknown_employer_is_registered() -> None:
    assert decide_register(None, ONE, TODAY)


def test_the_same_employer_again_is_there_already() -> None:
    assert not decide_register(ONE, ONE, TODAY)


def test_another_name_or_date_is_a_conflict() -> None:
    given(ONE).when(decide_register, Employer("10000001", "PT Dua", "2025-01-02"), TODAY).refused("employer-conflict")
    given(ONE).when(decide_register, Employer("10000001", "PT Satu", "2025-01-03"), TODAY).refused("employer-conflict")
    given(ONE._replace(name=None)).when(decide_register, ONE, TODAY).refused("employer-conflict")


def test_a_registration_in_the_future_is_refused() -> None:
    given(None).when(decide_register, Employer("1", "PT", "2026-11-22"), TODAY).refused("date-in-future")
