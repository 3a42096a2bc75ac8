"""A month's file at the employers' door: what the check finds, what is taken home, and that nothing is ever posted."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Iterator
from typing import Any

import pytest
import python_calamine
import xlsxwriter

from api.web.employer import checks
from ledger.ingestion.readers.reading import Source, read
from ledger.settings import Settings
from tests.api.web.payroll import FIFTH, FOUR, HOME, MISTYPED, ONE, THREE, TWO, Payroll, file, wages
from tests.api.web.site import faults, text
from tests.office import NPP, OTHER_NPP, line, nik, person

NOBODYS = "26000000991"


@pytest.fixture
def payroll(settings: Settings) -> Iterator[Payroll]:
    with Payroll(settings, max_body=256 * 1024) as made:
        made.fill()
        yield made


def rows(content: bytes) -> list[dict[str, str]]:
    """The rows of a CSV to take home."""
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""), delimiter=";"))


def workbook(*lines: tuple[object, ...]) -> bytes:
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out, {"in_memory": True})
    sheet = book.add_worksheet()
    for row, cells in enumerate(lines):
        sheet.write_row(row, 0, cells)
    book.close()
    return out.getvalue()


FORMS: dict[str, bytes] = {
    "csv": wages(ONE, TWO, THREE, FOUR),
    "csv.gz": gzip.compress(wages(ONE, TWO, THREE, FOUR)),
    "ndjson": b"".join(json.dumps({"kpj": k, "wage": 5_000_000}).encode() + b"\n" for k in (ONE, TWO, THREE, FOUR)),
    "json": json.dumps([{"kpj": k, "wage": 5_000_000} for k in (ONE, TWO, THREE, FOUR)]).encode(),
    "xlsx": workbook(("kpj", "wage"), *((kpj, 5_000_000) for kpj in (ONE, TWO, THREE, FOUR))),
    "full": file(
        *(
            {
                "npp": NPP, "month": "2026-11", "kpj": kpj, "wage": 5_000_000, "employer": 185_000, "worker": 100_000,
                "paid_on": "2026-11-20", "reference": "A-1",
            }
            for kpj in (ONE, TWO, THREE, FOUR)
        ),
        names=("npp", "month", "kpj", "wage", "employer", "worker", "paid_on", "reference"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_a_good_file_in_any_form_is_accepted_and_nothing_is_written(payroll: Payroll, form: str) -> None:
    head = payroll.log.head()
    clerk = payroll.clerk()
    said = clerk.read(clerk.check(FORMS[form], name=f"november.{form}"))
    assert "Baris 4 Diterima 4 Perlu diperbaiki 0 Iuran JHT untuk 4 baris Rp1.140.000" in said
    assert f"november.{form}" in said
    assert "Jatuh tempo bayar 15 Desember 2026" in said
    assert payroll.log.head() == head


def test_the_difference_to_the_last_month_names_who_is_new_gone_changed_or_to_be_mended(payroll: Payroll) -> None:
    payroll.office.register(person("26000000108", 8))
    payroll.follow()
    clerk = payroll.clerk()
    # September had ONE to FOUR; October only ONE, TWO and the mistyped card, so November is compared with October.
    said = clerk.read(clerk.check(wages(ONE, "26000000108") + f"{TWO},4000000\r\n{MISTYPED},x\r\n".encode()))
    assert "Dibanding Oktober 2026" in said
    assert "Pekerja 3 3" in said
    assert "Jumlah upah 15.000.000 14.000.000" in said
    assert "Iuran JHT (Rp) 855.000 798.000" in said
    assert "Baru: 1 pekerja 26000000108" in said
    assert "Tidak ada lagi: tidak ada" in said
    assert f"barisnya perlu diperbaiki: 1 pekerja {MISTYPED}" in said
    assert f"Upahnya lain: 1 pekerja KPJ Upah dulu (Rp) Upah sekarang (Rp) {TWO} 5.000.000 4.000.000" in said


def test_a_further_payment_is_in_the_sums_but_is_no_other_wage(payroll: Payroll) -> None:
    payroll.office.contribute(line(ONE, 1_000_000, kind="supplement"), request="r7")
    clerk = payroll.clerk()
    said = clerk.read(clerk.check(wages(ONE, TWO)))
    assert "Jumlah upah 16.000.000 10.000.000" in said
    assert "Upahnya lain: tidak ada" in said


def test_a_month_that_is_booked_is_compared_under_its_own_paid_date(payroll: Payroll) -> None:
    clerk = payroll.clerk()
    body = wages(ONE, MISTYPED, THREE) + f"{TWO},4000000\r\n".encode()
    said = clerk.read(clerk.check(body, "2026-10"))
    assert "2 baris sudah ada di buku dengan isi yang sama. 1 di antaranya masih ditahan." in said
    assert "Diterima 3 Perlu diperbaiki 1" in said
    assert "sudah tercatat dengan jumlah lain: tercatat Rp185.000 + Rp100.000" in said
    assert "Dibanding September 2026" in said


def test_one_look_finds_every_line_that_spoils_the_others(payroll: Payroll) -> None:
    body = file(
        {"kpj": ONE, "wage": 5_000_000}, {"kpj": TWO, "wage": "5.250.000"}, {"kpj": ONE, "wage": 5_000_000},
        {"kpj": THREE, "wage": 900_000_000_000_000}, {"kpj": FOUR, "wage": 5_000_000, "paid_on": "2027-01-05"},
        {"kpj": "26000000108", "wage": 5_000_000}, {"kpj": "?", "wage": 1},
        names=("kpj", "wage", "paid_on"),
    )  # fmt: skip
    clerk = payroll.clerk()
    address = clerk.check(body)
    said = clerk.read(address)
    assert "Baris 7 Diterima 1 Perlu diperbaiki 6" in said
    assert "seluruhnya akan ditolak" in said
    bad = rows(clerk.get(f"{address}/perbaikan.csv").content)
    assert [(row["line"], row["reason"]) for row in bad] == [
        ("3", "number-unreadable"), ("4", "worker-twice"), ("5", "amount-absurd"), ("6", "paid-in-future"),
        ("7", "worker-not-yours"), ("8", "kpj-unreadable"),
    ]  # fmt: skip


def test_more_kinds_of_faults_than_are_left_out_still_refuse_the_rest_and_count_every_line(payroll: Payroll) -> None:
    body = file(
        *({"kpj": f"260000{n:05d}", "wage": 5_000_000, "paid_on": "2027-01-05"} for n in range(100, 140)),
        {"kpj": ONE, "wage": 5_000_000}, names=("kpj", "wage", "paid_on"),
    )  # fmt: skip
    clerk = payroll.clerk()
    address = clerk.check(body)
    assert "Baris 41 Diterima 0 Perlu diperbaiki 41" in clerk.read(address)
    assert len(rows(clerk.get(f"{address}/perbaikan.csv").content)) == 41


def test_a_number_that_is_nobodys_and_one_of_another_employers_worker_are_told_the_same(payroll: Payroll) -> None:
    payroll.office.register(person("26000000207", 9, npp=NPP, registered_on="2026-01-05", left_on="2026-06-30"))
    clerk = payroll.clerk()
    address = clerk.check(wages(FIFTH, NOBODYS, "26000000207"))
    bad = rows(clerk.get(f"{address}/perbaikan.csv").content)
    assert [row["reason"] for row in bad] == ["worker-not-yours", "worker-not-yours", "no-membership"]
    assert len({row["sentence"] for row in bad[:2]}) == 1
    said = clerk.read(address)
    assert "account-unknown" not in said
    assert said.count("worker-not-yours") == 2


def test_nik_and_name_of_the_own_workers_are_compared(payroll: Payroll) -> None:
    clerk = payroll.clerk()
    body = file(
        {"kpj": ONE, "wage": 5_000_000, "nik": nik(1), "name": "Budi Santosa 1"},
        {"kpj": TWO, "wage": 5_000_000, "nik": nik(9), "name": "Budi"},
        names=("kpj", "wage", "nik", "name"),
    )  # fmt: skip
    said = clerk.read(clerk.check(body))
    assert "1 peringatan" in said
    assert "Baris 2, Budi Santosa 1" in said
    assert "nik-differs" in said


@pytest.mark.parametrize(
    ("body", "month", "code", "words"),
    [
        (file({"npp": OTHER_NPP, "kpj": ONE, "wage": 1}, names=("npp", "kpj", "wage")), "2026-11", 422, "NPP lain"),
        (file({"npp": "99999999", "kpj": ONE, "wage": 1}, names=("npp", "kpj", "wage")), "2026-11", 422, "Baris 2:"),
        (file({"month": "2026-10", "kpj": ONE, "wage": 1}, names=("month", "kpj", "wage")), "2026-11", 422, "2026-11"),
        (b"kpj,apa_ini\r\n1,2\r\n", "2026-11", 422, "apa_ini"),
        (b"kpj,<img src=x>\r\n1,2\r\n", "2026-11", 422, "#2"),
        (b"", "2026-11", 422, "kosong"),
        (b"PK\x03\x04 no sheet", "2026-11", 422, "tidak"),
        (b"\x1f\x8b broken", "2026-11", 422, "tidak"),
        (b"kpj,wage\r\n\xff\xfe,1\r\n", "2026-11", 400, "UTF-8"),
        (wages(ONE), "1999-01", 422, "Pilih bulan"),
        (wages(ONE), "", 422, "Pilih bulan"),
    ],
)
def test_what_spoils_the_whole_file_is_told_at_the_field(
    payroll: Payroll, body: bytes, month: str, code: int, words: str
) -> None:
    page = payroll.clerk().upload(body, month)
    assert (page.status_code, faults(page.text)) == (code, [])
    assert words in text(page.text)
    assert "<title>Ada isian yang perlu diperbaiki" in page.text
    assert "<img" not in page.text


def test_a_form_without_a_file_says_so(payroll: Payroll) -> None:
    page = payroll.clerk().upload(b"", name="")
    assert (page.status_code, "Pilih berkas yang akan diperiksa." in text(page.text)) == (422, True)


def test_forms_that_are_not_ours_or_broken_are_refused_before_anything_is_read(payroll: Payroll) -> None:
    clerk = payroll.clerk()
    assert clerk.upload(wages(ONE), csrf="x").status_code == 403
    other = payroll.clerk(name="rekan")
    token = other.get(HOME).text.partition('name="csrf" value="')[2].partition('"')[0]
    assert clerk.upload(wages(ONE), csrf=token).status_code == 403

    def raw(body: bytes, kind: str, **headers: str) -> int:
        return int(clerk.client.post(HOME, content=body, headers={"content-type": kind, **headers}).status_code)

    assert raw(b"", "multipart/form-data; boundary=x", origin="https://elsewhere.example") == 403
    assert raw(b"a=1", "application/x-www-form-urlencoded") == 415
    assert raw(b"--x\r\nno", "multipart/form-data; boundary=x") in {403, 422}
    assert raw(b"", "multipart/form-data") == 422
    assert clerk.upload(wages(ONE), **{f"f{n}": "x" for n in range(20)}).status_code == 422


@pytest.mark.parametrize("size", [300 * 1024, 3_000_000])
def test_a_file_larger_than_a_body_may_be_is_refused_while_it_comes(payroll: Payroll, size: int) -> None:
    clerk = payroll.clerk()
    assert clerk.upload(b"kpj,wage\r\n" + b"1,2\r\n" * (size // 5)).status_code == 413
    # Chunked: nobody says how much will come.
    kind = {"content-type": "multipart/form-data; boundary=x"}
    head = b'--x\r\nContent-Disposition: form-data; name="berkas"; filename="a"\r\n\r\n'
    sent = clerk.client.post(HOME, content=iter([head, *[b"x" * 65_536] * (size // 65_536 + 5)]), headers=kind)
    assert sent.status_code == 413


def test_a_file_that_unpacks_too_far_is_refused(payroll: Payroll) -> None:
    clerk = payroll.clerk()
    page = clerk.upload(gzip.compress(wages(ONE) + b"\r\n" * 4_000_000))
    assert page.status_code == 413


def test_checks_of_one_user_are_limited(payroll: Payroll, monkeypatch: pytest.MonkeyPatch) -> None:
    from api.web.employer import check

    monkeypatch.setattr(check, "MOST_CHECKS", "2/hour")
    clerk = payroll.clerk()
    assert [clerk.upload(wages(ONE)).status_code for _ in range(3)] == [303, 303, 429]


def test_the_accepted_rows_are_taken_home_with_their_shares_and_are_accepted_again(payroll: Payroll) -> None:
    clerk = payroll.clerk()
    address = clerk.check(wages(ONE, TWO, NOBODYS))
    sent = clerk.get(f"{address}/diterima.csv")
    assert sent.headers["content-disposition"] == f'attachment; filename="jht-{NPP}-2026-11-diterima.csv"'
    assert (sent.headers["content-type"], sent.headers["cache-control"]) == ("text/csv; charset=utf-8", "no-store")
    assert rows(sent.content) == [
        {
            "npp": NPP, "month": "2026-11", "kpj": kpj, "wage": "5000000", "employer": "185000", "worker": "100000",
            "paid_on": "",
        }
        for kpj in (ONE, TWO)
    ]  # fmt: skip
    for name in ("diterima.csv", "diterima.xlsx"):
        again = clerk.get(f"{address}/{name}").content
        assert "Baris 2 Diterima 2 Perlu diperbaiki 0" in clerk.read(clerk.check(again, name=name))


def test_with_the_day_paid_filled_in_the_accepted_rows_are_what_the_agency_takes(payroll: Payroll) -> None:
    clerk = payroll.clerk()
    good = clerk.get(clerk.check(wages(ONE, TWO, NOBODYS)) + "/diterima.csv").content.decode("utf-8-sig")
    paid = good.replace("100000;\r\n", "100000;2026-11-20\r\n").encode()
    receipt = payroll.office.ingest("contributions", paid, request="r8")
    assert (receipt.totals["posted"], receipt.totals["refused"], receipt.totals["suspended"]) == (2, 0, 0)


def test_the_rows_to_mend_come_back_with_line_reason_and_sentence_and_can_be_sent_again(payroll: Payroll) -> None:
    clerk = payroll.clerk()
    address = clerk.check(wages(ONE, NOBODYS))
    (bad,) = rows(clerk.get(f"{address}/perbaikan.csv").content)
    assert (bad["line"], bad["reason"], bad["kpj"], bad["wage"]) == ("3", "worker-not-yours", NOBODYS, "5000000")
    assert "bukan nomor pekerja Anda" in bad["sentence"]
    assert "none of your workers" in bad["sentence"]
    again = clerk.get(f"{address}/perbaikan.xlsx").content
    assert "Baris 1 Diterima 0 Perlu diperbaiki 1" in clerk.read(clerk.check(again, name="lagi.xlsx"))


FORMULAS = ("=HYPERLINK(1)", "+1+1", "-2+3", "@SUM(1)", "\t=1+1", " =1+1")


def test_no_cell_that_is_taken_home_can_run_as_a_formula(payroll: Payroll) -> None:
    clerk = payroll.clerk()
    body = file(
        *({"kpj": f"2600000{n:04d}", "wage": 5_000_000, "name": cell} for n, cell in enumerate(FORMULAS, 100)),
        {"kpj": ONE, "wage": 5_000_000, "name": "=1+1"}, {"kpj": "=1+2", "wage": "-5"},
        names=("kpj", "wage", "name"),
    )  # fmt: skip
    address = clerk.check(body)
    for name in ("perbaikan", "diterima"):
        content = clerk.get(f"{address}/{name}.csv").content
        cells = [cell for row in csv.reader(io.StringIO(content.decode("utf-8-sig")), delimiter=";") for cell in row]
        assert [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))] == []
        book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(clerk.get(f"{address}/{name}.xlsx").content))
        texts = [cell for row in book.get_sheet_by_index(0).to_python() for cell in row if isinstance(cell, str)]
        assert [cell for cell in texts if cell.startswith(("=", "+", "-", "@"))] == []
        assert all(isinstance(cell, str) for row in book.get_sheet_by_index(0).to_python()[1:] for cell in row[:3])
    assert len(rows(clerk.get(f"{address}/perbaikan.csv").content)) == len(FORMULAS) + 2


def test_cells_and_names_of_files_are_only_text_on_the_page(payroll: Payroll) -> None:
    clerk = payroll.clerk()
    evil = "<script>alert(1)</script>"
    body = file({"kpj": NOBODYS, "wage": evil, "name": f'"{evil}'}, names=("kpj", "wage", "name"))
    address = clerk.check(body, name=f"..\\x/{evil}\u202e.csv")
    page = clerk.get(address).text
    assert faults(page) == []
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "\u202e" not in page


def test_the_file_and_its_numbers_stand_in_no_log_line_address_or_record(
    payroll: Payroll, capsys: pytest.CaptureFixture[str]
) -> None:
    clerk = payroll.clerk()
    address = clerk.check(wages(ONE, NOBODYS, "x"), name=f"gaji {ONE} Budi.csv")
    clerk.get(f"{address}/diterima.csv")
    clerk.upload(b"kpj;x\r\n" + ONE.encode())
    out = capsys.readouterr()
    assert "POST" in out.out
    for secret in (ONE, NOBODYS, "Budi"):
        assert secret not in out.out + out.err + address + repr(payroll.looks())
    path = "/perusahaan/{npp}"
    assert payroll.looks() == [
        (f"{NPP}:2026-11", "user:hrd", path), (f"{NPP}:2026-11", "user:hrd", f"{path}/hasil/{{handle}}/{{file}}"),
    ]  # fmt: skip


def test_a_result_ends_by_itself_and_a_session_keeps_only_the_newest(
    payroll: Payroll, monkeypatch: pytest.MonkeyPatch
) -> None:
    clerk = payroll.clerk()
    kept = [clerk.check(wages(ONE)) for _ in range(checks.MOST_OF_A_SESSION + 1)]
    assert [clerk.get(one).status_code for one in kept] == [410, 200, 200, 200]
    monkeypatch.setattr(checks, "KEPT_SECONDS", 0)
    late = clerk.check(wages(ONE))
    payroll.clerk(name="rekan").get(HOME)
    page = clerk.get(late)
    assert (page.status_code, faults(page.text)) == (410, [])
    assert "Unggah lagi" in text(page.text)


def test_a_result_stands_under_its_own_employer_only(payroll: Payroll) -> None:
    clerk = payroll.clerk(NPP, OTHER_NPP)
    address = clerk.check(wages(ONE))
    assert clerk.get(address.replace(NPP, OTHER_NPP)).status_code == 410
    for name in ("x.csv", "diterima.txt", "diterima", "perbaikan.csv.exe"):
        assert clerk.get(f"{address}/{name}").status_code == 404


def test_many_problems_are_counted_and_the_first_are_shown(payroll: Payroll, monkeypatch: pytest.MonkeyPatch) -> None:
    clerk = payroll.clerk()
    body = wages(*(f"261{n:08d}" for n in range(5_000)), ONE)
    address = clerk.check(body)
    page = clerk.get(address)
    said = text(page.text)
    assert "Baris 5.001 Diterima 1 Perlu diperbaiki 5.000" in said
    assert "200 yang pertama ditampilkan" in said
    assert "worker-not-yours 5.000 baris" in said
    assert len(page.content) < 200_000
    assert len(rows(clerk.get(f"{address}/perbaikan.csv").content)) == 5_000


def test_what_the_accepted_file_holds_reads_as_a_contributions_table(payroll: Payroll) -> None:
    clerk = payroll.clerk()
    given: dict[str, Any] = {"kpj": ONE, "wage": 5_000_000, "division": "A1", "kind": "supplement", "back_pay": 100_000}
    content = clerk.get(clerk.check(file(given, names=tuple(given))) + "/diterima.csv").content
    table = read(Source.of(content.replace(b"102000;;", b"102000;2026-11-20;")), "contributions")
    assert table.problems == []
    assert table.columns["employer"].tolist() == [188_700]
    assert table.columns["division"].texts[table.columns["division"].codes[0]] == "0A1"
