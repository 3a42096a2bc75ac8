"""Readers under hostile, damaged and odd input: what they refuse, what they skip, and what the file of rejects keeps."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import re
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st

from ledger import fields
from ledger.errors import Refused, StoreFailed
from ledger.fields import Bad
from ledger.ingestion import batches
from ledger.ingestion.contributions import check
from ledger.ingestion.readers import csv as csv_reader
from ledger.ingestion.readers import typed
from ledger.ingestion.readers.reading import Limits, Source, Table, read, rows_again
from ledger.ingestion.readers.table import PROBLEMS_KEPT, Coded, Gathering, Memory
from ledger.layouts import LAYOUTS, Column
from ledger.receipt import Header, Receipt
from tests.conftest import TODAY

HEAD = ["npp", "month", "kpj", "wage", "paid_on", "reference"]
GOOD = ["12345678", "2026-10", "12345678901", "5000000", "2026-11-10", "TRX-1"]
LINE = ",".join(GOOD)
HEADER = Header("tester", "test", "upload-1")
ALL_COLUMNS = [column for layout in LAYOUTS.values() for column in layout]


def of(*lines: str, limits: Limits | None = None) -> Table:
    return read(Source.of("\n".join((",".join(HEAD), *lines)).encode()), "contributions", limits)


def told(table: Table) -> list[tuple[str, int, str]]:
    return [(problem.code, problem.line, problem.column) for problem in table.problems]


def refusal(body: bytes, layout: str = "contributions", limits: Limits | None = None) -> str:
    with pytest.raises(Refused) as refused:
        read(Source.of(body), layout, limits)
    return refused.value.code


def workbook(rows: list[list[object]]) -> bytes:
    body = io.BytesIO()
    book = xlsxwriter.Workbook(body, {"in_memory": True})
    page = book.add_worksheet()
    for place, row in enumerate(rows):
        for column, value in enumerate(row):
            write = page.write_string if isinstance(value, str) else page.write_number
            write(place, column, value)
    book.close()
    return body.getvalue()


def with_sheet(xml: str) -> bytes:
    """A workbook whose first sheet holds this instead."""
    given_body, body = io.BytesIO(workbook([["x"]])), io.BytesIO()
    with zipfile.ZipFile(given_body) as old, zipfile.ZipFile(body, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            text = old.read(name).decode()
            if name == "xl/worksheets/sheet1.xml":
                text = re.sub(r"<sheetData>.*</sheetData>", f"<sheetData>{xml}</sheetData>", text, flags=re.DOTALL)
            new.writestr(name, text)
    return body.getvalue()


@pytest.mark.parametrize(
    "xml",
    [
        '<row r="1"><c r="A1"><v>1</v></c></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>',
        "<row r='1'><c r='ZZZ1'><v>1</v></c></row><row r='1048576'><c><v>1</v></c></row>",
        f'<row>{"<c><v>1</v></c>" * 5000}</row><row r="1048576"><c><v>1</v></c></row>',
        '<row r="1"><c r="A1"><v>1</v></c></row><row r="4000000000"><c r="A4000000000"><v>1</v></c></row>',
        f'<row r="1"><c{" " * 2_000_000}r="A1"><v>1</v></c></row><row r="900000"><c  r = "XFD900000"><v>1</v></c></row>',
        f'<row r="1"><c s="{"0" * 70_000}" r="XFD1"><v>1</v></c></row><row r="900000"><c r="A900000"><v>1</v></c></row>',
    ],
)  # fmt: skip
def test_a_sheet_whose_cells_are_far_apart_takes_little_memory(xml: str) -> None:
    body = with_sheet(xml)
    tracemalloc.start()
    assert refusal(body) in ("columns-missing", "file-unreadable", "file-expands-too-far")
    assert tracemalloc.get_traced_memory()[1] < 30 << 20
    tracemalloc.stop()


def test_blank_cells_far_away_do_not_count() -> None:
    def row(number: int, cells: list[str], far: str) -> str:
        texts = "".join(f'<c t="inlineStr"><is><t>{cell}</t></is></c>' for cell in cells)
        return f'<row r="{number}">{texts}<c r="{far}{number}" s="1"/></row>'

    body = with_sheet(row(1, HEAD, "XFD") + row(2, GOOD, "ZZ") + '<row r="1048576"><c r="XFD1048576" s="1"/></row>')
    table = read(Source.of(body), "contributions")
    assert (table.lines.tolist(), table.problems) == ([2], [])


def test_a_sheet_that_does_not_say_where_its_cells_are_is_read() -> None:
    def row(fields: list[str]) -> str:
        return "<row>" + "".join(f'<c t="inlineStr"><is><t>{cell}</t></is></c>' for cell in fields) + "</row>"

    assert len(read(Source.of(with_sheet(row(HEAD) + row(GOOD) * 300)), "contributions")) == 300


def test_a_zip_bomb_is_stopped() -> None:
    body = with_sheet("<row r='1'><c r='A1'><v>1</v></c></row>" + " " * (40 << 20))
    assert len(body) < 100_000
    tracemalloc.start()
    assert refusal(body) == "file-expands-too-far"
    assert tracemalloc.get_traced_memory()[1] < 30 << 20
    tracemalloc.stop()


def test_a_zip_that_lies_about_its_sizes_is_refused() -> None:
    body = with_sheet("<row r='1'><c r='A1'><v>1</v></c></row>" + " " * (1 << 20))
    # In the directory at the end, 24 bytes behind each mark stands the unpacked size.
    lying = re.sub(rb"(PK\x01\x02.{20}).{4}", lambda found: found[1] + b"\5\0\0\0", body, flags=re.DOTALL)
    assert refusal(lying) == "file-unreadable"


@pytest.mark.parametrize(
    ("names", "code"),
    [
        (["content.xml", "mimetype"], "file-kind-wrong"),
        (["xl/workbook.bin"], "file-kind-wrong"),
        (["xl/workbook.xml"] * 2, "file-unreadable"),
        (["a.csv", "b.csv"], "file-zip-of-many"),
        (["a.pdf"], "file-zip-of-many"),
        ([], "file-zip-of-many"),
    ],
)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_another_office_file_is_refused(names: list[str], code: str) -> None:
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as archive:
        for name in names:
            archive.writestr(name, "<a/>")
    assert refusal(body.getvalue()) == code


BOOK = workbook([HEAD, GOOD, [*GOOD[:3], 5_000_000, *GOOD[4:]]])


@given(
    at=st.lists(st.tuples(st.integers(0, len(BOOK) - 1), st.integers(0, 255)), max_size=6),
    cut=st.integers(0, len(BOOK)),
    whole=st.booleans(),
)
def test_a_damaged_workbook_raises_nothing_but_refused(at: list[tuple[int, int]], cut: int, whole: bool) -> None:
    body = bytearray(BOOK)
    for place, byte in at:
        body[place] = byte
    try:
        read(Source.of(bytes(body if whole else body[:cut])), "contributions")
    except Refused as refused:
        assert refused.problem.say("id")  # noqa: PT017


@given(st.text("<>/=\"'r acowXFD1590 tsvn", max_size=200))
def test_a_damaged_sheet_raises_nothing_but_refused(xml: str) -> None:
    try:
        read(Source.of(with_sheet(xml)), "contributions")
    except Refused as refused:
        assert refused.problem.say("en")  # noqa: PT017


def test_a_value_beyond_the_sheets_columns_is_told() -> None:
    table = read(Source.of(workbook([HEAD, GOOD, [*GOOD, "", "999"], ["  "], GOOD])), "contributions")
    assert told(table) == [("cells-too-many", 3, "")]
    assert table.lines.tolist() == [2, 3, 5]


def test_a_number_too_large_for_any_cell_is_told() -> None:
    xml = "".join(f'<c r="{"ABCDEF"[i]}1" t="inlineStr"><is><t>{name}</t></is></c>' for i, name in enumerate(HEAD))
    kpj = '<c r="C2" t="inlineStr"><is><t>12345678901</t></is></c>'
    body = with_sheet(f'<row r="1">{xml}</row><row r="2">{kpj}<c r="D2"><v>1e999</v></c></row>')
    assert ("number-unreadable", 2, "wage") in told(read(Source.of(body), "contributions"))


@pytest.mark.parametrize("fast", [0, 10**9])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("blank", ["{0}{0}{0}{0}{0}", " {0} {0}{0}{0}{0}", "", "  ", '""{0}{0}{0}{0}{0}', "{0}" * 9])
def test_a_row_of_blank_cells_is_skipped(
    fast: int, separator: str, blank: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(typed, "FAST_FROM", fast)
    monkeypatch.setattr(csv_reader, "FAST_FROM", fast)
    lines = [separator.join(HEAD), separator.join(GOOD), blank.format(separator), separator.join(GOOD)]
    table = read(Source.of("\n".join(lines).encode()), "contributions")
    assert table.lines.tolist() == [2, 4]
    assert not table.problems


def test_blank_rows_before_the_header_are_skipped() -> None:
    table = read(Source.of(f"\n,,,,,\n{','.join(HEAD)}\n{LINE}\n".encode()), "contributions")
    assert table.lines.tolist() == [4]


@pytest.mark.parametrize("coding", ["utf-16", "utf-32", "latin-1"])
def test_another_encoding_is_refused(coding: str) -> None:
    body = f"{','.join(HEAD)},name\n{LINE},Zoë\n".encode(coding)
    assert refusal(body) == "file-encoding"


def test_a_wrong_encoding_is_told_with_its_line_behind_many_blocks() -> None:
    lines = [",".join(HEAD).encode(), *[LINE.encode()] * 5000, LINE.encode() + b"\xe9", LINE.encode()]
    with pytest.raises(Refused) as refused:
        read(Source.of(b"\n".join(lines)), "contributions", Limits(block=4096))
    assert (refused.value.code, refused.value.problem.line) == ("file-encoding", 5002)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"[" * 100_000, "json-unreadable"),
        (b'["\xff"]', "file-encoding"),
        (b'[{"kpj":"\\ud800"}]', "json-unreadable"),
        (b"[1e999]", "json-unreadable"),
        (b"[]", "file-empty"),
        (b" " * 200 + b"[]", "file-empty"),
        (b"\xef\xbb\xbf[]", "file-empty"),
        (b'[{"kpj":"1","KPJ":"2"}]', "column-twice"),
        (b'{"kpj ":"1"," kpj":"2"}', "column-twice"),
        (b'{"Kpjs":"1"}', "column-unknown"),
        (",".join(["kpj"] * 16_000).encode(), "column-twice"),
        ((",".join(HEAD + ["kpj"] * 10_000)).encode(), "column-twice"),
        ((",".join(HEAD + ["a"] * 30_000)).encode(), "column-unknown"),
        (b"\x1f\x8b", "file-unreadable"),
        (gzip.compress(LINE.encode(), mtime=0) + b"rubbish", "file-unreadable"),
        (gzip.compress(b"", mtime=0), "file-empty"),
    ],
)
def test_odd_files_are_refused_with_their_code(body: bytes, code: str) -> None:
    with pytest.raises(Refused) as refused:
        read(Source.of(body), "contributions")
    assert refused.value.code == code
    assert len(refused.value.problem.say()) < 1000


def test_lines_of_json_nested_too_deep_are_told() -> None:
    body = ('{"kpj":' + "[" * 20_000 + "\n" + json.dumps(dict(zip(HEAD, GOOD)) | {"wage": 5})).encode()
    assert told(read(Source.of(body), "contributions")) == [("json-unreadable", 1, "")]


def test_members_of_gzip_follow_each_other_and_padding_is_no_data() -> None:
    half = f"{','.join(HEAD)}\n{LINE}\n{LINE[:9]}".encode(), f"{LINE[9:]}\n".encode()
    body = gzip.compress(half[0], mtime=0) + gzip.compress(b"", mtime=0) + gzip.compress(half[1], mtime=0) + b"\0" * 600
    assert len(read(Source.of(body), "contributions")) == 2


def test_a_file_that_is_no_file_or_a_pipe() -> None:
    with pytest.raises(Refused) as refused:
        Source.at("/")
    assert refused.value.code == "file-unreadable"
    with pytest.raises(Refused) as refused:
        Source.at("a\0b")
    assert refused.value.code == "file-unreadable"
    out, into = os.pipe()
    os.write(into, f"{','.join(HEAD)}\n{LINE}\n".encode())
    os.close(into)
    source = Source.at(f"/proc/self/fd/{out}")
    os.close(out)
    assert [len(read(source, "contributions")) for _ in range(2)] == [1, 1]


def test_standard_input_on_a_full_disk_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"x" * (2 << 20))))
    monkeypatch.setattr("tempfile.TemporaryFile", lambda: open("/dev/full", "r+b", buffering=0))  # noqa: SIM115
    with pytest.raises(StoreFailed) as failed:
        Source.at("-")
    assert failed.value.code == "disk-full"


def test_standard_input_beyond_its_limit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"x" * 1000)))
    with pytest.raises(Refused) as refused:
        Source.at("-", Limits(max_bytes=999))
    assert refused.value.code == "file-too-large"


WORDS = st.text("0123456789-+.,;:eE xX'=@/_\t\r\x1c\u00a0\ufeff٣éß\u202eLPUBMIJAKON", max_size=18)
CELLS = st.one_of(
    WORDS,
    st.sampled_from(
        [
            "", "12345678901", "02345678901", "1234567890", "12345678", "00000000", "0", "007", "1" * 15, "1" * 16, "1" * 30,
            "2026-10", "2026-13", "0000-01", "2026-02-28", "2026-02-29", "1969-12-31", "3171011708450001", "PU", "bpu", "L",
            "p", "regular", "opening", "JAKON", "a@b.id", "081234567890", "'=x", "'-5", "-5", "'", "Sari", "é", "a" * 101,
            "a b", " a ", "1_000", "1201", "1200",
        ]
    ),
)  # fmt: skip


def _meaning(column: Column, values: object, row: int, texts: list[str]) -> object:
    value = values[row]  # type: ignore[index]
    if column.type in ("division", "reference"):
        return texts[value] if value >= 0 else None
    return value


@pytest.mark.parametrize("column", ALL_COLUMNS, ids=lambda column: f"{column.name}-{column.limit}")
@given(given_cells=st.lists(CELLS, min_size=1, max_size=30))
def test_a_column_at_once_reads_as_cell_by_cell(column: Column, given_cells: list[str]) -> None:
    ways = []
    for fast in (True, False):
        memory = Memory(column)
        given_way = pl.Series(given_cells, dtype=pl.String) if fast else given_cells
        values, wrong = typed._typed(column, given_way, memory)
        wrong_rows = dict(wrong)
        ways.append(
            [wrong_rows.get(row) or _meaning(column, values, row, memory.texts) for row in range(len(given_cells))]
        )
    assert ways[0] == ways[1]
    alone = [fields.read_cell(column, cell) for cell in given_cells]
    assert ways[1] == alone


def _written(rows: list[dict[str, object]], form: str) -> Source:
    names = list(rows[0])
    table = [["" if row[name] is None else str(row[name]) for name in names] for row in rows]
    if form == "xlsx":
        return Source.of(workbook([names, *table]))  # type: ignore[list-item]
    if form == "json":
        return Source.of(json.dumps(rows).encode())
    if form == "rows":
        return Source.rows(rows)
    if form == "ndjson":
        return Source.of("\n".join(map(json.dumps, rows)).encode())
    text = io.StringIO()
    csv.writer(text, delimiter=";" if form == "semicolons" else ",").writerows([names, *table])
    body = text.getvalue().encode()
    return Source.of(gzip.compress(body, mtime=0) if form == "gzip" else body)


PERSONS: list[dict[str, object]] = [
    {
        "kpj": f"1234567890{number}", "nik": "3171011708450001", "name": name, "birth_date": "1945-08-17", "sex": "P",
        "segment": "PU", "npp": "12345678", "email": email, "phone": phone, "registered_on": day,
    }
    for number, (name, email, phone, day) in enumerate(
        [
            ("=cmd()", "=a@b.id", "+62812345678", "2026-01-02"),
            ("@Sari", "", "", "2026-02-30"),
            ("-Dewi, Sari \"Ina\"", "+a@b.id", "", "2026-01-02"),
            ("'quoted", "a@b.id", "0812345678", "x"),
        ]
    )
]  # fmt: skip


@pytest.mark.parametrize("form", ["csv", "semicolons", "gzip", "json", "rows", "ndjson", "xlsx"])
def test_rejected_rows_can_be_sent_again(form: str) -> None:
    source = _written(PERSONS, form)
    first = 1 if form in ("json", "rows", "ndjson") else 2
    table = read(source, "registrations")
    assert [problem.line for problem in table.problems] == [first, first, first + 1, first + 3]
    wanted = set(range(first, first + 4))
    names, rows = rows_again(source, "registrations", wanted)
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(names)
    for line, row in rows:
        assert line in wanted
        assert not any(cell.startswith(("=", "+", "-", "@")) for cell in row)
        writer.writerow(row)
    again = read(Source.of(text.getvalue().encode()), "registrations")
    for name, values in table.columns.items():
        left, right = (v.tolist() if isinstance(v, np.ndarray) else v for v in (values, again.columns[name]))
        assert left == right, name
    assert told(again) == [(code, line + 2 - first, column) for code, line, column in told(table)]


def test_a_reference_behind_a_dash_can_be_sent_again() -> None:
    source = Source.of(f"{','.join(HEAD)}\n{LINE[:-5]}-a/1\n".encode())
    names, rows = rows_again(source, "contributions", {2})
    ((_, row),) = rows
    assert row[-1] == "'-a/1"
    again = read(Source.of(f"{','.join(names)}\n{','.join(row)}\n".encode()), "contributions").columns["reference"]
    assert again.texts[again.codes[0]] == "-a/1"


def test_a_rejected_row_of_too_few_cells_is_filled_up() -> None:
    source = Source.of(f"{','.join(HEAD)}\n{GOOD[0]},{GOOD[1]}\n{LINE},7\n".encode())
    _, rows = rows_again(source, "contributions", {2, 3})
    assert list(rows) == [(2, [*GOOD[:2], "", "", "", ""]), (3, [*GOOD, "7"])]


def test_lost_digits_do_not_come_back_as_another_number() -> None:
    head = [*HEAD, "division", "nik"]
    row = [1234567, "2026-10", 2345678901, 5_000_000, "2026-11-10", "TRX-1", 1, 3171011708450001]
    source = Source.of(workbook([head, row]))
    names, rows = rows_again(source, "contributions", {2})
    ((_, texts),) = rows
    again = read(Source.of(f"{','.join(names)}\n{','.join(texts)}\n".encode()), "contributions")
    assert [column for _, _, column in told(again)] == ["npp", "nik"]


def test_every_unreadable_row_keeps_its_code_beyond_the_listed_ones() -> None:
    extra = 300
    lines = [LINE.replace("5000000", "x")] * PROBLEMS_KEPT + [LINE.replace("2026-11-10", "-")] * extra + [LINE + ",1"]
    table = of(*lines, LINE.replace("5000000", "1" * 16).replace("TRX-1", "a b"), limits=Limits(block=30_000))
    assert len(table.problems) == PROBLEMS_KEPT
    whole = Receipt("contributions", "r")
    check.prepare(table, HEADER, whole, today=TODAY, backdate=False, registered={12345678})
    for receipt in (whole, batches.begin(table, HEADER, dry_run=False)):
        codes = [receipt.rejected_lines[line] for line in range(2, len(lines) + 3)]
        assert [problem.code for problem in codes] == (
            ["number-unreadable"] * PROBLEMS_KEPT + ["date-unreadable"] * extra + ["cells-too-many", "amount-absurd"]
        )
        assert (codes[-3].column, codes[-2].details, codes[-1].column) == (
            "paid_on",
            {"cells": 7, "columns": 6},
            "wage",
        )
        assert "?" not in codes[-1].say()
        assert receipt.codes["refused", "date-unreadable"] == extra


def test_texts_are_numbered_in_file_order_whichever_thread_was_first() -> None:
    gathering = Gathering("contributions")
    for text in ("B", "A", "C"):
        gathering.memories["reference"].code(text)
    for codes in ([3, 1, 0], [2, -1, 3]):
        lines = np.arange(3, dtype=np.int32)
        gathering.add(typed.Block(lines, {"reference": np.array(codes, np.int32)}, []))
    reference: Coded = gathering.table().columns["reference"]
    assert reference.texts == ["", "C", "B", "A"]
    assert reference.codes.tolist() == [1, 2, 0, 3, -1, 1]


@pytest.mark.parametrize("first", [True, False])
def test_a_column_that_only_some_lines_of_json_name_stays_in_its_rows(
    first: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ledger.ingestion.readers.json._BLOCK_ROWS", 2)
    plain = dict(zip(HEAD, GOOD)) | {"wage": 5}
    odd = plain | {"worker": 7, "division": "A1", "name": "Sari", "kind": "supplement"}
    rows = [odd if (place < 2) is first else plain for place in range(4)]
    columns = read(Source.of("\n".join(map(json.dumps, rows)).encode()), "contributions").columns
    turned = 1 if first else -1
    assert columns["worker"].tolist() == [7, 7, -1, -1][::turned]
    assert columns["name"] == ["Sari", "Sari", "", ""][::turned]
    assert columns["kind"].tolist() == [1, 1, 0, 0][::turned]
    division = columns["division"]
    assert [division.texts[code] for code in division.codes] == ["0A1", "0A1", "000", "000"][::turned]


def test_long_garbage_in_a_repeated_column_is_not_kept() -> None:
    memory = Memory(LAYOUTS["contributions"][1])
    tracemalloc.start()
    for number in range(200):
        assert isinstance(memory.read(str(number) * 10_000), Bad)
    assert tracemalloc.get_traced_memory()[0] < 1 << 20
    tracemalloc.stop()


@pytest.mark.parametrize(
    ("layout", "column", "cell", "code"),
    [
        ("registrations", "old_card", "mungkin", "answer-unreadable"),
        ("registrations", "left_on", "NaN", "cell-says-nothing"),
        ("contributions", "back_pay", "NaN", "cell-says-nothing"),
        ("contributions", "back_pay", "N/A", "cell-says-nothing"),
    ],
)
def test_a_sign_for_nothing_and_an_answer_that_is_none_are_told(layout: str, column: str, cell: str, code: str) -> None:
    columns = {one.name: one for one in LAYOUTS[layout]}
    value = Memory(columns[column]).read(cell)
    assert isinstance(value, Bad)
    assert value.code == code


def test_every_code_the_readers_give_is_tested() -> None:
    """The codes in the readers' source all stand in these tests."""
    package, here = Path(fields.__file__).parent, Path(__file__).parent
    given_codes: set[str] = set()
    readers = [f"ingestion/readers/{path.stem}" for path in sorted((package / "ingestion/readers").glob("*.py"))]
    for name in ("fields", "layouts", *readers):
        text = (package / f"{name}.py").read_text("utf-8")
        given_codes |= set(re.findall(r'(?:Bad|Refused|StoreFailed|Problem)\(\s*"([a-z-]+)"', text))
        given_codes |= set(re.findall(r'"([a-z]+-(?:unreadable|unknown|without-jht|negative))"', text))
    tests = "".join(path.read_text("utf-8") for path in here.parent.rglob("test_*.py"))
    assert {code for code in given_codes if f'"{code}"' not in tests} == set()
    assert len(given_codes) > 25


def test_a_line_of_300_megabytes_in_a_file_is_refused_in_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "long.csv"
    with path.open("wb") as file:
        file.write(f"{','.join(HEAD)}\n{LINE}\n".encode())
        file.truncate(300 << 20)
    tracemalloc.start()
    with pytest.raises(Refused) as refused:
        read(Source.at(path), "contributions")
    assert (refused.value.code, refused.value.problem.line) == ("line-too-long", 3)
    assert tracemalloc.get_traced_memory()[1] < 30 << 20
    tracemalloc.stop()


@pytest.mark.parametrize("form", ["csv", "ndjson", "json", "empty objects"])
def test_a_file_of_rubbish_is_given_up_early(form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ledger.ingestion.readers.table.UNREADABLE_MOST", 3_000)
    monkeypatch.setattr("ledger.ingestion.readers.json._BLOCK_ROWS", 2_000)
    body = {
        "csv": f"{','.join(HEAD)}\n".encode() + b"x,,,,,\n" * 200_000,
        "ndjson": b'{"npp":"1"}\n' * 200_000,
        "json": b"[" + b'{"npp":"1"},' * 200_000 + b"{}]",
        "empty objects": b"[" + b"{}," * 200_000 + b"{}]",
    }[form]
    looked_at = 0

    def counted(column: Column, raw: str) -> object:
        nonlocal looked_at
        looked_at += 1
        return fields.read_cell(column, raw)

    monkeypatch.setattr("ledger.ingestion.readers.table.read_cell", counted)
    tracemalloc.start()
    assert refusal(body, limits=Limits(block=16 << 10)) == "file-mostly-unreadable"
    assert tracemalloc.get_traced_memory()[1] < 30 << 20
    tracemalloc.stop()
    assert looked_at < 50_000, "of 200,000 rows"
