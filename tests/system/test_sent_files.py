"""Files as people send them, from the command line: exit code, receipt, sentences and the money that is there after."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import NamedTuple

import pytest

from ledger.acts.remittance_months import months_of, read_lines
from ledger.settings import Settings
from ledger.store.log import Log
from tests.conftest import MASTER_KEY
from tests.ledger.ingestion.readers.books import Page, Raw, book, error
from tests.ledger.ingestion.test_real_files import HEAD, OLD, OLE, ROW, ZEROS, A, B, C, changed, csv_of, sheet, zipped
from tests.office import NPP, Office, person
from tests.system.running import environment, run

RULE = {"employer": "", "worker": ""}
WEST = "26000000041"
PERSON = {**person("26000000090", 12), "left_on": ""}


def registration(kpj: object) -> bytes:
    return csv_of([kpj, *list(PERSON.values())[1:]], head=list(PERSON))


class Sent(NamedTuple):
    """A file of contributions (or of another layout), and what becomes of it.

    `code`: the exit code. `totals`: lines by verdict. `told`: `code lines columns` in the order of their lines, `says`: a
    piece of each sentence in English. `money`: rupiah that are there for the employer's workers afterwards, posted or
    waiting.
    """

    body: bytes
    code: int
    totals: dict[str, int]
    told: tuple[str, ...]
    says: tuple[str, ...]
    money: int
    layout: str = "contributions"


def whole(body: bytes, money: int = 285_000, **totals: int) -> Sent:
    """A file that is taken without a word."""
    return Sent(body, 0, totals or {"posted": 1}, (), (), money)


def nothing(body: bytes, told: str, *says: str) -> Sent:
    """A file of which nothing is read."""
    return Sent(body, 3, {}, (told,), says, 0)


def some(
    body: bytes, told: str | tuple[str, ...], *says: str, money: int = 0, layout: str = "contributions", **totals: int
) -> Sent:
    """A file of which some lines are refused, held or warned of."""
    return Sent(
        body, 3 if totals.get("refused") else 0, totals, (told,) if isinstance(told, str) else told, says, money, layout
    )


CASES: dict[str, tuple[Sent, ...]] = {
    "an error in back pay": (
        some(
            sheet(changed(back_pay=error("#N/A"), **RULE)),
            "cell-error 2 back_pay",
            "Oktober!E2 holds the Excel error #N/A",
            refused=1,
        ),
    ),
    "errors in the shares": (
        some(
            sheet(changed(employer=error("#REF!"), worker=error("#VALUE!"))),
            "cell-error 2 employer,worker",
            "Oktober!F2 holds the Excel error #REF!",
            refused=1,
        ),
    ),
    "errors in the wage": (
        some(
            sheet(changed(wage=error("#N/A")), changed(kpj=B, wage=error("#DIV/0!"))),
            "cell-error 2,3 wage",
            "Oktober!D2",
            refused=2,
        ),
    ),
    "a merged npp": (
        some(
            book(
                Page(
                    [
                        list(HEAD),
                        ROW,
                        changed(npp="", kpj=B, wage=4_000_000, **RULE),
                        changed(npp="", kpj=C, wage=4_000_000, **RULE),
                    ],
                    merged=("A2:A4",),
                )
            ),
            "cell-merged 3,4 npp",
            "Unmerge the cells",
            posted=1,
            refused=2,
            money=285_000,
        ),
        whole(
            csv_of(ROW, changed(kpj=B, wage=4_000_000, **RULE), changed(kpj=C, wage=4_000_000, **RULE)),
            741_000,
            posted=2,
            already=1,
        ),
    ),
    "an npp written once a group": (
        some(
            csv_of(ROW, changed(npp="", kpj=B)),
            "payer-empty 3 npp",
            "Fill in the NPP",
            posted=1,
            refused=1,
            money=285_000,
        ),
    ),
    "an error in the npp": (
        some(
            sheet(ROW, changed(npp=error("#N/A"), kpj=B)),
            "cell-error 3 npp",
            "Oktober!A3",
            posted=1,
            refused=1,
            money=285_000,
        ),
    ),
    "two sheets": (
        nothing(
            book(Page([list(HEAD), ROW], name="Pusat"), Page([list(HEAD), changed(kpj=B)], name="Cabang")),
            "sheets-several",
            "Pusat, Cabang",
            "Nothing was read",
        ),
    ),
    "hidden rows": (
        nothing(
            book(Page([list(HEAD), ROW, changed(kpj=B)], name="Okt", hidden_rows=frozenset({3}))),
            "rows-hidden 3",
            "Rows 3 on the sheet Okt",
        ),
    ),
    "a division without zeros": (
        whole(csv_of([*ROW, "001"], head=[*HEAD, "division"])),
        whole(csv_of([*ROW, "1"], head=[*HEAD, "division"]), already=1),
    ),
    "a registration whose card lost its zero": (
        some(
            registration("2012345678"), "kpj-zeros-lost 2 kpj", "perhaps 02012345678", layout="registrations", refused=1
        ),
        some(
            csv_of(changed(kpj="02012345678")),
            "account-unknown 2 kpj",
            "posted by itself after registration",
            suspended=1,
            money=285_000,
        ),
        Sent(registration("02012345678"), 0, {"posted": 1}, (), (), 285_000, "registrations"),
    ),
    "money for a number that may be two cards": (
        some(
            csv_of(changed(kpj=OLD)),
            "kpj-two-cards 2 kpj",
            f"the old card {OLD} or the card {ZEROS}",
            suspended=1,
            money=285_000,
        ),
    ),
    "money for a card without its zeros": (
        some(
            csv_of(changed(kpj="26000041")),
            "kpj-zero-short 2 kpj",
            "00026000041 is a worker of this payer",
            suspended=1,
            money=285_000,
        ),
    ),
    "a card of a float column": (
        Sent(registration("26000000090.0"), 0, {"posted": 1}, (), (), 0, "registrations"),
        whole(csv_of(changed(kpj="26000000090"))),
        whole(csv_of(changed(kpj="26000000017.0")), 570_000),
    ),
    "a password": (nothing(OLE + "EncryptedPackage".encode("utf-16-le"), "file-protected", "without a password"),),
    "an old xls": (nothing(OLE + b"\0" * 600, "file-kind-wrong", "The file is .xls", "save it as .xlsx"),),
    "an xlsb": (nothing(zipped(**{"xl/workbook_bin": b"x"}), "file-kind-wrong", "The file is .xlsb"),),
    "an ods": (nothing(zipped(mimetype=b"x", content_xml=b"<a/>"), "file-kind-wrong", "The file is .ods"),),
    "a zip of a CSV": (whole(zipped(oktober_csv=csv_of(ROW))),),
    "backslashes": (whole(book(Page([list(HEAD), ROW]), separator="\\")),),
    "a line sep=": (whole(b"sep=;\n" + csv_of(ROW).replace(b",", b";")),),
    "blank columns at the end": (whole(csv_of([*ROW, "", "", ""], head=[*HEAD, "", "", ""])),),
    "a blank column in the middle": (whole(book(Page([[*HEAD[:3], "", *HEAD[3:]], [*ROW[:3], "", *ROW[3:]]]))),),
    "a table that begins at B2": (whole(book(Page([list(HEAD), ROW], first_row=2, first_column=2))),),
    "a no-break space in the header": (whole(csv_of(ROW, head=["npp\u00a0", *HEAD[1:]])),),
    "no-break spaces in money": (
        some(
            csv_of(changed(wage="5\u00a0000\u00a0000")),
            "cell-invisible 2 wage",
            "invisible character U+00A0",
            refused=1,
        ),
    ),
    "a zero-width space before a card": (whole(csv_of(changed(kpj=f"\u200b{A}"))),),
    "a zero-width space in the header": (whole(csv_of(ROW, head=["\u200bnpp", *HEAD[1:]])),),
    "titles in CSV": (
        nothing(b"PT Contoh Makmur,,,,,,,,\nDaftar Iuran,,,,,,,,\n\n" + csv_of(ROW), "header-not-first 4", "row 4"),
    ),
    "titles in a sheet": (
        nothing(
            book(Page([["PT Contoh Makmur"], ["Daftar Iuran"], [""], list(HEAD), ROW])), "header-not-first 4", "row 4"
        ),
    ),
    "the end of a file of DOS": (whole(csv_of(ROW) + b"\x1a\n"),),
    "a total": (
        some(
            csv_of(ROW, ["TOTAL", "", "", 5_000_000, "", 185_000, 100_000, "", ""]),
            "row-not-a-line 3",
            "totals, signature or footer row",
            posted=1,
            refused=1,
            money=285_000,
        ),
    ),
    "a total and a signature": (
        some(
            csv_of(
                ROW, ["", "", "Jumlah", 5_000_000, "", 185_000, 100_000, "", ""], ["Disetujui oleh: HRD", *[""] * 8]
            ),
            "row-not-a-line 3,4",
            "totals, signature or footer row",
            posted=1,
            refused=2,
            money=285_000,
        ),
    ),
    "binary noise": (whole(sheet(changed(employer=Raw("", "<f>D2*3.7%</f><v>184999.99999999997</v>")))),),
    "a fraction": (
        some(sheet(changed(employer=185012.321)), "number-fraction 2 employer", "Oktober!F2 has a fraction", refused=1),
    ),
    "dots of thousands": (
        some(
            csv_of(changed(wage="5.000.000", employer="185.000", worker="100.000")),
            "number-unreadable 2 wage,employer,worker",
            "without dots",
            refused=1,
        ),
    ),
    "negative amounts": (
        some(
            csv_of(ROW, changed(kpj=B, wage=-5_000_000, employer=-185_000, worker=-100_000)),
            ("remittance-has-refused-line 2", "number-negative 3 wage,employer,worker"),
            "its line 3 was refused",
            "use a reversal",
            refused=2,
        ),
    ),
    "an accounting dash": (whole(csv_of(changed(back_pay=" -   "))),),
    "a midnight": (whole(csv_of(changed(paid_on="2026-11-14 00:00:00"))),),
    "decimals that are zero": (whole(csv_of(changed(wage="5000000.0", employer="185000.0", worker="100000.0"))),),
    "NaN": (
        some(
            csv_of(changed(back_pay="NaN", reference="nan")),
            "cell-says-nothing 2 back_pay,reference",
            "The cell says NaN",
            refused=1,
        ),
    ),
    "a worker twice": (
        some(
            csv_of(ROW, changed(kpj=B), ROW),
            ("remittance-has-worker-twice 2,3", "worker-twice 4 kpj"),
            "line 4 repeats the worker of line 2",
            "lines 4 and 2",
            refused=3,
        ),
    ),
}


@pytest.mark.parametrize("settings", ["sqlite"], indirect=True)
def test_files_as_people_send_them_end_right(settings: Settings, tmp_path: Path) -> None:
    _fill(settings)
    for number, (name, files) in enumerate(CASES.items()):
        ledger = _copied(tmp_path, number)
        for sent in files:
            assert _ends(ledger, tmp_path, sent) == sent._replace(body=b"", says=()), name


def _fill(settings: Settings) -> None:
    log = Log.open(settings)
    office = Office(log)
    office.employers(NPP)
    office.workers(A, B, C)
    office.register(person(ZEROS, 7), person("00026000041", 8))
    office.register(person(OLD, 9), old_cards=True)
    office.close()
    log.close()


def _copied(place: Path, number: int) -> Settings:
    """The filled ledger once more, so that no case sees another's money."""
    folder = place / str(number)
    folder.mkdir()
    for file in place.glob("jht*"):
        shutil.copy(file, folder / file.name)
    return Settings(database_url=f"sqlite:///{folder / 'jht.db'}", master_key=MASTER_KEY)


_TOLD = re.compile(
    r"  (?:refused|suspended|warning) +(\S+) [0-9]+ lines?(?:, [0-9]+ cells)?: ([0-9, ]+)(?:; columns? (.+))?"
)


def _ends(ledger: Settings, place: Path, sent: Sent) -> Sent:
    """What really becomes of a file; the sentences are looked for here."""
    file = place / "sent"
    file.write_bytes(sent.body)
    done = run(environment(ledger) | {"COLUMNS": "1000"}, "ingest", sent.layout, file)
    words = done.stdout + done.stderr
    assert [piece for piece in sent.says if piece not in words] == [], words
    assert "Traceback" not in words
    told = [
        " ".join(filter(None, (code, lines.replace(" ", ""), columns.replace(" ", ""))))
        for code, lines, columns in _TOLD.findall(words)
    ]
    if not done.stdout:
        told = [" ".join(re.findall(r"^([a-z-]+)(?: line ([0-9]+))?$", done.stderr, re.MULTILINE)[-1]).strip()]
    counts = {
        word.split()[0]: int(number.replace(",", ""))
        for number, word in re.findall(
            r"([0-9,]+) (posted|already there|suspended|refused|warnings)\b", done.stdout.split("lines/s")[0]
        )
    }
    return Sent(
        b"", done.code, counts, tuple(sorted(told, key=lambda one: one.split()[1:2])), (), _money(ledger), sent.layout
    )


def _money(ledger: Settings) -> int:
    """Rupiah of all lines of the employer's remittances that were not taken back."""
    log = Log.open(ledger)
    try:
        return sum(
            line.employer + line.worker for month in months_of(log, NPP).values() for line in read_lines(log, month)
        )
    finally:
        log.close()
