"""What a file is, told by its first bytes: one of the formats that are read, or the name of the one that is not."""

from __future__ import annotations

import re

from ledger.errors import Refused
from ledger.ingestion.readers.archive import MAGIC, Archive

_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_SIGNS = (
    (b"%PDF", "PDF"),
    (b"{\\rtf", "RTF"),
    (b"7z\xbc\xaf\x27\x1c", "7z"),
    (b"Rar!", "RAR"),
    (b"\x89PNG", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"SQLite format 3", "SQLite"),
    (b"PAR1", "Parquet"),
    (b"GIF8", "GIF"),
    (b"\x1f\x8b", "gzip in gzip"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ\0", "xz"),
    (b"\x28\xb5\x2f\xfd", "Zstandard"),
    (b"ID;P", "SYLK"),
    (b"MIME-Version:", "MHTML"),
)
_OLD_SHEETS = (b"\x09\x08\x10\x00", b"\x09\x04\x06\x00", b"\x09\x02\x06\x00", b"\x09\x00\x04\x00")
"""How the sheets of Excel 2 to 5 begin when they stand alone."""
_HTML = re.compile(rb"<(?:!doctype\s+html|html|head|body|table|meta|div|style|script)\b", re.IGNORECASE)
_PROTECTED = tuple(
    word.encode(coding) for word in ("EncryptedPackage", "EncryptionInfo") for coding in ("utf-16-le", "ascii")
)
LOOKED_AT = 1 << 16


def kind_of(head: bytes) -> str:
    """`zip`, `array`, `lines` or `csv`, by the first bytes of an unpacked input.

    Raises Refused: file-empty, file-protected (a password), file-kind-wrong (telling which kind it is).
    """
    if not head:
        raise Refused("file-empty")
    if head.startswith((MAGIC, b"PK\x05\x06")):
        return "zip"
    if head.startswith(_OLE):
        if any(word in head for word in _PROTECTED):
            raise Refused("file-protected")
        raise Refused("file-kind-wrong", kind=".xls")
    if head.startswith(_OLD_SHEETS):
        raise Refused("file-kind-wrong", kind=".xls")
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    for sign, kind in _SIGNS:
        if text.startswith(sign):
            raise Refused("file-kind-wrong", kind=kind)
    if text.startswith(b"<"):
        raise Refused("file-kind-wrong", kind=_markup(text))
    return {b"[": "array", b"{": "lines"}.get(text[:1], "csv")


def _markup(text: bytes) -> str:
    start = text[:4096]
    if _HTML.search(start):
        return "HTML"
    return "XML Spreadsheet 2003" if b"urn:schemas-microsoft-com:office:spreadsheet" in start else "XML"


def is_workbook(archive: Archive) -> bool:
    """Whether a zip is a workbook. Raises Refused: file-kind-wrong, file-zip-of-many, for what is neither that nor one
    table."""
    names = archive.members
    if "xl/workbook.bin" in names:
        raise Refused("file-kind-wrong", kind=".xlsb")
    if "[content_types].xml" in names or "xl/workbook.xml" in names:
        if "word/document.xml" in names:
            raise Refused("file-kind-wrong", kind=".docx")
        if "ppt/presentation.xml" in names:
            raise Refused("file-kind-wrong", kind=".pptx")
        return True
    if "mimetype" in names and "content.xml" in names:
        raise Refused("file-kind-wrong", kind=".ods")
    if "index/document.iwa" in names or any(name.endswith(".iwa") for name in names):
        raise Refused("file-kind-wrong", kind=".numbers")
    if not archive.one_table:
        raise Refused("file-zip-of-many", files=len(archive.tables))
    return False
