"""Workbooks written by hand, so that a cell can be anything that a spreadsheet or a program puts into a file."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple
from xml.sax.saxutils import escape, quoteattr

_MAIN = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
_LINKS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = 'xmlns="http://schemas.openxmlformats.org/package/2006/relationships"'


class Raw(NamedTuple):
    """A cell as XML: the attributes of `<c>` and what stands in it."""

    attributes: str
    inside: str


def error(sign: str) -> Raw:
    return Raw('t="e"', f"<f>A1/0</f><v>{sign}</v>")


FORMULAS = (
    Raw("", "<f>SUM(A1)</f>"),
    Raw("", "<f>A1</f><v></v>"),
    Raw('t="str"', "<f>A1</f>"),
    Raw("", "<f>A1</f><v/>"),
)
"""A formula without a stored result."""


class Page(NamedTuple):
    """A sheet. `rows`: of texts, numbers and raw cells; "" is no cell."""

    rows: list[list[object]]
    name: str = "Data"
    state: str = "visible"
    hidden_rows: frozenset[int] = frozenset()
    hidden_columns: frozenset[int] = frozenset()
    first_row: int = 1
    first_column: int = 1
    merged: tuple[str, ...] = ()
    columns: str = ""
    row_attributes: Mapping[int, str] = MappingProxyType({})


def letters(place: int) -> str:
    """1 -> `A`."""
    text = ""
    while place:
        place, rest = divmod(place - 1, 26)
        text = chr(65 + rest) + text
    return text


def _cell(value: object, at: str) -> str:
    if value == "":
        return ""
    if isinstance(value, Raw):
        return f'<c r="{at}" {value.attributes}>{value.inside}</c>'
    if isinstance(value, str):
        return f'<c r="{at}" t="inlineStr"><is><t xml:space="preserve">{escape(value)}</t></is></c>'
    return f'<c r="{at}"><v>{value}</v></c>'


def _sheet(page: Page) -> str:
    columns = "".join(f'<col min="{at}" max="{at}" hidden="1"/>' for at in sorted(page.hidden_columns))
    rows = []
    for number, row in enumerate(page.rows, page.first_row):
        cells = "".join(_cell(value, f"{letters(at)}{number}") for at, value in enumerate(row, page.first_column))
        hidden = (' hidden="1"' if number in page.hidden_rows else "") + page.row_attributes.get(number, "")
        rows.append(f'<row r="{number}"{hidden}>{cells}</row>')
    cols = f"<cols>{columns}{page.columns}</cols>" if columns or page.columns else ""
    merged = "".join(f'<mergeCell ref="{one}"/>' for one in page.merged)
    merges = f'<mergeCells count="{len(page.merged)}">{merged}</mergeCells>' if merged else ""
    return f"<worksheet {_MAIN}>{cols}<sheetData>{''.join(rows)}</sheetData>{merges}</worksheet>"


def book(*pages: Page, calculated: bool = True, separator: str = "/") -> bytes:
    """The bytes of a workbook. `calculated` False: its formulas wait to be worked out when it is opened."""
    sheets = "".join(
        f'<sheet name={quoteattr(page.name)} sheetId="{at}" state="{page.state}" r:id="rId{at}"/>'
        for at, page in enumerate(pages, 1)
    )
    links = "".join(
        f'<Relationship Id="rId{at}" Type="{_LINKS}/worksheet" Target="worksheets/sheet{at}.xml"/>'
        for at in range(1, len(pages) + 1)
    )
    parts = {
        "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>',
        "_rels/.rels": f'<Relationships {_PACKAGE}><Relationship Id="r" Type="{_LINKS}/officeDocument" '
        'Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook {_MAIN} xmlns:r="{_LINKS}"><sheets>{sheets}</sheets>'
        f'<calcPr calcId="1"{"" if calculated else " fullCalcOnLoad=" + quoteattr("1")}/></workbook>',
        "xl/_rels/workbook.xml.rels": f"<Relationships {_PACKAGE}>{links}</Relationships>",
    } | {f"xl/worksheets/sheet{at}.xml": _sheet(page) for at, page in enumerate(pages, 1)}
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(name.replace("/", separator), text)
    return body.getvalue()
