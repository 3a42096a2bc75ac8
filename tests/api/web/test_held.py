"""Why money waits is told by its own cause: who has to act, and which amounts differ."""

from __future__ import annotations

import itertools

import pytest

from api.web.held import held_key
from api.web.words import LANGUAGES, words
from ledger.decisions.remittance import SUSPENSE_REASONS
from projections import month_grid
from projections.month_grid import FOREIGN, Part
from tests.api.web.facts import case, facts
from tests.conftest import TODAY
from tests.office import NPP

HEALS = {"account-unknown"}
"""What posts by itself without anybody's doing: the only money of which a member may be told to do nothing."""
NOTHING = {"id": "tidak perlu berbuat apa-apa", "en": "nothing you need to do"}


def held(reason: str, npp: str, base: int = 6_000_000) -> Part:
    waiting = case("2026-07", reason, npp)
    one = facts(cases=(waiting,), bases={waiting: base}, segment="PU" if npp else "BPU", npp=npp)
    (part,) = (p for year in month_grid.years([one], TODAY) for c in year.cells for p in c.parts if p.state == "held")
    return part


def said(part: Part, language: str) -> str:
    return words(language)(
        "saldo.held_" + held_key(part), paid="10 Oktober 2026", payer="PT Satu", received="Rp285.000",
        base="Rp6.000.000", expected="Rp342.000",
    )  # fmt: skip


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_cause_has_a_sentence_of_its_own_and_only_what_heals_asks_for_nothing(language: str) -> None:
    told = {reason: said(held(reason, NPP), language) for reason in SUSPENSE_REASONS}
    assert len(set(told.values())) == len(SUSPENSE_REASONS)
    for reason, npp in itertools.product(SUSPENSE_REASONS, (NPP, "")):
        sentence = said(held(reason, npp), language)
        assert (NOTHING[language] in sentence) == (reason in HEALS), sentence
        assert ("Rp285.000" in sentence) <= (reason not in FOREIGN), sentence


@pytest.mark.parametrize("npp", [NPP, ""])
def test_amounts_that_disagree_are_both_told_and_the_wage_they_follow_from(npp: str) -> None:
    part = held("amounts-disagree", npp)
    assert (part.amount, part.base) == (285_000, 6_000_000)
    assert part.expected == (342_000 if npp else 119_000)
    for amount in ("Rp285.000", "Rp6.000.000", "Rp342.000"):
        assert amount in said(part, "id")


def test_where_no_rule_makes_an_amount_of_the_wage_none_is_named() -> None:
    assert "Rp0" not in said(held("amounts-disagree", NPP, base=0), "id")
    assert held_key(held("amounts-disagree", NPP, base=0)) == "amounts-disagree_plain"
