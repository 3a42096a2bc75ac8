"""The statement on paper: a tagged PDF (PDF/UA-1), made by typst from `paper.typ` with its own fonts.

Everything that somebody wrote reaches the template as JSON and is only ever text there. One compiler makes all papers of a
process, one at a time: a sheet takes about ten milliseconds, of which nothing is read from disk or the network.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import typst

from api import formats
from api.statement.answer import Name
from api.statement.code import CHECK, picture
from api.statement.texts import Texts, texts
from ledger.decisions.person import Identity
from ledger.money import rupiah
from ledger.yields import POLICY
from projections.statement import PAID_LATER, Gap, Statement, StatementLine

Draw = Callable[[str, str], str]
TEMPLATE = Path(__file__).with_name("paper.typ")
_WIDE, _FONT, _SMALL = 174, 8.5, 7.2
"""Millimetres of a line; points of the table's letters, and of those for very large amounts."""
_LETTER = 0.192
"""Millimetres of a figure, for each point."""
_DAY = 11
"""Letters of `10 Nov 2025`."""
_STATES = {"not-received": "missing", "payments-incomplete": "awaited", "taken-back": "back", PAID_LATER: "after"}
"""Reason of a gap -> the word in the place of its amount; what waits is `waits`."""


class Holder(NamedTuple):
    """Whose statement it is: the name, and the NIK with most of its digits masked."""

    name: str
    nik: str


def holder_of(identity: Identity) -> Holder:
    """The holder with this identity."""
    return Holder(identity.name, formats.masked_nik(identity.nik))


class Head(NamedTuple):
    """What stands around the figures. `holder` None where the reader may not know; `position` in its outside form;
    `code`: the answer code, "" where there is none; `site`: the address that the paper names, "" for none."""

    kpj: str
    segment: str
    holder: Holder | None
    moment: datetime
    position: str
    code: str = ""
    site: str = ""


class Press:
    """The compiler. Thread-safe."""

    def __init__(self) -> None:
        # No font of the machine: the same statement is the same file everywhere.
        self._compiler = typst.Compiler(
            str(TEMPLATE), root=str(TEMPLATE.parent), ignore_system_fonts=True, font_paths=[]
        )
        self._lock = threading.Lock()

    def pictures(self, data: dict[str, Any]) -> list[bytes]:
        """The pages of some data, each as PNG."""
        with self._lock:
            made = self._compiler.compile(sys_inputs=_given(data), format="png", ppi=96)
        return [page for page in (made if isinstance(made, list) else [made]) if page is not None]

    def pdf(self, data: dict[str, Any]) -> bytes:
        """The pages of some data."""
        given = _given(data)
        with self._lock:
            try:
                made = self._compiler.compile(sys_inputs=given, format="pdf", pdf_standards=["ua-1"])
            except typst.TypstError:
                # The standard forbids a letter that no font has; a name with one is printed all the same, still tagged.
                made = self._compiler.compile(sys_inputs=given, format="pdf")
        assert isinstance(made, bytes)
        return made


def _given(data: dict[str, Any]) -> dict[str, str]:
    return {"data": msgspec.json.encode(data).decode()}


@cache
def press() -> Press:
    """The press of this process."""
    return Press()


def paper(found: Statement, head: Head, name: Name, language: str, draw: Draw = picture) -> bytes:
    """The statement as PDF; `name`: what to say of an employer; `draw`: what makes the square of code and site."""
    return press().pdf(data_of(found, head, name, language, draw))


def data_of(found: Statement, head: Head, name: Name, language: str, draw: Draw = picture) -> dict[str, Any]:
    """What the template is given: texts, and how wide and high what holds them is."""
    t = texts(language)
    numbers = {npp: str(at) for at, npp in enumerate(found.npps, 1)}
    several = len(numbers) > 1
    named = {npp: name(npp, found.employers.get(npp, "")) or f"NPP {npp}" for npp in numbers}
    rows = list(_rows(found, numbers if several else {}, t))
    columns = [
        "month",
        *(["number"] if several else []),
        "wage",
        "paid",
        "posted",
        "from_employer",
        "from_worker",
        "amount",
    ]
    total = [_figures(found.employer), _figures(found.worker), _figures(sum(line.amount for line in found.lines))]
    size, widths = _widths(rows, total, several)
    fits = int((widths[0] - 3) / (size * _LETTER))
    year, period = found.period.year, found.period
    return {
        "lang": language,
        "title": t("title_year", year=year) if year else t("title_days"),
        "brand": t("brand"),
        "days": t("days", since=_day(period.since, t), until=_day(period.until, t)),
        "about": list(_about(head, numbers, named, several, t)),
        "summary": t("summary"),
        "sums": list(_sums(found, t)),
        "estimate": _estimate(found, t),
        "corrections_title": t("corrections", day=_day(found.stated.on, t)) if found.stated else "",
        "corrections": [
            [t.correction(one), rupiah(one.amount)] for one in (found.stated.corrections if found.stated else ())
        ],
        "lines_title": t("lines"),
        "no_lines": t("no_lines"),
        "size": size,
        "widths": widths,
        "aligns": ["r" if column in {"wage", "from_employer", "from_worker", "amount"} else "l" for column in columns],
        "head": [t(column) for column in columns],
        "rows": rows,
        "low": [len(row) > 3 and len(row[0]) <= fits for row in rows],
        "total": [[len(columns) - 3, t("sum", n=len(found.lines))], *total],
        "notes": [t("note"), t("model", policy=POLICY), *_how(head, t)],
        "foot": [t("as_of", moment=formats.moment(head.moment, language), position=head.position)],
        "code": [t("code"), head.code] if head.code else [],
        "qr": draw(head.code, head.site) if head.code else "",
        "page": t("page"),
        "of": t("of"),
    }


def _how(head: Head, t: Texts) -> Iterator[str]:
    """How to check the paper. The code is said here as well: a reader of the screen is not read the foot."""
    if head.code:
        page = head.site.partition("://")[2] + CHECK if head.site else ""
        yield t("check_at", code=head.code, page=page) if page else t("check", code=head.code)


def _day(value: Any, t: Texts) -> str:
    return formats.day(value, t.language)


def _figures(amount: int) -> str:
    """`1.234.567`, the head of the column says Rp."""
    return rupiah(amount).replace("Rp", "")


def _about(head: Head, numbers: dict[str, str], named: dict[str, str], several: bool, t: Texts) -> Iterator[list[str]]:
    if head.holder is not None:
        yield [t("name"), head.holder.name]
    yield [t("kpj"), head.kpj]
    if head.holder is not None:
        yield [t("nik"), head.holder.nik]
    yield [t("segment"), t(head.segment)]
    for npp, number in numbers.items():
        yield [f"{t('employer')} {number}" if several else t("employer"), named[npp]]


def _sums(found: Statement, t: Texts) -> Iterator[list[str]]:
    stated = found.stated
    if stated is not None:
        yield [t("stated", year=found.period.since.year - 1, day=_day(stated.on, t)), rupiah(stated.amount)]
        yield [t("changed"), rupiah(sum(one.amount for one in stated.corrections)) if stated.corrections else t("none")]
    yield [t("opening", day=_day(found.period.since, t)), rupiah(found.opening.total)]
    yield [t("came_employer"), rupiah(found.employer)]
    yield [t("came_worker"), rupiah(found.worker)]
    if found.brought:
        yield [t("brought"), rupiah(found.brought)]
    for one in found.yields:
        rates = dict.fromkeys(formats.percent(rate, t.language) for rate in (one.utama, one.tambahan))
        yield [t("earned", year=one.year, rate=" / ".join(rates)), rupiah(one.amount)]
    for year in found.undeclared:
        yield [t("not_declared", year=year), t("later")]
    yield [t("paid_out"), rupiah(-found.paid_out) if found.paid_out else t("none")]
    yield [t("closing", day=_day(found.period.until, t)), rupiah(found.closing.total)]


def _estimate(found: Statement, t: Texts) -> str:
    left, terms = found.closing.estimated, found.terms
    if left is None or terms.provisional is None:
        return ""
    month, rate = (
        formats.month(terms.year * 12 + terms.month - 1, t.language),
        formats.percent(terms.provisional, t.language),
    )
    return t("estimate", month=month, rate=rate, amount=rupiah(left))


def _rows(found: Statement, numbers: dict[str, str], t: Texts) -> Iterator[list[str]]:
    """Lines and gaps by month. A line has a text for every column; a gap the month, why, and a word for the amount."""
    both: list[StatementLine | Gap] = sorted((*found.lines, *found.gaps), key=lambda one: one.month)
    for one in both:
        month = formats.month(one.month, t.language)
        if isinstance(one, Gap):
            payer = f"{numbers[one.npp]}: " if one.npp in numbers else ""
            yield [month, payer + t.why(one), t(_STATES.get(one.reason, "waits"))]
            continue
        label = t("is_opening") if one.type.startswith("opening") else month
        label = t("is_taken_back", month=label) if one.type.endswith("reversed") else label
        yield [
            label, *([numbers.get(one.npp, "")] if numbers else []), _figures(one.wage) if one.wage else "",
            formats.day_short(one.paid_on, t.language), formats.day_short(one.posted_on, t.language),
            _figures(one.employer), _figures(one.worker), _figures(one.amount),
        ]  # fmt: skip


def _widths(rows: list[list[str]], total: list[str], several: bool) -> tuple[float, list[float]]:
    """The size of the letters, and the columns in millimetres: figures never wrap, the month has what is left."""
    lines = [row for row in rows if len(row) > 3]
    wage = max([len(row[1 + several]) for row in lines], default=0)
    sums = [
        max([len(row[at]) for row in lines] + [len(text), 10]) for at, text in zip((-3, -2, -1), total, strict=True)
    ]
    letters = [max(wage, 7), _DAY, _DAY, *sums]
    size = _FONT if sum(letters) * _FONT * _LETTER + 62 <= _WIDE else _SMALL
    figures = [letters[0] * size * _LETTER + 2.8, *(count * size * _LETTER + 3.4 for count in letters[1:])]
    number = [8.0] if several else []
    return size, [round(width, 1) for width in (_WIDE - sum(figures) - sum(number), *number, *figures)]
