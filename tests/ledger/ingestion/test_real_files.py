"""Files as people and their programs really send them: the money and the person stay right, and what is said is true."""

from __future__ import annotations

import gzip
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.acts.remittance_months import months_of, read_lines
from ledger.decisions.remittance import Remittance
from ledger.errors import Refused
from ledger.identifiers import month_number
from ledger.ingestion.door import limits_of
from ledger.ingestion.preview import check
from ledger.ingestion.readers.reading import Source
from ledger.receipt import Header, Receipt
from ledger.settings import Settings
from ledger.store.log import Log
from tests.conftest import MASTER_KEY, TODAY
from tests.ledger.ingestion.readers.books import Page, Raw, book, error
from tests.office import NPP, OTHER_NPP, Office, person, problems

HEAD = ["npp", "month", "kpj", "wage", "back_pay", "employer", "worker", "paid_on", "reference"]
A, B, C = "26000000017", "26000000025", "26000000033"
ZEROS, OLD = "00123456789", "123456789"
ROW: list[object] = [NPP, "2026-10", A, 5_000_000, "", 185_000, 100_000, "2026-11-14", "TRX-1"]


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    settings = Settings(database_url=f"sqlite:///{tmp_path / 'jht.db'}", master_key=MASTER_KEY)
    log = Log.open(settings, create=True)
    made = Office(log)
    made.employers(NPP, OTHER_NPP, "01234567")
    made.workers(A, B, C)
    made.register(person(ZEROS, 7))
    made.register(person(OLD, 8), old_cards=True)
    yield made
    made.close()
    log.close()


def changed(**cells: object) -> list[object]:
    return [cells.get(name, value) for name, value in zip(HEAD, ROW, strict=True)]


def csv_of(*rows: list[object], head: list[str] | None = None, end: str = "\n") -> bytes:
    return "".join(",".join(map(str, row)) + end for row in (head or HEAD, *rows)).encode()


def sheet(*rows: list[object]) -> bytes:
    return book(Page([list(HEAD), *rows], name="Oktober"))


def received(office: Office) -> int:
    """Rupiah of all live lines of all remittances."""
    return sum(
        line.employer + line.worker
        for npp in (NPP, OTHER_NPP)
        for stored in months_of(office.log, npp).values()
        for line in read_lines(office.log, stored)
    )


def waiting(office: Office, kpj: str) -> list[str]:
    state = Remittance.of("x", office.remittance())
    return [one.reason for one in state.waiting() if one.line.kpj == kpj]


def refused_file(office: Office, body: bytes, layout: str = "contributions") -> Refused:
    head = office.log.head()
    with pytest.raises(Refused) as refused:
        office.ingest(layout, body)
    assert office.log.head() == head
    return refused.value


def taken(office: Office, body: bytes, **totals: int) -> Receipt:
    receipt = office.ingest("contributions", body)
    assert {name: count for name, count in receipt.totals.items() if count} == totals
    return receipt


GOOD: dict[str, bytes] = {
    "backslashes": book(Page([list(HEAD), ROW]), separator="\\"),
    "a line sep=": b"sep=;\n" + csv_of(ROW).replace(b",", b";"),
    "a line sep= in quotes": b'"sep=,"\r\n' + csv_of(ROW, end="\r\n"),
    "columns without name at the end": csv_of([*ROW, "", ""], head=[*HEAD, "", ""]),
    "cells without name at the end": csv_of([*ROW, "", " ", ""]),
    "a column without name in the middle": book(Page([[*HEAD[:3], "", *HEAD[3:]], [*ROW[:3], "", *ROW[3:]]])),
    "a table that begins at C4": book(Page([list(HEAD), ROW], first_row=4, first_column=3)),
    "equals sign and quotes": csv_of(changed(kpj=f'"=""{A}"""', npp=f'="{NPP}"')),
    "apostrophes": csv_of(changed(kpj=f"'{A}", npp=f"'{NPP}")),
    "carriage returns": csv_of(ROW, end="\r"),
    "an accounting dash": csv_of(changed(back_pay=" -   ")),
    "an accounting dash with Rp": csv_of(changed(back_pay="Rp -")),
    "decimal zeros": csv_of(changed(wage="5000000.0", employer="185000.00", worker="100000.0")),
    "a midnight": csv_of(changed(paid_on="2026-11-14 00:00:00")),
    "a midnight of ISO": csv_of(changed(paid_on="2026-11-14T00:00:00.000")),
    "a month as a day": csv_of(changed(month="2026-10-01")),
    "binary noise": sheet(changed(employer=Raw("", "<f>D2*3.7%</f><v>184999.99999999997</v>"))),
    "binary noise in text": csv_of(changed(employer="184999.99999999997")),
    "zero width": csv_of(changed(kpj=f"\u200b{A}\ufeff")),
    "zero width in a name": csv_of(ROW, head=["\u200bnpp", "mon\u200bth\u00a0", *HEAD[2:]]),
    "the end of a file of DOS": csv_of(ROW) + b"\x1a",
    "pipes": csv_of(ROW).replace(b",", b"|"),
    "tabs": csv_of(ROW).replace(b",", b"\t"),
    "floats of another program": csv_of(changed(kpj=f"{A}.0", npp=f"{NPP}.0")),
    "names with remarks": csv_of(ROW, head=["NPP *", "Month (yyyy-mm)", "No. KPJ (wajib)", "Wage (Rp)", *HEAD[4:]]),
    "Indonesian names": csv_of(
        [1, A, "Budi Santoso 1", 5_000_000, "", 100_000, 185_000, 285_000, "10-2026", NPP, "14-11-2026", "TRX-1"],
        head=["NO", "NO KPJ", "NAMA LENGKAP", "UPAH", "RAPEL", "IURAN JHT TK", "IURAN JHT PERUSAHAAN", "TOTAL JHT",
              "BLTH", "NPP", "TGL BAYAR", "NO REFERENSI"],
    ),
    "a zip of one CSV": b"",
    "a zip of one workbook": b"",
    "a cover sheet": book(Page([["PT Contoh"], ["NPP", NPP]], name="Sampul"), Page([list(HEAD), ROW])),
    "a blank first sheet": book(Page([], name="Sheet1"), Page([list(HEAD), ROW])),
    "a hidden first sheet": book(
        Page([list(HEAD), changed(kpj=B)], name="Draf", state="hidden"), Page([list(HEAD), ROW])
    ),
    "a very hidden list": book(
        Page([["PU"], ["BPU"]], name="Daftar", state="veryHidden"), Page([list(HEAD), ROW])
    ),
    "a hidden row without cells": book(Page([list(HEAD), ROW, [""]], hidden_rows=frozenset({3}))),
}  # fmt: skip


def zipped(**files: bytes) -> bytes:
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name.replace("_", "."), data)
        archive.writestr("__MACOSX/._x.csv", b"\0\5")
    return body.getvalue()


GOOD["a zip of one CSV"] = zipped(oktober_csv=csv_of(ROW))
GOOD["a zip of one workbook"] = zipped(oktober_xlsx=sheet(ROW))


@pytest.mark.parametrize("form", GOOD)
def test_what_is_clear_is_read(office: Office, form: str) -> None:
    taken(office, GOOD[form], posted=1)
    assert received(office) == 285_000
    assert taken(office, csv_of(ROW), already=1)


OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
KINDS: dict[str, tuple[bytes, str, str]] = {
    "a password": (OLE + "EncryptedPackage".encode("utf-16-le"), "file-protected", "password"),
    "an old xls": (OLE + b"\0" * 600, "file-kind-wrong", ".xls"),
    "pdf": (b"%PDF-1.7\n%\xe2\xe3", "file-kind-wrong", "PDF"),
    "html": (b"\xef\xbb\xbf <html><table><tr><td>npp</td></tr>", "file-kind-wrong", "HTML"),
    "a bare html table": (b"<table border=1><tr><td>npp", "file-kind-wrong", "HTML"),
    "xml": (b"<?xml version='1.0'?><a/>", "file-kind-wrong", "XML"),
    "xml spreadsheet": (
        b'<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet">', "file-kind-wrong",
        "XML Spreadsheet 2003",
    ),
    "rtf": (b"{\\rtf1 npp", "file-kind-wrong", "RTF"),
    "a page of a mail": (b"MIME-Version: 1.0\nContent-Type: multipart/related", "file-kind-wrong", "MHTML"),
    "pdf behind blanks": (b"\r\n%PDF-1.7", "file-kind-wrong", "PDF"),
    "packed twice": (gzip.compress(gzip.compress(b"npp")), "file-kind-wrong", "gzip in gzip"),
    "a zip in a zip": (zipped(a_zip=zipped(a_csv=b"x")), "file-zip-of-many", "files in it: 1"),
    "two tables": (zipped(a_csv=b"x", b_csv=b"y"), "file-zip-of-many", "files in it: 2"),
    "a picture in a zip": (zipped(a_png=b"x"), "file-zip-of-many", "files in it: 1"),
}  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_another_kind_of_file_is_named(office: Office, kind: str) -> None:
    body, code, said = KINDS[kind]
    refused = refused_file(office, body)
    assert refused.code == code
    assert said in refused.problem.say("en")
    assert "permission" not in refused.problem.say("en")


def test_an_encrypted_zip_says_so(office: Office) -> None:
    body = bytearray(zipped(a_csv=csv_of(ROW)))
    for sign, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        body[body.index(sign) + flags] |= 1
    assert refused_file(office, bytes(body)).code == "file-protected"


SHEETS: dict[str, tuple[bytes, str, tuple[str, ...]]] = {
    "two of the layout": (
        book(Page([list(HEAD), ROW], name="Pusat"), Page([list(HEAD), changed(kpj=B)], name="Cabang")),
        "sheets-several", ("Pusat", "Cabang"),
    ),
    "one with a misspelt header": (
        book(Page([list(HEAD), ROW], name="Pusat"), Page([["nomor", "gaji pokok"], [B, 4_000_000]], name="Cabang")),
        "sheet-unread", ("Pusat", "Cabang"),
    ),
    "only a hidden one": (
        book(Page([["catatan"]], name="Sampul"), Page([list(HEAD), ROW], name="Draf", state="hidden")),
        "sheet-hidden", ("Draf",),
    ),
    "all blank": (book(Page([], name="Sheet1"), Page([[""]], name="Sheet2")), "file-empty", ()),
    "hidden rows": (
        book(Page([list(HEAD), ROW, changed(kpj=B), changed(kpj=C)], name="Okt", hidden_rows=frozenset({3}))),
        "rows-hidden", ("Okt", "3"),
    ),
    "hidden first row": (
        book(Page([list(HEAD), ROW, changed(kpj=B)], name="Okt", hidden_rows=frozenset({2}))), "rows-hidden", ("2",),
    ),
    "a row without height": (
        book(Page([list(HEAD), ROW, changed(kpj=B)], name="Okt", row_attributes={3: ' ht="0.0"'})),
        "rows-hidden", ("3",),
    ),
    "a column without width": (
        book(Page([list(HEAD), ROW], columns='<col min="5" max="5" width="0" customWidth="1"/>')),
        "columns-hidden", ("back_pay",),
    ),
    "a hidden column": (
        book(Page([list(HEAD), ROW], name="Okt", hidden_columns=frozenset({5}))), "columns-hidden", ("back_pay",),
    ),
    "titles": (
        book(Page([["PT Contoh Makmur"], ["Daftar Iuran Oktober 2026"], [""], list(HEAD), ROW])), "header-not-first",
        ("row 4",),
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", SHEETS)
def test_no_money_vanishes_with_a_sheet_and_no_draft_is_booked(office: Office, kind: str) -> None:
    body, code, said = SHEETS[kind]
    refused = refused_file(office, body)
    assert refused.code == code
    assert all(text in refused.problem.say("en") for text in said)


def test_the_employers_own_file_is_looked_at_the_same_way(office: Office) -> None:
    limits = limits_of(office.log.settings)
    month = month_number("2026-10") or 0

    def checked(body: bytes) -> Receipt:
        return check(office.door, Source.of(body), int(NPP), month, [], Header("t", "t"), TODAY, limits).receipt

    for body, code, _ in SHEETS.values():
        with pytest.raises(Refused) as refused:
            checked(body)
        assert refused.value.code == code
    found = checked(sheet(changed(back_pay=error("#N/A")), changed(kpj=B)))
    assert {line: one.code for line, one in found.rejected_lines.items()} == {2: "cell-error"}
    assert found.totals["posted"] == 1


def test_titles_above_a_csv_are_told_with_the_row_of_the_header(office: Office) -> None:
    body = b"PT Contoh Makmur,,,,,,,,\nDaftar Iuran,,,,,,,,\n\n" + csv_of(ROW)
    refused = refused_file(office, body)
    assert (refused.code, refused.problem.line, refused.problem.details["row"]) == ("header-not-first", 4, 4)


@pytest.mark.parametrize(
    ("column", "sign"), [("back_pay", "#N/A"), ("employer", "#REF!"), ("wage", "#DIV/0!"), ("npp", "#N/A")]
)
def test_an_error_cell_takes_its_remittance_along_and_names_itself(office: Office, column: str, sign: str) -> None:
    receipt = taken(office, sheet(changed(**{column: error(sign)})), refused=1)
    assert problems(receipt) == [("refused", "cell-error", 2, column)]
    assert f"Oktober!{'ABCDEFGHI'[HEAD.index(column)]}2" in receipt.problems[0].problem.say("en")
    assert received(office) == 0


@pytest.mark.parametrize("form", ["merged", "errors"])
def test_an_empty_payer_never_makes_an_own_payment(office: Office, form: str) -> None:
    rows = [ROW, changed(npp="", kpj=B, wage=4_000_000, employer="", worker=""), changed(npp="", kpj=C, employer="")]
    if form == "errors":
        rows[1][0] = rows[2][0] = error("#N/A")
    receipt = taken(office, sheet(*rows), posted=1, refused=2)
    assert {one.problem.column for one in receipt.problems} == {"npp"}
    mended = [ROW, changed(kpj=B, wage=4_000_000, employer="", worker=""), changed(kpj=C)]
    taken(office, csv_of(*mended), posted=2, already=1)
    assert received(office) == 285_000 + 228_000 + 285_000


@pytest.mark.parametrize(
    ("ranges", "cells", "told"),
    [
        # An amount over two lines belongs to neither, whatever the rule would make of the empty cell.
        (("D2:D3",), {"wage": "", "employer": "", "worker": ""}, [(2, "wage"), (3, "wage")]),
        (("E2:E3",), {"back_pay": "", "employer": "", "worker": ""}, [(2, "back_pay"), (3, "back_pay")]),
        (("D3:E3",), {"back_pay": ""}, [(3, "back_pay"), (3, "wage")]),
        (("H2:I3",), {"paid_on": "", "reference": ""}, [(2, "reference"), (3, "paid_on"), (3, "reference")]),
        # What stands under a merged range is not what a person sees.
        (("I2:I3",), {}, [(3, "reference")]),
        (("I3:J3",), {}, []),
        (("A1:I1", "I9:I12"), {}, []),
    ],
)
def test_a_merged_cell_says_nothing_of_the_lines_it_covers(
    office: Office, ranges: tuple[str, ...], cells: dict[str, object], told: list[tuple[int, str]]
) -> None:
    rows = [list(HEAD), changed(back_pay=0), changed(kpj=B, **cells)]
    receipt = office.ingest("contributions", book(Page(rows, name="Oktober", merged=ranges)))
    found = [(one.problem.line, one.problem.column) for one in receipt.problems if one.problem.code == "cell-merged"]
    assert sorted(found) == told
    assert received(office) == (0 if told else 570_000)
    assert receipt.totals["refused"] == (2 if told else 0)


def test_merged_blanks_are_blanks_and_a_merged_total_is_still_a_total(office: Office) -> None:
    total = ["TOTAL", "", "", 10_000_000, "", 370_000, 200_000, "", ""]
    page = Page([list(HEAD), ROW, changed(kpj=B), total], merged=("A4:C4", "E2:E3", "F4:I4"))
    receipt = taken(office, book(page), posted=2, refused=1)
    assert problems(receipt) == [("refused", "row-not-a-line", 4, "")]


def test_own_payments_are_files_of_their_own_or_say_so(office: Office) -> None:
    office.register(person("26000000074", 9, segment="BPU", npp=""))
    own = changed(npp="", kpj="26000000074", wage=2_000_000, employer="", worker="")
    assert problems(taken(office, csv_of(ROW, own), posted=1, refused=1)) == [("refused", "payer-empty", 3, "npp")]
    head = [*HEAD, "segment"]
    taken(office, csv_of([*ROW, ""], [*own, "BPU"], head=head), posted=1, already=1)
    taken(office, csv_of(own), already=1)
    told = problems(taken(office, csv_of([*ROW, "PMI"], [*own, "PU"], head=head), refused=2))
    assert [code for _, code, _, _ in told] == ["npp-not-for-segment", "npp-missing"]
    # A worker of an employer pays nothing alone, and nobody invents how much.
    alone = changed(npp="", kpj=B, employer="", worker="")
    assert problems(taken(office, csv_of(alone), refused=1)) == [("refused", "payer-empty", 2, "npp")]


def test_a_division_without_its_zeros_is_the_same_division(office: Office) -> None:
    head = [*HEAD, "division"]
    taken(office, csv_of([*ROW, "001"], head=head), posted=1)
    for division in ("1", "01", "1.0"):
        taken(office, csv_of([*ROW, division], head=head), already=1)
    taken(office, book(Page([list(head), [*ROW, 1]])), already=1)
    assert received(office) == 285_000


def test_a_card_without_its_zeros_is_no_new_card(office: Office) -> None:
    receipt = office.register(person("2012345678", 11), person("123456.789012", 12), person("15A1234567", 13))
    assert [told.problem.code for told in receipt.problems] == ["kpj-zeros-lost", "kpj-old-unsaid", "kpj-old-unsaid"]
    assert "02012345678" in receipt.problems[0].problem.say("id")
    assert receipt.totals["refused"] == 3
    office.register(person("02012345678", 11))
    taken(office, csv_of(changed(kpj="02012345678")), posted=1)
    # Sent again without its zero it is nobody's second remittance.
    receipt = taken(office, csv_of(changed(kpj="2012345678")), suspended=1)
    assert receipt.problems[0].problem.code == "kpj-zero-short"
    assert waiting(office, "2012345678") == ["kpj-zero-short"]
    # Even a file that calls its cards old does not give a person the same card twice.
    receipt = office.register(person("2012345678", 11), old_cards=True)
    assert [told.problem.code for told in receipt.problems] == ["kpj-of-own-card"]


def test_an_old_card_is_registered_where_the_file_says_so(office: Office) -> None:
    def sent(said: str) -> Receipt:
        row = person("987654321", 14) | {"old_card": said}
        body = ",".join(row) + "\n" + ",".join(map(str, row.values()))
        return office.ingest("registrations", body.encode())

    assert [told.problem.code for told in sent("tidak").problems] == ["kpj-zeros-lost"]
    assert sent("ya").totals["posted"] == 1
    assert sent("").totals["already"] == 1
    taken(office, csv_of(changed(kpj="987654321")), posted=1)


def test_a_number_that_may_mean_two_cards_is_held_and_both_are_shown(office: Office) -> None:
    receipt = taken(office, csv_of(changed(kpj=OLD)), suspended=1)
    assert problems(receipt) == [("suspended", "kpj-two-cards", 2, "kpj")]
    assert {OLD, ZEROS} <= set(receipt.problems[0].problem.details.values())
    # A spreadsheet's number is the same text, and the same payment is there already.
    taken(office, sheet(changed(kpj=int(OLD))), already=1)
    assert waiting(office, OLD) == ["kpj-two-cards"]
    opening = {"kpj": OLD, "as_of": "2025-12-31", "employer": 1, "worker": 1, "credited_yield": 0, "months": 1}
    body = ",".join(opening) + "\n" + ",".join(map(str, opening.values()))
    receipt = office.ingest("opening-balances", body.encode())
    assert problems(receipt) == [("refused", "kpj-two-cards", 2, "kpj")]


def test_two_people_do_not_become_one_by_a_cut_nik(office: Office) -> None:
    office.register(person("26000000082", 20))
    receipt = office.register(person("26000000090", 20, name="Dewi Lestari", sex="L"))
    assert [told.problem.code for told in receipt.problems] == ["nik-may-be-cut"]
    assert office.register(person("26000000090", 0)).problems[0].problem.code == "nik-cut"
    # A file in which every NIK ends in 0 went through a spreadsheet.
    receipt = office.register(*(person(f"2600000010{n}", 10 * n) for n in range(3, 7)))
    assert [told.problem.code for told in receipt.problems] == ["nik-cut"] * 4
    # The same person with a second card is no other person.
    assert office.register(person("26000000108", 20)).totals["posted"] == 1


@pytest.mark.parametrize(
    ("kpj", "code"),
    [("2600000009.0", "cell-lost-digits"), ("1e+15", "cell-lost-digits"), ("2.6E+10", "cell-lost-digits"),
     ("2,60000001E10", "kpj-unreadable")],
)  # fmt: skip
def test_a_shortened_number_is_no_card(office: Office, kpj: str, code: str) -> None:
    quoted = f'"{kpj}"'
    receipt = taken(office, csv_of(changed(kpj=quoted)), refused=1)
    assert problems(receipt)[0][1:] in ((code, 2, "kpj"), ("cell-lost-digits", 2, "kpj"))


TOTALS = {
    "total": [["TOTAL", "", "", 5_000_000, "", 185_000, 100_000, "", ""]],
    "jumlah": [["", "", "Jumlah", 5_000_000, "", 185_000, 100_000, "", ""], ["Disetujui oleh: HRD"]],
    "filled down": [[NPP, "2026-10", "TOTAL", 5_000_000, "", 185_000, 100_000, "2026-11-14", ""]],
    "count": [["", "", "Jumlah: 1 orang", 5_000_000, "", 185_000, 100_000, "", ""]],
    "signature": [["", "", "", "", "", '"Bandung, 14 November 2026"', "", "", ""], ["", "", "", "", "", "Direktur"]],
    "money alone": [["", "", "", 5_000_000, "", 185_000, 100_000, "", ""]],
}


@pytest.mark.parametrize("form", TOTALS)
@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_totals_and_signatures_are_told_once_a_row_and_spoil_nothing(office: Office, form: str, kind: str) -> None:
    rows = TOTALS[form]
    bare = [[cell.strip('"') if isinstance(cell, str) else cell for cell in row] for row in rows]
    receipt = taken(office, csv_of(ROW, *rows) if kind == "csv" else sheet(ROW, *bare), posted=1, refused=len(rows))
    assert problems(receipt) == [("refused", "row-not-a-line", line, "") for line in range(3, 3 + len(rows))]


def test_lines_are_counted_as_lines_and_cells_as_cells(office: Office) -> None:
    receipt = taken(office, csv_of(changed(wage="5.000.000", employer="185.000", worker="100.000")), refused=1)
    (code,) = receipt.as_json("log")["codes"]
    assert (code["lines"], code["cells"], code["columns"]) == (1, 3, ["wage", "employer", "worker"])


def test_a_line_says_why_its_remittance_was_refused(office: Office) -> None:
    receipt = taken(office, csv_of(ROW, changed(kpj=B), ROW), refused=3)
    assert [one[1:3] for one in sorted(problems(receipt), key=lambda one: one[2])] == [
        ("remittance-has-worker-twice", 2), ("remittance-has-worker-twice", 3), ("worker-twice", 4),
    ]  # fmt: skip
    assert "line 4 repeats the worker of line 2" in receipt.problems[1].problem.say("en")
    for cells, code in (
        ({"wage": "x"}, "remittance-has-bad-line"),
        ({"wage": "-5"}, "remittance-has-refused-line"),
        ({"paid_on": "2027-11-14"}, "remittance-has-refused-line"),
    ):
        told = problems(taken(office, csv_of(ROW, changed(kpj=B, **cells)), refused=2))
        assert ("refused", code, 2, "") in told


def test_a_fraction_names_its_cell_and_what_to_do(office: Office) -> None:
    receipt = taken(office, sheet(changed(employer=185012.321, worker=100006.66)), refused=1)
    said = receipt.problems[0].problem.say("en")
    assert "Oktober!F2" in said
    assert "ROUND(" in said


@pytest.mark.parametrize("cell", ["NaN", "null", "<NA>", "5\u00a0000\u00a0000"])
def test_a_sign_is_named(office: Office, cell: str) -> None:
    receipt = taken(office, csv_of(changed(back_pay=cell)), refused=1)
    said = receipt.problems[0].problem.say("en")
    assert (cell if cell.isascii() else "U+00A0") in said


def test_a_filled_cell_under_no_name_is_refused(office: Office) -> None:
    body = csv_of([*ROW, "", "7"], [*changed(kpj=B), "", ""], head=[*HEAD, "", ""])
    assert ("refused", "cell-without-header", 2, "") in problems(taken(office, body, refused=2))


@pytest.mark.parametrize("name", ["wage (ribuan)", "wage (in thousands)", "gaji pokok", "npp kantor"])
def test_a_name_that_could_mean_something_else_is_refused_with_the_template(office: Office, name: str) -> None:
    refused = refused_file(office, csv_of([*ROW, 1], head=[*HEAD, name]))
    assert refused.code == "column-unknown"
    assert "NO KPJ" in refused.problem.say("id")
