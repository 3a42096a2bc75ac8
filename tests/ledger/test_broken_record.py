"""A record that cannot be read concerns only whom it names: everybody else's money goes on, and what to do is said."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ledger.acts.reversal import Target
from ledger.errors import BrokenLog, sentences
from ledger.ingestion.readers.reading import Source, read
from ledger.receipt import Header
from ledger.store.log import Log
from ledger.store.suspense import suspense_page
from tests.office import CONTRIBUTION, NPP, OTHER_NPP, Office, csv_of, line, person, problems

A, B, C, D = "26000000017", "26000000025", "26000000033", "26000000041"
BROKEN = f"remittance-e:{NPP}:2026-10"


@pytest.fixture
def office(log: Log) -> Iterator[Office]:
    """Two employers with a month each; the first one's stream is cut short in the store."""
    opened = Office(log)
    opened.employers(NPP, OTHER_NPP)
    opened.register(person(A, 1), person(B, 2, npp=OTHER_NPP))
    opened.contribute(line(A), line(C, npp=OTHER_NPP), line(D))
    with log.database.write() as tx:
        (state,) = tx.rows(
            f"select state from {log.table} where originator_id = ? and originator_version = 1", [BROKEN]
        )[0]
        tx.run(
            f"update {log.table} set state = ? where originator_id = ? and originator_version = 1",
            [bytes(state)[:120], BROKEN],
        )
    yield opened
    opened.close()


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
