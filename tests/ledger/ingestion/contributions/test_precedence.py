"""Why a line waits: each reason's edge, and which one is told where several hold."""

from __future__ import annotations

import pytest

from ledger.days import day_number
from ledger.decisions.card import Card, Membership
from ledger.identifiers import month_number
from tests.ledger.ingestion.contributions.verdict import Verdict, verdict
from tests.office import NPP, OTHER_NPP, line

KPJ = "26000000017"
POSTED, UNKNOWN, STRANGER = ("posted",), ("suspended", "account-unknown"), ("suspended", "no-membership")
BEFORE, DIFFERS, NO_WAGE = (
    ("suspended", "before-opening-balance"), ("suspended", "amounts-disagree"), ("suspended", "wage-missing"),
)  # fmt: skip
WRONG = {"employer": 1, "worker": 1}


def card(npp: str = NPP, since: str = "2025-01", until: str = "", opening: str = "", segment: str = "PU") -> Card:
    one = Membership(int(npp or 0), segment, month_number(since) or 0, (month_number(until) or 0) if until else 0)
    return Card(int(KPJ), "p", segment, (one,), opening=day_number(opening) if opening else 0)


@pytest.mark.parametrize(
    ("month", "since", "until", "expected"),
    [
        ("2026-09", "2026-10", "", STRANGER), ("2026-10", "2026-10", "", POSTED), ("2026-10", "2026-09", "", POSTED),
        ("2026-09", "2026-01", "2026-10", POSTED), ("2026-10", "2026-01", "2026-10", POSTED),
        ("2026-10", "2026-01", "2026-09", STRANGER), ("2026-10", "2026-10", "2026-10", POSTED),
    ],
)  # fmt: skip
@pytest.mark.parametrize("payer", [NPP, ""])
def test_a_membership_covers_its_first_and_last_month(
    month: str, since: str, until: str, expected: Verdict, payer: str
) -> None:
    own = {} if payer else {"npp": "", "wage": 1_000_000, "worker": 20_000}
    row = line(KPJ, month=month, **own)
    assert verdict(row, card(payer, since, until, segment="PU" if payer else "BPU")) == expected


@pytest.mark.parametrize(
    ("paid_on", "expected"), [("2026-09-30", BEFORE), ("2026-10-01", BEFORE), ("2026-10-02", POSTED), ("2026-11-21", POSTED)]
)  # fmt: skip
@pytest.mark.parametrize("payer", [NPP, ""])
def test_money_paid_on_the_day_of_an_opening_balance_or_before_may_be_part_of_it(
    paid_on: str, expected: Verdict, payer: str
) -> None:
    own = {} if payer else {"npp": "", "wage": 1_000_000}
    holder = card(payer, opening="2026-10-01", segment="PU" if payer else "BPU")
    assert verdict(line(KPJ, paid_on=paid_on, **own), holder) == expected


@pytest.mark.parametrize(
    ("holder", "changes", "expected"),
    [
        # A card that nobody knows, then one without membership, then an opening balance, then the amounts.
        (None, {}, UNKNOWN),
        (None, WRONG, UNKNOWN),
        (None, {"wage": "", **WRONG}, UNKNOWN),
        (card(OTHER_NPP), {}, STRANGER),
        (card(OTHER_NPP), WRONG, STRANGER),
        (card(OTHER_NPP, opening="2026-12-31"), {}, STRANGER),
        (card(opening="2026-12-31"), {}, BEFORE),
        (card(opening="2026-12-31"), WRONG, BEFORE),
        (card(opening="2026-12-31"), {"wage": "", **WRONG}, BEFORE),
        (card(), WRONG, DIFFERS),
        (card(), {"wage": "", **WRONG}, NO_WAGE),
        # No money is no line at all, whoever it is for.
        (None, {"wage": 0}, ("refused", "no-money")),
        (card(OTHER_NPP), {"wage": 0}, ("refused", "no-money")),
        # What is refused whole comes before everything that waits, in this order.
        (None, {"month": "2014-01", "paid_on": "2026-11-22"}, ("refused", "month-without-rule")),
        (None, {"month": "2027-02", "paid_on": "2026-11-22"}, ("refused", "month-in-future")),
        (None, {"month": "2014-01", "npp": "10000009"}, ("refused", "employer-unknown")),
        (None, {"wage": 10_000_000_001, "npp": "10000009"}, ("refused", "amount-absurd")),
        (None, {"wage": 10_000_000_001, "kind": "correction"}, ("refused", "reason-missing")),
    ],
)
def test_the_first_reason_in_the_order_of_precedence_is_told(
    holder: Card | None, changes: dict[str, object], expected: Verdict
) -> None:
    assert verdict(line(KPJ, **changes), holder) == expected


@pytest.mark.parametrize(
    ("segments", "income", "expected"),
    [
        (("BPU", "PMI"), 1_000_000, POSTED), (("BPU", "PMI"), "", POSTED), (("BPU",), "", NO_WAGE),
        (("PMI",), 1_000_000, POSTED),
    ],
)  # fmt: skip
def test_a_holders_own_payment_is_for_the_segment_that_the_card_has(
    segments: tuple[str, ...], income: object, expected: Verdict
) -> None:
    memberships = tuple(Membership(0, segment, 2025 * 12, 0) for segment in segments)
    holder = Card(int(KPJ), "p", segments[0], memberships)
    worker = 50_000 if income == "" or segments == ("PMI",) else ""
    assert verdict(line(KPJ, npp="", worker=worker) | {"wage": income}, holder) == expected
