"""Any door's input reads as the same table, and what is wrong with it has its code and its place."""

from __future__ import annotations

import gzip
import io
import json
from datetime import date, timedelta

import numpy as np
import pytest
import xlsxwriter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger.errors import Refused
from ledger.identifiers import card_number, month_number
from ledger.ingestion.readers import typed
from ledger.ingestion.readers.reading import Limits, Source, Table, read, rows_again
from ledger.ingestion.readers.table import Coded

HEAD = "npp,month,kpj,wage,paid_on"
GOOD = "12345678,2026-10,12345678901,5000000,2026-11-10"
PERSON = {
    "kpj": "12345678901", "nik": "3171011708450001", "name": "Sari Dewi", "birth_date": "1945-08-17", "sex": "P",
    "segment": "PU", "npp": "12345678", "email": "", "phone": "", "registered_on": "2026-01-02",
}  # fmt: skip
OPENING = {
    "kpj": "12345678901", "as_of": "2025-12-31", "employer": "1", "worker": "2", "credited_yield": "3", "months": "4",
}  # fmt: skip


def contributions(*lines: str, limits: Limits | None = None) -> Table:
    return read(Source.of("\n".join((HEAD, *lines)).encode()), "contributions", limits)


def with_cell(name: str, cell: str) -> Table:
    columns = [
        "npp",
        "month",
        "kpj",
        "wage",
        "back_pay",
        "employer",
        "worker",
        "paid_on",
        "reference",
        "division",
        "kind",
    ]
    row = dict.fromkeys(columns, "") | dict(zip(HEAD.split(","), GOOD.split(","), strict=True)) | {name: cell}
    return read(Source.of("\n".join((",".join(row), ",".join(row.values()))).encode()), "contributions")


def person(**cells: str) -> Table:
    row = PERSON | cells
    return read(Source.of("\n".join((";".join(row), ";".join(row.values()))).encode()), "registrations")


def told(table: Table) -> list[tuple[str, int, str]]:
    return [(problem.code, problem.line, problem.column) for problem in table.problems]


def plain(table: Table) -> dict[str, object]:
    """Everything a table says, comparable."""
    columns: dict[str, object] = {}
    for name, values in table.columns.items():
        if isinstance(values, Coded):
            columns[name] = [values.texts[code] if code >= 0 else None for code in values.codes]
        else:
            columns[name] = values.tolist() if isinstance(values, np.ndarray) else values
    return {**columns, "bad": table.bad.tolist(), "told": told(table), "counts": table.counts}


@pytest.mark.parametrize(
    ("column", "cell", "code"),
    [
        ("wage", "5.000.000", "number-unreadable"),
        ("wage", "5,000".replace(",", "."), "number-unreadable"),
        ("wage", "1e6", "number-unreadable"),
        ("wage", "+5", "number-unreadable"),
        ("wage", "5 000", "number-unreadable"),
        ("wage", "٥²٠", "number-unreadable"),
        ("worker", "-5", "number-negative"),
        ("wage", "9" * 16, "amount-absurd"),
        ("wage", "9" * 40, "amount-absurd"),
        ("month", "2026-13", "month-unreadable"),
        ("paid_on", "2026-02-30", "date-unreadable"),
        ("paid_on", "10-11-2026", "date-unreadable"),
        ("paid_on", "", "cell-empty"),
        ("kpj", "", "cell-empty"),
        ("kpj", "123", "kpj-unreadable"),
        ("kpj", "ß2345678901", "kpj-unreadable"),
        ("npp", "1234567", "npp-zeros-lost"),
        ("npp", "1234567.0", "npp-zeros-lost"),
        ("npp", "123456789", "npp-unreadable"),
        ("npp", "00000000", "npp-unreadable"),
        ("division", "a-b", "division-unreadable"),
        ("kind", "opening", "kind-unknown"),
        ("reference", "a b", "reference-unreadable"),
        ("reference", "a" * 41, "reference-unreadable"),
    ],
)
@pytest.mark.parametrize("fast", [True, False])
def test_an_unreadable_cell_is_told_with_line_and_column(
    column: str, cell: str, code: str, fast: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(typed, "FAST_FROM", 0 if fast else 10**9)
    table = with_cell(column, cell)
    assert told(table) == [(code, 2, column)]
    assert table.bad.tolist() == [True]
    assert table.counts == {code: 1}
    if column not in ("kpj", "month", "npp"):
        assert table.columns["kpj"].tolist() == [12345678901]
        assert table.columns["month"].tolist() == [month_number("2026-10")]


@pytest.mark.parametrize(
    ("column", "cell", "code"),
    [
        ("nik", "123", "nik-unreadable"),
        ("name", "a" * 101, "text-too-long"),
        ("name", "a\u202eb", "cell-invisible"),
        ("name", "a\ue000b", "text-unreadable"),
        ("nik", "3171011708450000", "nik-cut"),
        ("nik", "9171011708450001.0", "cell-lost-digits"),
        ("birth_date", "1945-02-30", "date-unreadable"),
        ("sex", "M", "sex-unknown"),
        ("segment", "XX", "segment-unknown"),
        ("segment", "Jasa Konstruksi", "segment-without-jht"),
        ("email", "nobody", "email-unreadable"),
        ("phone", "12", "phone-unreadable"),
    ],
)
def test_an_unreadable_personal_cell_is_told_without_its_value(column: str, cell: str, code: str) -> None:
    table = person(**{column: cell})
    assert told(table) == [(code, 2, column)]
    assert cell not in [str(value) for value in table.problems[0].details.values()]


@pytest.mark.parametrize(
    "phone", ["081234567890", "6281234567890", "+62 812-3456-7890", "81234567890", "'+6281234567890"]
)
def test_a_phone_number_is_written_one_way(phone: str) -> None:
    assert person(phone=phone).columns["phone"] == ["+6281234567890"]


def test_a_birth_before_1970_is_a_negative_day() -> None:
    assert person().columns["birth_date"].tolist() == [(date(1945, 8, 17) - date(1970, 1, 1)).days]


def test_an_opening_balance_needs_its_money() -> None:
    row = OPENING | {"employer": ""}
    table = read(Source.of(f"{','.join(row)}\n{','.join(row.values())}".encode()), "opening-balances")
    assert told(table) == [("cell-empty", 2, "employer")]


@pytest.mark.parametrize(
    ("body", "code", "line"),
    [
        (b"", "file-empty", 0),
        (b"\n \n", "file-empty", 0),
        (HEAD.encode(), "file-empty", 0),
        (f"{HEAD}\n{GOOD}\n".encode() + b"\xff\n", "file-encoding", 3),
        (f"{HEAD}\n{GOOD}\n".encode() + b"a\0b\n", "file-encoding", 3),
        (f'{HEAD}\n{GOOD}\n"1\n2"\n'.encode(), "quote-newline", 3),
        (b"kpj,npp\n1,2\n", "columns-missing", 1),
        (b"Budi Santoso,3171011708450001\n", "columns-missing", 1),
        (f"{HEAD},wages\n".encode(), "column-unknown", 1),
        (f"{HEAD},KPJ\n".encode(), "column-twice", 1),
        (f"{HEAD}\n{'9' * 70_000}\n".encode(), "line-too-long", 2),
        (b"\x1f\x8bnot gzip", "file-unreadable", 0),
        (gzip.compress(HEAD.encode() * 9, mtime=0)[:-9], "file-unreadable", 0),
        (b"PK\x03\x04not a zip", "file-unreadable", 0),
        (b'[{"kpj": 1', "json-unreadable", 1),
        (b"[" * 100_000, "json-unreadable", 1),
        (b'[{"kpj": "\xff"}]', "file-encoding", 0),
        (b'[{"nokpj": "1"}]', "column-unknown", 1),
    ],
)
def test_what_spoils_a_whole_file_is_refused(body: bytes, code: str, line: int) -> None:
    with pytest.raises(Refused) as refused:
        read(Source.of(body), "contributions")
    assert (refused.value.code, refused.value.problem.line) == (code, line)


def test_an_unknown_column_is_named_but_data_in_its_place_is_not() -> None:
    with pytest.raises(Refused, match="wages, #7"):
        read(Source.of(f"{HEAD},wages,3171011708450001\n".encode()), "contributions")


def test_a_missing_file_is_refused() -> None:
    with pytest.raises(Refused) as refused:
        Source.at("/nowhere/at/all.csv")
    assert refused.value.code == "file-unreadable"


def test_a_file_beyond_its_limits_is_refused() -> None:
    with pytest.raises(Refused) as refused:
        contributions(GOOD, GOOD, GOOD, limits=Limits(max_lines=2))
    assert refused.value.code == "file-too-large"
    with pytest.raises(Refused) as refused:
        contributions(GOOD, GOOD, GOOD, limits=Limits(max_bytes=60))
    assert refused.value.code == "file-too-large"


@pytest.mark.parametrize("limits", [Limits(), Limits(max_bytes=10 << 20)])
def test_a_gzip_bomb_is_stopped(limits: Limits) -> None:
    # Blank lines of a kilobyte: a line costs time, and the limits are of bytes.
    bomb = gzip.compress(f"{HEAD}\n".encode() + (b" " * 1023 + b"\n") * (40 << 10), mtime=0)
    with pytest.raises(Refused) as refused:
        read(Source.of(bomb), "contributions", limits)
    assert refused.value.code == "file-expands-too-far"


def test_a_huge_line_is_refused_without_being_held() -> None:
    class Endless(io.RawIOBase):
        taken = 0

        def readable(self) -> bool:
            return True

        def read(self, size: int = -1) -> bytes:
            self.taken += size
            return b"9" * size

    endless = Endless()
    source = Source("", lambda: endless)  # type: ignore[arg-type, return-value]
    with pytest.raises(Refused) as refused:
        read(source, "contributions")
    assert refused.value.code == "line-too-long"
    assert endless.taken < 8 << 20


def test_a_line_with_too_many_or_few_cells_is_told_once() -> None:
    table = contributions(GOOD, GOOD + ",1", GOOD[:-11], GOOD)
    assert told(table) == [("cells-too-many", 3, ""), ("cells-too-many", 4, "")]
    assert table.bad.tolist() == [False, True, True, False]


def test_blank_lines_are_skipped_and_counted() -> None:
    table = contributions("", GOOD, "", "  ", GOOD)
    assert table.lines.tolist() == [3, 6]
    assert not table.problems


def test_problems_are_capped_but_counted() -> None:
    table = contributions(*[GOOD.replace("5000000", "x")] * 10_500)
    assert len(table.problems) == 10_000
    assert table.counts == {"number-unreadable": 10_500}
    assert table.bad.sum() == 10_500


def test_json_types_are_strict() -> None:
    row = {"npp": "12345678", "month": "2026-10", "kpj": "12345678901", "wage": 5, "paid_on": "2026-11-10"}
    rows = [row, row | {"wage": "5"}, row | {"wage": 5.0}, row | {"kpj": 12345678901}, row | {"wage": True}, 7]
    table = read(Source.of(json.dumps(rows).encode()), "contributions")
    assert [(p.code, p.line) for p in table.problems] == [("wrong-type", line) for line in (2, 4, 5, 6)]
    assert table.columns["wage"].tolist() == [5, -1, 5, 5, -1, -1]
    assert plain(read(Source.rows(rows), "contributions")) == plain(table)


@pytest.mark.parametrize("lines", [True, False])
def test_the_letter_case_of_a_json_key_is_free(lines: bool) -> None:
    row = {"NPP": "12345678", "Month": "2026-10", "kpj": "12345678901", "WAGE": 5, "paid_on": "2026-11-10"}
    table = read(Source.of(json.dumps(row if lines else [row]).encode()), "contributions")
    assert table.columns["npp"].tolist() == [12345678]
    assert table.columns["wage"].tolist() == [5]
    assert not table.problems
    with pytest.raises(Refused) as refused:
        read(Source.rows([row | {"npp": "87654321"}]), "contributions")
    assert refused.value.code == "column-twice"


def sheet(rows: list[list[object]]) -> bytes:
    body = io.BytesIO()
    book = xlsxwriter.Workbook(body, {"in_memory": True})
    days = book.add_format({"num_format": "yyyy-mm-dd"})
    page = book.add_worksheet()
    for place, row in enumerate(rows):
        for column, value in enumerate(row):
            if isinstance(value, date):
                page.write_datetime(place, column, value, days)
            elif value != "":
                page.write(place, column, value)
    book.close()
    return body.getvalue()


def test_a_spreadsheet_number_that_lost_digits_is_told() -> None:
    head = [*HEAD.split(","), "nik"]
    day = date(2026, 11, 10)
    table = read(
        Source.of(
            sheet(
                [
                    head,
                    [12345678, "2026-10", 12345678901, 5000000, day, ""],
                    ["12345678", "2026-10", 2345678901, 5.5, day, ""],
                    [1234567, "2026-10", "12345678901", 5, "2026-11-10", 3171011708450001],
                ]
            )
        ),
        "contributions",
    )
    assert told(table) == [
        ("number-fraction", 3, "wage"),
        ("npp-zeros-lost", 4, "npp"),
        ("cell-lost-digits", 4, "nik"),
    ]
    assert table.columns["paid_on"].tolist() == [(day - date(1970, 1, 1)).days] * 3


def test_a_spreadsheet_does_not_make_numbers_out_of_dates() -> None:
    day = date(2026, 11, 10)
    cells = [["12345678", "2026-10", day, 5, day, "000"], ["12345678", day, "12345678901", 5, day, 0]]
    table = read(Source.of(sheet([[*HEAD.split(","), "division"], *cells])), "contributions")
    assert told(table) == [
        ("cell-lost-digits", 2, "kpj"),
        ("month-unreadable", 3, "month"),
    ]
    assert table.columns["division"].texts == ["000"]


def test_two_cells_far_apart_do_not_fill_the_memory() -> None:
    body = io.BytesIO()
    book = xlsxwriter.Workbook(body, {"in_memory": True})
    page = book.add_worksheet()
    page.write(0, 0, "kpj")
    page.write(1_048_575, 16_383, "x")
    book.close()
    with pytest.raises(Refused) as refused:
        read(Source.of(body.getvalue()), "contributions")
    assert refused.value.code == "columns-missing"


@pytest.mark.parametrize("fast", [True, False])
def test_a_quoted_cell_over_two_lines_is_refused_though_each_line_has_its_cells(
    fast: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ledger.ingestion.readers.csv.FAST_FROM", 0 if fast else 10**9)
    first, second = GOOD[:-10] + '"2026-11-10', GOOD[:8] + '"' + GOOD[8:]
    with pytest.raises(Refused) as refused:
        contributions(GOOD, first, second)
    assert (refused.value.code, refused.value.problem.line) == ("quote-newline", 3)


def test_rows_come_again_for_the_rejects_file() -> None:
    source = Source.of(f"{HEAD},name\n{GOOD},=1+1\n{GOOD},b\n".encode())
    header, rows = rows_again(source, "contributions", {2})
    assert header == [*HEAD.split(","), "name"]
    assert list(rows) == [(2, [*GOOD.split(","), "'=1+1"])]


def test_standard_input_is_read_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(f"{HEAD}\n{GOOD}\n".encode())))
    source = Source.at("-")
    assert len(read(source, "contributions")) == 1
    assert [line for line, _ in rows_again(source, "contributions", {2})[1]] == [2]


MONEY = st.integers(0, 10**15 - 1)
DAYS = st.dates(date(1970, 1, 1), date(2100, 1, 1)).map(date.isoformat)
NAMES = st.from_regex(r"[A-Z][a-zé' .]{0,20}[a-z]", fullmatch=True)
ROWS = st.fixed_dictionaries(
    {
        "npp": st.one_of(st.just(""), st.integers(1, 99999999).map("{:08d}".format)),
        "month": st.dates(date(1990, 1, 1), date(2090, 1, 1)).map(lambda day: f"{day:%Y-%m}"),
        "kpj": st.from_regex(r"[0-9]{10}[1-9]|[0-9]{2}[A-Z][0-9]{7}", fullmatch=True),
        "wage": st.one_of(st.none(), MONEY),
        "employer": st.one_of(st.none(), MONEY),
        "paid_on": DAYS,
        "reference": st.from_regex(r"[A-Za-z0-9./-]{0,40}", fullmatch=True),
        "division": st.sampled_from(["", "000", "A1"]),
        "kind": st.sampled_from(["", "regular", "supplement"]),
        "name": st.one_of(st.just(""), NAMES),
    }
)  # fmt: skip


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
@given(
    rows=st.lists(ROWS, min_size=1, max_size=30),
    order=st.permutations(list(range(11))),
    separator=st.sampled_from([",", ";", "\t"]),
    end=st.sampled_from(["\n", "\r\n"]),
    bom=st.booleans(),
    upper=st.booleans(),
    quoted=st.booleans(),
    block=st.integers(1, 600),
)
def test_every_format_and_every_cut_reads_the_same(
    rows, order, separator, end, bom, upper, quoted, block, monkeypatch
) -> None:
    # Own payments among employers' lines must say so.
    rows = [row | {"segment": "" if row["npp"] else "BPU"} for row in rows]
    names = [list(rows[0])[place] for place in order]
    text = [["" if row[name] is None else str(row[name]) for name in names] for row in rows]
    head = [name.upper() if upper else name for name in names]
    lines = [separator.join(f'"{cell}"' if quoted else cell for cell in line) for line in (head, *text)]
    body = ("\ufeff" * bom + end.join(lines) + end).encode()
    expected = plain(read(Source.of(json.dumps(rows).encode()), "contributions"))
    assert not expected["told"]
    assert expected["kpj"] == [card_number(row["kpj"]) for row in rows]
    assert expected["wage"] == [-1 if row["wage"] is None else row["wage"] for row in rows]
    epoch = date(1970, 1, 1)
    assert [(epoch + timedelta(day)).isoformat() for day in expected["paid_on"]] == [row["paid_on"] for row in rows]
    assert expected["reference"] == [row["reference"] for row in rows]
    ndjson = "\n".join(map(json.dumps, rows)).encode()
    small = Limits(block=block)
    for fast in (0, 10**9):
        monkeypatch.setattr(typed, "FAST_FROM", fast)
        monkeypatch.setattr("ledger.ingestion.readers.csv.FAST_FROM", fast)
        for given_body, limits in (
            (body, Limits()), (body, small), (gzip.compress(body, mtime=0), small),
            (ndjson, small), (sheet([head, *text]), None),
        ):  # fmt: skip
            assert plain(read(Source.of(given_body), "contributions", limits)) == expected


@settings(max_examples=300, deadline=None)
@given(
    start=st.sampled_from([b"", b"[", b"{", b"PK\x03\x04", b"\x1f\x8b", HEAD.encode() + b"\n", b"\xef\xbb\xbf["]),
    rest=st.one_of(st.binary(max_size=200), st.text(",;\"'\n\r\t 0-9-{}[]:\\anul", max_size=200).map(str.encode)),
    layout=st.sampled_from(["employers", "registrations", "contributions", "opening-balances"]),
    block=st.integers(1, 50),
)
def test_no_bytes_raise_anything_but_refused(start: bytes, rest: bytes, layout: str, block: int) -> None:
    try:
        read(Source.of(start + rest), layout, Limits(block=block))
    except Refused as refused:
        assert refused.problem.say("id")  # noqa: PT017 - reading it is as good an end as refusing it
