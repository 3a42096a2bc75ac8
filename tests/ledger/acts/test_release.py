"""Money that waited posts by itself when it can, by an officer's decision where one is needed; on both stores."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ledger.acts.release import Place, release_line
from ledger.acts.reversal import Target
from ledger.decisions.remittance import Remittance
from ledger.errors import JhtError, Refused
from ledger.events import SuspenseReleased
from ledger.receipt import Header
from ledger.store import account_index
from ledger.store.log import Log
from ledger.store.suspense import suspense_page
from tests.office import NPP, OTHER_NPP, Office, line, nik, only, person, problems

A, B, C = "26000000017", "26000000025", "26000000033"
STREAM = f"remittance-e:{NPP}:2026-10"
OFFICER = Header("officer", "office", "rel1", "further-payment")


@pytest.fixture
def office(log: Log) -> Iterator[Office]:
    opened = Office(log)
    opened.employers(NPP, OTHER_NPP)
    opened.workers(A, B)
    yield opened
    opened.close()


def waiting(office: Office) -> list[tuple[int, str]]:
    with office.log.database.read() as tx:
        return [(case.card, case.reason) for case in suspense_page(tx)]


def state(office: Office) -> Remittance:
    return Remittance.of(STREAM, office.remittance())


def test_a_second_regular_payment_waits_until_an_officer_books_it_as_a_part(office: Office) -> None:
    office.contribute(line(A))
    receipt = office.contribute(line(A, reference="TRX-2"), request="r2")
    assert problems(receipt) == [("suspended", "second-payment", 2, "reference")]
    assert waiting(office) == [(int(A), "second-payment")]
    # Registering somebody does not set it free.
    office.register(person(C, 3))
    assert waiting(office) == [(int(A), "second-payment")]
    released = release_line(office.log, Place(STREAM, 2, 0), OFFICER, lambda: office.now)
    assert released.lines == 1
    event = office.remittance()[-1]
    assert isinstance(event.fact, SuspenseReleased)
    (posted,) = event.fact.lines
    assert (posted.part, posted.months, posted.event, event.reason) == (1, 0, 2, "further-payment")
    assert waiting(office) == []
    # The same file again finds both payments.
    assert office.contribute(line(A), request="r3").totals["already"] == 1
    assert office.contribute(line(A, reference="TRX-2"), request="r4").totals["already"] == 1


@pytest.mark.parametrize("files", [1, 2])
def test_a_second_payment_of_a_worker_nobody_knew_is_not_posted_by_the_registration(office: Office, files: int) -> None:
    both = [line(C), line(C, reference="TRX-2")]
    if files == 1:
        receipt = office.contribute(*both)
    else:
        office.contribute(both[0])
        receipt = office.contribute(both[1], request="r2")
    assert ("suspended", "second-payment", 4 - files, "reference") in problems(receipt)
    assert sorted(waiting(office)) == [(int(C), "account-unknown"), (int(C), "second-payment")]
    (second,) = [one for one in state(office).waiting() if one.reason == "second-payment"]
    place = Place(STREAM, *second.place)
    with pytest.raises(Refused) as refused:
        release_line(office.log, place, OFFICER, lambda: office.now)
    assert refused.value.problem.details["why"] == "account-unknown"
    office.register(person(C, 3))
    # As a fresh upload of both would: the first posts, the second waits for somebody's decision.
    assert waiting(office) == [(int(C), "second-payment")]
    assert release_line(office.log, place, OFFICER, lambda: office.now).lines == 1
    posted = [one.line for one in state(office).live()]
    assert [(one.part, one.months) for one in posted] == [(0, 1), (1, 0)]


def test_money_released_to_a_card_that_was_paid_already_is_its_next_payment(office: Office) -> None:
    right = Header("officer", "office", "", "right-card")
    office.contribute(line(B), line(C, reference="TRX-2"))
    office.contribute(line(B, 0, back_pay=1_000_000, kind="supplement"), request="r2")
    office.contribute(line(C, 0, back_pay=1_000_000, kind="supplement", reference="S2"), request="r3")
    for one in state(office).waiting():
        release_line(office.log, Place(STREAM, *one.place), right, lambda: office.now, B)
    live = [(one.under.kind, one.line.kpj, one.line.part) for one in state(office).live()]
    assert sorted(live) == [("regular", B, 0), ("regular", B, 1), ("supplement", B, 0), ("supplement", B, 1)]
    # The card it waited under has its number free again, and the other card's next payment is the third.
    office.contribute(line(C, reference="TRX-2"), request="r4")
    office.contribute(line(B, 0, back_pay=1_000_000, kind="supplement", reference="S3"), request="r5")
    live = [(one.under.kind, one.line.kpj, one.line.part) for one in state(office).live()]
    assert len(set(live)) == len(live)
    assert ("supplement", B, 2) in live


def test_a_second_payment_may_be_taken_back_instead(office: Office) -> None:
    office.contribute(line(A))
    office.contribute(line(A, reference="TRX-2"), request="r2")
    office.door.reverse(Target(receipt="r2"), Header("officer", "office", "rev", "paid-twice"))
    assert waiting(office) == []
    assert len(office.remittance()) == 3


def test_money_released_to_another_card_leaves_nothing_waiting(office: Office) -> None:
    office.contribute(line(C))
    released = release_line(
        office.log, Place(STREAM, 1, 0), Header("officer", "office", "", "right-card"), lambda: office.now, B
    )
    assert released.lines == 1
    (posted,) = office.remittance()[-1].fact.lines  # type: ignore[attr-defined]
    assert (posted.kpj, posted.waited_as) == (B, C)
    assert waiting(office) == []
    # Registered later, the mistyped card finds no money of its own.
    office.register(person(C, 3))
    assert len(office.remittance()) == 2


def test_release_is_idempotent_by_stream_version(office: Office) -> None:
    office.contribute(line(A))
    office.contribute(line(A, reference="TRX-2"), request="r2")
    release_line(office.log, Place(STREAM, 2, 0), OFFICER, lambda: office.now)
    with pytest.raises(JhtError) as refused:
        release_line(office.log, Place(STREAM, 2, 0), OFFICER, lambda: office.now)
    assert refused.value.code == "suspense-not-found"


@pytest.mark.parametrize(
    ("row", "reason", "kpj", "code"),
    [
        (line(C), "right-card", "", "suspense-not-releasable"),
        (line(C), "right-card", "99999999999", "suspense-not-releasable"),
        (line(A, employer=1, worker=1), "further-payment", "", "suspense-not-releasable"),
        (line(A, month="2024-12", paid_on="2026-11-01"), "further-payment", "", "suspense-not-releasable"),
        (line(C), "", "", "reason-missing"),
        (line(C), "because", "", "reason-unknown"),
    ],
)
def test_what_a_card_cannot_take_is_not_released_by_anybody(
    office: Office, row: dict[str, object], reason: str, kpj: str, code: str
) -> None:
    office.contribute(row)
    stream = f"remittance-e:{NPP}:{row['month']}"
    head = office.log.head()
    with pytest.raises(JhtError) as refused:
        release_line(office.log, Place(stream, 1, 0), Header("o", "office", "", reason), lambda: office.now, kpj)
    assert refused.value.code == code
    assert office.log.head() == head


def test_two_lines_that_wait_for_one_registration_are_released_together_and_count_the_month_once(
    office: Office,
) -> None:
    office.contribute(line(C), line(C, 0, back_pay=1_000_000, kind="supplement"), line(C, month="2026-09"))
    office.register(person(C, 3))
    months = [
        one.months
        for month in ("2026-10", "2026-09")
        for event in office.remittance(month)
        if isinstance(event.fact, SuspenseReleased)
        for one in event.fact.lines
    ]
    assert sorted(months) == [0, 1, 1]
    assert waiting(office) == []


def test_a_release_posts_exactly_what_a_fresh_upload_of_the_line_would(office: Office) -> None:
    rows = [
        line(C), line(C, 0, back_pay=1_000_000, kind="supplement", reference="S"),
        line(C, month="2026-09", employer=185_001, worker=99_999),
    ]  # fmt: skip
    office.contribute(*rows)
    office.register(person(C, 3))
    # The other employer's worker sends the same lines after the registration.
    office.register(person("26000000041", 4, npp=OTHER_NPP))
    office.contribute(*({**row, "kpj": "26000000041", "npp": OTHER_NPP} for row in rows), request="r2")
    for month in ("2026-10", "2026-09"):
        released = [x for e in office.remittance(month) if isinstance(e.fact, SuspenseReleased) for x in e.fact.lines]
        fresh = [x for e in office.remittance(month, OTHER_NPP) for x in e.fact.lines]  # type: ignore[attr-defined]
        amounts = ("wage", "back_pay", "employer", "worker", "epoch", "tambahan", "part", "months")
        assert sorted([getattr(x, name) for name in amounts] for x in released) == sorted(
            [getattr(x, name) for name in amounts] for x in fresh
        )


BPU = {"npp": "", "segment": "BPU"}


def own(kpj: str, income: int | str, worker: int, **changes: object) -> dict[str, object]:
    return {
        "npp": "",
        "month": "2026-10",
        "kpj": kpj,
        "wage": income,
        "worker": worker,
        "paid_on": "2026-11-03",
    } | changes


def test_a_holder_of_bpu_and_pmi_pays_for_both_in_one_month_and_nothing_waits(office: Office) -> None:
    office.register(person(C, 3, **BPU))
    office.register(person(C, 3, npp="", segment="PMI", registered_on="2025-03-02"))
    from ledger.rules import rules

    month = 2026 * 12 + 9
    bpu, pmi = rules().bpu_in(month), rules().pmi_in(month)
    assert bpu is not None
    assert pmi is not None
    income = 1_000_000
    amount = int(bpu.shares(_array(income))[1][0])
    chosen = int(pmi.nearest(_array(50_000))[0])
    receipt = office.contribute(own(C, income, amount), own(C, "", chosen))
    assert (receipt.totals["posted"], receipt.totals["suspended"]) == (2, 0), receipt.problems
    again = office.contribute(own(C, "", chosen), own(C, income, amount), request="r2")
    assert again.totals["already"] == 2
    events = office.log.events(f"remittance-p:{C}:2026-10")
    assert sorted(event.fact.segment for event in events) == ["BPU", "PMI"]  # type: ignore[attr-defined]
    assert sum(one.months for event in events for one in event.fact.lines) == 1  # type: ignore[attr-defined]


def _array(value: int):  # type: ignore[no-untyped-def]
    import numpy as np

    return np.array([value])


def test_ending_one_of_two_own_memberships_leaves_the_other(office: Office) -> None:
    office.register(person(C, 3, **BPU))
    office.register(person(C, 3, npp="", segment="PMI", registered_on="2025-03-02"))
    receipt = office.register(person(C, 3, **BPU, left_on="2026-06-30"))
    assert receipt.problems == []
    with office.log.database.read() as tx:
        card = account_index.cards(tx, [int(C)])[int(C)]
    assert card.membership(0, 2026 * 12 + 9, "PMI") is not None
    assert card.membership(0, 2026 * 12 + 9, "BPU") is None


def test_divisions_are_one_payer_whose_months_count_once(office: Office) -> None:
    office.contribute(line(A, division="1"))
    again = office.contribute(line(A, division="001"), request="r2")
    assert again.totals["already"] == 1
    other = office.contribute(line(A, division="002", reference="TRX-2", kind="supplement"), request="r3")
    assert other.totals["posted"] == 1
    lines = [one for event in office.remittance() for one in event.fact.lines]  # type: ignore[attr-defined]
    assert [one.months for one in lines] == [1, 0]
    assert [event.fact.division for event in office.remittance()] == ["001", "002"]  # type: ignore[attr-defined]


@pytest.mark.parametrize("kind", ["supplement", "correction"])
def test_further_supplements_and_corrections_are_parts_also_in_one_file(office: Office, kind: str) -> None:
    office.contribute(line(A))
    rows = [line(A, 1_000_000, kind=kind, reference=f"S{n}") for n in range(3)]
    first = office.contribute(*rows[:2], request="r2", reason="wrong-amount")
    assert (first.totals["posted"], first.problems) == (2, [])
    second = office.contribute(rows[2], request="r3", reason="wrong-amount")
    assert (second.totals["posted"], second.problems) == (1, [])
    parts = [x.part for e in office.remittance() for x in e.fact.lines if e.fact.kind == kind]  # type: ignore[attr-defined]
    assert parts == [0, 1, 2]
    twice = office.contribute(rows[0], rows[0], request="r4", reason="wrong-amount")
    assert only_code(twice) == "worker-twice"


def only_code(receipt: object) -> str:
    return next(told.problem.code for told in receipt.problems if told.problem.code != "remittance-has-bad-line")  # type: ignore[attr-defined]


def test_the_same_day_and_reference_with_other_amounts_is_a_conflict_that_names_both(office: Office) -> None:
    office.contribute(line(A, kind="supplement"))
    problem = only(office.contribute(line(A, 4_000_000, kind="supplement"), request="r2"))
    assert problem.code == "line-conflict"
    assert "Rp185.000" in str(problem.details["held"])
    assert "Rp148.000" in str(problem.details["sent"])


def test_money_of_a_nik_that_differs_is_released_after_a_look_at_the_papers(office: Office) -> None:
    receipt = office.contribute({**line(A), "nik": nik(77)})
    assert only(receipt).code == "nik-differs"
    released = release_line(
        office.log, Place(STREAM, 1, 0), Header("o", "office", "", "identity-checked"), lambda: office.now
    )
    assert released.lines == 1
