"""Good files of every layout and format, and what chance makes of them: of their bytes, and of the parts of a workbook."""

from __future__ import annotations

import gzip
import io
import json
import random
import zipfile

from ledger.layouts import READABLE, Column
from tests.ledger.ingestion.readers.books import Page, Raw, book

PIECES = (
    b"\0", b"\xff", b'"', b"'", b"=", b"#N/A", b"\r", b"\n", b"\x1a", b"\xef\xbb\xbf", b"\xe2\x80\x8b", b"1e+15", b".0",
    b"{", b"}", b"[", b"]", b":", b",", b";", b"\\u0000", b"\\ud800", b"<", b">", b"&", b"PK\x03\x04", b"\x1f\x8b", b"-",
    b"TOTAL", b"NaN", b"9" * 30, b"sep=;\n", b"\t", b"(", b")", b"0", b"00", b"\xd9\xa1", b"\xc2\xa0", b"e5", b"1904",
)  # fmt: skip
MARKUP = (
    b"<c>", b"</c>", b"<v>", b"</v>", b"<v/>", b"<f>1</f>", b"<row>", b"</row>", b'<row r="1">', b'<row hidden="1">',
    b't="s"', b't="e"', b't="b"', b't="d"', b't="n"', b't="str"', b's="1"', b"<is><t>x</t></is>", b"<!DOCTYPE a>", b"&#0;",
    b'<mergeCells><mergeCell ref="A1:I9"/></mergeCells>', b'<cols><col min="1" max="3" width="0"/></cols>', b"<!--",
    b'r="XFD1048576"', b'r="0"', b"-1", b"<sheetData>", b"</sheetData>", b'date1904="1"', b'fullCalcOnLoad="1"', b"]]>",
    b'r="A1"', b"&amp;",
)  # fmt: skip


def value_of(column: Column) -> object:
    """A good value of a column."""
    return {
        "rupiah": 5, "count": 5, "kpj": "12345678901", "npp": "12345678", "nik": "3171011708450001", "month": "2026-10",
        "birth": "1945-08-17", "date": "2026-01-02", "division": "001", "kind": "regular", "segment": "PU", "sex": "P",
        "yes": "ya",
        "year": "2025", "leaving": "PHK", "bases": "2025:17:2", "payouts": "2022-05-10:7:full",
        "reference": "TRX-1", "text": "Sari Lestari", "email": "a@b.id", "phone": "081234567890",
    }[column.type]  # fmt: skip


def good_files(layout: str) -> list[bytes]:
    """Good inputs of each format; of `report` too, which employers check."""
    row = {column.name: value_of(column) for column in READABLE[layout]}
    text = ";".join(row) + "\n" + ";".join(map(str, row.values())) + "\n"
    cells: list[object] = [Raw("", f"<f>A1</f><v>{v}</v>") if isinstance(v, int) else v for v in row.values()]
    return [
        text.encode(), text.replace(";", ",").encode(), json.dumps([row, row]).encode(), json.dumps(row).encode(),
        gzip.compress(text.encode(), mtime=0), book(Page([list(row), list(row.values())]), Page([["x"]], state="hidden")),
        book(Page([["PT"], list(row), cells, ["TOTAL"]], merged=("A4:B4",), columns='<col min="9" max="9"/>')),
    ]  # fmt: skip


def spoiled(whole: bytes, chance: random.Random) -> bytes:
    """A file with some of its bytes changed; of a workbook mostly those of one of its parts."""
    if not whole.startswith(b"PK") or chance.random() < 0.2:
        return _changed(whole, chance, PIECES)
    body = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(whole)) as old, zipfile.ZipFile(body, "w") as new:
        names = old.namelist()
        # A sheet is where the money is.
        chosen = chance.choice([*names, *[name for name in names if "sheet" in name] * 4])
        for name in names:
            part = old.read(name)
            new.writestr(name, _changed(part, chance, (*MARKUP, *PIECES)) if name == chosen else part)
    return body.getvalue()


def _changed(whole: bytes, chance: random.Random, pieces: tuple[bytes, ...]) -> bytes:
    body = bytearray(whole)
    for _ in range(chance.randint(1, 4)):
        place = chance.randrange(len(body) + 1)
        what = chance.randrange(4)
        if what == 0:
            body[place:place] = chance.choice(pieces)
        elif what == 1:
            del body[place : place + chance.randint(1, 20)]
        elif what == 2 and place < len(body):
            body[place] = chance.randrange(256)
        else:
            body[place:place] = body[place : place + chance.randint(1, 40)]
    return bytes(body)
