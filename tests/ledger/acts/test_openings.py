"""Opening balances taken back, replaced and recorded again, on both stores."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from ledger.acts.reversal import Target
from ledger.decisions.remittance import Remittance
from ledger.errors import Refused
from ledger.events import Base, OpeningBalanceRecorded, OpeningBalanceReversed, Payout
from ledger.identifiers import account_stream
from ledger.receipt import Header
from ledger.store.log import Log
from ledger.store.suspense import suspense_page
from tests.office import REGISTRATION, Office, csv_of, line, nik, only, opening, person, problems, staffed

A, B, C = "12345678901", "12345678902", "12345678903"
CARD = Target(kpj=A, kind="opening")
WHY = Header("clerk", "office", "rev1", "wrong-amount")


@pytest.fixture
def office(log: Log) -> Iterator[Office]:
    with staffed(log, A, B) as made:
        yield made


def names(office: Office, kpj: str = A) -> list[str]:
    return [event.fact.NAME.partition(".")[0] for event in office.log.events(account_stream(kpj))][2:]


def waiting(office: Office) -> list[tuple[int, str, int]]:
    with office.log.database.read() as tx:
        return [(case.card, case.reason, case.paid_on) for case in suspense_page(tx)]


def posted_now(office: Office, kpj: str = A, month: str = "2025-10") -> list[tuple[int, int]]:
    """(amount, part) of the posted live lines of a card."""
    state = Remittance.of("x", office.remittance(month))
    return [
        (one.line.employer + one.line.worker, one.line.part)
        for one in state.live()
        if not one.reason and one.line.kpj == kpj
    ]


def early(kpj: str = A, **changes: Any) -> dict[str, object]:
    """A payment before the opening balance's day."""
    return line(kpj, month="2025-10", paid_on="2025-11-14", **changes)


def test_every_column_of_the_file_is_recorded(office: Office) -> None:
    office.openings(
        opening(
            A, member_since="2010-05-01", source="OLD/1", tambahan=200_000, tambahan_yield=9_000, yield_through=2024,
            bases="2025:17000000:2400000", payouts="2022-05-10:1000000:partial-10; 2021-01-01:7:FULL",
        )
    )  # fmt: skip
    assert office.log.events(account_stream(A))[-1].fact == OpeningBalanceRecorded(
        as_of="2025-12-31", employer=1_000_000, worker=500_000, credited_yield=90_000, tambahan=200_000,
        tambahan_yield=9_000, months=12, member_since="2010-05-01", source="OLD/1", yield_through=2024,
        bases=(Base(2025, 17_000_000, 2_400_000),),
        payouts=(Payout("2021-01-01", 7, "full"), Payout("2022-05-10", 1_000_000, "partial-10")),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "code", "column"),
    [
        ({"yield_through": "1976"}, "year-unreadable", "yield_through"),
        ({"yield_through": "20245"}, "year-unreadable", "yield_through"),
        ({"bases": "2025"}, "bases-unreadable", "bases"),
        ({"bases": "2025:1;2025:2"}, "bases-unreadable", "bases"),
        ({"payouts": "2025-02-30:1:full"}, "payouts-unreadable", "payouts"),
        ({"payouts": "2025-02-03:1:gift"}, "payouts-unreadable", "payouts"),
        ({"payouts": "x" * 4001}, "text-too-long", "payouts"),
        ({"employer": 900_000_000_000_000}, "amount-absurd", "employer"),
        ({"yield_through": 2024, "tambahan": 5, "bases": "2025:17000000"}, "opening-bases-needed", "bases"),
        ({"yield_through": 2024}, "opening-bases-needed", "bases"),
    ],
)
def test_a_row_that_cannot_be_is_refused_alone(
    office: Office, changes: dict[str, object], code: str, column: str
) -> None:
    receipt = office.openings(opening(A, **changes), opening(B))
    assert problems(receipt) == [("refused", code, 2, column)]
    assert (receipt.totals["posted"], receipt.totals["refused"]) == (1, 1)


def test_an_old_opening_balance_is_taken_with_the_backdate_scope_and_listed(office: Office) -> None:
    assert only(office.openings(opening(A, as_of="2022-12-31"))).code == "opening-too-old"
    receipt = office.openings(opening(A, as_of="2022-12-31"), backdate=True)
    assert problems(receipt) == [("warning", "opening-backdated", 2, "as_of")]


def test_a_cards_opening_balance_is_taken_back_by_repeating_it(office: Office) -> None:
    office.openings(opening(A))
    receipt = office.door.reverse(CARD, WHY)
    event = office.log.events(account_stream(A))[-1]
    assert event.fact == OpeningBalanceReversed(
        as_of="2025-12-31", employer=1_000_000, worker=500_000, credited_yield=90_000, months=12, yield_through=2025,
        event=3,
    )  # fmt: skip
    assert (event.reason, event.by, event.request) == ("wrong-amount", "clerk", "rev1")
    assert (receipt.totals["posted"], receipt.last_position) == (1, event.position)
    again = office.door.reverse(CARD, WHY)
    assert (again.totals["posted"], again.totals["already"], again.last_position) == (0, 1, 0)


@pytest.mark.parametrize(
    "share",
    # Rp2.8 quadrillion; and one rupiah more than a card may begin with, each share alone being right.
    [
        {"employer": 1_400_000_000_000_000, "worker": 1_400_000_000_000_000},
        {"employer": 60 * 10**9, "worker": 40 * 10**9},
    ],
)
def test_a_balance_that_no_card_can_have_is_refused_and_the_right_one_can_still_be_taken_back(
    office: Office, share: dict[str, object]
) -> None:
    head = office.log.head()
    receipt = office.openings(opening(A, **share | {"credited_yield": 1}))
    assert {code for _, code, _, _ in problems(receipt)} == {"amount-absurd"}
    assert (receipt.totals["refused"], office.log.head()) == (1, head)
    assert office.openings(opening(A), request="r2").totals["posted"] == 1
    assert office.door.reverse(CARD, WHY).totals["posted"] == 1
    assert names(office) == ["opening-balance-recorded", "opening-balance-reversed"]


def test_a_dry_run_takes_nothing_back(office: Office) -> None:
    office.openings(opening(A))
    assert office.door.reverse(CARD, WHY, dry_run=True).totals["posted"] == 1
    assert names(office) == ["opening-balance-recorded"]


def test_an_upload_of_opening_balances_is_taken_back_whole_and_nothing_else(office: Office) -> None:
    office.openings(opening(A), opening(B, employer=2), request="first")
    office.openings(opening(B, employer=3), request="second", reason="wrong-amount", replace=True)
    receipt = office.door.reverse(Target(receipt="first"), WHY)
    assert (receipt.totals["posted"], receipt.totals["already"]) == (1, 1)
    assert names(office, B)[-1] == "opening-balance-recorded"
    assert office.door.reverse(Target(receipt="second", kpj=B), WHY).totals["posted"] == 1


@pytest.mark.parametrize(
    ("target", "code"),
    [
        (CARD, "opening-not-found"),
        (Target(kpj="99999999999", kind="opening"), "opening-not-found"),
        (Target(receipt="people"), "receipt-without-money"),
        (Target(receipt="balances", kind="regular"), "line-not-found"),
        (Target(receipt="balances", kpj=A), "line-not-found"),
        (Target(kind="opening"), "reversal-unclear"),
    ],
)
def test_what_holds_nothing_to_take_back_is_refused(office: Office, target: Target, code: str) -> None:
    office.ingest("registrations", csv_of(REGISTRATION, [person(C, 7)]), request="people")
    office.openings(opening(B), request="balances")
    with pytest.raises(Refused) as refused:
        office.door.reverse(target, WHY)
    assert refused.value.code == code


def test_a_replacement_is_one_append_with_its_reason(office: Office) -> None:
    office.openings(opening(A))
    assert only(office.openings(opening(A, employer=5))).code == "opening-conflict"
    receipt = office.openings(opening(A, employer=5), reason="wrong-amount", replace=True)
    *_, back, new = office.log.events(account_stream(A))
    assert [type(back.fact), type(new.fact)] == [OpeningBalanceReversed, OpeningBalanceRecorded]
    assert (back.recorded_at, new.position) == (new.recorded_at, back.position + 1)
    assert (back.reason, new.reason) == ("wrong-amount", "wrong-amount")
    assert (receipt.totals["posted"], receipt.last_position) == (1, new.position)
    again = office.openings(opening(A, employer=5), reason="wrong-amount", replace=True)
    assert (again.totals["already"], again.last_position) == (1, 0)


@pytest.mark.parametrize(("reason", "code"), [("", "reason-missing"), ("because", "reason-unknown")])
def test_a_replacement_without_a_reason_is_refused(office: Office, reason: str, code: str) -> None:
    with pytest.raises(Refused) as refused:
        office.openings(opening(A), reason=reason, replace=True)
    assert refused.value.code == code


def test_money_that_waited_only_for_the_opening_balance_posts_when_it_is_taken_back(office: Office) -> None:
    office.openings(opening(A))
    office.contribute(early(), early(C))
    assert sorted(reason for _, reason, _ in waiting(office)) == ["account-unknown", "before-opening-balance"]
    receipt = office.door.reverse(CARD, WHY)
    assert [reason for _, reason, _ in waiting(office)] == ["account-unknown"]
    assert posted_now(office) == [(285_000, 0)]
    assert receipt.last_position == office.log.head()


def test_another_persons_nik_keeps_the_money_waiting_when_the_opening_balance_goes(office: Office) -> None:
    office.openings(opening(A))
    office.contribute(early(nik=nik(2)), early(B, nik=nik(2)))
    assert [reason for _, reason, _ in waiting(office)] == ["nik-differs"]
    office.door.reverse(CARD, WHY)
    assert [reason for _, reason, _ in waiting(office)] == ["nik-differs"]
    assert posted_now(office) == []


def test_a_replacement_keeps_the_money_waiting_unless_its_day_is_earlier(office: Office) -> None:
    office.openings(opening(A))
    office.contribute(early())
    office.openings(opening(A, employer=5), reason="wrong-amount", replace=True)
    assert [reason for _, reason, _ in waiting(office)] == ["before-opening-balance"]
    office.openings(opening(A, as_of="2024-12-31"), reason="wrong-amount", replace=True)
    assert waiting(office) == []


def test_what_was_taken_back_is_recorded_again_and_the_money_it_freed_waits_again(office: Office) -> None:
    office.openings(opening(A), opening(B))
    office.contribute(early(), early(B), request="money")
    office.door.reverse(CARD, WHY)
    office.door.reverse(Target(kpj=B, kind="opening"), WHY)
    assert len(posted_now(office) + posted_now(office, B)) == 2
    receipt = office.openings(opening(A, employer=5), opening(B), request="again")
    assert (receipt.totals["posted"], receipt.totals["refused"]) == (2, 0)
    assert posted_now(office) + posted_now(office, B) == []
    assert [reason for _, reason, _ in waiting(office)] == ["before-opening-balance"] * 2
    # Once more, round and round: nothing is lost, nothing is counted twice.
    office.door.reverse(CARD, WHY)
    assert posted_now(office) == [(285_000, 0)]
    # The waiting line still belongs to the upload that brought its money, not to the opening balance's.
    assert office.door.reverse(Target(receipt="again"), WHY).totals["posted"] == 1
    back = office.door.reverse(Target(receipt="money"), WHY)
    assert back.totals["posted"] == 2
    assert waiting(office) == []


def test_money_that_no_opening_balance_held_still_keeps_one_out(office: Office) -> None:
    office.contribute(early())
    assert only(office.openings(opening(A))).code == "opening-after-payments"


def test_the_account_index_is_what_the_log_says_after_all_of_it(office: Office) -> None:
    office.openings(opening(A))
    office.contribute(early())
    office.door.reverse(CARD, WHY)
    office.openings(opening(A, employer=5))
    found = office.log.check_account_index()
    assert found.differences == 0
