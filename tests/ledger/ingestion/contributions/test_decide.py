"""What becomes of a contributions file, on both stores: posted, already there, suspended, refused."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from ledger.acts import scheme as acts
from ledger.events import Line, LinesSuspended, Rates, RuleIds, SuspendedLine, SuspenseReleased
from ledger.ingestion.readers.typed import FAST_FROM
from ledger.money import round_half_up
from ledger.receipt import Header
from ledger.settings import Settings
from ledger.store.codec import decode, encode, state_json
from ledger.store.log import Log
from ledger.store.suspense import suspense_page
from tests import facts
from tests.conftest import NOW
from tests.office import NPP, OTHER_NPP, Office, csv_of, line, nik, only, person, problems

A, B, C = "12345678901", "12345678902", "12345678903"


@pytest.fixture
def office(log: Log) -> Iterator[Office]:
    opened = Office(log)
    opened.employers(NPP, OTHER_NPP)
    opened.workers(A, B)
    yield opened
    opened.close()


def test_shares_are_37_and_20_per_mille_of_wage_and_back_pay_each_rounded_half_up(office: Office) -> None:
    receipt = office.contribute(line(A), line(B, 1_000_000, back_pay=25))
    (event,) = office.remittance()
    assert event.fact == facts.posted(
        [Line(A, 5_000_000, 0, 185_000, 100_000), Line(B, 1_000_000, 25, 37_001, 20_001)],
        reference="TRX-1",
        rules=RuleIds("pu-pp46-2015"),
    )
    assert (event.by, event.channel, event.request) == ("test", "test", "r1")
    assert receipt.totals["posted"] == 2
    assert receipt.problems == []
    assert receipt.last_position == event.position


def test_the_same_file_again_changes_nothing_and_says_so(office: Office) -> None:
    office.contribute(line(A), line(B))
    head = office.log.head()
    receipt = office.contribute(line(A), line(B))
    assert (receipt.totals["already"], receipt.totals["posted"], receipt.changed) == (2, 0, False)
    assert office.log.head() == head


def test_a_file_in_halves_ends_as_the_whole_file(office: Office) -> None:
    office.contribute(line(A))
    receipt = office.contribute(line(B), line(A))
    assert (receipt.totals["already"], receipt.totals["posted"]) == (1, 1)
    lines = [posted.kpj for event in office.remittance() for posted in event.fact.lines]  # type: ignore[attr-defined]
    assert lines == [A, B]


def test_other_amounts_of_the_same_kind_are_a_conflict_that_names_both(office: Office) -> None:
    office.contribute(line(A))
    receipt = office.contribute(line(A, 6_000_000), line(B))
    problem = only(receipt)
    assert problem.code == "line-conflict"
    assert "Rp185.000 + Rp100.000" in problem.say("id")
    assert "Rp222.000 + Rp120.000" in problem.say("en")
    assert (receipt.totals["refused"], receipt.totals["posted"]) == (1, 1)


def test_a_supplement_posts_beside_the_regular_line_and_counts_no_second_month(office: Office) -> None:
    office.contribute(line(A))
    office.contribute(line(A, 0, back_pay=1_000_000, kind="supplement"))
    (_, event) = office.remittance()
    assert list(event.fact.lines) == [Line(A, 0, 1_000_000, 37_000, 20_000, months=0)]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ([line(C)], "account-unknown"),
        ([line(A, month="2024-12", paid_on="2025-01-14")], "no-membership"),
        ([line(A, npp=OTHER_NPP)], "no-membership"),
        ([line(A, employer=185_002, worker=100_000)], "amounts-disagree"),
        ([line(A, employer=185_000, worker=99_998)], "amounts-disagree"),
        ([line(A, "", employer=185_000, worker=100_000)], "wage-missing"),
        ([line(A, nik=nik(2))], "nik-differs"),
        ([line(A, nik="", name="Siti Aminah")], "name-differs"),
    ],
)
def test_what_can_be_read_as_money_is_held_not_refused(
    office: Office, rows: list[dict[str, object]], reason: str
) -> None:
    receipt = office.contribute(*rows, line(B))
    assert receipt.totals["suspended"] == 1
    assert receipt.totals["posted"] == 1
    assert only(receipt).code == reason
    assert only(receipt).line == 2
    with office.log.database.read() as tx:
        (case,) = suspense_page(tx)
    assert case.reason == reason
    assert case.employer + case.worker > 0


def test_nik_and_name_of_the_holder_post_and_a_spelling_is_only_a_warning(office: Office) -> None:
    receipt = office.contribute(line(A, nik=nik(1), name="BUDI SANTOSA"), line(B, nik="", name="budi santoso 2"))
    assert receipt.totals["posted"] == 2
    assert problems(receipt) == [("warning", "name-spelled-differently", 2, "name")]


def test_a_share_off_by_one_rupiah_is_posted_as_received_with_a_warning(office: Office) -> None:
    receipt = office.contribute(line(A, employer=185_001, worker=99_999))
    assert problems(receipt) == [("warning", "amount-rounded", 2, "worker")]
    (event,) = office.remittance()
    assert list(event.fact.lines) == [Line(A, 5_000_000, 0, 185_001, 99_999)]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("rows", "code", "column"),
    [
        ([line(A), line(A)], "worker-twice", "kpj"),
        ([line(A, npp="10000009")], "employer-unknown", "npp"),
        ([line(A, month="2014-01")], "month-without-rule", "month"),
        ([line(A, month="2027-02")], "month-in-future", "month"),
        ([line(A, paid_on="2026-11-22")], "paid-in-future", "paid_on"),
        ([line(A, paid_on="2026-08-31")], "paid-too-early", "paid_on"),
        ([line(A, month="2016-05", paid_on="2016-06-10")], "paid-too-old", "paid_on"),
        ([line(A, month="2024-09", paid_on="2024-10-31")], "paid-too-old", "paid_on"),
        ([line(A, 10_000_000_001)], "amount-absurd", "wage"),
        ([line(A, kind="correction")], "reason-missing", "kind"),
        ([line(A, -5)], "number-negative", "wage"),
        ([line(A, "5.000.000")], "number-unreadable", "wage"),
        ([line(A, "5e6")], "number-unreadable", "wage"),
        ([line(A, "5000000.50")], "number-fraction", "wage"),
        ([line(A, "lima juta")], "number-unreadable", "wage"),
        ([line(A, paid_on="14-11-2026")], "date-unreadable", "paid_on"),
        ([line("123")], "kpj-unreadable", "kpj"),
    ],
)
def test_what_cannot_be_read_refuses_that_remittance_whole_and_only_that(
    office: Office, rows: list[dict[str, object]], code: str, column: str
) -> None:
    receipt = office.contribute(*rows, line(B, month=rows[0]["month"], npp=rows[0]["npp"], paid_on=rows[0]["paid_on"]),
                                line(B, month="2026-09"))  # fmt: skip
    verdict, found, at, where = problems(receipt)[0]
    assert (verdict, found, where) == ("refused", code, column)
    assert at == 1 + len(rows)
    assert receipt.totals["posted"] == 1
    assert receipt.totals["refused"] == len(rows) + 1
    assert office.remittance(str(rows[0]["month"]), str(rows[0]["npp"])) == []
    assert len(office.remittance("2026-09")) == 1


def test_a_correction_needs_a_reason_and_then_posts(office: Office) -> None:
    receipt = office.contribute(line(A, kind="correction"), reason="wrong-amount")
    assert receipt.totals["posted"] == 1
    (event,) = office.remittance()
    assert event.reason == "wrong-amount"


def test_an_early_paid_date_is_taken_with_the_backdate_scope_and_listed(office: Office) -> None:
    receipt = office.contribute(line(A, paid_on="2026-08-31"), backdate=True)
    assert receipt.totals["posted"] == 1
    assert problems(receipt) == [("warning", "paid-backdated", 2, "paid_on")]


def test_a_paid_date_of_the_last_two_years_needs_no_scope(office: Office) -> None:
    assert office.contribute(
        line(A, month="2025-01", paid_on="2024-12-31"), line(B, month="2024-10", paid_on="2024-11-01")
    )
    assert [len(office.remittance(month)) for month in ("2025-01", "2024-10")] == [1, 1]


def test_an_old_paid_date_is_taken_with_the_backdate_scope_and_listed(office: Office) -> None:
    receipt = office.contribute(line(A, month="2016-05", paid_on="2016-06-10"), line(B), backdate=True)
    assert ("warning", "paid-long-ago", 2, "paid_on") in problems(receipt)
    assert receipt.totals["refused"] == 0


def test_a_paid_date_in_a_declared_year_needs_the_scope_and_says_what_it_brings(office: Office) -> None:
    who = Header("test", "test")
    late = line(A, month="2025-05", paid_on="2025-06-20"), line(B, month="2025-11", paid_on="2025-12-31")
    acts.start(office.log, 2024, who, lambda: NOW)
    acts.declare(office.log, 2024, Rates(50_000, 50_000), "x", who, lambda: NOW)
    assert office.contribute(*late, request="open", dry_run=True).totals["posted"] == 2
    acts.declare(office.log, 2025, Rates(57_000, 57_000), "x", who, lambda: NOW)
    refused = office.contribute(*late, request="without")
    assert [(one[0], one[1]) for one in problems(refused)] == [("refused", "paid-year-declared")] * 2
    assert not office.remittance("2025-05")
    # The first day after it needs none; an older day is refused for its age.
    assert office.contribute(line(A, month="2025-12", paid_on="2026-01-01"), request="new").totals["posted"] == 1
    old = office.contribute(line(A, month="2023-11", paid_on="2023-12-31"), request="older")
    assert ("refused", "paid-too-old") in [one[:2] for one in problems(old)]
    taken = office.contribute(*late, request="with", backdate=True)
    (told,) = [one for one in taken.problems if one.problem.code == "paid-changes-yield"]
    # 285,000 x 6 months at 5.7 %; what was paid in December earns from January on.
    assert told.problem.details == {"lines": 2, "year": 2025, "earned": "Rp8.123"}
    assert taken.totals["posted"] == 2
    assert "Rp8.123" in told.problem.say("en")


def test_a_line_without_money_is_refused_alone(office: Office) -> None:
    receipt = office.contribute(line(A, 0), line(B))
    assert problems(receipt) == [("refused", "no-money", 2, "")]
    assert receipt.totals["posted"] == 1


def test_a_reference_that_is_a_nik_is_not_kept(office: Office) -> None:
    receipt = office.contribute(line(A, reference=nik(7)))
    assert problems(receipt) == [("warning", "reference-dropped", 2, "reference")]
    (event,) = office.remittance()
    assert event.fact.reference == ""  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("segment", "changes", "expected"),
    [
        ("BPU", {"wage": 2_000_000, "worker": 40_000}, ("posted", 40_000)),
        ("BPU", {"wage": 3_000_000, "worker": ""}, ("posted", 59_000)),
        ("BPU", {"wage": 3_000_000, "worker": 60_000}, ("suspended", 60_000)),
        ("PMI", {"wage": "", "worker": 200_000}, ("posted", 200_000)),
        ("PMI", {"wage": "", "worker": 250_000}, ("suspended", 250_000)),
    ],
)
def test_those_who_pay_for_themselves_pay_their_band_or_choice(
    office: Office, segment: str, changes: dict[str, object], expected: tuple[str, int]
) -> None:
    office.register(person(C, 3, segment=segment, npp=""))
    receipt = office.contribute(line(C, npp="", **changes))
    verdict, worker = expected
    assert receipt.totals[verdict] == 1
    (event,) = office.log.events(f"remittance-p:{C}:2026-10")
    assert event.fact.lines[0].worker == worker  # type: ignore[attr-defined]


def test_rows_of_one_remittance_may_be_scattered_in_a_file(office: Office) -> None:
    receipt = office.contribute(line(A), line(A, month="2026-09"), line(B), line(B, month="2026-09"))
    assert receipt.totals["posted"] == 4
    assert len(office.remittance()) == len(office.remittance("2026-09")) == 1


def test_lines_with_other_paid_dates_or_references_are_events_of_their_own(office: Office) -> None:
    office.contribute(line(A), line(B, paid_on="2026-11-13"))
    assert sorted(event.fact.paid_on for event in office.remittance()) == ["2026-11-13", "2026-11-14"]  # type: ignore[attr-defined]


def test_a_large_remittance_is_several_events_of_a_thousand_lines(office: Office) -> None:
    kpjs = [f"{20_000_000_000 + i}" for i in range(2_500)]
    office.register(*(person(kpj, i) for i, kpj in enumerate(kpjs, 10)))
    receipt = office.contribute(*(line(kpj) for kpj in kpjs))
    assert receipt.totals["posted"] == 2_500
    assert [len(event.fact.lines) for event in office.remittance()] == [1_000, 1_000, 500]  # type: ignore[attr-defined]


def test_lines_encoded_a_column_at_a_time_are_stored_as_those_encoded_one_by_one(office: Office) -> None:
    kpjs = [f"{i:011d}" if i % 2 else f"KB{i:05d}" for i in range(FAST_FROM)]
    office.register(*(person(kpj, i) for i, kpj in enumerate(kpjs, 10)), old_cards=True)
    wages = [(0, 1_000_000) if i % 7 == 0 else (1_000_000 + i, 0 if i % 3 else 25) for i in range(len(kpjs))]
    office.contribute(*(line(kpj, wage, back_pay=back) for kpj, (wage, back) in zip(kpjs, wages, strict=True)))
    rows = [row for row in office.log.read(0, 10_000) if row.stream.startswith("remittance")]
    (event,) = map(decode, rows)
    assert [state_json(row.state) for row in rows] == [state_json(encode(event))]
    shares = [(round_half_up((a + b) * 37, 1000), round_half_up((a + b) * 20, 1000)) for a, b in wages]
    expected = [Line(kpj, *wage, *share) for kpj, wage, share in zip(kpjs, wages, shares, strict=True)]
    assert list(event.fact.lines) == expected  # type: ignore[attr-defined]


def test_in_a_large_remittance_only_the_lines_of_unknown_cards_wait(office: Office) -> None:
    kpjs = [f"{20_000_000_000 + i}" for i in range(FAST_FROM)]
    strangers = kpjs[::50]
    office.register(*(person(kpj, i) for i, kpj in enumerate(kpjs, 10) if kpj not in strangers))
    office.register(person(C, 9, npp=OTHER_NPP))
    office.contribute(line(C, npp=OTHER_NPP), *map(line, kpjs[::-1]), line(A, npp=OTHER_NPP))
    posted, held = (event.fact for event in office.remittance())
    assert [one.kpj for one in posted.lines] == [kpj for kpj in kpjs[::-1] if kpj not in strangers]  # type: ignore[attr-defined]
    assert [one.kpj for one in held.lines] == strangers[::-1]  # type: ignore[attr-defined]
    assert [[one.kpj for one in event.fact.lines] for event in office.remittance(npp=OTHER_NPP)] == [[C], [A]]  # type: ignore[attr-defined]


def test_a_later_registration_releases_its_lines_by_itself_with_the_original_paid_date(
    office: Office,
) -> None:
    office.contribute(line(C), line(A))
    office.register(person(C, 3))
    *_, event = office.remittance()
    assert isinstance(event.fact, SuspenseReleased)
    assert (event.fact.month, event.fact.paid_on) == ("2026-10", "2026-11-14")
    assert [(one.kpj, one.employer, one.months) for one in event.fact.lines] == [(C, 185_000, 1)]
    with office.log.database.read() as tx:
        assert suspense_page(tx) == []
    assert office.contribute(line(C), line(A)).totals["already"] == 2


def test_money_that_still_has_no_membership_goes_on_waiting(office: Office) -> None:
    office.contribute(line(C, month="2024-12", paid_on="2025-01-14"))
    office.register(person(C, 3))
    (event,) = office.remittance("2024-12")
    assert isinstance(event.fact, LinesSuspended)
    assert list(event.fact.lines) == [SuspendedLine(C, 5_000_000, 0, 185_000, 100_000, reason="account-unknown")]


def test_a_dry_run_decides_everything_and_writes_nothing(office: Office) -> None:
    head = office.log.head()
    receipt = office.contribute(line(A), line(C), line(B, npp="10000009"), dry_run=True)
    assert (receipt.totals["posted"], receipt.totals["suspended"], receipt.totals["refused"]) == (1, 1, 1)
    assert office.log.head() == head


def test_today_is_the_date_in_jakarta(office: Office) -> None:
    office.now = datetime(2026, 11, 21, 17, 30, tzinfo=UTC)
    assert office.contribute(line(A, paid_on="2026-11-22")).totals["posted"] == 1


def test_the_same_file_by_many_at_once_is_posted_once(settings: Settings, office: Office) -> None:
    kpjs = [f"{30_000_000_000 + i}" for i in range(300)]
    office.register(*(person(kpj, i) for i, kpj in enumerate(kpjs, 10)))
    names = ("npp", "month", "kpj", "wage", "paid_on")
    rows = [line(kpj, month=f"2026-{8 + i % 3:02d}") for i, kpj in enumerate(kpjs)]
    body = csv_of(names, [{name: row[name] for name in names} for row in rows])
    logs = [Log.open(settings) for _ in range(3)]
    offices = [Office(log) for log in logs]
    receipts = []

    def run(one: Office) -> None:
        receipts.append(one.ingest("contributions", body))

    threads = [threading.Thread(target=run, args=(one,)) for one in offices for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for one, opened in zip(offices, logs, strict=True):
        one.close()
        opened.close()
    assert sum(receipt.totals["posted"] for receipt in receipts) == 300
    assert sum(receipt.totals["already"] for receipt in receipts) == 5 * 300
    posted = [
        one.kpj for month in (8, 9, 10) for event in office.remittance(f"2026-{month:02d}") for one in event.fact.lines
    ]  # type: ignore[attr-defined]
    assert sorted(posted) == kpjs
