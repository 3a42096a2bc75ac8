"""How much memory the largest inputs take that a door lets in, when sixteen of them come at once.

The value is what the server takes at its peak above what it had after a small upload. One large input is worked at at a
time; the bodies of the others lie on disk. Every answer counts, a refusal too: what is measured is what the door bears.
"""

from __future__ import annotations

import gzip
import http.client
import io
import re
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

from tests.bench import child, files, load
from tests.bench.ours import APP, MONTH, api_key, registered
from tests.bench.rows import Measure
from tests.bench.world import World

AT_ONCE = 16
MOST_BODY = 60 << 20
"""Bytes: a little below what a body may have (JHT_MAX_BODY)."""
ACCOUNTS = 1_000
CSV, JSON, XLSX = "text/csv", "application/json", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_HEAD = b"npp,month,kpj,wage,paid_on\n"
_SHEET = (
    b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>',
    b"</sheetData></worksheet>",
)


def empties(path: Path, lines: int) -> None:
    """A JSON array of objects with nothing in them, as many as a body holds."""
    path.write_bytes(b"[" + b"{}," * min(lines * 20, MOST_BODY // 3) + b"{}]")


def packed_lines(path: Path, lines: int) -> None:
    """As many different lines as a file may have, packed: cards that nobody has, so that each one is told."""
    with path.open("wb") as file, gzip.GzipFile("", "wb", 1, file, mtime=0) as out:
        out.write(_HEAD)
        for first in range(0, lines, 50_000):
            rows = (_row(number) for number in range(first, min(first + 50_000, lines)))
            out.write("".join(rows).encode())


def _row(number: int) -> str:
    return f"{files.npp(0)},{MONTH},{files.FIRST_CARD + 10**9 + number:011d},5000000,{files.paid_on(MONTH)}\n"


def sparse(path: Path, lines: int) -> None:
    """A workbook of rows with one cell far to the right each."""
    row = b'<row r="%d"><c r="XFD%d"><v>1</v></c></row>'
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as book:
        book.writestr("[Content_Types].xml", _types())
        book.writestr("_rels/.rels", _relation("officeDocument", "xl/workbook.xml"))
        book.writestr("xl/workbook.xml", _workbook())
        book.writestr("xl/_rels/workbook.xml.rels", _relation("worksheet", "worksheets/sheet1.xml"))
        with book.open("xl/worksheets/sheet1.xml", "w") as sheet:
            sheet.write(_SHEET[0])
            for number in range(1, min(lines, 1_000_000) + 1):
                sheet.write(row % (number, number))
            sheet.write(_SHEET[1])


def _types() -> str:
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    parts = (("/xl/workbook.xml", "sheet.main"), ("/xl/worksheets/sheet1.xml", "worksheet"))
    told = "".join(f'<Override PartName="{name}" ContentType="{kind}.{what}+xml"/>' for name, what in parts)
    return (
        '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"><Default Extension="rels" '
        f'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>{told}</Types>'
    )


def _relation(kind: str, target: str) -> str:
    to = f"http://schemas.openxmlformats.org/officeDocument/2006/relationships/{kind}"
    return (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        f'<Relationship Id="r1" Type="{to}" Target="{target}"/></Relationships>'
    )


def _workbook() -> str:
    return (
        '<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" '
        'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"><sheets>'
        '<sheet name="a" sheetId="1" r:id="r1"/></sheets></workbook>'
    )


SHAPES: dict[str, tuple[Callable[[Path, int], None], str, int]] = {
    "JSON of empties": (empties, JSON, 1_000_000),
    "gzip of the line limit": (packed_lines, CSV, 1_000_000),
    "sparse XLSX": (sparse, XLSX, 1_000_000),
}
"""What comes in: how it is made, its content type, its lines."""
CHECKED = 100_000
"""Lines that the employer's check of a file takes."""


def by_key(kind: str, shape: str) -> Callable[[World], Measure]:
    """Dry runs at `/v1/contributions`."""
    make, content_type, full = SHAPES[shape]

    def measure(world: World) -> Measure:
        store = world.fresh(kind, registered(world, kind, ACCOUNTS, ACCOUNTS))
        path = world.directory / f"upload-{shape.replace(' ', '-')}"
        if not path.exists():
            make(path, world.scaled(full))
        headers = {"Authorization": f"Bearer {api_key(store)}", "Content-Type": content_type}
        try:
            with load.server(APP, store.env, core=None) as running:
                small = (_HEAD + _row(0).encode(), headers | {"Content-Type": CSV})
                return _above(running, "/v1/contributions?dry_run=true", small, (path.read_bytes(), headers))
        finally:
            world.drop(store)

    return measure


def by_employer(kind: str) -> Callable[[World], Measure]:
    """Checks of a packed file at the employers' door, by sixteen clerks."""

    def measure(world: World) -> Measure:
        store = world.fresh(kind, registered(world, kind, ACCOUNTS, ACCOUNTS))
        path, tokens = world.directory / "upload-employer", world.directory / "clerk"
        packed_lines(path, world.scaled(CHECKED))
        child.run([sys.executable, "-m", "tests.bench.members", "clerk", str(tokens)], store.env)
        try:
            with load.server(APP, store.env, core=None) as running:
                address, cookie = f"/perusahaan/{files.npp(0)}", {"Cookie": f"jht={tokens.read_text().strip()}"}
                page = _ask(running, "GET", address, b"", cookie)[1].decode()
                found = re.search(r'name="csrf" value="([^"]+)"', page)
                if found is None:
                    raise child.Failed("the employers' page has no form")
                small, large = (_form(found[1], body) for body in (_HEAD + _row(0).encode(), path.read_bytes()))
                headers = cookie | {"Content-Type": "multipart/form-data; boundary=bench"}
                return _above(running, address, (small, headers), (large, headers))
        finally:
            world.drop(store)

    return measure


def _form(csrf: str, body: bytes) -> bytes:
    fields = io.BytesIO()
    for name, value in (("csrf", csrf), ("bulan", MONTH)):
        fields.write(f'--bench\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode())
    fields.write(b'--bench\r\nContent-Disposition: form-data; name="berkas"; filename="a.csv"\r\n\r\n')
    return fields.getvalue() + body + b"\r\n--bench--\r\n"


def _ask(running: load.Server, method: str, path: str, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
    parts = urlsplit(running.url)
    connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=3_600)
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    found = answer.status, answer.read()
    connection.close()
    return found


Sending = tuple[bytes, dict[str, str]]


def _above(running: load.Server, path: str, small: Sending, large: Sending) -> Measure:
    """AT_ONCE large bodies together: the peak above what the server had after a small one, in MB."""
    _ask(running, "POST", path, *small)
    base = _resident(running.process, "VmRSS")
    Path(f"/proc/{running.process}/clear_refs").write_text("5")  # the high water mark begins anew
    began = time.perf_counter()
    with ThreadPoolExecutor(AT_ONCE) as clients:
        statuses = {found for found, _ in clients.map(lambda _: _ask(running, "POST", path, *large), range(AT_ONCE))}
    seconds = time.perf_counter() - began
    if any(status >= 500 for status in statuses):
        raise child.Failed(f"status {statuses}")
    peak = _resident(running.process, "VmHWM")
    told = {"seconds": seconds, "body_MB": len(large[0]) / 1e6, "status": float(max(statuses))}
    return Measure((peak - base) / 1e6, peak, told)


def _resident(process: int, name: str) -> int:
    lines: Iterator[str] = iter(Path(f"/proc/{process}/status").read_text().splitlines())
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:"))
