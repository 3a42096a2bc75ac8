"""A record that cannot be read concerns only whom it names: everybody else's money goes on, and what to do is said."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ledger.acts.reversal import Target
from ledger.errors import BrokenLog, sentences
from ledger.ingestion.readers.reading import Source, read
from ledger.receipt import Header
from ledger.store import account_index
from ledger.store.log import Log
from ledger.store.suspense import suspense_page
from projections.generations import Store
from projections.projector import Projector
from projections.queries import Queries
from projections.rebuild import rebuild
from tests.conftest import TODAY
from tests.office import CONTRIBUTION, NPP, OTHER_NPP, Office, csv_of, line, nik, opening, person, problems

A, B, C, D = "26000000017", "26000000025", "26000000033", "26000000041"
BROKEN = f"remittance-e:{NPP}:2026-10"


@pytest.fixture
def office(log: Log) -> Iterator[Office]:
    """Two employers with a month each; the first one's stream is cut short in the store."""
    opened = Office(log)
    opened.employers(NPP, OTHER_NPP)
    opened.register(person(A, 1), person(B, 2, npp=OTHER_NPP))
    opened.contribute(line(A), line(C, npp=OTHER_NPP), line(D))
    cut(log, BROKEN)
    yield opened
    opened.close()


def cut(log: Log, stream: str, version: int = 1) -> None:
    """Leave only the beginning of a stream's record, as a torn page does."""
    with log.database.write() as tx:
        where = "where originator_id = ? and originator_version = ?"
        ((state,),) = tx.rows(f"select state from {log.table} {where}", [stream, version])
        tx.run(f"update {log.table} set state = ? {where}", [bytes(state)[:60], stream, version])


def sound(number: int) -> dict[str, object]:
    return line(B, npp=OTHER_NPP, month=f"2026-0{number}", reference=f"S{number}")


def test_in_a_file_only_its_own_lines_are_refused(office: Office) -> None:
    receipt = office.contribute(line(A, reference="T2"), sound(8), sound(9), request="r2")
    assert problems(receipt) == [("refused", "log-broken", 2, "")]
    assert (receipt.totals["posted"], receipt.totals["refused"]) == (2, 1)


def test_in_a_large_file_too(office: Office) -> None:
    rows = [line(A, reference="T2"), *(line(f"2700000{n:04d}", npp=OTHER_NPP, month="2026-08") for n in range(2_100))]
    receipt = office.contribute(*rows, request="r2")
    assert (receipt.totals["refused"], receipt.totals["suspended"]) == (1, 2_100)


def test_in_a_group_commit_the_others_are_taken(office: Office) -> None:
    header = Header("test", "test", "g")
    tables = [
        read(Source.of(csv_of(CONTRIBUTION, [row])), "contributions")
        for row in (line(A, reference="T2"), sound(7), sound(8))
    ]
    receipts = [one.result() for one in [office.door.submit(table, header) for table in tables]]
    assert [receipt.totals["posted"] for receipt in receipts] == [0, 1, 1]


def test_registrations_release_what_others_have_waiting(office: Office) -> None:
    receipt = office.register(person(C, 3, npp=OTHER_NPP), person(D, 4))
    assert receipt.problems == []
    with office.log.database.read() as tx:
        assert [case.card for case in suspense_page(tx)] == [int(D)]


def test_a_reversal_of_its_own_says_what_to_do_and_takes_nothing(office: Office) -> None:
    head = office.log.head()
    with pytest.raises(BrokenLog) as broken:
        office.door.reverse(Target(stream=BROKEN), Header("o", "office", "", "wrong-amount"))
    assert broken.value.code == "log-broken"
    assert office.log.head() == head
    assert "jht rebuild" in sentences()["log-broken"].en
    assert "jht rebuild" in sentences()["log-broken"].id


def everybody_else(office: Office) -> None:
    """Whatever the rows of A, NPP and their streams say, every act goes on for the other employer and its worker."""
    log, number = office.log, office.log.head()
    rows = [{"npp": npp, "name": f"PT {npp}", "registered_on": "2024-01-02"} for npp in (NPP, OTHER_NPP, "10000003")]
    told = office.ingest("employers", csv_of(("npp", "name", "registered_on"), rows)).problems
    assert {one.problem.code for one in told} <= {"log-broken"}
    assert {one.problem.line for one in told} <= {2}
    told = office.register(
        person(A, 1), person(B, 2, npp=OTHER_NPP), person(f"2700{number:07d}", 1000 + number)
    ).problems
    assert {(one.problem.code, one.problem.line) for one in told} <= {("log-broken", 2)}
    both = {"name": "Budi Santoso 2", "nik": nik(2)}
    month = f"2025-{1 + number % 12:02d}"
    own = line(B, npp=OTHER_NPP, month=month, paid_on="2026-01-05", reference=f"W{number}", **both)
    receipt = office.contribute(line(A, reference=f"W{number}"), own, request=f"w{number}")
    assert receipt.totals["posted"] >= 1
    assert [one.verdict for one in receipt.problems if one.problem.line == 3] == []
    told = office.openings(opening(A), opening(B, as_of="2024-12-31")).problems
    assert [one.problem.code for one in told if one.problem.line == 3] == []
    back = office.door.reverse(Target(receipt=f"w{number}"), Header("o", "office", f"b{number}", "paid-twice"))
    assert back.totals["posted"] >= 1
    assert {one.problem.code for one in back.problems} <= {"log-broken"}
    assert log.check_account_index().differences == 0
    store = Store.open(log.settings)
    reader = Queries(log, store)
    try:
        Projector(log, store, now=lambda: office.now).run_once()
        rebuild(log, store, ["balances"], accept_differences=True)
        assert reader.balance(int(B), TODAY, office.now).total == 1_590_000
    finally:
        reader.close()
        store.close()


def test_a_broken_record_of_any_stream_holds_up_nobody_else(log: Log) -> None:
    """One after the other an employer, a card, a person, a request and an own payment become unreadable."""
    office = Office(log)
    office.employers(NPP, OTHER_NPP)
    office.register(person(A, 1), person(B, 2, npp=OTHER_NPP), person(C, 3, npp="", segment="BPU"))
    office.contribute(line(C, 1_000_000, npp="", worker=20_000), request="own")
    with log.database.read() as tx:
        who = account_index.cards(tx, [int(A)])[int(A)].person
    streams = [f"employer:{NPP}", f"account:{A}", f"person:{who}", f"remittance-p:{C}:2026-10"]
    for stream in streams:
        cut(log, stream)
        everybody_else(office)
    # Each was told to whom it names, with what to do.
    told = office.register(person(A, 1), person("26000000066", 1), person(D, 4, npp=OTHER_NPP)).problems
    assert [(one.problem.code, one.problem.line) for one in told] == [("log-broken", 2), ("log-broken", 3)]
    office.close()


def test_a_receipt_is_taken_back_but_for_the_stream_that_cannot_be_read(office: Office) -> None:
    office.contribute(line(A, month="2026-08"), sound(7), request="r8")
    # A further event in the first worker's month is torn: the upload is still found, its month cannot be read.
    office.contribute(line(A, month="2026-08", kind="supplement", reference="S"), request="r9")
    cut(office.log, f"remittance-e:{NPP}:2026-08", 2)
    receipt = office.door.reverse(Target(receipt="r8"), Header("o", "office", "b8", "paid-twice"))
    assert receipt.totals["posted"] == 1
    assert problems(receipt) == [("refused", "log-broken", 0, "")]
    assert sorted(outcome.code for outcome in receipt.outcomes) == ["", "log-broken"]
