"""Memberships end to end on both stores: each is ended by its own name, with the day and the kind of leaving."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ledger.decisions.card import Card, after_fact
from ledger.events import LEAVING, Fact, SegmentChanged
from ledger.identifiers import account_stream, card_number, own_remittance_stream
from ledger.store import account_index
from ledger.store.log import Log
from projections.generations import Store
from projections.projector import Projector
from projections.queries import Queries
from projections.results import MembershipRow
from tests import facts
from tests.conftest import NOW
from tests.office import NPP, REGISTRATION, Office, csv_of, line, only, person, problems

KPJ = "12345678901"


@pytest.fixture
def office(log: Log) -> Iterator[Office]:
    opened = Office(log)
    opened.employers(NPP)
    yield opened
    opened.close()


def own(segment: str, joined: str, **changes: object) -> dict[str, object]:
    return person(KPJ, segment=segment, npp="", registered_on=joined, **changes)


def register(office: Office, *rows: dict[str, object]) -> list[tuple[str, str, int, str]]:
    names = [*REGISTRATION, "left_on", "left_why"]
    return problems(office.ingest("registrations", csv_of(names, rows)))


def told(office: Office) -> list[Fact]:
    return [event.fact for event in office.log.events(account_stream(KPJ))]


def rows_of(office: Office) -> list[MembershipRow]:
    store = Store.open(office.log.settings)
    try:
        Projector(office.log, store, now=lambda: NOW).run_once()
        reader = Queries(office.log, store)
        try:
            return reader.memberships(card_number(KPJ))
        finally:
            reader.close()
    finally:
        store.close()


def test_a_bpu_membership_ends_while_pmi_is_open(office: Office) -> None:
    assert register(office, own("BPU", "2025-01-06"), own("PMI", "2025-03-04")) == []
    assert register(office, own("BPU", "2025-01-06", left_on="2026-08-20", left_why="berhenti usaha")) == []
    assert told(office)[-1] == facts.ended("BPU", "2025-01", "2026-08", day="2026-08-20", why="stopped")
    assert rows_of(office) == [
        MembershipRow("", "BPU", "2025-01", "2026-08", "2025-01-06", "2026-08-20", "stopped"),
        MembershipRow("", "PMI", "2025-03", "", "2025-03-04"),
    ]
    # The PMI payment still posts; one for a month before it waits.
    receipt = office.contribute(
        line(KPJ, "", npp="", month="2026-10", worker=50_000), line(KPJ, "", npp="", month="2025-02", worker=50_000)
    )
    assert receipt.totals["posted"] == 1
    posted = office.log.events(own_remittance_stream(KPJ, "2026-10"))[-1].fact
    assert getattr(posted, "segment", "") == "PMI"


def test_the_file_again_says_nothing_new(office: Office) -> None:
    rows = [own("BPU", "2025-01-06", left_on="2026-08-20", left_why="stopped"), own("PMI", "2025-03-04")]
    register(office, *rows)
    head = office.log.head()
    assert register(office, *rows) == []
    assert office.log.head() == head


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("", "unknown"), ("PHK", "laid-off"), ("mengundurkan diri", "resigned"), ("Kontrak_Berakhir", "contract-ended"),
        ("pensiun", "pension"), ("Meninggal Dunia", "died"), ("pindah", "moved"), *((name, name) for name in LEAVING),
    ],
)  # fmt: skip
def test_why_somebody_left_is_kept_with_the_day(office: Office, written: str, why: str) -> None:
    assert register(office, person(KPJ, left_on="2026-03-20", left_why=written)) == []
    assert told(office)[-1] == facts.ended("PU", "2025-01", "2026-03", NPP, day="2026-03-20", why=why)


def test_a_reason_for_leaving_that_is_not_known_or_has_no_day_is_refused(office: Office) -> None:
    found = register(office, person(KPJ, left_on="2026-03-20", left_why="bosan"), person(KPJ, left_why="resigned"))
    assert found == [("refused", "leaving-unknown", 2, "left_why"), ("refused", "cell-empty", 3, "left_on")]


def test_nobody_joins_before_birth(office: Office) -> None:
    assert only(office.register(person(KPJ, registered_on="1990-05-16"))).code == "joined-before-birth"
    assert office.register(person(KPJ, registered_on="1990-05-17")).totals["posted"] == 1


def test_a_card_is_read_back_as_it_was_written_whatever_its_segments() -> None:
    card: Card | None = Card(card_number(KPJ), "a" * 32, "PU")
    for fact in (
        facts.started("PU", "2025-01", NPP), facts.ended("PU", "2025-01", "2025-03", NPP), facts.started("BPU", "2025-04"),
        facts.started("PMI", "2025-05"), facts.ended("BPU", "2025-04", "2025-06"), SegmentChanged("PU", "2025-07"),
    ):  # fmt: skip
        card = after_fact(card, fact)
        assert card is not None
        assert account_index.card_of(account_index.row_of(card)) == card


def test_the_account_index_is_what_the_log_says(office: Office) -> None:
    register(office, own("BPU", "2025-01-06"), own("PMI", "2025-03-04"), own("BPU", "2025-01-06", left_on="2026-08-20"))
    assert office.log.check_account_index().differences == 0
    with office.log.database.read() as tx:
        (card,) = account_index.cards(tx, [card_number(KPJ)]).values()
    assert [(m.segment, bool(m.until)) for m in card.memberships] == [("PMI", False), ("BPU", True)]
