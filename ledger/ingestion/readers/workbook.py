"""A workbook's parts beside its cells: which sheets it has and which of them a person sees, its texts, its date formats.

Nothing is held that grows with the cells, but the texts that cells share, in one long text.
"""

from __future__ import annotations

import posixpath
import re
from array import array
from typing import NamedTuple

from ledger.errors import Refused
from ledger.ingestion.readers.archive import Archive
from ledger.ingestion.readers.markup import Attributes, attribute, is_true, local, parse

_SHEETS = 1_000
_STYLES = 65_536
_LONGEST_TEXT = 40_000
_DATE_FORMATS = frozenset((*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)))
_NOT_FORMAT = re.compile(r'"[^"]*"|\\.|_.|\*.|\[(?!h+\]|m+\]|s+\])[^\]]*\]')
_DATE_SIGNS = re.compile(r"[dmyhs]", re.IGNORECASE)


_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")


def unescaped(text: str) -> str:
    """A text of a workbook as a spreadsheet shows it: `_x000D_` is how XML carries a sign that it may not have."""
    return _ESCAPED.sub(lambda match: chr(int(match[1], 16)), text) if "_x" in text else text


class SheetPart(NamedTuple):
    """A sheet of cells: its name, and where it is in the archive."""

    name: str
    path: str
    visible: bool


class SharedTexts:
    """The texts that cells name by their number, held as one; raises IndexError for one that is not there."""

    def __init__(self) -> None:
        self._blob = bytearray()
        self._ends = array("Q")

    def add(self, text: str) -> None:
        self._blob += text[:_LONGEST_TEXT].encode("utf-8", "surrogatepass")
        self._ends.append(len(self._blob))

    def __getitem__(self, place: int) -> str:
        if place < 0:
            raise IndexError(place)
        end = self._ends[place]
        return self._blob[self._ends[place - 1] if place else 0 : end].decode("utf-8", "surrogatepass")


class Workbook:
    """An opened workbook. `calculated`: whether the stored results of its formulas are a spreadsheet's own."""

    def __init__(self, archive: Archive) -> None:
        self._archive = archive
        root = self._root()
        self._links = _links(archive, root)
        self.sheets: list[SheetPart] = []
        self.calculated = True
        self.from_1904 = False
        self._folder = posixpath.dirname(root)
        self._read_root(root)
        self.texts = SharedTexts()
        self._read_texts()
        self.dates: frozenset[str] = self._date_styles()

    def _root(self) -> str:
        """Where the workbook itself is."""
        if "_rels/.rels" in self._archive.members:
            for kind, target in _links(self._archive, "").values():
                if kind == "officeDocument":
                    return target.removeprefix("/")
        return "xl/workbook.xml"

    def _linked(self, kind: str) -> str | None:
        """Where the workbook's part of a kind is."""
        for one, target in self._links.values():
            path = self._path(target)
            if one == kind and path in self._archive.members:
                return path
        return None

    def _path(self, target: str) -> str:
        path = target if target.startswith("/") else posixpath.join(self._folder, target)
        return posixpath.normpath(path).removeprefix("/").lower()

    def _read_root(self, root: str) -> None:
        def start(tag: str, attributes: Attributes) -> None:
            name = local(tag)
            if name == "sheet":
                kind, target = self._links.get(attribute(attributes, "id"), ("", ""))
                if kind == "worksheet" and len(self.sheets) < _SHEETS:
                    state = attributes.get("state", "visible")
                    part = SheetPart(attributes.get("name", "?"), self._path(target), state == "visible")
                    self.sheets.append(part)
            elif name == "workbookPr":
                self.from_1904 = is_true(attributes.get("date1904"))
            elif name == "calcPr" and is_true(attributes.get("fullCalcOnLoad")):
                # A program wrote the formulas and asks the next spreadsheet to work them out.
                self.calculated = False

        with self._archive.open(root) as file:
            parse(file, start)
        if not self.sheets:
            raise Refused("file-unreadable")

    def _read_texts(self) -> None:
        path = self._linked("sharedStrings")
        if path is None:
            return
        pieces: list[str] = []
        inside = [False, False]

        def start(tag: str, _: Attributes) -> None:
            name = local(tag)
            if name == "si":
                pieces.clear()
            elif name == "rPh":
                inside[1] = True
            elif name == "t":
                inside[0] = not inside[1]

        def end(tag: str) -> None:
            name = local(tag)
            if name == "si":
                self.texts.add(unescaped("".join(pieces)))
            elif name == "rPh":
                inside[1] = False
            elif name == "t":
                inside[0] = False

        def text(found: str) -> None:
            if inside[0]:
                pieces.append(found)

        with self._archive.open(path) as file:
            parse(file, start, end, text)

    def _date_styles(self) -> frozenset[str]:
        """The numbers of the cell styles that show a number as a date."""
        path = self._linked("styles")
        if path is None:
            return frozenset()
        own: dict[str, str] = {}
        styles: list[str] = []
        inside = [False]

        def start(tag: str, attributes: Attributes) -> None:
            name = local(tag)
            if name == "numFmt" and len(own) < _STYLES:
                own[attributes.get("numFmtId", "")] = attributes.get("formatCode", "")
            elif name == "cellXfs":
                inside[0] = True
            elif name == "xf" and inside[0] and len(styles) < _STYLES:
                styles.append(attributes.get("numFmtId", "0"))

        def end(tag: str) -> None:
            if local(tag) == "cellXfs":
                inside[0] = False

        with self._archive.open(path) as file:
            parse(file, start, end)
        return frozenset(str(place) for place, number in enumerate(styles) if _is_date(number, own.get(number)))


def _is_date(number: str, code: str | None) -> bool:
    if code is None:
        return number.isdigit() and int(number[:6]) in _DATE_FORMATS
    plain = _NOT_FORMAT.sub("", code.split(";")[0])
    return bool(_DATE_SIGNS.search(plain)) and "general" not in plain.lower()


def _links(archive: Archive, part: str) -> dict[str, tuple[str, str]]:
    """Id -> (kind, target) of what a part of a workbook is linked to."""
    folder, _, name = part.rpartition("/")
    found: dict[str, tuple[str, str]] = {}

    def start(tag: str, attributes: Attributes) -> None:
        if local(tag) == "Relationship" and len(found) < _SHEETS * 2:
            target = attributes.get("Target", "").replace("\\", "/")
            kind = attributes.get("Type", "").rpartition("/")[2]
            found[attributes.get("Id", "")] = kind, target

    with archive.open(f"{folder}/_rels/{name}.rels" if folder else f"_rels/{name}.rels") as file:
        parse(file, start)
    return found
