"""Files that a program or a person altered on the way: a second table under the first, days and months turned around,
signs that a workbook writes in another way, digits of another script."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from ledger.errors import Refused
from ledger.fields import READERS
from ledger.ingestion.readers.reading import Source, read
from ledger.receipt import Receipt
from ledger.store.log import Log
from tests.ledger.ingestion.readers.books import Page, Raw, book
from tests.office import CONTRIBUTION, REGISTRATION, Office, csv_of, line, person, problems, staffed

A, B = "26000000017", "26000000025"
HEAD = list(CONTRIBUTION)
MANY = 600
"""Lines from which on a CSV file is read a column at a time."""


@pytest.fixture
def office(log: Log) -> Iterator[Office]:
    with staffed(log, A, B) as made:
        yield made


def row(kpj: str, head: list[str] | None = None, **cells: object) -> list[object]:
    values = line(kpj, **cells)
    return [values.get(name, "") for name in head or HEAD]


def file_of(form: str, rows: list[list[object]]) -> bytes:
    if form == "xlsx":
        return book(Page(rows))
    return "".join(",".join(map(str, one)) + "\n" for one in rows).encode()


SWAPPED = [{"wage": "back_pay", "back_pay": "wage"}.get(name, name) for name in HEAD]


@pytest.mark.parametrize("form", ["csv", "xlsx"])
@pytest.mark.parametrize("before", [1, MANY])
@pytest.mark.parametrize(
    "again",
    [
        SWAPPED,
        [name.upper() for name in SWAPPED],
        ["NPP", "BLTH", "NO KPJ", "RAPEL", "UPAH", *HEAD[5:]],
        ["", *HEAD[:-1]],
        [*HEAD[:-1], "name"],
        [*HEAD[:-1], "bonus"],
    ],
    ids=["swapped", "in capitals", "in Indonesian", "further to the right", "another column", "an unknown column"],
)
def test_a_second_table_of_other_columns_is_not_read_under_the_first_header(
    office: Office, form: str, before: int, again: list[str]
) -> None:
    first = [row(f"2700000{number:04d}") for number in range(before)]
    body = file_of(form, [list(HEAD), *first, list(again), row(A, HEAD, back_pay=1_000_000)])
    head = office.log.head()
    with pytest.raises(Refused) as refused:
        office.ingest("contributions", body)
    assert (refused.value.code, refused.value.problem.line) == ("header-again", before + 2)
    assert office.log.head() == head


@pytest.mark.parametrize("form", ["csv", "xlsx"])
@pytest.mark.parametrize("before", [1, MANY])
def test_the_same_header_again_is_told_and_left_out(office: Office, form: str, before: int) -> None:
    first = [row(f"2700000{number:04d}") for number in range(before)]
    receipt = office.ingest("contributions", file_of(form, [list(HEAD), *first, list(HEAD), row(A)]))
    assert (receipt.totals["posted"], receipt.totals["suspended"]) == (1, before)
    assert [one for one in problems(receipt) if one[0] == "refused"] == [("refused", "row-not-a-line", before + 2, "")]


def registered(office: Office, form: str, *days: tuple[object, object]) -> Receipt:
    """Registrations with these days of birth and of beginning, under Indonesian names."""
    people = [
        person(f"260000001{number:02d}", 20 + number) | {"birth_date": born, "registered_on": began}
        for number, (born, began) in enumerate(days)
    ]
    head: list[object] = ["NO KPJ", "NO KTP", "NAMA", "TANGGAL LAHIR", "JENIS KELAMIN", "SEGMEN", "NPP", "EMAIL", "NO HP",
                          "TGL MULAI BEKERJA"]  # fmt: skip
    rows = [[one[name] for name in REGISTRATION] for one in people]
    return office.ingest("registrations", file_of(form, [head, *rows]))


DATE = Raw('t="d"', "<v>2025-02-01</v>")
"""What a spreadsheet made of 1/2/2025, or of 2/1/2025."""


@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_a_date_with_the_month_first_makes_the_others_of_its_column_unclear(office: Office, form: str) -> None:
    receipt = registered(
        office, form, ("17-05-1990", "01/13/2025"), ("17/05/1990", "01/02/2025"), ("17-05-1990", "03-03-2025"),
        ("17-05-1990", "20/01/2025"),
    )  # fmt: skip
    # The third of March is that in any order, and a twentieth is no month.
    assert problems(receipt) == [("refused", "date-order-unclear", at, "registered_on") for at in (2, 3)]
    assert receipt.totals["posted"] == 2
    assert registered(office, form, ("17-05-1990", "01-02-2025")).totals["posted"] == 1


def test_a_date_that_a_spreadsheet_may_have_turned_around_is_unclear_too(office: Office) -> None:
    receipt = registered(office, "xlsx", ("17-05-1990", DATE), ("17-05-1990", "01/13/2025"))
    assert problems(receipt) == [("refused", "date-order-unclear", at, "registered_on") for at in (2, 3)]
    assert registered(office, "xlsx", ("17-05-1990", DATE), ("17-05-1990", "13/01/2025")).totals["posted"] == 2


def test_what_can_only_be_one_day_stays_clear_beside_a_date_that_is_not(office: Office) -> None:
    """In a file of the ledger's own names a date has one form, so one that is wrong concerns its own line."""
    good, bad = person("26000000108", 30, registered_on="2025-02-01"), person("26000000116", 31)
    receipt = office.ingest("registrations", csv_of(REGISTRATION, [good, bad | {"registered_on": "01/13/2025"}]))
    assert problems(receipt) == [("refused", "date-order-unclear", 3, "registered_on")]
    assert receipt.totals["posted"] == 1


@pytest.mark.parametrize("text", ["2026-02-30", "13/13/2026", "31-11-2026x", "2026-13-40"])
def test_a_day_that_does_not_exist_in_any_order_is_just_unreadable(text: str) -> None:
    assert getattr(READERS["date"](text, 0), "code", "") == "date-unreadable"


@pytest.mark.parametrize("attributes", ['t="inlineStr"', 't="str"'])
@pytest.mark.parametrize(
    ("kpj", "posted"), [("26000000017_x000D_", 1), ("_x0032_6000000017", 1), ("26_x005F_x000D_", 0), ("26_x200B_0", 0)]
)
def test_signs_that_a_workbook_spells_out_are_what_a_person_sees(
    office: Office, attributes: str, kpj: str, posted: int
) -> None:
    inside = f"<is><t>{kpj}</t></is>" if "inline" in attributes else f"<f>A1</f><v>{kpj}</v>"
    receipt = office.ingest(
        "contributions", book(Page([list(HEAD), [*row(A)[:2], Raw(attributes, inside), *row(A)[3:]]]))
    )
    assert receipt.totals["posted"] == posted
    assert posted or problems(receipt)[0][1] in ("kpj-unreadable", "cell-invisible")


@pytest.mark.parametrize("zero", ["\uff10", "\u0660", "\u06f0", "\u0966", "\U0001d7ce"])
@pytest.mark.parametrize("many", [False, True])
def test_digits_of_another_script_are_the_digits_they_show(office: Office, zero: str, many: bool) -> None:
    shown = {ord(str(digit)): chr(ord(zero) + digit) for digit in range(10)}
    cells = {name: str(value).translate(shown) for name, value in line(A).items()}
    more = [line(f"2700000{number:04d}") for number in range(MANY if many else 0)]
    assert office.ingest("contributions", csv_of(HEAD, [cells, *more])).totals["posted"] == 1
    assert {event.fact.month for event in office.remittance()} == {"2026-10"}  # type: ignore[attr-defined]


@pytest.mark.parametrize("sign", ["\u00b2", "\u2460", "\u3007", "\u216b"])
def test_a_sign_that_is_no_digit_is_none(office: Office, sign: str) -> None:
    assert problems(office.contribute(line(A, f"500000{sign}")))[0][1] == "number-unreadable"


@pytest.mark.parametrize("value", ["NaN", "05000000", "1" * 5_000, '"x'])
def test_an_element_of_json_that_cannot_be_read_is_named(value: str) -> None:
    rows = json.dumps([line(A), line(B, 7_777)]).replace("7777", value)
    with pytest.raises(Refused) as refused:
        read(Source.of(rows.encode()), "contributions")
    assert (refused.value.code, refused.value.problem.line) == ("json-unreadable", 2)


def test_a_number_under_a_signature_makes_no_line_of_it(office: Office) -> None:
    rows = [list(HEAD), row(A), ["Jakarta, 14 November 2026"], ["NIP 198005172005011001"], ["Telp. 021 5550123"]]
    receipt = office.ingest("contributions", file_of("csv", rows))
    assert receipt.totals["posted"] == 1
    assert {one[:2] for one in problems(receipt)} == {("refused", "row-not-a-line")}
    assert [one[2] for one in problems(receipt)] == [3, 4, 5]
